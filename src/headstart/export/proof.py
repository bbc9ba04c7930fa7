"""Does a file answer as the classifier that it was made of? Knows no formats."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from headstart.errors import ExportError

BATCH = 8  # images that a file is asked about at a time; the last batch is smaller, as any number must do


@dataclass(frozen=True)
class Tolerance:
    """How far an export may be from its classifier; None: any distance.

    probability: largest difference of a probability, 0..1.
    changed: share of files that may get another answer, 0..1.
    lost: accuracy that may be lost, 0..1.
    """

    probability: float | None = None
    changed: float | None = None
    lost: float | None = None


TOLERANCES = {
    "float32": Tolerance(probability=1e-4),
    "float16": Tolerance(probability=1e-2, changed=0.005),
    "int8": Tolerance(lost=0.005),
}


@dataclass(frozen=True)
class Proof:
    """What came out where a file and its classifier were asked the same.

    files: how many photos.
    right, right_before: how many of them the file, and the classifier, answer rightly.
    changed: how many get another answer.
    farthest: largest difference of a probability.
    farthest_file: the photo with that difference: its name alone, as this is given away with the file.
    """

    files: int
    right: int
    right_before: int
    changed: int
    farthest: float
    farthest_file: str

    def check(self, tolerance: Tolerance) -> None:
        """
        Raises:
            ExportError: it is beyond the tolerance.
        """
        faults = []
        if tolerance.probability is not None and not self.farthest <= tolerance.probability:
            faults.append(
                f"probabilities differ by up to {self.farthest:.2g} (of '{self.farthest_file}'), "
                f"expected at most {tolerance.probability:g}"
            )
        if tolerance.changed is not None and self.changed > tolerance.changed * self.files:
            faults.append(f"{self.changed} answers changed, expected at most {tolerance.changed:.1%}")
        lost = self.right_before - self.right
        if tolerance.lost is not None and lost > tolerance.lost * self.files:
            faults.append(
                f"{self.right} are answered rightly, {self.right_before} by the classifier, "
                f"expected to lose at most {tolerance.lost:.1%}"
            )
        if faults:
            raise ExportError(
                f"The export does not answer as its classifier, so nothing was written. "
                f"Of {self.files} validation photos: {'; '.join(faults)}. Try another format or precision."
            )

    def to_json(self) -> dict:
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"Proved on {self.files} validation photos, from their bytes to probabilities: {self.right} are answered "
            f"rightly (by the classifier {self.right_before}), {self.changed} otherwise than by the classifier; "
            f"probabilities differ by at most {self.farthest:.2g}."
        )


def prove(
    run: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    images: np.ndarray,
    expected: np.ndarray,
    labels: np.ndarray,
    files: Sequence[str],
) -> Proof:
    """Ask a file about images (n, size, size, 3), and compare its probabilities with the expected ones (n, classes).

    labels: int (n,), what is right. files: the names of the images.
    """
    shares = np.concatenate([run(images[start : start + BATCH])[1] for start in range(0, len(images), BATCH)])
    before, after = expected.argmax(axis=1), shares.argmax(axis=1)
    distances = np.abs(shares - expected).max(axis=1)
    worst = int(np.argmax(distances))  # a probability that is no number counts as farthest
    return Proof(
        files=len(files),
        right=int((after == labels).sum()),
        right_before=int((before == labels).sum()),
        changed=int((after != before).sum()),
        farthest=float(distances[worst]),
        farthest_file=Path(files[worst]).name,
    )
