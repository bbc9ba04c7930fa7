"""LinearProbe: how hard is a collection, and which turned views of its images show the same class?

A linear head, solved without some of the training images, predicts these. If it is correct for nearly all of them, more
views and fine-tuning cost time and gain nothing. It also predicts some of them turned: a cat upside down is a rare
sight, a solar cell is not; a 'b' in the mirror is a 'd'. If its loss on a turned view is about that on the upright one,
turned images are training images as good as the others. Validation and test images are not looked at.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from headstart.array_types import Float
from headstart.data.dataset import Split
from headstart.data.views import HALF, MIRRORED, ORIGINAL, QUARTER, UPSIDE_DOWN, VIEWS
from headstart.features import linear_head
from headstart.features.validated import ENOUGH
from headstart.numerics import cross_entropies, log_probabilities

HELD_OUT = 512  # training images that the probe predicts
TURNED = 256  # of these, those that it predicts turned, too
SOLVED_ON = 4_000  # images that the head is solved on, at most: it need not be the best
SIMILAR = 1.2  # times the upright loss: seen were 0.7 to 1.14 for symmetries, 1.23 to 12 for others
SLACK = 0.01  # ... and so much more, as small losses are not measured exactly
EASY = 0.02  # share of mistakes; see benchmarks/LOG.md, cats and dogs

GetFeatures = Callable[[Split, str], np.ndarray]  # (images, view) -> float32 (n, depth)


class LinearProbe:
    """A head solved on some training images, and what it predicts for others."""

    def __init__(self, features: GetFeatures, train: Split, *, seed: int) -> None:
        self._features = features
        photos = train.photos  # copies of what the head was solved on would be no test
        order = np.argsort(np.random.default_rng(seed).permutation(len(train))[photos], kind="stable")
        count = min(HELD_OUT, len(train) // 5)
        others = order[~np.isin(photos[order], photos[order[:count]])]
        fitted, held_out = train.take(others[:SOLVED_ON]), train.take(order[:count])
        self.held_out = held_out.take(np.flatnonzero(np.isin(held_out.labels, fitted.labels)))
        classes, labels = np.unique(fitted.labels, return_inverse=True)
        self.is_conclusive = len(self.held_out) >= ENOUGH and len(classes) > 1
        if self.is_conclusive:
            self._labels = np.searchsorted(classes, self.held_out.labels)
            self._head = linear_head.solve(
                [features(fitted, ORIGINAL)], labels, len(classes), seed=seed, C=linear_head.DEFAULT_C
            )

    @cached_property
    def _upright(self) -> Float[np.ndarray, "n classes"]:
        """Logarithms of the probabilities for the held-out images."""
        return log_probabilities(self._head.logits(self._features(self.held_out, ORIGINAL)))

    @property
    def mistakes(self) -> int:
        """How many of the held-out images are predicted wrongly."""
        if not self.is_conclusive:
            return len(self.held_out)
        return int((self._upright.argmax(axis=1) != self._labels).sum())

    @property
    def is_easy(self) -> bool:
        """Whether nearly all held-out images are predicted correctly; with too few of them, this is not known."""
        return self.is_conclusive and self.mistakes <= EASY * len(self.held_out)

    @cached_property
    def views(self) -> tuple[str, ...]:
        """Names of VIEWS that show the same class, the original first; if that is not known, the mirrored one too."""
        if not self.is_conclusive:
            return ORIGINAL, MIRRORED
        mirrored, upside_down = self._is_similar(MIRRORED), self._is_similar(UPSIDE_DOWN)
        if mirrored and upside_down:
            return tuple(VIEWS) if self._is_similar(QUARTER) else (ORIGINAL, MIRRORED, UPSIDE_DOWN, HALF)
        return (ORIGINAL, *([MIRRORED] if mirrored else []), *([UPSIDE_DOWN] if upside_down else []))

    @cached_property
    def _turned(self) -> Split:
        return self.held_out.take(range(min(TURNED, len(self.held_out))))

    def _is_similar(self, view: str) -> bool:
        turned = log_probabilities(self._head.logits(self._features(self._turned, view)))
        return self._loss(turned) <= SIMILAR * self._loss(self._upright[: len(self._turned)]) + SLACK

    def _loss(self, log_probability: Float[np.ndarray, "n classes"]) -> float:
        return float(cross_entropies(log_probability, self._labels[: len(log_probability)]).mean())
