"""OtherHead: features of an image -> the probability that it shows none of the classes, as `_other` photos do.

Novelty detection knows only what the classes look like. Photos of what else comes before the camera, in a folder
`_other`, say what to look out for: a linear head with one class more tells them from the photos of each class, on the
features that the classifier's own head reads. That knows them better than a head that tells all classes together from
them (benchmarks/others.py). NumPy only.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.array_types import Float, Float32, Float64
from headstart.errors import RunError

FILE = "others.npy"
IS_OTHER = 0.5  # the probability from which on an image is none of the classes: when that is more probable than not


@dataclass(frozen=True, eq=False)
class OtherHead:
    """weights: of each number of the features, and in the last row the bias; a column for each class, the last one for
    none of them. temperature: calibrates the logit of that one against all others."""

    weights: Float32[np.ndarray, "numbers columns"]
    temperature: float

    def logits(self, features: Float[np.ndarray, "n depth"]) -> Float64[np.ndarray, " n"]:
        """(n, numbers - 1) -> (n,): the logarithm of the odds that it is none of the classes, not calibrated."""
        found = (features @ self.weights[:-1] + self.weights[-1]).astype(np.float64)
        known = found[:, :-1]
        largest = known.max(axis=1)
        return found[:, -1] - largest - np.log(np.exp(known - largest[:, None]).sum(axis=1))

    def probabilities(self, features: Float[np.ndarray, "n depth"]) -> Float64[np.ndarray, " n"]:
        """The same -> (n,), 0..1, calibrated."""
        return 1 / (1 + np.exp(-np.clip(self.logits(features) / self.temperature, -500, 500)))

    def write(self, folder: Path) -> None:
        np.save(folder / FILE, self.weights, allow_pickle=False)

    @classmethod
    def read(cls, folder: Path, temperature: float) -> "OtherHead":
        """Raises RunError where the file is missing or damaged."""
        try:
            weights = np.load(folder / FILE, allow_pickle=False)
            if weights.ndim != 2 or not np.isfinite(weights).all():
                raise ValueError("it holds no weights")
            return cls(weights.astype(np.float32), temperature)
        except (OSError, EOFError, ValueError) as error:
            raise RunError(f"'{folder / FILE}' is missing or damaged ({error}). Copy the whole folder again.") from None
