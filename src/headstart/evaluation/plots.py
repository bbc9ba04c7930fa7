"""Every picture: arrays and names -> matplotlib figures -> PNG. Computes nothing, decides nothing.

The colours are those of Okabe and Ito, which people with any kind of colour vision tell apart. Text is shortened or
turned rather than laid over other text, at 2 classes and at 100.
"""

import itertools
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import BboxImage
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox, TransformedBbox

from headstart.evaluation.curves import Curves
from headstart.evaluation.explanation import Explained
from headstart.evaluation.learning_curve import LearningCurve
from headstart.evaluation.reliability import Reliability

# M. Okabe, K. Ito, Color Universal Design (2008)
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#767676"
SHADES = LinearSegmentedColormap.from_list("white_to_blue", ["#FFFFFF", "#9CC9E6", "#0072B2", "#003B5C"])

DPI = 120
NAME_WIDTH = 30  # characters that fit over a thumbnail
LABEL_WIDTH = 40  # characters of a class name along an axis
MAX_CELLS_WITH_NUMBERS = 30  # classes: beyond, the numbers in a confusion matrix could not be read
MAX_CURVES = 8  # classes: four colours, each with two kinds of line
TITLE, LINE, GAP = 0.5, 0.22, 0.06  # inches: title of a figure, line over a picture, space around a picture
MAX_NAMES = 60  # classes: beyond, only some of their names fit along an axis

# matplotlib's own font knows no Chinese, Japanese, Korean, Arabic or Hindi: take the first ones installed that do.
_MORE_FONTS = (
    "Noto Sans CJK JP",
    "Microsoft YaHei",
    "Hiragino Sans",
    "PingFang SC",
    "Arial Unicode MS",
    "WenQuanYi Zen Hei",
)
_INSTALLED = {font.name for font in font_manager.fontManager.ttflist}
FONTS = ["DejaVu Sans", *(name for name in _MORE_FONTS if name in _INSTALLED)]


# class names are shown as they are: a dollar sign in one begins no formula
STYLE: dict[Any, Any] = {"font.family": FONTS, "text.parse_math": False}


@matplotlib.rc_context(STYLE)
def samples(images: Sequence[np.ndarray], names: Sequence[str]) -> Figure:
    """Up to nine training images, each under its class name. Images: uint8 (h, w, 3) of any size."""
    return _grid(images, [(_short(name, NAME_WIDTH), "black") for name in names], "Training images")


@matplotlib.rc_context(STYLE)
def augmentation(views: Sequence[np.ndarray], names: Sequence[str] = ()) -> Figure:
    """Up to nine views of one image; names: of each, or none."""
    return _grid(views, [(name, "black") for name in names or [""] * len(views)], "One image, as training sees it")


@matplotlib.rc_context(STYLE)
def predictions(
    images: Sequence[np.ndarray],
    labels: Sequence[str],
    answers: Sequence[str],
    certainties: Sequence[float],
    title: str = "Answers for test images",
) -> Figure:
    """Images under their answers: right ones in blue with a tick, wrong ones in red with a cross and the truth."""
    titles = []
    for label, answer, certainty in zip(labels, answers, certainties, strict=True):
        text = f"{_short(answer, NAME_WIDTH - 7)} {_percent(certainty)}"
        if answer == label:
            titles.append((f"✓ {text}\n", BLUE))
        else:
            titles.append((f"✗ {text}\nis {_short(label, NAME_WIDTH - 3)}", RED))
    return _grid(images, titles, title)


@matplotlib.rc_context(STYLE)
def mistakes(
    images: Sequence[np.ndarray], labels: Sequence[str], answers: Sequence[str], certainties: Sequence[float]
) -> Figure:
    """The wrong answers that were given with the most certainty."""
    if not images:
        figure = _figure(6, 1.6)
        figure.text(0.5, 0.5, "No mistakes on these images", ha="center", va="center", fontsize=13)
        return figure
    return predictions(images, labels, answers, certainties, "Mistakes, the most certain first")


@matplotlib.rc_context(STYLE)
def outlook(found: LearningCurve) -> Figure:
    """Accuracy over the number of training images, and what it may be with twice as many."""
    figure = _figure(6, 4.2)
    axes = figure.subplots()
    sizes = [point.images for point in found.points]
    accuracies = np.array([point.accuracy for point in found.points])
    between = np.array([(point.accuracy - point.low, point.high - point.accuracy) for point in found.points]).T
    axes.errorbar(sizes, accuracies, between, color=BLUE, marker="o", capsize=3, label="measured (head alone)")
    last, twice = found.points[-1], 2 * found.images
    axes.plot([last.images, twice], [last.accuracy, found.expected], color=BLUE, linestyle="--")
    spread = [[found.expected - found.low], [found.high - found.expected]]
    axes.errorbar([twice], [found.expected], np.maximum(spread, 0), color=ORANGE, marker="s", capsize=5,
                  label="expected; bars: 95% intervals")  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_xticks([*sizes, twice], [f"{size:,}" for size in (*sizes, twice)])
    axes.minorticks_off()
    axes.set_xlabel("training images")
    axes.set_ylabel("accuracy on validation images")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    axes.set_title("Would more photos help?", fontsize=13)
    return figure


