"""Answers to photos as they come, and to held-out photos -> have the photos changed? Knows no images and no labels.

Three questions, each a test of whether two groups of photos can be of one kind: are more of them unlike the training
photos, are the answers others, are they given with another confidence.
"""

from dataclasses import dataclass

import numpy as np

from headstart.array_types import Float, Int

# A window is tested thrice: with 10,000 photos a day, 1,800 times a month. All windows are compared with the same
# held-out photos, so where these are odd by chance, many are; at 1e-4, one month in seven had an alarm.
WINDOW = 500  # photos
LEVEL = 1e-6  # p values below it are an alarm
NOVELTY, CLASSES, CONFIDENCE = KINDS = ("novelty", "classes", "confidence")
LEAST = 10  # answers with a class, of both groups together; rarer ones are counted together


@dataclass(frozen=True, eq=False)
class Answered:
    """What is known of the answers to some photos.

    answers: how many with each class. confidences: of the answers, 0..1. unfamiliar: how many of `checked` photos are
    unlike the training photos; 0 of 0 where nobody looked.
    """

    answers: Int[np.ndarray, " classes"]
    confidences: Float[np.ndarray, " n"]
    unfamiliar: int
    checked: int


def p_values(before: Answered, now: Answered) -> dict[str, float]:
    """Kind -> how probable at least so large a difference is where nothing has changed; 1 where it cannot be told."""
    return {
        NOVELTY: _more_unfamiliar(before, now),
        CLASSES: _other_shares(before.answers, now.answers),
        CONFIDENCE: _other_confidences(before.confidences, now.confidences),
    }


def _more_unfamiliar(before: Answered, now: Answered) -> float:
    """R. A. Fisher's exact test, one-sided: fewer are no reason to worry."""
    from scipy.stats import fisher_exact

    if not (before.checked and now.checked):
        return 1.0
    table = [[each.unfamiliar, each.checked - each.unfamiliar] for each in (now, before)]
    return float(fisher_exact(table, alternative="greater").pvalue)


def _other_shares(before: np.ndarray, now: np.ndarray) -> float:
    """Pearson's chi-squared test of homogeneity."""
    from scipy.stats import chi2_contingency

    table = np.stack([before, now])
    rare = table.sum(axis=0) < LEAST
    table = np.concatenate([table[:, ~rare], table[:, rare].sum(axis=1, keepdims=True)], axis=1)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return 1.0
    return float(chi2_contingency(table, correction=False).pvalue)


def _other_confidences(before: np.ndarray, now: np.ndarray) -> float:
    """Kolmogorov and Smirnov's test of two samples."""
    from scipy.stats import ks_2samp

    if not (len(before) and len(now)):
        return 1.0
    return float(ks_2samp(before, now, method="asymp").pvalue)
