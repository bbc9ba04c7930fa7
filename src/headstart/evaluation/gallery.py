"""Which images go into which picture of a run: Dataset, Evaluation, features -> what `drawing.py` draws.

Chooses and reads the images; what a picture looks like, `plots` knows. Knows no training.
"""

from collections.abc import Callable, Sequence

import numpy as np

from headstart.array_types import Int, Int64
from headstart.classifier.activation_map import class_map, overlay
from headstart.classifier.classifier import Classifier
from headstart.data.augmentation import Augmentation
from headstart.data.dataset import Dataset, Split
from headstart.data.images import read_again, read_image, read_thumbnail
from headstart.data.splits import round_robin
from headstart.data.value_range import FULL, ValueRange
from headstart.data.views import VIEWS
from headstart.evaluation.drawing import Draw
from headstart.evaluation.explanation import Explanation
from headstart.evaluation.label_evaluation import LabelEvaluation
from headstart.evaluation.learning_curve import LearningCurve
from headstart.evaluation.metrics import Evaluation
from headstart.features.neighbours import nearest
from headstart.features.rows import Rows
from headstart.storage.locations import fetched

THUMBNAIL = 240  # pixels, the longer side of a photo in a picture
GRID = 9  # photos in a picture, as in the tutorial
EXPLAINED = 4  # answers
SIMILAR = 3  # training images beside each of them


def draw_samples(draw: Draw, dataset: Dataset, *, value_range: ValueRange = FULL, seed: int) -> None:
    """Draw samples.png."""
    train = dataset.train
    chosen = varied(train.labels, seed=seed)
    names = [_shown(label) for label in train.take(chosen).texts]
    draw("samples", _thumbnails(train, chosen, value_range), names)


def draw_views(
    draw: Draw,
    dataset: Dataset,
    views: Sequence[str],
    augmentation: Augmentation,
    *,
    image_size: int,
    resizing: str,
    value_range: ValueRange = FULL,
    seed: int,
) -> None:
    """Draw augmentation.png: one training image in the views with these names; without names, in random ones."""
    train, first = dataset.train, int(varied(dataset.train.labels, seed=seed)[0])
    size, digest = max(image_size, THUMBNAIL), train.digests[first]
    image = read_image(train.paths[first], size, resizing, value_range=value_range)
    if views:
        images, names = [VIEWS[name](image) for name in views], [name.replace("_", " ") for name in views]
    else:
        images = [augmentation.view(image, seed=seed, epoch=epoch, digest=digest) for epoch in range(GRID)]
        names = []
    draw("augmentation", images, names)


def draw_results(
    draw: Draw,
    split: Split,
    evaluation: Evaluation,
    history: Sequence[dict],
    *,
    name: str,
    value_range: ValueRange = FULL,
    seed: int,
) -> None:
    """Draw confusion_matrix.png, reliability.png, predictions.png and mistakes.png; learning_curves.png where there was
    more than one epoch, curves.png where there are images of more than one class.

    split, evaluation: the held-out images and the answers to them; name: of the split. history: rows of history.csv.
    """
    if len(history) > 1:  # a head that was solved at once has no curve
        draw("learning_curves", history)
    draw("confusion_matrix", evaluation.confusion, evaluation.class_names, f"Confusion matrix, {name} images")
    before, after = evaluation.reliability_before, evaluation.reliability
    draw("reliability", before, after, f"Reliability diagram, {name} images")
    found = {of_class: each for of_class, each in zip(evaluation.class_names, evaluation.curves, strict=True) if each}
    if found:
        draw("curves", found, f"ROC and precision-recall curves, {name} images")
    some = np.random.default_rng(seed).permutation(len(split))[:GRID]
    draw("predictions", *_answers(split, evaluation, some, value_range), f"Predictions for random {name} images")
    draw("mistakes", *_answers(split, evaluation, most_confident_mistakes(evaluation), value_range))


def draw_label_results(
    draw: Draw, split: Split, evaluation: LabelEvaluation, *, name: str, value_range: ValueRange = FULL, seed: int
) -> None:
    """With several labels per photo: draw predictions.png and mistakes.png, and curves.png where some photos have a
    label and others do not. split, evaluation, name: as for `draw_results`."""
    found = {label: each for label, each in zip(evaluation.class_names, evaluation.curves, strict=True) if each}
    if found:
        draw("curves", found, f"ROC and precision-recall curves of each label, {name} images")
    some = np.random.default_rng(seed).permutation(len(split))[:GRID]
    draw("predictions", *_label_answers(split, evaluation, some, value_range), f"Answers to random {name} images")
    draw("mistakes", *_label_answers(split, evaluation, most_confident_mistakes(evaluation), value_range))


