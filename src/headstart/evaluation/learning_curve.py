"""Would more photos help? Heads solved on a tenth, a quarter, half and all of the training images -> LearningCurve.

Errors usually fall as a power of the number of images (J. Hestness et al., Deep learning scaling is predictable,
empirically, arXiv:1712.00409). That line is fitted to the points and extrapolated to twice as many images. Its
uncertainty comes from weighing the held-out images at random (Bayesian bootstrap: D. Rubin, Annals of Statistics 9,
1981), and with them one image more that nobody has seen: no mistake among 12 images does not mean that there will be
none. The features come from the cache; nothing is fine-tuned.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from headstart.array_types import Float64, Int, Int64
from headstart.evaluation.partial_heads import MAX_TRAINING_IMAGES, correct_answers
from headstart.features.rows import Rows
from headstart.statistics import wilson

FRACTIONS = (0.1, 0.25, 0.5, 1.0)
DRAWS = 3  # of each fraction but the whole
MIN_IMAGES = 4  # of a class in the smallest fraction; where a tenth of a class is less, a quarter is the first point
MIN_POINTS = 3  # through two points any line fits
BOOTSTRAPS = 400
HELPS = 0.005  # gain in accuracy that is worth more photos
HARDLY = 0.01  # gain in accuracy that is not
USUAL_EXPONENT = 0.35  # of the power by which errors of image classifiers fall (Hestness et al.: 0.3 to 0.5)


@dataclass(frozen=True)
class Point:
    """images: trained on; accuracy: on the held-out images, mean of the draws; low, high: Wilson's 95% interval."""

    images: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class LearningCurve:
    """Accuracy over the number of training images, and what to expect from twice as many.

    points: in ascending order of images.
    images: how many there are for training.
    expected, low, high: accuracy with twice as many, 0..1, and the interval that holds 95% of the bootstraps.
    gain, gain_low, gain_high: the same, minus the accuracy with as many as there are.
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
        """What to do, in a sentence."""
        change = f"with {self.images:,} more, expect accuracy to change by"
        interval = f"{self.gain_low * 100:+.1f} to {self.gain_high * 100:+.1f}"
        if self.gain_low >= HELPS:
            return f"More photos would help: {change} {self.gain * 100:+.1f} points ({interval})."
        if self.gain_high <= HARDLY:
            return f"More photos of the same kind would hardly help: {change} {interval} points."
        return f"It is not yet clear whether more photos would help: {change} {interval} points."

    def to_json(self) -> dict:
        return {
            "points": [asdict(point) for point in self.points],
            "with_images": 2 * self.images,
            "expected": {"value": self.expected, "low": self.low, "high": self.high},
            "gain": {"value": self.gain, "low": self.gain_low, "high": self.gain_high},
            "advice": self.advice,
        }

    @classmethod
    def from_json(cls, content: Mapping) -> "LearningCurve":
        expected, gain = content["expected"], content["gain"]
        return cls(
            points=tuple(Point(**point) for point in content["points"]),
            images=content["with_images"] // 2,
            expected=expected["value"],
            low=expected["low"],
            high=expected["high"],
            gain=gain["value"],
            gain_low=gain["low"],
            gain_high=gain["high"],
        )


def measure_learning_curve(
    features: Rows,
    labels: Int[np.ndarray, " n"],
    held_out: Rows,
    held_out_labels: Int[np.ndarray, " m"],
    *,
    num_classes: int,
    seed: int,
    groups: Sequence[Hashable] = (),
) -> LearningCurve | None:
    """
    Args:
        features: (n, depth), of the training images.
        held_out: (m, depth), of other images.
        seed: of the draws and the bootstrap.
        groups: of the held-out images, if they come in groups, which are then weighed as wholes.

    Returns:
        None where a class is too small for a quarter of it to be trained on.
    """
    rng = np.random.default_rng(seed)
    order = _in_proportion(labels, rng)[:MAX_TRAINING_IMAGES]
    classes, counts = np.unique(labels[order], return_counts=True)
    fractions = [fraction for fraction in FRACTIONS if len(classes) and counts.min() * fraction >= MIN_IMAGES]
    if len(classes) < num_classes or len(fractions) < MIN_POINTS:
        return None
    draws = [
        (fraction, order[_in_proportion(labels[order], rng)][: round(fraction * len(order))])
        for fraction in fractions
        for _ in range(1 if fraction == 1 else DRAWS)
    ]
    correct = correct_answers(
        [rows for _, rows in draws], features, labels, held_out, held_out_labels, num_classes=num_classes, seed=seed
    )
    wrong = np.stack(
        [np.mean([~found for found, (of, _) in zip(correct, draws, strict=True) if of == fraction], axis=0)
         for fraction in fractions]
    )  # fmt: skip
    sizes = np.array([round(fraction * len(order)) for fraction in fractions])
    number = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    place = np.array([number[group] for group in groups], np.int64) if groups else np.arange(len(held_out_labels))
    return _curve(sizes, wrong, place, len(labels), rng)


def _curve(
    sizes: Int[np.ndarray, " points"],
    wrong: Float64[np.ndarray, "points m"],
    place: Int[np.ndarray, " m"],
    images: int,
    rng: np.random.Generator,
) -> LearningCurve:
    """wrong: for each size, in what share of the draws each held-out image was misclassified. place: its group."""
    count, errors = wrong.shape[1], wrong.mean(axis=1)
    now, later = (float(_extrapolated(sizes, errors, count, times * images)) for times in (1, 2))
    resampled = _resampled(sizes, wrong, place, rng)
    errors_later = _extrapolated(sizes, resampled, count, 2 * images)
    gains = _extrapolated(sizes, resampled, count, images) - errors_later
    return LearningCurve(
        points=tuple(_point(int(size), float(1 - error), count) for size, error in zip(sizes, errors, strict=True)),
        images=images,
        expected=1 - later,
        low=float(1 - np.quantile(errors_later, 0.975)),
        high=float(1 - np.quantile(errors_later, 0.025)),
        gain=now - later,
        gain_low=float(np.quantile(gains, 0.025)),
        gain_high=float(np.quantile(gains, 0.975)),
    )


def _resampled(
    sizes: Int[np.ndarray, " points"],
    wrong: Float64[np.ndarray, "points m"],
    place: Int[np.ndarray, " m"],
    rng: np.random.Generator,
) -> Float64[np.ndarray, "bootstraps points"]:
    """The errors, were the groups of held-out images others: as many of these, and one that nobody has seen.

    In one half of the bootstraps that one is answered correctly, always; in the other half wrongly, in the end.
    """
    members = np.bincount(place)
    mistakes = np.array([np.bincount(place, each) for each in wrong])
    unseen = members.mean() * (sizes[-1] / sizes) ** USUAL_EXPONENT
    known = np.concatenate([mistakes, unseen[:, None]], axis=1)
    weights = rng.dirichlet(np.ones(len(members) + 1), BOOTSTRAPS)
    count = weights @ np.append(members, members.mean())
    weights[: BOOTSTRAPS // 2, -1] = 0
    return np.minimum(weights @ known.T / count[:, None], 1.0)


def _point(images: int, accuracy: float, count: int) -> Point:
    interval = wilson(round(accuracy * count), count)
    return Point(images, accuracy, min(interval.low, accuracy), max(interval.high, accuracy))


def _extrapolated(
    sizes: Int[np.ndarray, " points"], errors: Float64[np.ndarray, "*draws points"], count: int, images: float
) -> Float64[np.ndarray, "*draws"] | np.float64:
    """The error with `images` images: from the last error on, along a line through the logarithms of sizes and errors.

    count: held-out images. The line never rises: more images never hurt. Half an error is added, as 0 has no logarithm.
    A point counts as many times as it has images.
    """
    logarithms = np.log((errors * count + 0.5) / (count + 1))
    apart = np.log(sizes) - np.average(np.log(sizes), weights=sizes)
    slope = logarithms @ (sizes * apart) / (sizes @ apart**2)
    return errors[..., -1] * (images / sizes[-1]) ** np.minimum(slope, 0.0)


def _in_proportion(labels: Int[np.ndarray, " n"], rng: np.random.Generator) -> Int64[np.ndarray, " n"]:
    """All images in random order, such that any first part of it has the classes in their proportions."""
    position = np.empty(len(labels))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        position[members] = (np.arange(len(members)) + rng.random(len(members))) / len(members)
    return np.argsort(position, kind="stable")
