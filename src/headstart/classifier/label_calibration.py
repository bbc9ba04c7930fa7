"""LabelCalibration: what the validation images showed of a classifier for several labels per photo.

Logits and targets -> what the logits of each label are scaled by, its threshold, and with these the answers, their
probabilities and "not sure". The scaling is an affine map of each logit, and so is the head: it goes into the head, and
the sigmoid of the network's logits is the calibrated probability, here and in every export. Kept in classifier.json.
Knows no images; NumPy only, but for the fitting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from headstart.array_types import Bool, Float, Float64, Shaped
from headstart.classifier.calibration import (
    DEFAULT_ACCURACY,
    FEW_PHOTOS,
    LEVELS,
    PRIOR_DEVIATION,
    Calibration,
    ToPredictions,
    least_probability,
    level_of,
    thresholds_from_json,
    thresholds_to_json,
)
from headstart.classifier.decision import NEVER, RecallPromise, promise_recall
from headstart.classifier.precision_promise import PrecisionPromise, promise_precision
from headstart.classifier.prediction import Prediction
from headstart.classifier.stakes import Stakes
from headstart.data.targets import Kind, texts_of
from headstart.errors import ModelError
from headstart.numerics import label_cross_entropies
from headstart.statistics import groups_at

EVEN = 0.5  # the threshold of a label of which too little is known for a better one
PRIOR_SHIFT = 1.0  # standard deviation of what is added to a logit
FOLDS = 5  # that tell whether a shift is worth its doubt
STEPS, LONGEST = 50, 0.5  # of Newton's method, which is there after a few; and the longest one
LEAST_SCALE = 0.05  # a temperature of 20, see `calibration.HOTTEST`

TEMPERATURE, PLATT = "temperature", "platt"


@dataclass(frozen=True)
class LabelCalibration:
    """What is known of a classifier's predictions; the counterpart of `Calibration`.

    class_names: the labels, in the order of the logits.
    thresholds: of each label, the probability from which on it is answered, 0..1.
    scaling: of each label, how its logits were calibrated: "temperature", a factor, or "platt", a factor and a shift.
    recall, precision: what was promised for labels, and the threshold that this takes.
    accuracy: guaranteed accuracy -> least probability of a sure prediction, see `Calibration`. A prediction is correct
        if it names exactly the labels of the photo.
    unsure: the labels that were trained on fewer than FEW_PHOTOS photos: a prediction that names one is never sure.
    """

    class_names: tuple[str, ...]
    thresholds: tuple[float, ...]
    scaling: tuple[str, ...]
    recall: tuple[RecallPromise, ...] = ()
    precision: tuple[PrecisionPromise, ...] = ()
    accuracy: Mapping[float, float] = field(default_factory=dict)
    unsure: tuple[str, ...] = ()

    # What `Calibration` has besides: the scaling is in the head, and a photo has no one class
    temperature = 1.0
    coverage: Mapping[float, float] = field(default_factory=dict, init=False)
    decision = None
    hierarchy = None
    has_costs = False

    def probabilities(self, logits: Float[np.ndarray, "n labels"]) -> Float64[np.ndarray, "n labels"]:
        """Of each label, independently of the others, calibrated, 0..1."""
        return 1 / (1 + np.exp(-np.asarray(logits, np.float64).clip(-500, 500)))

    def answers(self, probabilities: Float[np.ndarray, "n labels"]) -> Bool[np.ndarray, "n labels"]:
        """Which labels each row is given."""
        return probabilities >= np.array(self.thresholds)

    def confidences(self, probabilities: Float[np.ndarray, "n labels"]) -> Float64[np.ndarray, " n"]:
        """How probably exactly the labels of the answer are right, each label being taken for independent of the
        others: the product over all labels of the probability that it is there, or is not, as answered."""
        return np.where(self.answers(probabilities), probabilities, 1 - probabilities).prod(axis=1)

    @property
    def promised_recall(self) -> dict[str, float]:
        """Label -> the share of its photos that are given it, with 90% confidence."""
        return {promise.label: promise.share for promise in self.recall if promise.is_given}

    @property
    def possible_accuracies(self) -> list[float]:
        """See `Calibration.possible_accuracies`."""
        return [level for level, least in self.accuracy.items() if least != NEVER]

    @property
    def usual_accuracy(self) -> float | None:
        """See `Calibration.usual_accuracy`."""
        return max((level for level in self.possible_accuracies if level <= DEFAULT_ACCURACY), default=None)

    def least_probability(self, accuracy: float) -> float:
        """See `Calibration.least_probability`. Raises the same."""
        return self.accuracy[level_of(self.accuracy, accuracy, "accuracy")]

    def to_predictions(
        self, class_names: Sequence[str], *, accuracy: float | None = None, coverage: float | None = None
    ) -> ToPredictions:
        """What turns logits (n, labels) into n predictions.

        accuracy: guaranteed share of sure predictions that name exactly the right labels; None: the usual one.

        Raises:
            ModelError: it cannot be guaranteed; or a coverage was given.
        """
        if coverage is not None:
            raise ModelError(
                "A coverage was given, which asks for enough candidates to include the right class. This classifier "
                "gives a photo any number of labels, each with its own probability. Leave the coverage out; `--recall` "
                "in training promises that a label is rarely missed."
            )
        if accuracy is not None:
            least = self.least_probability(accuracy)
        else:
            usual = self.usual_accuracy
            least = 0.0 if not self.accuracy else NEVER if usual is None else self.accuracy[usual]
        return partial(self._predictions, tuple(class_names), least)

    def _predictions(self, class_names: tuple[str, ...], least: float, logits: np.ndarray) -> list[Prediction]:
        shares = self.probabilities(logits)
        answers, confidences = self.answers(shares), self.confidences(shares).tolist()
        texts = list(texts_of(answers, class_names))
        found = []
        for row, answer, text, confidence in zip(shares, answers, texts, confidences, strict=True):
            ranked = {class_names[i]: float(row[i]) for i in np.argsort(-row, kind="stable").tolist()}
            labels = tuple(name for name, is_there in zip(class_names, answer, strict=True) if is_there)
            sure = confidence >= least and not set(labels) & set(self.unsure)
            found.append(Prediction(text, confidence, ranked, sure=sure, labels=labels))
        return found

    def to_json(self) -> dict:
        return {
            "kind": Kind.MULTI_LABEL.value,
            "temperature": self.temperature,
            "thresholds": dict(zip(self.class_names, self.thresholds, strict=True)),
            "scaling": dict(zip(self.class_names, self.scaling, strict=True)),
            "recall": [promise.to_json() for promise in self.recall],
            "precision": [promise.to_json() for promise in self.precision],
            "accuracy": thresholds_to_json(self.accuracy),
            "coverage": {},
            "unsure": list(self.unsure),
        }

    @classmethod
    def from_json(cls, content: Mapping) -> LabelCalibration:
        """Raises ValueError, TypeError, KeyError or AttributeError for what `to_json` did not make."""
        thresholds, scaling = content["thresholds"], content["scaling"]
        if list(thresholds) != list(scaling):
            raise ValueError("its thresholds and its scaling are about different labels")
        return cls(
            tuple(map(str, thresholds)),
            tuple(map(float, thresholds.values())),
            tuple(map(str, scaling.values())),
            tuple(map(RecallPromise.from_json, content["recall"])),
            tuple(map(PrecisionPromise.from_json, content["precision"])),
            thresholds_from_json(content["accuracy"]),
            tuple(map(str, content["unsure"])),
        )


AnyCalibration = Calibration | LabelCalibration


def of_classes(calibration: AnyCalibration) -> Calibration:
    """
    Raises:
        TypeError: it is of several labels per photo.
    """
    if isinstance(calibration, LabelCalibration):
        raise TypeError("a calibration of several labels per photo was given; expected one of classes")
    return calibration


def calibration_from_json(content: Mapping) -> AnyCalibration:
    """Either of them. Raises what they raise."""
    kind = LabelCalibration if content.get("kind") == Kind.MULTI_LABEL else Calibration
    return kind.from_json(content)


@dataclass(frozen=True, eq=False)
class Scaling:
    """What the logits of each label are multiplied by, above 0, and what is then added."""

    factor: Float64[np.ndarray, " labels"]
    shift: Float64[np.ndarray, " labels"]
    names: tuple[str, ...]

    def __call__(self, logits: Float[np.ndarray, "n labels"]) -> Float64[np.ndarray, "n labels"]:
        return logits * self.factor + self.shift


def fit_scaling(logits: Float[np.ndarray, "n labels"], targets: Shaped[np.ndarray, "n labels"]) -> Scaling:
    """The scaling of each label with the least cross-entropy on images that were not trained on.

    A factor alone (C. Guo et al., On calibration of modern neural networks, ICML 2017) or a factor and a shift (J.
    Platt, Probabilistic outputs for support vector machines, 1999): what predicts images better that it has not seen.
    With a prior, as few images say little: the factor has the mean 1 and a standard deviation of one half, the shift 0
    and 1.
    """
    logits, targets = np.asarray(logits, np.float64), np.asarray(targets, np.float64)
    fold = np.random.default_rng(0).permutation(len(logits)) % FOLDS
    losses = np.zeros((2, logits.shape[1]))
    for part in range(min(FOLDS, len(logits))):
        seen, unseen = fold != part, fold == part
        for way in (0, 1):
            factor, shift = _fitted(logits[seen], targets[seen], shifts=bool(way))
            losses[way] += label_cross_entropies(logits[unseen] * factor + shift, targets[unseen]).sum(axis=0)
    is_shifted = losses[1] < losses[0]
    (factor, _), (both, shift) = (_fitted(logits, targets, shifts=way) for way in (False, True))
    names = tuple(PLATT if each else TEMPERATURE for each in is_shifted)
    return Scaling(np.where(is_shifted, both, factor), np.where(is_shifted, shift, 0.0), names)


def _fitted(logits: np.ndarray, targets: np.ndarray, *, shifts: bool) -> tuple[np.ndarray, np.ndarray]:
    """Factor and shift of each label, by Newton's method: with the prior, the problem is strictly convex."""
    factor, shift = np.ones(logits.shape[1]), np.zeros(logits.shape[1])
    for _ in range(STEPS):
        share = 1 / (1 + np.exp(-(logits * factor + shift).clip(-500, 500)))
        error, spread = share - targets, share * (1 - share)
        of_factor = (error * logits).sum(axis=0) + (factor - 1) / PRIOR_DEVIATION**2
        of_shift = error.sum(axis=0) + shift / PRIOR_SHIFT**2 if shifts else np.zeros_like(shift)
        a = (spread * logits**2).sum(axis=0) + 1 / PRIOR_DEVIATION**2
        b = (spread * logits).sum(axis=0) if shifts else np.zeros_like(shift)
        c = spread.sum(axis=0) + 1 / PRIOR_SHIFT**2
        whole = a * c - b**2
        steps = (c * of_factor - b * of_shift) / whole, (a * of_shift - b * of_factor) / whole
        factor, shift = (x - np.clip(step, -LONGEST, LONGEST) for x, step in zip((factor, shift), steps, strict=True))
        factor = np.maximum(factor, LEAST_SCALE)
        if max(float(np.abs(step).max()) for step in steps) < 1e-9:
            break
    return factor, shift