def _label_answers(
    split: Split, evaluation: LabelEvaluation, indices: np.ndarray, value_range: ValueRange
) -> tuple[list[np.ndarray], list[str], list[str], list[float]]:
    """As `_answers`."""
    answers = evaluation.answers
    return (
        _thumbnails(split, indices, value_range),
        [_shown(label) for label in split.take(indices).texts],
        [_shown(answers[i]) for i in indices],
        evaluation.confidence[indices].tolist(),
    )


def _shown(label: str) -> str:
    """The label of an image; "none" where it has none of several."""
    return label or "none"


def draw_learning_curve(draw: Draw, curve: LearningCurve) -> None:
    """Draw outlook.png."""
    draw("outlook", curve)


def draw_explanations(
    draw: Draw,
    classifier: Classifier,
    train: Split,
    split: Split,
    evaluation: Evaluation,
    *,
    features: Callable[[Split], Rows],
    feature_maps: Callable[[np.ndarray], Sequence[np.ndarray]],
) -> None:
    """Draw explanations.png: the most confident mistakes (or else the least confident answers), and their reasons.

    Args:
        split, evaluation: the held-out images and the answers to them.
        features: images -> (n, depth), what the base says of them: similar images are looked for by these.
        feature_maps: uint8 (n, size, size, 3) -> each depth that the head reads, float32 (n, height, width, channels).
    """
    chosen, title = most_confident_mistakes(evaluation, EXPLAINED), "Where mistakes come from"
    if not len(chosen):
        chosen = np.argsort(evaluation.confidence, kind="stable")[:EXPLAINED]
        title = "Where the least confident answers come from"
    some = split.take(chosen)
    size, value_range = classifier.image_size, classifier.value_range
    pixels = np.stack([read_again(path, size, classifier.resizing, value_range=value_range) for path in some.paths])
    kernel, bias = classifier.head
    similar = nearest(features(some)[:], features(train), SIMILAR)
    explanations = []
    maps = feature_maps(pixels)
    for row, image in enumerate(chosen):
        answer = int(evaluation.predicted[image])
        explanations.append(
            Explanation(
                image=read_thumbnail(split.paths[int(image)], THUMBNAIL, value_range=value_range),
                label=evaluation.class_names[evaluation.labels[image]],
                answer=evaluation.class_names[answer],
                probability=float(evaluation.probabilities[image, answer]),
                evidence=overlay(pixels[row], class_map([each[row] for each in maps], kernel, bias, answer)),
                similar=list(
                    zip(
                        _thumbnails(train, similar[row], value_range),
                        [train.class_names[train.labels[i]] for i in similar[row]],
                        strict=True,
                    )
                ),
            )
        )
    draw("explanations", explanations, title)


def varied(labels: Int[np.ndarray, " n"], *, seed: int, count: int = GRID) -> Int64[np.ndarray, " chosen"]:
    """Up to `count` images drawn at random, from one class after the other in turn."""
    rng = np.random.default_rng(seed)
    return rng.permutation(round_robin(labels, rng)[:count])


def most_confident_mistakes(
    evaluation: Evaluation | LabelEvaluation, count: int = GRID
) -> Int64[np.ndarray, " chosen"]:
    """Up to `count` images with a wrong answer, the most confident first."""
    confidence = evaluation.confidence
    wrong = np.flatnonzero(~evaluation.correct)
    return wrong[np.argsort(-confidence[wrong], kind="stable")][:count]


def _answers(
    split: Split, evaluation: Evaluation, indices: np.ndarray, value_range: ValueRange
) -> tuple[list[np.ndarray], list[str], list[str], list[float]]:
    """Thumbnails, true classes, answers and their probabilities."""
    names = evaluation.class_names
    return (
        _thumbnails(split, indices, value_range),
        [names[evaluation.labels[i]] for i in indices],
        [names[evaluation.predicted[i]] for i in indices],
        evaluation.confidence[indices].tolist(),
    )


def _thumbnails(split: Split, indices: np.ndarray, value_range: ValueRange) -> list[np.ndarray]:
    paths = [split.paths[int(i)] for i in indices]
    return [
        read_thumbnail(path, THUMBNAIL, value_range=value_range, content=content)
        for path, content in zip(paths, fetched(paths), strict=True)
    ]
