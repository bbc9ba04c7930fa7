"""Does an exported file give the same predictions as its classifier? Knows no formats, and decodes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from headstart.array_types import Float, Int, Num, Shaped
from headstart.errors import ExportError

BATCH = 8  # images that a file gets at a time; the last batch may be smaller, as any number must work
RESIZED = 1e-4  # how far a probability may move where a file makes the square itself, instead of being given it


@dataclass(frozen=True)
class Tolerance:
    """How far an export may differ from its classifier; None: without limit.

    probability: the largest difference of a probability, 0..1.
    changed: the share of photos that may get another prediction, 0..1.
    lost: the accuracy that may be lost, 0..1.
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
    """An exported file and its classifier, compared on the same photos. The names are those of the JSON file.

    files: how many photos.
    right, right_before: for how many the prediction of the file, and of the classifier, is correct.
    changed: how many get another prediction.
    farthest: the largest difference of a probability.
    farthest_file: the photo with that difference. Only its name, as this is passed on with the file.
    other_farthest: the largest difference of the probability of none of the classes; None where there is none.

    Only of a file that takes photos of any size, which are compared with all of their pixels:
    sizes: in how many other sizes a photo was tried.
    sizes_farthest: the largest difference of a probability between such a photo and the square that headstart makes of
        it, both given to the file.
    files_changed, files_farthest: how many predictions differ, and a probability at most, from those of the classifier
        for the same files. From a large JPEG it decodes no more pixels than it needs; and OpenCV, by which it resizes,
        rounds averages that lie between two numbers by chance.
    """

    files: int
    right: int
    right_before: int
    changed: int
    farthest: float
    farthest_file: str
    other_farthest: float | None = None
    sizes: int = 0
    sizes_farthest: float = 0.0
    files_changed: int = 0
    files_farthest: float = 0.0

    def check(self, tolerance: Tolerance) -> None:
        """
        Raises:
            ExportError: the difference is beyond the tolerance.
        """
        faults = []
        if tolerance.probability is not None and not self.farthest <= tolerance.probability:
            faults.append(
                f"probabilities differ by up to {self.farthest:.2g} (for '{self.farthest_file}'), "
                f"expected at most {tolerance.probability:g}"
            )
        if (
            tolerance.probability is not None
            and self.other_farthest is not None
            and not self.other_farthest <= tolerance.probability
        ):
            faults.append(
                f"the probability of none of the classes differs by up to {self.other_farthest:.2g}, expected at most "
                f"{tolerance.probability:g}"
            )
        if tolerance.probability is not None and not self.sizes_farthest <= RESIZED:
            faults.append(
                f"in other sizes, probabilities differ by up to {self.sizes_farthest:.2g}, expected at most {RESIZED:g}"
            )
        if tolerance.changed is not None and self.changed > tolerance.changed * self.files:
            faults.append(f"{self.changed} predictions changed, expected at most {tolerance.changed:.1%}")
        lost = self.right_before - self.right
        if tolerance.lost is not None and lost > tolerance.lost * self.files:
            faults.append(
                f"{self.right} predictions are correct, and {self.right_before} of the classifier's, "
                f"expected to lose at most {tolerance.lost:.1%}"
            )
        if faults:
            raise ExportError(
                f"The export does not give the classifier's predictions, so nothing was written. "
                f"On {self.files} validation photos: {'; '.join(faults)}. Try another format or precision."
            )

    def to_json(self) -> dict:
        return asdict(self)

    def __str__(self) -> str:
        given = " in their own sizes, from pixels" if self.sizes else ", from file"
        text = (
            f"Proved on {self.files} validation photos{given} to probabilities: {self.right} predictions are "
            f"correct ({self.right_before} of the classifier's), {self.changed} differ from the classifier's; "
            f"probabilities differ by at most {self.farthest:.2g}."
        )
        if self.other_farthest is not None:
            text += f" That of none of the classes differs by at most {self.other_farthest:.2g}."
        if self.sizes:
            text += (
                f"\nPhotos in {self.sizes} other sizes, from one pixel to a panorama, differ by at most "
                f"{self.sizes_farthest:.2g}."
                f"\nFrom a file, the classifier itself decodes no more pixels than it needs. Compared with that, "
                f"{self.files_changed} predictions differ, and probabilities by at most {self.files_farthest:.2g}."
            )
        return text


Answers = Callable[[Float[np.ndarray, "n classes"]], Shaped[np.ndarray, " n"]]  # by their numbers or names


def most_probable(probabilities: Float[np.ndarray, "n classes"]) -> Int[np.ndarray, " n"]:
    return probabilities.argmax(axis=1)


def prove(
    exported: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    images: Num[np.ndarray, "n size size 3"],
    expected: Float[np.ndarray, "n classes"],
    labels: Shaped[np.ndarray, " n"],
    files: Sequence[str],
    *,
    answers: Answers = most_probable,
) -> Proof:
    """Compare the probabilities of an exported file with the expected ones.

    exported: pixels -> logits, probabilities. files: the names of the images. answers: probabilities -> the answers.
    """
    batches = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
    return compare(np.concatenate([exported(batch)[1] for batch in batches]), expected, labels, files, answers=answers)


def compare(
    probabilities: Float[np.ndarray, "n classes"],
    expected: Float[np.ndarray, "n classes"],
    labels: Shaped[np.ndarray, " n"],
    files: Sequence[str],
    *,
    answers: Answers = most_probable,
) -> Proof:
    """What `prove` finds, where the probabilities are known."""
    before, after = answers(expected), answers(probabilities)
    distances = np.abs(probabilities - expected).max(axis=1)
    worst = int(np.argmax(distances))  # NaN counts as the farthest
    return Proof(
        files=len(files),
        right=int((after == labels).sum()),
        right_before=int((before == labels).sum()),
        changed=int((after != before).sum()),
        farthest=float(distances[worst]),
        farthest_file=Path(files[worst]).name,
    )
