"""Calibration: how far predictions can be trusted, as measured on the validation images.

Logits and labels -> a temperature, thresholds of probability, and with them calibrated probabilities, "not sure" as a
prediction, and sets of candidates. Kept in classifier.json. Knows no images; NumPy only, but for the fitting.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from headstart.classifier.prediction import Prediction, predictions
from headstart.errors import ModelError
from headstart.numerics import cross_entropies, log_probabilities, probabilities

# What can be promised. A level in between is served by the next stricter one.
LEVELS = (0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
DEFAULT_ACCURACY = 0.95  # of the answers that are given as sure where nothing else is asked for
NEVER = float("inf")  # a threshold that no probability reaches
DEVIATION = 0.5  # of the temperature's logarithm, beforehand: most networks need 0.6 to 1.6
HOTTEST = 20.0  # temperatures are looked for from 1/20 to 20
CONFIDENCE = 0.9  # that a promised accuracy holds
TRIED = 20  # shares of answers that a promised accuracy is tried with: all, 95%, 90%, ... 5%


@dataclass(frozen=True)
class Calibration:
    """What is known of a classifier's answers.

    temperature: what logits are divided by, above 0. At 1 they are as the network gives them.
    accuracy: promised accuracy -> least probability of an answer that is given, 0..1, or infinity where it could not be
        promised for any; of all answers that are given, at least that share is right (with 90% confidence).
    coverage: promised coverage -> least probability of a class in the set of answers, 0..1; the right class is in the
        set for at least that share of images.
    """

    temperature: float = 1.0
    accuracy: Mapping[float, float] = field(default_factory=dict)
    coverage: Mapping[float, float] = field(default_factory=dict)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Logits (n, 1) or (n, classes) -> float64 (n, classes), calibrated, each row adding up to 1."""
        return probabilities(np.asarray(logits, np.float64) / self.temperature)

    def answerer(
        self, class_names: Sequence[str], *, accuracy: float | None = None, coverage: float | None = None
    ) -> Callable[[np.ndarray], list[Prediction]]:
        """What turns logits (n, 1) or (n, classes) into n answers, with what is promised of them.

        accuracy, coverage: at most one of them; see `Classifier.predict`.

        Raises:
            ModelError: it cannot be promised.
        """
        if accuracy is not None and coverage is not None:
            raise ModelError("An accuracy and a coverage were asked for: expected one of them, as each is a promise.")
        in_set = None if coverage is None else self.least_in_set(coverage)
        if accuracy is None:
            least = self.accuracy.get(DEFAULT_ACCURACY, 0.0)
            least = 0.0 if least == NEVER else least  # nobody asked for a promise that cannot be given
        else:
            least = self.least_probability(accuracy)

        def answer(logits: np.ndarray) -> list[Prediction]:
            found = []
            for prediction in predictions(self.probabilities(logits), class_names):
                if in_set is None:
                    found.append(replace(prediction, sure=prediction.probability >= least))
                else:
                    candidates = tuple(name for name, p in prediction.probabilities.items() if p >= in_set)
                    found.append(replace(prediction, sure=len(candidates) == 1, candidates=candidates))
            return found

        return answer

    def least_probability(self, accuracy: float) -> float:
        """Of an answer that may be given, so that the given ones are right in that share.

        Raises:
            ModelError: nothing was measured, or it is stricter than what can be promised.
        """
        return self.accuracy[_level(self.accuracy, accuracy, "accuracy")]

    def least_in_set(self, coverage: float) -> float:
        """Of a class in the set of answers, so that the right one is among them in that share of images.

        Raises:
            ModelError: nothing was measured, or it is stricter than what can be promised.
        """
        return self.coverage[_level(self.coverage, coverage, "coverage")]

    def to_json(self) -> dict:
        """With null for what could not be promised."""
        return {
            "temperature": self.temperature,
            "accuracy": {f"{level:g}": None if least == NEVER else least for level, least in self.accuracy.items()},
            "coverage": {f"{level:g}": least for level, least in self.coverage.items()},
        }

    @classmethod
    def from_json(cls, content: Mapping) -> "Calibration":
        """Raises ValueError, TypeError, KeyError or AttributeError for what `to_json` did not make."""
        temperature = float(content["temperature"])
        if not 0 < temperature < NEVER:
            raise ValueError(f"a temperature of {temperature:g}; expected a number above 0")
        return cls(
            temperature,
            {float(level): NEVER if least is None else float(least) for level, least in content["accuracy"].items()},
            {float(level): float(least) for level, least in content["coverage"].items()},
        )


