"""A trial inside the training images: how hard is the collection, and which turned views of an image show its class?

A provisional head, solved without some of the training images, is shown these. If it answers nearly all of them
rightly, more views and fine-tuning cost time and gain nothing. And it is shown some of them turned: a cat upside down
is a rare sight, a solar cell is not; a 'b' in the mirror is a 'd'. Where it answers turned ones as it answers upright
ones, they are training images as good as the others. Validation and test images are not looked at.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from headstart.data.dataset import Split
from headstart.data.views import HALF, MIRRORED, ORIGINAL, QUARTER, UPSIDE_DOWN, VIEWS
from headstart.features import linear_head
from headstart.numerics import cross_entropies, log_probabilities

HELD_OUT = 512  # images that the provisional head is shown
TURNED = 256  # of these, those that it is shown turned, too
ENOUGH = 32  # with fewer, nothing can be told
SOLVED_ON = 4_000  # images that it is solved on, at most: it need not be the best
ALIKE = 1.2  # times the cross-entropy may be as large: seen were 0.7 to 1.14 for symmetries, 1.23 to 12 for others
SLACK = 0.01  # ... and so much more, as small ones are no exact measure
EASY = 0.02  # share of mistakes; see benchmarks/LOG.md, cats and dogs

Features = Callable[[Split, str], np.ndarray]  # (images, view) -> float32 (n, depth)


class LinearProbe:
    """What a provisional head has to say of training images."""

    def __init__(self, features: Features, train: Split, *, seed: int) -> None:
        self._features = features
        photos = train.photos  # copies of what it was solved on would be no test
        order = np.argsort(np.random.default_rng(seed).permutation(len(train))[photos], kind="stable")
        count = min(HELD_OUT, len(train) // 5)
        others = order[~np.isin(photos[order], photos[order[:count]])]
        fitted, shown = train.take(others[:SOLVED_ON]), train.take(order[:count])
        self.shown = shown.take(np.flatnonzero(np.isin(shown.labels, fitted.labels)))
        classes, labels = np.unique(fitted.labels, return_inverse=True)
        self.tells = len(self.shown) >= ENOUGH and len(classes) > 1
        if self.tells:
            self._right = np.searchsorted(classes, self.shown.labels)
            self._head = linear_head.solve(
                [features(fitted, ORIGINAL)], labels, len(classes), seed=seed, C=linear_head.DEFAULT_C
            )

    @cached_property
    def _upright(self) -> np.ndarray:
        """float64 (shown, classes): logarithms of the shares that the head gives."""
        return log_probabilities(self._head.logits(self._features(self.shown, ORIGINAL)))

    @property
    def mistakes(self) -> int:
        """Of the images that are shown."""
        return int((self._upright.argmax(axis=1) != self._right).sum()) if self.tells else len(self.shown)

    @property
    def is_easy(self) -> bool:
        """Whether nearly all images that are shown are answered rightly; with too few of them, this is not known."""
        return self.tells and self.mistakes <= EASY * len(self.shown)

    @cached_property
    def views(self) -> tuple[str, ...]:
        """Names of VIEWS that show the same class, the original first; where nothing can be told, the mirrored too."""
        if not self.tells:
            return ORIGINAL, MIRRORED
        some = self.shown.take(range(min(TURNED, len(self.shown))))
        most = ALIKE * self._loss(self._upright[: len(some)]) + SLACK

        def alike(view: str) -> bool:
            return self._loss(log_probabilities(self._head.logits(self._features(some, view)))) <= most

        mirrored, upside_down = alike(MIRRORED), alike(UPSIDE_DOWN)
        if mirrored and upside_down:
            return tuple(VIEWS) if alike(QUARTER) else (ORIGINAL, MIRRORED, UPSIDE_DOWN, HALF)
        return (ORIGINAL, *([MIRRORED] if mirrored else []), *([UPSIDE_DOWN] if upside_down else []))

    def _loss(self, shares: np.ndarray) -> float:
        return float(cross_entropies(shares, self._right[: len(shares)]).mean())
