"""Calibration: how far predictions can be trusted, as measured on the validation images.

Logits and labels, or shares -> a temperature, thresholds of probability, and with them calibrated probabilities, "not
sure" as a prediction, and sets of candidates. Kept in classifier.json. Knows no images; NumPy only, but for the
fitting.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from headstart.array_types import Bool, Float, Int, Int64
from headstart.classifier.decision import CONFIDENCE, NEVER, Decision
from headstart.classifier.hierarchy import Hierarchy
from headstart.classifier.prediction import Prediction, predictions
from headstart.errors import ModelError
from headstart.numerics import (
    Truth,
    cross_entropies,
    log_probabilities,
    mean_cross_entropy,
    most_probable,
    probabilities,
)
from headstart.statistics import Hashables, groups_at, least_share, numbered

# What can be guaranteed. A level in between is served by the next stricter one.
LEVELS = (0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
DEFAULT_ACCURACY = 0.95  # of the predictions that are sure, unless another accuracy is asked for
FEW_PHOTOS = 10  # training photos of a class; a prediction of one with fewer is never sure
PRIOR_DEVIATION = 0.5  # of the temperature's logarithm: most networks need 0.6 to 1.6
HOTTEST = 20.0  # temperatures are looked for from 1/20 to 20
TRIED = 20  # shares of predictions that a guaranteed accuracy is tried with: all, 95%, 90%, ... 5%
TRIED_OF_PARENTS = 5  # the same, of the fewer photos whose class is not sure: all, 80%, ... 20%

Decide = Callable[[Float[np.ndarray, "n classes"]], Decision]
ToPredictions = Callable[[Float[np.ndarray, "n logits"]], list[Prediction]]


@dataclass(frozen=True)
class Calibration:
    """What is known of a classifier's predictions.

    temperature: what logits are divided by, above 0. At 1 they are as the network gives them.
    accuracy: guaranteed accuracy -> least probability of a sure prediction, 0..1, or infinity if it cannot be
        guaranteed for any; of all sure predictions, at least that share is correct (with 90% confidence).
    coverage: guaranteed coverage -> least probability of a candidate, 0..1; the class is among the candidates for at
        least that share of images.
    unsure: the classes that were trained on fewer than FEW_PHOTOS photos: a prediction of one is never sure.
    decision: what is answered where mistakes differ in what they cost; None: the most probable class.
    hierarchy: which parent is answered where the class is not sure; None: the classes have no parents.
    """

    temperature: float = 1.0
    accuracy: Mapping[float, float] = field(default_factory=dict)
    coverage: Mapping[float, float] = field(default_factory=dict)
    unsure: tuple[str, ...] = ()
    decision: Decision | None = None
    hierarchy: Hierarchy | None = None

    def probabilities(self, logits: Float[np.ndarray, "n logits"]) -> Float[np.ndarray, "n classes"]:
        """Logits (n, 1) or (n, classes) -> float64 (n, classes), calibrated, each row adding up to 1."""
        return probabilities(np.asarray(logits, np.float64) / self.temperature)

    def answers(self, probabilities: Float[np.ndarray, "n classes"]) -> Int64[np.ndarray, " n"]:
        """Calibrated probabilities -> the predicted class of each row, by its number."""
        return self.decision.answers(probabilities) if self.decision else probabilities.argmax(axis=1)

    @property
    def promised_recall(self) -> dict[str, float]:
        """Class -> the share of its photos that are answered as it, with 90% confidence."""
        promises = self.decision.recall if self.decision else ()
        return {promise.label: promise.share for promise in promises if promise.is_given}

    @property
    def has_costs(self) -> bool:
        """Whether a table of costs was given, so that each prediction has an expected cost."""
        return self.decision is not None and self.decision.costs is not None

    def to_predictions(
        self, class_names: Sequence[str], *, accuracy: float | None = None, coverage: float | None = None
    ) -> ToPredictions:
        """What turns logits (n, 1) or (n, classes) into n predictions, with what is guaranteed of them.

        accuracy, coverage: at most one of them; see `Classifier.predict`.

        Raises:
            ModelError: it cannot be guaranteed.
        """
        if accuracy is not None and coverage is not None:
            raise ModelError(
                "An accuracy and a coverage were given; expected one of them, as each is a guarantee of its own. "
                "Leave one out."
            )
        if coverage is not None:
            return partial(self._with_candidates, class_names, self.least_in_set(coverage))
        if accuracy is not None:
            return partial(self._with_sure, class_names, level_of(self.accuracy, accuracy, "accuracy"))
        return partial(self._with_sure, class_names, self.usual_accuracy)

    @property
    def usual_accuracy(self) -> float | None:
        """The accuracy of sure predictions where none is asked for: DEFAULT_ACCURACY, or the largest below it that can
        be guaranteed for classes, or, if none can, for their parents; None where none can be, so that nothing is sure.
        """
        of_classes = [level for level, least in self.accuracy.items() if least != NEVER]
        levels = (level for level in of_classes or self.possible_accuracies if level <= DEFAULT_ACCURACY)
        return max(levels, default=None)

    @property
    def possible_accuracies(self) -> list[float]:
        """Those that can be guaranteed: for classes, or at least for their parents."""
        of_parents = self.hierarchy.accuracy if self.hierarchy else {}
        return [level for level, least in self.accuracy.items() if min((least, *of_parents.get(level, ()))) != NEVER]

    def _with_sure(self, class_names: Sequence[str], accuracy: float | None, logits: np.ndarray) -> list[Prediction]:
        """accuracy: a row of the tables; None: there is none."""
        least = NEVER if self.accuracy else 0.0  # where nothing was measured, all are sure
        least = least if accuracy is None else self.accuracy[accuracy]
        probabilities = self.probabilities(logits)
        found = [
            replace(prediction, sure=prediction.probability >= least and prediction.label not in self.unsure)
            for prediction in predictions(probabilities, class_names, self.decision)
        ]
        if self.hierarchy and accuracy is not None:
            return self.hierarchy.with_parents(found, probabilities, accuracy)
        return found

    def _with_candidates(self, class_names: Sequence[str], least: float, logits: np.ndarray) -> list[Prediction]:
        found = []
        for prediction in predictions(self.probabilities(logits), class_names, self.decision):
            candidates = tuple(
                name
                for name, probability in prediction.probabilities.items()
                if probability >= least or (prediction.rule and name == prediction.label)
            )
            sure = len(candidates) == 1 and prediction.label not in self.unsure
            prediction = replace(prediction, sure=sure, candidates=candidates)
            found.append(self.hierarchy.with_common_parent(prediction) if self.hierarchy else prediction)
        return found

    def least_probability(self, accuracy: float) -> float:
        """Of a prediction that is sure, so that this share of the sure ones is correct.

        Raises:
            ModelError: nothing was measured, or it is stricter than what can be guaranteed.
        """
        return self.accuracy[level_of(self.accuracy, accuracy, "accuracy")]

    def least_in_set(self, coverage: float) -> float:
        """Of a class among the candidates, so that the right one is among them for this share of images.

        Raises:
            ModelError: nothing was measured, or it is stricter than what can be guaranteed.
        """
        return self.coverage[level_of(self.coverage, coverage, "coverage")]

    def to_json(self) -> dict:
        """With null for what cannot be guaranteed."""
        return {
            "temperature": self.temperature,
            "accuracy": thresholds_to_json(self.accuracy),
            "coverage": thresholds_to_json(self.coverage),
            "unsure": list(self.unsure),
            **({"decision": self.decision.to_json()} if self.decision else {}),
            **({"hierarchy": self.hierarchy.to_json()} if self.hierarchy else {}),
        }

    @classmethod
    def from_json(cls, content: Mapping) -> "Calibration":
        """Raises ValueError, TypeError, KeyError or AttributeError for what `to_json` did not make."""
        temperature = float(content["temperature"])
        if not 0 < temperature < NEVER:
            raise ValueError(f"a temperature of {temperature:g}; expected a number above 0")
        return cls(
            temperature,
            thresholds_from_json(content["accuracy"]),
            thresholds_from_json(content["coverage"]),
            tuple(map(str, content.get("unsure", ()))),  # headstart 0.1 does not say
            Decision.from_json(content["decision"]) if content.get("decision") else None,
            Hierarchy.from_json(content["hierarchy"]) if content.get("hierarchy") else None,
        )


def thresholds_to_json(table: Mapping[float, float]) -> dict[str, float | None]:
    """Level -> threshold, with null for what cannot be guaranteed."""
    return {f"{level:g}": None if least == NEVER else least for level, least in table.items()}


def thresholds_from_json(content: Mapping[str, float | None]) -> dict[float, float]:
    return {float(level): NEVER if least is None else float(least) for level, least in content.items()}


def level_of(table: Mapping[float, float], wanted: float, name: str) -> float:
    """The least level of the table that is at least what is wanted."""
    if not 0 < wanted < 1:
        raise ModelError(f"The {name} {wanted:g} was given; expected a share between 0 and 1, such as 0.95.")
    levels = sorted(table)
    if not levels:
        raise ModelError(
            f"No {name} can be guaranteed: this classifier was saved without what its validation images showed. "
            f"Train it again with this version of headstart."
        )
    place = bisect_left(levels, wanted)
    if place == len(levels):
        raise ModelError(
            f"The {name} {wanted:g} was given; at most {levels[-1]:g} can be guaranteed. Give that, or less."
        )
    return levels[place]


def fit_calibration(
    logits: Float[np.ndarray, "n logits"],
    truth: Truth,
    *,
    groups: Hashables | None = None,
    decide: Decide | None = None,
) -> Calibration:
    """Logits (n, 1) or (n, classes), and labels or shares, of images that were not trained on -> Calibration.

    Of shares, the temperature is that for all of them; what is guaranteed is of the most probable class.

    groups: of the images, if they come in groups, see `proportion`; what is guaranteed then holds for new groups.
    decide: calibrated probabilities of these images -> what is answered, see `Decision`.
    """
    temperature, labels = fit_temperature(logits, truth), most_probable(truth)
    found = Calibration(temperature).probabilities(logits)
    uncertain = Calibration(temperature, decision=decide(found) if decide else None)
    answers, each = uncertain.answers(found), np.arange(len(labels))
    of_answer, of_label = found[each, answers], found[each, labels]
    return replace(
        uncertain,
        accuracy={level: least_probability(of_answer, answers == labels, level, groups) for level in LEVELS},
        coverage={level: least_in_set(of_label, level, groups) for level in LEVELS},
    )


def fit_temperature(logits: Float[np.ndarray, "n logits"], truth: Truth) -> float:
    """The divisor of the logits with the least cross-entropy: above 1 if they were overconfident.

    C. Guo et al., On calibration of modern neural networks, ICML 2017. Here with a prior, as few images say little, and
    as predictions that are all correct have no best temperature: its logarithm has mean 0 and a standard deviation of
    one half.
    """
    from scipy.optimize import minimize_scalar  # takes a moment to import, which a prediction need not wait for

    logits = np.asarray(logits, np.float64)

    def loss(exponent: float) -> float:
        losses = cross_entropies(log_probabilities(logits / math.exp(exponent)), truth)
        return float(losses.sum()) + exponent**2 / (2 * PRIOR_DEVIATION**2)

    largest = math.log(HOTTEST)
    return float(math.exp(minimize_scalar(loss, bounds=(-largest, largest), method="bounded").x))


def calibrated_loss(
    logits: Float[np.ndarray, "n logits"], truth: Truth, class_weights: Float[np.ndarray, " classes"]
) -> float:
    """Mean cross-entropy of the probabilities of a classifier with these logits, once calibrated on them.

    class_weights: what an image of each class counts.
    """
    scaled = np.asarray(logits, np.float64) / fit_temperature(logits, truth)
    return mean_cross_entropy(log_probabilities(scaled), truth, class_weights)


def with_hierarchy(
    calibration: Calibration,
    class_names: Sequence[str],
    logits: Float[np.ndarray, "n logits"],
    labels: Int[np.ndarray, " n"],
    groups: Hashables | None = None,
) -> Calibration:
    """The same, with thresholds of parents where classes are in classes, see `Hierarchy`, by the images that calibrated
    it; as it is where no class is in another, or all are in the same.

    At each level, the images are those that are answered neither by a class nor by a lower parent. Which ones these are
    also follows from the answers to them, but for the worse: a class is less often sure where more of its answers are
    wrong.
    """
    found, hierarchy = calibration.probabilities(logits), Hierarchy(tuple(class_names))
    if not hierarchy.levels:
        return calibration
    answers = calibration.answers(found)
    of_answer = found[np.arange(len(labels)), answers]
    is_ever_sure = ~np.isin(class_names, calibration.unsure)[answers]
    accuracy = {}
    for wanted, least in calibration.accuracy.items():
        is_open, thresholds = ~((of_answer >= least) & is_ever_sure), []
        for level in range(hierarchy.levels, 0, -1):
            shares, is_right = (
                hierarchy.probabilities(found, answers, level),
                hierarchy.is_right(answers, labels, level),
            )
            asked = is_open & (shares >= 0)
            of_asked = groups_at(groups, np.flatnonzero(asked))
            threshold = least_probability(shares[asked], is_right[asked], wanted, of_asked, tried=TRIED_OF_PARENTS)
            thresholds.append(threshold)
            is_open &= ~(asked & (shares >= threshold))
        accuracy[wanted] = tuple(reversed(thresholds))
    return replace(calibration, hierarchy=replace(hierarchy, accuracy=accuracy))


def least_probability(
    largest: Float[np.ndarray, " n"],
    correct: Bool[np.ndarray, " n"],
    accuracy: float,
    groups: Hashables | None = None,
    *,
    tried: int = TRIED,
) -> float:
    """The threshold with the most sure predictions whose `accuracy` can be guaranteed; infinity if there is none.

    largest: the probability of each predicted class: the largest one, but for a `Decision`. correct: whether it is the
        right one. groups: see `fit_calibration`. tried: how many shares.

    The most probable predictions are sure. Of a few shares, fixed beforehand, those are allowed whose accuracy has a
    lower confidence bound (`least_share`) of at least the guarantee; the bounds together hold with a confidence of 90%
    (Bonferroni). A. Angelopoulos et al., Learn then test, arXiv:2110.01052.
    """
    order, confidence = np.sort(largest), 1 - (1 - CONFIDENCE) / tried
    for number in range(tried if len(order) else 0):
        least = order[int(len(order) * number / tried)]
        sure = np.flatnonzero(largest >= least)
        of_sure = groups_at(groups, sure)
        if least_share(correct[sure], confidence, of_sure) >= accuracy:
            return float(least) if number else 0.0
    return NEVER


def least_in_set(of_label: Float[np.ndarray, " n"], coverage: float, groups: Hashables | None = None) -> float:
    """The threshold of a set of candidates that holds the right class for a share `coverage` of new images, or more.

    of_label: the probability of the right class of each image. groups: see `fit_calibration`.

    Split conformal prediction: M. Sadinle, J. Lei, L. Wasserman, Least ambiguous set-valued classifiers with bounded
    error levels, JASA 114 (2019). With too few images for the guarantee, all classes are candidates (0). All groups
    weigh the same, and a new image is one of a new group: Y. Lee, R. Barber, R. Willett, Distribution-free inference
    with hierarchical data, arXiv:2306.06342.
    """
    group = numbered(groups) if groups else np.arange(len(of_label))
    sizes = np.bincount(group)
    order = np.argsort(of_label)
    weights = 1 / sizes[group[order]]
    # of so many groups, the new one included, those whose images are missed with a threshold at each image's place
    missed = np.concatenate([[0.0], np.cumsum(weights)[:-1]]) + 1
    allowed = np.flatnonzero(missed <= (len(sizes) + 1) * (1 - coverage) + 1e-9)
    return float(of_label[order[allowed[-1]]]) if len(allowed) else 0.0