def _level(table: Mapping[float, float], wanted: float, name: str) -> float:
    """The least level of the table that is at least what is wanted."""
    if not 0 < wanted < 1:
        raise ModelError(f"A {name} of {wanted:g} was asked for; expected a share between 0 and 1, such as 0.95.")
    levels = sorted(table)
    if not levels:
        raise ModelError(
            f"No {name} can be promised: this classifier was saved without what its validation images showed. "
            f"Train it again with this headstart."
        )
    place = bisect_left(levels, wanted)
    if place == len(levels):
        raise ModelError(f"A {name} of {wanted:g} was asked for; at most {levels[-1]:g} can be promised.")
    return levels[place]


def fit_calibration(logits: np.ndarray, labels: np.ndarray) -> Calibration:
    """Logits (n, 1) or (n, classes) and int labels (n,) of images that were not trained on -> Calibration."""
    temperature = fit_temperature(logits, labels)
    shares = Calibration(temperature).probabilities(logits)
    most, right = shares.max(axis=1), shares.argmax(axis=1) == labels
    of_the_right = shares[np.arange(len(labels)), labels]
    return Calibration(
        temperature,
        {level: least_probability(most, right, level) for level in LEVELS},
        {level: least_in_set(of_the_right, level) for level in LEVELS},
    )


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """What to divide logits by, so that the cross-entropy is least: above 1 they were too certain.

    C. Guo et al., On calibration of modern neural networks, ICML 2017. Here with a prior, as few images say little, and
    as answers that are all right would have no best temperature: before any image is looked at, its logarithm is 0 with
    a standard deviation of one half.
    """
    logits = np.asarray(logits, np.float64)

    def loss(exponent: float) -> float:
        losses = cross_entropies(log_probabilities(logits / math.exp(exponent)), labels)
        return float(losses.sum()) + exponent**2 / (2 * DEVIATION**2)

    from scipy.optimize import minimize_scalar  # takes a moment, which a prediction need not wait for

    largest = math.log(HOTTEST)
    return float(math.exp(minimize_scalar(loss, bounds=(-largest, largest), method="bounded").x))


def calibrated_loss(logits: np.ndarray, labels: np.ndarray, class_weights: np.ndarray) -> float:
    """Mean cross-entropy of the probabilities that a classifier with these logits would give, once calibrated on them.

    class_weights: float (classes,): what an image of each class counts.
    """
    losses = cross_entropies(
        log_probabilities(np.asarray(logits, np.float64) / fit_temperature(logits, labels)), labels
    )
    return float(np.average(losses, weights=class_weights[labels]))


def least_probability(most: np.ndarray, right: np.ndarray, accuracy: float) -> float:
    """The threshold that gives the most answers, of which `accuracy` can be promised; infinity where none can.

    most: float (n,), the probability of each answer. right: bool (n,), whether it is.

    A share of the answers, the most certain ones, is given. Of a few shares, fixed beforehand, those are allowed for
    which the lower confidence bound (Clopper and Pearson) of their accuracy reaches the promise; the bounds together
    hold with a confidence of 90% (Bonferroni). A. Angelopoulos et al., Learn then test, arXiv:2110.01052.
    """
    from scipy.stats import beta

    order = np.sort(most)
    doubt = (1 - CONFIDENCE) / TRIED
    for number in range(TRIED):
        least = order[int(len(order) * number / TRIED)]
        given = most >= least
        count, hits = int(given.sum()), int(right[given].sum())
        if hits and beta.ppf(doubt, hits, count - hits + 1) >= accuracy:
            return float(least) if number else 0.0
    return NEVER


def least_in_set(of_the_right: np.ndarray, coverage: float) -> float:
    """The threshold of a set of answers that holds the right class for a share `coverage` of new images, or more.

    of_the_right: float (n,), the probability of the right class of each image.

    Split conformal prediction: M. Sadinle, J. Lei, L. Wasserman, Least ambiguous set-valued classifiers with bounded
    error levels, JASA 114 (2019). With too few images for the promise the set is of all classes (0).
    """
    count = len(of_the_right)
    allowed = math.floor((count + 1) * (1 - coverage) + 1e-9)  # images that may be left out, this one counted
    return float(np.sort(of_the_right)[allowed - 1]) if allowed >= 1 else 0.0
