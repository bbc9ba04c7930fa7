"""Split -> batches of images and labels, decoded on all cores. Knows no model.

Batch `i` of epoch `e` depends on (split, size, resizing, value_range, seed, e, i) alone: the order of the images and
the view of each are drawn from them.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from headstart.array_types import Int, UInt8
from headstart.concurrency import cpu_budget, prefetch
from headstart.data.augmentation import Augmentation
from headstart.data.dataset import Split
from headstart.data.images import read_again
from headstart.data.resizing import STRETCH
from headstart.data.value_range import FULL, ValueRange
from headstart.numerics import Truth
from headstart.storage.locations import Fetched, fetched

Batch = tuple[UInt8[np.ndarray, "n size size 3"], Truth]  # images, and what is right of them


@dataclass(eq=False)
class Batches:
    """The images of a split, in batches.

    size: side of the images in pixels.
    batch_size: images in a batch; the last one may hold fewer.
    resizing: how photos become squares: name of a row of RESIZINGS.
    value_range: what is black and white in images with 16 bits a value.
    shuffle: a new order in each epoch; otherwise the order of the split.
    augmentation: a new random view of each image in each epoch; otherwise the image as it is.
    memory: bytes of decoded images to keep for later epochs; the images beyond are decoded in each epoch.
    """

    split: Split
    size: int
    batch_size: int = 32  # the tutorial's
    resizing: str = STRETCH  # the tutorial's
    value_range: ValueRange = FULL
    shuffle: bool = False
    augmentation: Augmentation | None = None
    seed: int = 0
    memory: int = 0
    _kept: dict[int, np.ndarray] = field(default_factory=dict, repr=False)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(cpu_budget()), repr=False)

    def __len__(self) -> int:
        return -(-len(self.split) // self.batch_size)

    def length(self, index: int) -> int:
        """The number of images in batch `index`."""
        return min(self.batch_size, len(self.split) - index * self.batch_size)

    def batch(self, index: int, epoch: int = 0) -> Batch:
        """The images of batch `index`, and their labels or shares."""
        chosen = self._order(epoch)[index * self.batch_size : (index + 1) * self.batch_size]
        contents = fetched("" if i in self._kept else self.split.paths[int(i)] for i in chosen)
        images = np.stack(list(self._pool.map(lambda i, content: self._image(i, epoch, content), chosen, contents)))
        return images, self.split.truth[chosen]

    def __iter__(self) -> Iterator[Batch]:
        """The batches of epoch 0, each decoded while the one before it is in use."""
        with ThreadPoolExecutor(1) as pool:
            yield from prefetch(pool, self.batch, range(len(self)), depth=1)

    def _order(self, epoch: int) -> Int[np.ndarray, " n"]:
        if not self.shuffle:
            return np.arange(len(self.split))
        return _permutation(self.seed, epoch, len(self.split))

    def _image(self, index: int, epoch: int, content: Fetched) -> UInt8[np.ndarray, "size size 3"]:
        image = self._kept.get(index)
        if image is None:
            path = self.split.paths[index]
            image = read_again(path, self.size, self.resizing, value_range=self.value_range, content=content)
            if (len(self._kept) + 1) * image.nbytes <= self.memory:
                self._kept[index] = image
        if self.augmentation is None:
            return image
        return self.augmentation.view(image, seed=self.seed, epoch=epoch, digest=self.split.digests[index])


@lru_cache(maxsize=2)
def _permutation(seed: int, epoch: int, count: int) -> Int[np.ndarray, " n"]:
    """Drawn once for an epoch, not for each batch."""
    return np.random.default_rng([seed, epoch]).permutation(count)
