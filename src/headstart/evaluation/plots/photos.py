"""Photos with titles: samples, augmentation, predictions, mistakes, explanations."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import BboxImage
from matplotlib.transforms import Bbox, TransformedBbox

from headstart.evaluation.explanation import Explanation
from headstart.evaluation.plots.style import BLUE, GREY, NAME_WIDTH, RED, STYLE, new_figure, percent, shortened

TITLE, LINE, GAP = 0.5, 0.22, 0.06  # inches: title of a figure, line above a photo, space around a photo
COLUMNS = 3  # of a grid


@matplotlib.rc_context(STYLE)
def samples(images: Sequence[np.ndarray], names: Sequence[str]) -> Figure:
    """Up to nine training images, each under its class name. Images: uint8 (h, w, 3) of any size."""
    return _grid(images, [(shortened(name, NAME_WIDTH), "black") for name in names], "Training images")


@matplotlib.rc_context(STYLE)
def augmentation(views: Sequence[np.ndarray], names: Sequence[str] = ()) -> Figure:
    """Up to nine views of one image; names: of each, or none."""
    return _grid(views, [(name, "black") for name in names or [""] * len(views)], "One image as training sees it")


@matplotlib.rc_context(STYLE)
def predictions(
    images: Sequence[np.ndarray],
    labels: Sequence[str],
    answers: Sequence[str],
    probabilities: Sequence[float],
    title: str = "Predictions for test images",
) -> Figure:
    """Images under their predictions: correct ones in blue with a tick, wrong ones in red with a cross and the truth.

    answers, probabilities: the predicted classes, and how probable they are.
    """
    titles = [
        _prediction(label, answer, probability, NAME_WIDTH - 3)
        for label, answer, probability in zip(labels, answers, probabilities, strict=True)
    ]
    return _grid(images, titles, title)


@matplotlib.rc_context(STYLE)
def mistakes(
    images: Sequence[np.ndarray], labels: Sequence[str], answers: Sequence[str], probabilities: Sequence[float]
) -> Figure:
    """The most confident wrong predictions."""
    if not images:
        figure = new_figure(6, 1.6)
        figure.text(0.5, 0.5, "No mistakes on these images", ha="center", va="center", fontsize=13)
        return figure
    return predictions(images, labels, answers, probabilities, "Mistakes, the most confident first")


@matplotlib.rc_context(STYLE)
def explanations(rows: Sequence[Explanation], title: str) -> Figure:
    """A row for each image: the photo and its prediction, the evidence for it, and the most similar training images."""
    columns = 2 + max(len(row.similar) for row in rows)
    figure, places = _cells(title, len(rows), columns, width=2.1, height=2.6, lines=2)
    width = NAME_WIDTH - 10
    for number, row in enumerate(rows):
        cells = [
            (row.image, *_prediction(row.label, row.answer, row.probability, width)),
            (row.evidence, f"evidence for\n{shortened(row.answer, width)}", "black"),
            *((image, f"in training:\n{shortened(name, width)}", GREY) for image, name in row.similar),
        ]
        for column, (image, text, colour) in enumerate(cells):
            _photo(figure, places[number * columns + column], image, text, colour, fontsize=10)
    return figure


def _prediction(label: str, answer: str, probability: float, width: int) -> tuple[str, str]:
    """Two lines, each up to `width` characters and a few more, and their colour."""
    text = f"{shortened(answer, width - 4)} {percent(probability)}"
    if answer == label:
        return f"✓ {text}\n", BLUE
    return f"✗ {text}\nis {shortened(label, width)}", RED


def _grid(images: Sequence[np.ndarray], titles: Sequence[tuple[str, str]], title: str) -> Figure:
    """Photos in rows of three, each whole and in its own shape, under a title (text, colour)."""
    lines = 1 + max(text.count("\n") for text, _ in titles)
    rows = -(-len(images) // COLUMNS)
    figure, places = _cells(title, rows, COLUMNS, width=2.6, height=2.3 + LINE * lines, lines=lines)
    for place, image, (text, colour) in zip(places, images, titles, strict=False):
        _photo(figure, place, image, text, colour, fontsize=9)
    return figure


def _cells(
    title: str, rows: int, columns: int, *, width: float, height: float, lines: int
) -> tuple[Figure, list[tuple[float, float, float, float]]]:
    """A figure with a title, and the place (left, bottom, width, height; shares of the figure) of each photo in it, row
    by row.

    width, height: of a cell, in inches, with `lines` of text above the photo. The layout is computed here, as
    matplotlib's own takes longer than the rest of such a figure.
    """
    across, down = width * columns, TITLE + height * rows
    figure = Figure(figsize=(across, down), facecolor="white")
    figure.suptitle(title, y=1 - 2 * GAP / down, fontsize=13)
    size = (width - 2 * GAP) / across, (height - LINE * lines - 2 * GAP) / down
    return figure, [
        ((column * width + GAP) / across, ((rows - 1 - row) * height + GAP) / down, *size)
        for row in range(rows)
        for column in range(columns)
    ]


def _photo(
    figure: Figure,
    place: tuple[float, float, float, float],
    image: np.ndarray,
    title: str,
    colour: str,
    *,
    fontsize: float,
) -> None:
    """A photo, whole and in its own shape, at the top of its place and right below its title.

    It gets no axes: their ticks, scales and spines, which would not be seen, would take most of the time.
    """
    left, bottom, width, height = place
    across, down = figure.get_size_inches()
    scale = min(width * across / image.shape[1], height * down / image.shape[0])  # inches a pixel
    shown = scale * image.shape[1] / across, scale * image.shape[0] / down
    corner = left + (width - shown[0]) / 2, bottom + height - shown[1]
    picture = BboxImage(TransformedBbox(Bbox.from_bounds(*corner, *shown), figure.transFigure))
    picture.set_data(image)
    figure.add_artist(picture)
    above = bottom + height + GAP / down
    figure.text(left + width / 2, above, title, color=colour, fontsize=fontsize, ha="center", va="bottom")
