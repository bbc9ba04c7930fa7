"""Batches of features for the trainable part: of fresh random views, run through the engine, or of kept views."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from headstart.array_types import Int
from headstart.data.batches import Batches
from headstart.data.dataset import Split
from headstart.engines.base import Engine, Pixels, regrouped, run_all
from headstart.features.store import Features
from headstart.numerics import Truth

COMPUTED_TOGETHER = 8  # batches that the engine computes at a time: enough to keep all its streams busy

Tensors = np.ndarray | tuple[np.ndarray, ...]  # one, if the cut is one tensor


class FreshViews:
    """Batches of features of images as `Batches` gives them, run through the engine when they are needed."""

    def __init__(self, images: Batches, engine: Engine, kept_tensors: int | None = None) -> None:
        """kept_tensors: how many of the engine's outputs are features, the first ones; None: all."""
        self.images, self.engine, self.kept_tensors = images, engine, kept_tensors
        self.batch_size = images.batch_size
        self._ready: dict[int, tuple[Tensors, Truth]] = {}
        self._epoch = -1

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, index: int, epoch: int = 0) -> tuple[Tensors, Truth]:
        if epoch != self._epoch or index not in self._ready:
            self._epoch = epoch
            first = index - index % COMPUTED_TOGETHER
            self._ready = self._compute(range(first, min(first + COMPUTED_TOGETHER, len(self))), epoch)
        return self._ready[index]

    def _compute(self, indices: range, epoch: int) -> dict[int, tuple[Tensors, Truth]]:
        truth: list[Truth] = []

        def pieces() -> Iterator[Pixels]:
            for index in indices:
                images, of_batch = self.images.batch(index, epoch)
                truth.append(of_batch)
                yield images

        count = sum(self.images.length(index) for index in indices)
        tensors = run_all(self.engine, regrouped(pieces(), self.engine.batch_size), count, outputs=self.kept_tensors)
        ends = np.cumsum([len(each) for each in truth])
        split = [np.split(tensor, ends[:-1]) for tensor in tensors]
        return {
            index: (one_or_all([parts[number] for parts in split]), truth[number])
            for number, index in enumerate(indices)
        }


class KeptViews:
    """Batches of kept features; of each image, in each epoch, one of its views is drawn."""

    def __init__(
        self, split: Split, views: Sequence[Features], batch_size: int, *, shuffle: bool = False, seed: int = 0
    ) -> None:
        self.split, self.views, self.batch_size = split, views, batch_size
        self.shuffle, self.seed = shuffle, seed

    def __len__(self) -> int:
        return -(-len(self.split) // self.batch_size)

    def batch(self, index: int, epoch: int = 0) -> tuple[Tensors, Truth]:
        order, drawn = _drawn(self.seed, epoch, len(self.split), len(self.views), self.shuffle)
        chosen = order[index * self.batch_size : (index + 1) * self.batch_size]
        chosen = chosen[np.argsort(drawn[chosen], kind="stable")]  # by view: the order inside a batch does not matter
        taken = [view.take(chosen[drawn[chosen] == number]) for number, view in enumerate(self.views)]
        taken = [tensors for tensors in taken if len(tensors[0])]
        return one_or_all([np.concatenate(parts) for parts in zip(*taken, strict=True)]), self.split.truth[chosen]


def one_or_all(tensors: list[np.ndarray]) -> Tensors:
    return tensors[0] if len(tensors) == 1 else tuple(tensors)


@lru_cache(maxsize=2)  # training and validation
def _drawn(
    seed: int, epoch: int, count: int, views: int, shuffle: bool
) -> tuple[Int[np.ndarray, " count"], Int[np.ndarray, " count"]]:
    """The order of the images in an epoch, and the view of each. Drawn once an epoch, not once a batch."""
    draws = np.random.default_rng([seed, epoch])
    order = draws.permutation(count) if shuffle else np.arange(count)
    return order, draws.integers(0, views, count)
