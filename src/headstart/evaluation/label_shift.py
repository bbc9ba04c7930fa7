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
PRIOR = 2.0  # photos of each class, before any was counted; 1 to 5 do as well (benchmarks/drift.py)


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
    counted = confusion + _prior(confusion)
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


def _prior(confusion: Int[np.ndarray, "classes classes"]) -> Float[np.ndarray, "classes classes"]:
    """What is added to the counts: PRIOR photos of each class, answered as those of all classes together are.

    So a class of few photos is not taken to be better, or worse, than it is likely to be (empirical Bayes).
    """
    right = (confusion.trace() + 0.5) / (confusion.sum() + 1)
    wrong = np.tile((confusion.sum(axis=0) - confusion.diagonal() + 0.5), (len(confusion), 1))
    np.fill_diagonal(wrong, 0)
    return PRIOR * (right * np.eye(len(confusion)) + (1 - right) * wrong / wrong.sum(axis=1, keepdims=True))
