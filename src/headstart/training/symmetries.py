"""Which turned views of an image still show its class: asked of the collection, not assumed.

A cat upside down is a rare sight, a solar cell or a cell under the microscope is not; a 'b' in the mirror is a 'd'. A
provisional head, solved without some of the training images, is shown these as they are and turned: where it answers
both alike, the turned views are training images as good as the others. Validation and test images are not looked at.
"""

from collections.abc import Callable

import numpy as np

from headstart.data.dataset import Split
from headstart.models.outputs import log_probabilities
from headstart.training import head
from headstart.training.bottlenecks import HALF, MIRRORED, ORIGINAL, QUARTER, UPSIDE_DOWN, VIEWS

HELD_OUT = 256  # images that are shown turned
ENOUGH = 32  # with fewer, nothing can be told
SOLVED_ON = 4_000  # images that the provisional head is solved on, at most: it need not be the best
ALIKE = 1.2  # times the cross-entropy may be as large: seen were 0.7 to 1.14 for symmetries, 1.23 to 12 for others
SLACK = 0.01  # ... and so much more, as small ones are no exact measure


def find(features: Callable[[Split, str], np.ndarray], train: Split, *, seed: int) -> tuple[str, ...]:
    """The views to train on, names of VIEWS: original ones first.

    features: (images, view) -> float32 (n, depth).
    train: the training images; with too few of them, original and mirrored views are taken.
    """
    order = np.random.default_rng(seed).permutation(len(train))
    count = min(HELD_OUT, len(train) // 5)
    fitted, held_out = train.take(order[count:][:SOLVED_ON]), train.take(order[:count])
    held_out = held_out.take(np.flatnonzero(np.isin(held_out.labels, fitted.labels)))
    classes, labels = np.unique(fitted.labels, return_inverse=True)
    if len(held_out) < ENOUGH or len(classes) < 2:
        return ORIGINAL, MIRRORED
    strength = head.DEFAULT_STRENGTH
    solved = head.solve([features(fitted, ORIGINAL)], labels, len(classes), seed=seed, strength=strength)
    right = np.searchsorted(classes, held_out.labels)

    def loss(view: str) -> float:
        shares = log_probabilities(solved.logits(features(held_out, view)))
        return float(-shares[np.arange(len(right)), right].mean())

    most = ALIKE * loss(ORIGINAL) + SLACK
    mirrored, upside_down = loss(MIRRORED) <= most, loss(UPSIDE_DOWN) <= most
    if mirrored and upside_down:
        return tuple(VIEWS) if loss(QUARTER) <= most else (ORIGINAL, MIRRORED, UPSIDE_DOWN, HALF)
    return (ORIGINAL, *([MIRRORED] if mirrored else []), *([UPSIDE_DOWN] if upside_down else []))