@matplotlib.rc_context(STYLE)
def explanations(rows: Sequence[Explained], title: str) -> Figure:
    """A row for each image: the photo and its answer, where on it that comes from, and what it resembles most."""
    columns = 2 + max(len(row.neighbours) for row in rows)
    figure, places = _cells(title, len(rows), columns, width=2.1, height=2.6, lines=2)
    for number, row in enumerate(rows):
        text = f"{_short(row.answer, NAME_WIDTH - 8)} {_percent(row.certainty)}"
        right = row.answer == row.label
        told = f"✓ {text}\n" if right else f"✗ {text}\nis {_short(row.label, NAME_WIDTH - 8)}"
        pictures = [(row.image, told, BLUE if right else RED)]
        pictures.append((row.where, f"what speaks for\n{_short(row.answer, NAME_WIDTH - 8)}", "black"))
        pictures += [(image, f"in training\n{_short(name, NAME_WIDTH - 8)}", GREY) for image, name in row.neighbours]
        for column, (image, text, colour) in enumerate(pictures):
            _photo(figure, places[number * columns + column], image, text, colour, fontsize=8)
    return figure


@matplotlib.rc_context(STYLE)
def learning_curves(history: Sequence[dict]) -> Figure:
    """Accuracy and loss of each epoch, training and validation; a line where fine-tuning starts.

    history: rows of history.csv.
    """
    epochs = [row["epoch"] for row in history]
    starts = [b["epoch"] - 0.5 for a, b in itertools.pairwise(history) if a["phase"] != b["phase"]]
    figure = _figure(7.5, 7.5)
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axes, key, title in ((upper, "accuracy", "Accuracy"), (lower, "loss", "Loss (cross-entropy)")):
        for prefix, name, colour, marker in (("", "training", BLUE, "o"), ("val_", "validation", ORANGE, "s")):
            values = [row[prefix + key] for row in history]
            axes.plot(epochs, values, color=colour, marker=marker, markersize=4, linewidth=1.8, label=name)
        for number, start in enumerate(starts):
            axes.axvline(start, color=GREEN, linestyle="--", label=None if number else "Start fine-tuning")
        axes.set_ylabel(title)
        axes.grid(alpha=0.3)
    figure.legend(*upper.get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
    upper.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}" if value < 1 else "100%")
    lower.set_ylim(0, 1.05 * max(max(row["loss"], row["val_loss"]) for row in history))
    lower.set_xlabel("Epoch")
    lower.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


