"""NoveltyDetector: features of training images -> whether a new image is like any of them. NumPy only.

A network predicts a class for whatever it is shown. How far the features of an image are from the nearest ones of
training images tells whether its prediction means anything (Y. Sun et al., Out-of-distribution detection with deep
nearest neighbors, ICML 2022). How far is too far, the validation images say.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from headstart.array_types import Bool, Float, Float16, Float32, Int
from headstart.data.dataset import Split
from headstart.data.splits import round_robin
from headstart.errors import RunError
from headstart.features.neighbours import directions, distances
from headstart.features.rows import Rows

FILE = "known.npy"
KNOWN = 2_000  # training images that are remembered: 5 MB of 1,280 features
USUAL = 0.97  # share of images of the same kind that should be familiar: a little more than the 95% that the docs state
# The distance below which an image is a training image, or a copy of it, which needs no neighbours; and the same as a
# share of the farthest: copies saved anew as HEIC at 96 pixels are 0.06 from their originals; the farthest is 0.69.
SAME, SAME_SHARE = 0.02, 1 / 8
PIECE = 8_192  # training images whose distances are measured together
NEIGHBOURS = 5  # the distance is that to the fifth nearest, so that one odd training image vouches for nothing


@dataclass(frozen=True, eq=False)
class NoveltyDetector:
    """Training images that a classifier remembers, and how far from them an image is novel.

    known: float16, the directions of their features, m at least 1.
    digests: SHA-256 of their files, hexadecimal, (m,).
    farthest: the distance beyond which an image is unlike anything that was trained on.
    """

    known: Float16[np.ndarray, "m depth"]
    digests: tuple[str, ...]
    farthest: float

    def distances(self, features: Float[np.ndarray, "n numbers"]) -> Float32[np.ndarray, " n"]:
        """float (n, depth or more) -> float32 (n,): 1 minus the cosine to the NEIGHBOURS-th nearest, 0 (alike) to 2.

        Of more numbers than the remembered images have, the first ones are looked at: those of the last layer.
        """
        return distances(self._directions(features), self._known, NEIGHBOURS - 1)

    def _directions(self, features: np.ndarray) -> np.ndarray:
        return directions(features[:, : self.known.shape[1]])

    def distances_inside(self) -> Float32[np.ndarray, " m"]:
        """The same of the remembered images, each to the others."""
        return distances(self._known, self._known, NEIGHBOURS)  # the nearest of all is the image itself

    @cached_property
    def _known(self) -> np.ndarray:
        return self.known.astype(np.float32)

    def is_familiar(self, features: Float[np.ndarray, "n numbers"]) -> Bool[np.ndarray, " n"]:
        """Of each image, whether training images are like it, or it is one of them."""
        nearest = distances(self._directions(features), self._known, 0)
        return (self.distances(features) <= self.farthest) | (nearest <= max(SAME, SAME_SHARE * self.farthest))

    def nearest(
        self, features: Float[np.ndarray, "1 numbers"], count: int
    ) -> tuple[Int[np.ndarray, " k"], Float32[np.ndarray, " k"]]:
        """Which of the remembered images are most similar, the most similar first, up to `count`; and the cosines."""
        cosines = self._known @ self._directions(features)[0]
        places = np.argsort(-cosines)[:count]
        return places, cosines[places]

    def write(self, folder: Path) -> None:
        records = np.empty(len(self.known), [("digest", "V32"), ("direction", np.float16, self.known.shape[1:])])
        records["digest"] = [bytes.fromhex(digest) for digest in self.digests]
        records["direction"] = self.known
        np.save(folder / FILE, records, allow_pickle=False)

    @classmethod
    def read(cls, folder: Path, farthest: float) -> "NoveltyDetector":
        """Raises RunError where the file is missing or damaged."""
        try:
            records = np.load(folder / FILE, allow_pickle=False)
            if not np.isfinite(records["direction"]).all():
                raise ValueError("it holds features that are not finite")
            digests = tuple(digest.tobytes().hex() for digest in records["digest"])
            return cls(records["direction"], digests, farthest)
        except (OSError, EOFError, ValueError, IndexError, TypeError) as error:
            raise RunError(f"'{folder / FILE}' is missing or damaged ({error}). Copy the whole folder again.") from None


def fit_novelty_detector(features: Rows, train: Split, held_out: Rows, *, seed: int) -> NoveltyDetector:
    """A detector that takes most images of the same kind for familiar.

    Args:
        features: (n, depth) of the training images `train`; of many, as many of each class are remembered, and those
            besides that would not be familiar otherwise, at most KNOWN of either.
        held_out: (m, depth), m at least 1, of images that were not trained on.
        seed: of the choice of training images.
    """
    chosen = np.sort(round_robin(train.labels, np.random.default_rng(seed))[:KNOWN])
    known = _remembered(features, train, chosen, 2.0)
    distances = known.distances(held_out[:])
    if math.ceil((len(distances) + 1) * USUAL) > len(distances):
        # too few to show so rare a distance: those between the training images say more than none
        distances = np.concatenate([distances, known.distances_inside()])
    # as in split conformal prediction: of m + 1 images, in any order, this one is among the nearest with that share
    place = min(math.ceil((len(distances) + 1) * USUAL), len(distances)) - 1
    farthest = float(np.sort(distances)[place])
    if len(train) > KNOWN:
        chosen = np.union1d(chosen, _odd(features, known, farthest))
    return _remembered(features, train, chosen, farthest)


def _remembered(features: Rows, train: Split, chosen: Int[np.ndarray, " m"], farthest: float) -> NoveltyDetector:
    digests = tuple(train.digests[int(i)] for i in chosen)
    return NoveltyDetector(directions(features[chosen]).astype(np.float16), digests, farthest)


def _odd(features: Rows, known: NoveltyDetector, farthest: float) -> Int[np.ndarray, " k"]:
    """The training images that are too far from those that are remembered, the farthest ones, KNOWN at most."""
    starts = range(0, len(features), PIECE)
    found = np.concatenate([known.distances(features[start : start + PIECE]) for start in starts])
    order = np.argsort(-found, kind="stable")[:KNOWN]
    return order[found[order] > farthest]