def fit_label_calibration(
    logits: Float[np.ndarray, "n labels"],
    targets: Bool[np.ndarray, "n labels"],
    class_names: Sequence[str],
    scaling: Scaling,
    *,
    stakes: Stakes | None = None,
    groups: Sequence[str] = (),
    unsure: Sequence[str] = (),
) -> LabelCalibration:
    """Thresholds of labels, and of sure answers.

    logits: scaled, of images that were not trained on. groups: of the images, if they come in groups. unsure: see
    `LabelCalibration`.
    """
    shares = LabelCalibration(tuple(class_names), (), ()).probabilities(logits)
    thresholds = [best_threshold(shares[:, k], targets[:, k]) for k in range(len(class_names))]
    recall, precision = [], []
    for label, share in ((stakes and stakes.recall) or {}).items():
        k = list(class_names).index(label)
        own = np.flatnonzero(targets[:, k])
        groups_of_own = groups_at(groups, own)
        recall.append(promise_recall(label, share, shares[own, k], np.zeros(len(own), bool), groups_of_own))
    for label, share in ((stakes and stakes.precision) or {}).items():
        k = list(class_names).index(label)
        precision.append(promise_precision(label, share, shares[:, k], targets[:, k], groups or None))
    for promise in (*recall, *precision):
        if promise.is_given:
            thresholds[list(class_names).index(promise.label)] = promise.threshold
    found = LabelCalibration(
        tuple(class_names), tuple(thresholds), scaling.names, tuple(recall), tuple(precision), unsure=tuple(unsure)
    )
    confidences = found.confidences(shares)
    is_exact = (found.answers(shares) == targets).all(axis=1)
    accuracy = {level: least_probability(confidences, is_exact, level, groups or None) for level in LEVELS}
    return LabelCalibration(
        found.class_names, found.thresholds, found.scaling, found.recall, found.precision, accuracy, found.unsure
    )


def best_threshold(shares: Float[np.ndarray, " n"], targets: Bool[np.ndarray, " n"]) -> float:
    """The threshold of one label with the highest F1: halfway between the least probability that is answered then, and
    the next one below. With fewer than FEW_PHOTOS images of the label, EVEN: the best of so few would be chance.

    For true probabilities it is half of the F1 that it gives: Z. Lipton, C. Elkan, B. Naryanaswamy, Optimal
    thresholding of classifiers to maximize F1 measure, ECML PKDD 2014.
    """
    positives = int(targets.sum())
    if positives < FEW_PHOTOS:
        return EVEN
    order = np.argsort(-shares, kind="stable")
    ranked = shares[order]
    answered = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1) + 1  # photos, by each threshold, falling
    f1 = 2 * np.cumsum(targets[order])[answered - 1] / (answered + positives)
    best = int(answered[int(np.argmax(f1))])
    below = ranked[best] if best < len(ranked) else 0.0
    return float((ranked[best - 1] + below) / 2)
