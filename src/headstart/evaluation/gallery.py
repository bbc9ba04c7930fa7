"""Which images go into which picture of a run: Dataset, Classifier, Evaluation -> plots/*.png.

Chooses and reads the images; how a picture looks, `plots.py` knows.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from headstart.data.augmentation import Augmentation
from headstart.data.dataset import Dataset, Split
from headstart.data.images import read_image, read_thumbnail
from headstart.evaluation import plots
from headstart.evaluation.metrics import Evaluation

THUMBNAIL = 240  # pixels, the longer side of a photo in a picture
PICTURES = 9  # in a grid, as in the tutorial


def draw_data(folder: Path, dataset: Dataset, augmentation: Augmentation, *, image_size: int, seed: int) -> None:
    """samples.png and augmentation.png."""
    train = dataset.train
    first = various(train.labels, seed=seed)
    names = [dataset.class_names[label] for label in train.labels[first]]
    plots.save(plots.samples(_thumbnails(train, first), names), folder / "samples.png")

    image = read_image(train.paths[first[0]], max(image_size, THUMBNAIL))
    digest = train.digests[first[0]]
    views = [augmentation.view(image, seed=seed, epoch=epoch, digest=digest) for epoch in range(PICTURES)]
    plots.save(plots.augmentation(views), folder / "augmentation.png")


def draw_results(
    folder: Path, split: Split, evaluation: Evaluation, history: Sequence[dict], *, name: str, seed: int
) -> None:
    """learning_curves.png, confusion_matrix.png, predictions.png and mistakes.png.

    split, evaluation: the held-out images and how they were answered; `name` says which they are.
    """
    plots.save(plots.learning_curves(history), folder / "learning_curves.png")
    plots.save(plots.confusion_matrix(evaluation, f"Confusion matrix, {name} images"), folder / "confusion_matrix.png")
    some = np.random.default_rng(seed).permutation(len(split))[:PICTURES]
    plots.save(plots.predictions(*_answers(split, evaluation, some), f"Answers for {name} images"),
               folder / "predictions.png")  # fmt: skip
    plots.save(plots.mistakes(*_answers(split, evaluation, worst(evaluation))), folder / "mistakes.png")


def various(labels: np.ndarray, *, seed: int, count: int = PICTURES) -> np.ndarray:
    """int (up to count,): images drawn at random, in turn from one class after the other."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    turn = np.zeros(len(labels), dtype=int)  # the how-manieth of its class an image is, in that order
    for label in np.unique(labels):
        of_class = order[labels[order] == label]
        turn[of_class] = np.arange(len(of_class))
    chosen = order[np.argsort(turn[order], kind="stable")][:count]
    return rng.permutation(chosen)


def worst(evaluation: Evaluation, count: int = PICTURES) -> np.ndarray:
    """int (up to count,): the images with a wrong answer, the most certain ones first."""
    certainty = evaluation.probabilities.max(axis=1)
    wrong = np.flatnonzero(evaluation.predicted != evaluation.labels)
    return wrong[np.argsort(-certainty[wrong], kind="stable")][:count]


def _answers(
    split: Split, evaluation: Evaluation, indices: np.ndarray
) -> tuple[list[np.ndarray], list[str], list[str], list[float]]:
    names = evaluation.class_names
    return (
        _thumbnails(split, indices),
        [names[evaluation.labels[i]] for i in indices],
        [names[evaluation.predicted[i]] for i in indices],
        [float(evaluation.probabilities[i].max()) for i in indices],
    )


def _thumbnails(split: Split, indices: np.ndarray) -> list[np.ndarray]:
    return [read_thumbnail(split.paths[i], THUMBNAIL) for i in indices]