@matplotlib.rc_context(STYLE)
def confusion_matrix(counts: np.ndarray, names: Sequence[str], title: str = "Confusion matrix") -> Figure:
    """How often each class (row) was answered as each (column). Colour: share of the row; number: images.

    counts: int (classes, classes); names: of the classes.
    """
    classes = len(names)
    side = min(max(4.2, 2.6 + 0.42 * classes), 16)
    figure = _figure(side + 1, side)
    axes = figure.subplots()
    rows = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(rows, 1)
    picture = axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1)
    figure.colorbar(picture, ax=axes, shrink=0.8, label="share of the images of a class", format="{x:.0%}")
    step = -(-classes // MAX_NAMES)
    ticks = np.arange(0, classes, step)
    shown = [_short(names[int(i)], LABEL_WIDTH) for i in ticks]
    turned = max(map(len, shown)) * 0.09 * classes > side * 0.6 or classes > 6
    fontsize = 10 if classes <= 12 else max(6, 11 - classes / 10)
    axes.set_xticks(ticks, shown, rotation=90 if turned else 0, fontsize=fontsize)
    axes.set_yticks(ticks, shown, fontsize=fontsize)
    axes.set_xlabel("Answer")
    axes.set_ylabel("Right class")
    if classes <= MAX_CELLS_WITH_NUMBERS:
        for row, column in np.ndindex(*counts.shape):
            if counts[row, column]:
                colour = "white" if shares[row, column] > 0.5 else "black"
                size = 12 if classes <= 6 else max(5.5, 10 - classes / 6)
                axes.text(
                    column, row, f"{counts[row, column]:,}", ha="center", va="center", color=colour, fontsize=size
                )
    axes.set_title(title, fontsize=13)
    return figure


@matplotlib.rc_context(STYLE)
def reliability(before: Reliability, after: Reliability, title: str = "Reliability") -> Figure:
    """Share of right answers over their probability, before and after calibration; below, how many answers."""
    figure = _figure(6, 6.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    upper.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="true probabilities")
    for found, name, colour, marker in ((before, "as trained", ORANGE, "s"), (after, "calibrated", BLUE, "o")):
        label = f"{name} (error {found.error:.1%})"
        filled = found.counts > 0
        upper.plot(found.confidence[filled], found.accuracy[filled], color=colour, marker=marker, label=label)
        edges = np.linspace(0, 1, len(found.counts) + 1)
        lower.stairs(found.counts, edges, color=colour, linewidth=1.8)
    lowest = min(np.nanmin(found.confidence) for found in (before, after))
    upper.set_xlim(max(0.0, lowest - 0.05), 1.01)
    upper.set_ylim(-0.03, 1.03)
    upper.set_ylabel("share of right answers")
    lower.set_ylabel("answers")
    lower.set_xlabel("probability of the answer")
    lower.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    for axis in (upper.xaxis, upper.yaxis):
        axis.set_major_formatter(_whole_percent)
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    figure.legend(*upper.get_legend_handles_labels(), loc="outside lower center", ncols=1, frameon=False)
    figure.suptitle(title, fontsize=13)
    return figure


@matplotlib.rc_context(STYLE)
def curves(found: Mapping[str, Curves], title: str = "ROC and precision-recall curves") -> Figure:
    """The ROC and the precision-recall curve of each class; of many, the ones with the smallest area.

    found: class name -> its curves.
    """
    worst = sorted(found, key=lambda name: found[name].roc_area)[:MAX_CURVES]
    figure = _figure(9, 4.8 + 0.22 * len(worst))
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], color=GREY, linestyle=":")
    styles = itertools.cycle(itertools.product(("-", "--"), (BLUE, ORANGE, GREEN, RED)))
    for name, (line, colour) in zip(worst, styles, strict=False):
        of_class = found[name]
        shown = f" {name}" if name.startswith("_") else name  # matplotlib leaves others out of a legend
        label = f"{_short(shown, NAME_WIDTH)}: {of_class.roc_area:.3f}, {of_class.average_precision:.3f}"
        left.plot(of_class.false_positives, of_class.true_positives, line, color=colour, linewidth=1.8, label=label)
        right.plot(of_class.recall, of_class.precision, line, color=colour, linewidth=1.8)
    for axes, x, y in (
        (left, "share of other images taken for the class", "share of its images found (recall)"),
        (right, "share of its images found (recall)", "share of right ones (precision)"),
    ):
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.03)
        axes.grid(alpha=0.3)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(_whole_percent)
    which = "" if len(worst) == len(found) else f"; the {len(worst)} of {len(found)} classes with the smallest area"
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False,
                  title=f"area under ROC, average precision{which}")  # fmt: skip
    figure.suptitle(title, fontsize=13)
    return figure


def save(figure: Figure, file: Path) -> None:
    """Write a figure as PNG. A letter that no installed font has is drawn as a box."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(file, dpi=DPI, pil_kwargs={"compress_level": 1})  # half the time, a quarter larger


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def _grid(images: Sequence[np.ndarray], titles: Sequence[tuple[str, str]], title: str) -> Figure:
    """Pictures in rows of three, each whole and in its own shape, under a title of its own colour."""
    lines = 1 + max(text.count("\n") for text, _ in titles)
    rows = -(-len(images) // 3)
    figure, places = _cells(title, rows, 3, width=2.6, height=2.3 + LINE * lines, lines=lines)
    for place, image, (text, colour) in zip(places, images, titles, strict=False):
        _photo(figure, place, image, text, colour, fontsize=9)
    return figure


def _cells(
    title: str, rows: int, columns: int, *, width: float, height: float, lines: int
) -> tuple[Figure, list[tuple[float, float, float, float]]]:
    """A figure with a title, and in it the place (left, bottom, width, height; shares of the figure) of each picture,
    row by row. width, height: of a cell, in inches, in which `lines` of text stand over the picture.

    Computed here, as a layout that matplotlib finds takes longer than all the rest of such a figure.
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
    """A picture, whole and in its own shape, at the top of its place and right below its title.

    No axes are made for it, with ticks, scales and spines that nobody sees: they would take most of the time.
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


def _short(name: str, width: int) -> str:
    """A long name with its middle left out: what tells names apart stands at their ends most of the time."""
    if len(name) <= width:
        return name
    return f"{name[: width // 2]}…{name[-((width - 1) // 2) :]}"


def _whole_percent(value: float, _: int) -> str:
    return f"{value:.0%}"


def _percent(share: float) -> str:
    """0.9996 is not 100%."""
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"
