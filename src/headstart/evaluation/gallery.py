"""Which images go into which picture of a run: Dataset, Classifier, Evaluation -> what `drawing.py` is to draw.

Chooses and reads the images; how a picture looks, `plots.py` knows.
"""

from collections.abc import Sequence

import numpy as np

from headstart.classifier.activation_map import class_map, overlay
from headstart.data.augmentation import Augmentation
from headstart.data.dataset import Dataset, Split
from headstart.data.images import read_again, read_image, read_thumbnail
from headstart.data.splits import in_turn
from headstart.data.views import VIEWS
from headstart.evaluation.drawing import Draw
from headstart.evaluation.explanation import Explained, nearest
from headstart.evaluation.learning_curve import LearningCurve
from headstart.evaluation.metrics import Evaluation
from headstart.training.trainer import Trained

THUMBNAIL = 240  # pixels, the longer side of a photo in a picture
PICTURES = 9  # in a grid, as in the tutorial
EXPLAINED = 4  # answers
NEIGHBOURS = 3  # training images beside each of them


def draw_samples(draw: Draw, dataset: Dataset, *, seed: int) -> None:
    """samples.png."""
    train = dataset.train
    chosen = various(train.labels, seed=seed)
    names = [dataset.class_names[label] for label in train.labels[chosen]]
    draw("samples", _thumbnails(train, chosen), names)


def draw_views(
    draw: Draw,
    dataset: Dataset,
    kept: Sequence[str],
    augmentation: Augmentation,
    *,
    image_size: int,
    resizing: str,
    seed: int,
) -> None:
    """augmentation.png: the views that are kept, by their names; where none are, random ones."""
    train, first = dataset.train, various(dataset.train.labels, seed=seed)[0]
    image, digest = read_image(train.paths[first], max(image_size, THUMBNAIL), resizing), train.digests[first]
    if kept:
        views, names = [VIEWS[name](image) for name in kept], [name.replace("_", " ") for name in kept]
    else:
        views = [augmentation.view(image, seed=seed, epoch=epoch, digest=digest) for epoch in range(PICTURES)]
        names = []
    draw("augmentation", views, names)


def draw_results(
    draw: Draw, split: Split, evaluation: Evaluation, history: Sequence[dict], *, name: str, seed: int
) -> None:
    """confusion_matrix.png, reliability.png, predictions.png, mistakes.png; learning_curves.png where there was more
    than one epoch, curves.png where there are images of more than one class.

    split, evaluation: the held-out images and how they were answered; `name` says which they are.
    """
    if len(history) > 1:  # a head that was solved in one go has no curve
        draw("learning_curves", history)
    draw("confusion_matrix", evaluation.confusion, evaluation.class_names, f"Confusion matrix, {name} images")
    before, after = evaluation.reliability_before, evaluation.reliability
    draw("reliability", before, after, f"Reliability, {name} images")
    found = {of_class: each for of_class, each in zip(evaluation.class_names, evaluation.curves, strict=True) if each}
    if found:
        draw("curves", found, f"ROC and precision-recall curves, {name} images")
    some = np.random.default_rng(seed).permutation(len(split))[:PICTURES]
    draw("predictions", *_answers(split, evaluation, some), f"Answers for {name} images")
    draw("mistakes", *_answers(split, evaluation, worst(evaluation)))


def draw_outlook(draw: Draw, future: LearningCurve) -> None:
    """outlook.png."""
    draw("outlook", future)


def draw_explanations(draw: Draw, trained: Trained, train: Split, split: Split, evaluation: Evaluation) -> None:
    """explanations.png: the most certain mistakes (or else the least certain answers), and where they come from."""
    chosen, title = worst(evaluation, EXPLAINED), "Where mistakes come from"
    if not len(chosen):
        chosen = np.argsort(evaluation.probabilities.max(axis=1), kind="stable")[:EXPLAINED]
        title = "Where the least certain answers come from"
    chosen_images = split.take(chosen)
    classifier = trained.classifier
    size, resizing = classifier.image_size, classifier.resizing
    pixels = np.stack([read_again(path, size, resizing) for path in chosen_images.paths])
    kernel, bias = classifier.network.head
    similar = nearest(trained.features(chosen_images)[:], trained.features(train), NEIGHBOURS)
    rows = []
    for row, (image, maps) in enumerate(zip(chosen, trained.feature_maps(pixels), strict=True)):
        answer = int(evaluation.predicted[image])
        rows.append(
            Explained(
                image=read_thumbnail(split.paths[image], THUMBNAIL),
                label=evaluation.class_names[evaluation.labels[image]],
                answer=evaluation.class_names[answer],
                certainty=float(evaluation.probabilities[image, answer]),
                where=overlay(pixels[row], class_map(maps, kernel, bias, answer)),
                neighbours=[
                    (read_thumbnail(train.paths[i], THUMBNAIL), train.class_names[train.labels[i]])
                    for i in similar[row]
                ],
            )
        )
    draw("explanations", rows, title)


def various(labels: np.ndarray, *, seed: int, count: int = PICTURES) -> np.ndarray:
    """int (up to count,): images drawn at random, in turn from one class after the other."""
    rng = np.random.default_rng(seed)
    chosen = in_turn(labels, rng)[:count]
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
