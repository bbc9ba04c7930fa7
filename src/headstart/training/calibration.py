"""What the validation images show of a finished classifier: logits + labels -> Certainty. Knows no images."""

import math

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import beta

from headstart.models.certainty import LEVELS, NEVER, Certainty
from headstart.models.outputs import cross_entropies, log_probabilities

DEVIATION = 0.5  # of the temperature's logarithm, beforehand: most networks need 0.6 to 1.6
HOTTEST = 20.0  # temperatures are looked for from 1/20 to 20
CONFIDENCE = 0.9  # that a promised accuracy holds
TRIED = 20  # shares of answers that a promised accuracy is tried with: all, 95%, 90%, ... 5%


def fit_certainty(logits: np.ndarray, labels: np.ndarray) -> Certainty:
    """Logits (n, 1) or (n, classes) and int labels (n,) of images that were not trained on -> Certainty."""
    temperature = fit_temperature(logits, labels)
    shares = Certainty(temperature).probabilities(logits)
    most, right = shares.max(axis=1), shares.argmax(axis=1) == labels
    of_the_right = shares[np.arange(len(labels)), labels]
    return Certainty(
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
