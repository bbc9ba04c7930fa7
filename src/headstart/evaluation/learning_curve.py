"""Would more photos help? Heads solved on a tenth, a quarter, half and all of the training images -> how it goes on.

Errors mostly fall as a power of the number of images (J. Hestness et al., Deep learning scaling is predictable,
empirically, arXiv:1712.00409). That line is drawn through the points, on to twice as many images. How uncertain it
is, the held-out images say, drawn again and again (bootstrap). Features are those that are kept; nothing is fine-tuned.
"""

from dataclasses import asdict, dataclass

import numpy as np

from headstart.evaluation.partial_heads import MOST, right_answers
from headstart.features.rows import Rows
from headstart.statistics import wilson

FRACTIONS = (0.1, 0.25, 0.5, 1.0)
DRAWS = 3  # of each fraction but all
LEAST = 4  # images of a class in the smallest fraction; where a tenth of a class is less, a quarter is the first point
POINTS = 3  # at least: through two a line says nothing of how straight it is
BOOTSTRAPS = 400


@dataclass(frozen=True)
class Point:
    """images: trained on; accuracy: of the held-out images, mean of the draws; low, high: Wilson's interval, 95%."""

    images: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class LearningCurve:
    """What twice as many images would bring.

    points: with growing numbers of images.
    images: that there are for training.
    expected, low, high: accuracy with twice as many, 0..1, and the interval of 95% of the bootstraps.
    gain, gain_low, gain_high: the same, less what it is now.
    """

    points: tuple[Point, ...]
    images: int
    expected: float
    low: float
    high: float
    gain: float
    gain_low: float
    gain_high: float

    @property
    def advice(self) -> str:
        """In a sentence."""
        more = f"{self.images:,} photos more"
        span = f"{self.gain_low * 100:+.1f} to {self.gain_high * 100:+.1f} points"
        if self.gain_low >= 0.005:
            return f"More photos would help: with {more}, expect {self.gain * 100:+.1f} points of accuracy ({span})."
        if self.gain_high <= 0.01:
            return f"More photos of the same kind would hardly help: with {more}, expect {span} of accuracy."
        return f"Whether more photos would help cannot be told yet: with {more}, expect {span} of accuracy."

    def to_json(self) -> dict:
        return {
            "points": [asdict(point) for point in self.points],
            "with_images": 2 * self.images,
            "expected": {"value": self.expected, "low": self.low, "high": self.high},
            "gain": {"value": self.gain, "low": self.gain_low, "high": self.gain_high},
            "advice": self.advice,
        }


def measure_learning_curve(
    features: Rows, labels: np.ndarray, held_out: Rows, held_out_labels: np.ndarray, *, num_classes: int, seed: int
) -> LearningCurve | None:
    """
    Args:
        features: (n, depth) of the training images, with their labels, int (n,).
        held_out: (m, depth) of other images.

    Returns:
        None where a class is too small for a quarter of it to be trained on.
    """
    rng = np.random.default_rng(seed)
    order = _in_turn(labels, rng)[:MOST]
    classes, counts = np.unique(labels[order], return_counts=True)
    fractions = [fraction for fraction in FRACTIONS if len(classes) and counts.min() * fraction >= LEAST]
    if len(classes) < num_classes or len(fractions) < POINTS:
        return None
    draws = [
        (fraction, order[_in_turn(labels[order], rng)][: round(fraction * len(order))])
        for fraction in fractions
        for _ in range(1 if fraction == 1 else DRAWS)
    ]
    shown = len(held_out)
    right = right_answers(
        [rows for _, rows in draws], features, labels, held_out, held_out_labels, num_classes=num_classes, seed=seed
    )
    of_fraction = np.stack(
        [np.mean([~found for found, (of, _) in zip(right, draws, strict=True) if of == fraction], axis=0)
         for fraction in fractions]
    )  # fmt: skip
    sizes = np.array([round(fraction * len(order)) for fraction in fractions])
    errors = of_fraction.mean(axis=1)
    now, later = (_continued(sizes, errors, shown, times * len(labels)) for times in (1, 2))
    again = rng.integers(0, shown, (BOOTSTRAPS, shown))
    drawn = np.array([of_fraction[:, rows].mean(axis=1) for rows in again])
    futures = np.array([_continued(sizes, each, shown, 2 * len(labels)) for each in drawn])
    gains = np.array([_continued(sizes, each, shown, len(labels)) for each in drawn]) - futures
    return LearningCurve(
        points=tuple(_point(int(size), float(1 - error), shown) for size, error in zip(sizes, errors, strict=True)),
        images=len(labels),
        expected=float(1 - later),
        low=float(1 - np.quantile(futures, 0.975)),
        high=float(1 - np.quantile(futures, 0.025)),
        gain=float(now - later),
        gain_low=float(np.quantile(gains, 0.025)),
        gain_high=float(np.quantile(gains, 0.975)),
    )


def _point(images: int, accuracy: float, shown: int) -> Point:
    between = wilson(round(accuracy * shown), shown)
    return Point(images, accuracy, min(between.low, accuracy), max(between.high, accuracy))


def _continued(sizes: np.ndarray, errors: np.ndarray, count: int, later: float) -> float:
    """The error for `later` images, by a line through the logarithms of sizes and errors, from the last error on.

    Errors rise in no line: more images never hurt. Half an error is added, as none has no logarithm.
    """
    logarithms = np.log((errors * count + 0.5) / (count + 1))
    slope = np.polyfit(np.log(sizes), logarithms, 1, w=np.sqrt(sizes))[0]
    return float(errors[-1] * (later / sizes[-1]) ** min(slope, 0.0))


def _in_turn(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """All images in random order, so that any beginning of it has the classes in their proportions."""
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        place[members] = (np.arange(len(members)) + rng.random(len(members))) / len(members)
    return np.argsort(place, kind="stable")
