"""Answers to photos without labels -> shares of the classes among them, and how many answers are right, with intervals.

Where the classes come in other shares than before, but the photos of each class look as they did (label shift), the
held-out photos say how often a photo of each class is given each answer; so the counts of answers say how many photos
of each class there were, and these how many answers are right. M. Saerens et al., Adjusting the outputs of a classifier
to new a priori probabilities, Neural Computation 14 (2002), by the answers alone; Z. Lipton et al., Detecting and
correcting for label shift with black box predictors, ICML 2018. Knows no images and no probabilities.
"""

from dataclasses import dataclass

import numpy as np

from headstart.array_types import Float, Int

DRAWS = 200  # of what the held-out photos leave open; an interval is from their 2.5% to their 97.5% quantile
STEPS = 200  # of expectation and maximization, from the shares of the held-out photos on
PRIOR = 0.5  # photos of each class that are answered right before any was counted; and as many wrong, of all answers


@dataclass(frozen=True, eq=False)
class ShiftEstimate:
    """Of `count` photos. accuracy: 0..1, with its 95% interval. shares: of each class, adding up to 1."""

    accuracy: float
    low: float
    high: float
    shares: Float[np.ndarray, " classes"]
    count: int


def estimate(
    confusion: Int[np.ndarray, "classes classes"], answers: Int[np.ndarray, " classes"], *, seed: int = 0
) -> ShiftEstimate:
    """The interval covers what the held-out photos leave open, and the chance in which photos came.

    Args:
        confusion: of held-out photos: a row for each class, a column for each answer.
        answers: to the photos without labels, how many of each; at least one.
        seed: of the draws.
    """
    rng, count = np.random.default_rng(seed), int(answers.sum())
    counted = confusion + _prior(len(confusion))
    before = counted.sum(axis=1) / counted.sum()
    rates = counted / counted.sum(axis=1, keepdims=True)
    [shares] = class_shares(rates[None], answers[None] / count, before)
    drawn = rng.standard_gamma(np.broadcast_to(counted, (DRAWS, *counted.shape)))
    possible = drawn / drawn.sum(axis=2, keepdims=True)
    found = class_shares(possible, rng.multinomial(count, answers / count, DRAWS) / count, before)
    expected = (found * np.diagonal(possible, axis1=1, axis2=2)).sum(axis=1)
    low, high = np.quantile(rng.binomial(count, expected.clip(0, 1)) / count, [0.025, 0.975])
    accuracy = float(shares @ rates.diagonal())
    return ShiftEstimate(accuracy, min(float(low), accuracy), max(float(high), accuracy), shares, count)


def class_shares(
    rates: Float[np.ndarray, "draws classes classes"],
    answers: Float[np.ndarray, "draws classes"],
    before: Float[np.ndarray, " classes"],
) -> Float[np.ndarray, "draws classes"]:
    """The shares of classes that make shares of answers most probable.

    rates: how often a photo of each class (row) is given each answer (column). before: what the search begins with.
    """
    shares = np.broadcast_to(before, answers.shape)
    for _ in range(STEPS):
        expected = np.matmul(shares[:, None, :], rates)[:, 0]
        shares = shares * np.matmul(rates, (answers / np.maximum(expected, 1e-12))[..., None])[..., 0]
    return shares / shares.sum(axis=1, keepdims=True)


def _prior(classes: int) -> Float[np.ndarray, "classes classes"]:
    """What is added to the counts: no class is always, or never, given an answer."""
    wrong = PRIOR / max(classes - 1, 1)
    return np.full((classes, classes), wrong) + np.eye(classes) * (PRIOR - wrong)
