"""Classifier or Predictor + Split -> Evaluation: decode, predict, measure."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from headstart.array_types import Float32
from headstart.classifier.base import BasePredictor
from headstart.classifier.label_calibration import LabelCalibration
from headstart.data.batches import Batches
from headstart.data.dataset import Split
from headstart.data.label_sets import aligned
from headstart.data.targets import Kind
from headstart.deprecation import renamed_arguments
from headstart.engines.base import Pixels
from headstart.errors import DatasetError
from headstart.evaluation.label_evaluation import LabelEvaluation, measure_labels
from headstart.evaluation.metrics import Evaluation, measure
from headstart.evaluation.others import OthersMetrics, measure_others, scores_of
from headstart.events import Listener, Task, track
from headstart.listeners.quiet import Quiet
from headstart.numerics import check_numbers


@renamed_arguments(progress="listener")
def evaluate(
    classifier: BasePredictor, split: Split, *, listener: Listener | None = None
) -> Evaluation | LabelEvaluation:
    """Measure a classifier on images whose classes are known, such as `dataset.test`.

    Raises:
        DatasetError: there are no images, or some are of a class that the classifier does not know.
        ModelError: the network returns NaN or infinity for some images.
    """
    if len(split) == 0:
        raise DatasetError("There are no images to evaluate on. Give a collection that contains some.")
    calibration = classifier.calibration
    if isinstance(calibration, LabelCalibration):
        split = aligned(split, classifier.class_names)
    elif split.kind is Kind.MULTI_LABEL:
        raise DatasetError(
            "The images have several labels each, and the classifier gives each image one class. Give images with one "
            "class each, or train a classifier with --multi-label."
        )
    else:
        split = _relabelled(classifier, split)
    logits = classifier.logits(_images(classifier, split, listener, "Evaluating"))
    check_numbers(logits, split.paths)
    if isinstance(calibration, LabelCalibration):
        names = classifier.class_names
        return measure_labels(logits, split.targets.values, names, calibration, groups=split.groups)
    return measure(logits, split.truth, classifier.class_names, calibration, groups=split.groups)


def evaluate_others(
    classifier: BasePredictor, known: Split, others: Split, *, listener: Listener | None = None
) -> OthersMetrics:
    """Measure how photos of none of the classes are told from those of the classes; at least one of each."""
    return measure_others(*(scores_of(classifier, _features(classifier, split, listener)) for split in (known, others)))


def _features(classifier: BasePredictor, split: Split, listener: Listener | None) -> Float32[np.ndarray, "n numbers"]:
    images = _images(classifier, split, listener, "Comparing")
    return np.concatenate([output.features.copy() for output in classifier.forward(images)])


def _images(classifier: BasePredictor, split: Split, listener: Listener | None, doing: str) -> Iterator[Pixels]:
    """Batches of what the classifier sees. doing: said beside their number."""
    batches = Batches(
        split,
        classifier.image_size,
        classifier.batch_size,
        resizing=classifier.resizing,
        value_range=classifier.value_range,
    )
    return (images for images, _ in track(listener or Quiet(), batches, Task.EVALUATE, doing, len(batches)))


def _relabelled(classifier: BasePredictor, split: Split) -> Split:
    """The same images with labels that are indices into the classifier's class names."""
    present = {split.class_names[label] for label in np.unique(split.labels)}
    if split.is_soft:
        present = {split.class_names[label] for label in np.flatnonzero(split.truth.any(axis=0))}
    unknown = sorted(present - set(classifier.class_names))
    if unknown:
        raise DatasetError(
            f"Some images are of {', '.join(map(repr, unknown))}, which the classifier does not know; "
            f"it knows {', '.join(map(repr, classifier.class_names))}. Leave them out, or rename their class."
        )
    number = {name: index for index, name in enumerate(classifier.class_names)}
    labels = np.array([number[split.class_names[label]] for label in split.labels], dtype=np.int32)
    targets = split.given_targets
    if targets is not None:
        values = np.zeros((len(split), len(number)), np.float32)
        known = [name in number for name in split.class_names]  # the others have no images
        values[:, [number[name] for name in split.class_names if name in number]] = targets.values[:, known]
        targets = replace(targets, values=values)
    return replace(split, labels=labels, class_names=classifier.class_names, given_targets=targets)
