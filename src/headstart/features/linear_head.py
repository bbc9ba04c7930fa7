"""The linear head, solved rather than stepped: features and labels, or shares of classes -> the last layer's weights.

Multinomial logistic regression with an L2 penalty is convex: L-BFGS finds its one best solution. Cross-validation
inside the training images chooses C, the inverse strength of the penalty. Past `IN_MEMORY` rows, where a copy of them
would no longer fit, the same problem is solved in pieces, from the solution for a part of the rows on, and so it is
past `MANY_CLASSES`. Knows no images and no Keras.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from headstart.array_types import Float, Float32, Float64, Int
from headstart.concurrency import cpu_budget, single_threaded_products
from headstart.features.head_in_pieces import TOLERANCE, solve_in_pieces
from headstart.features.heads_in_memory import solve_side_by_side
from headstart.features.rows import Rows, row_by_row
from headstart.features.sums import Sums, moments
from headstart.numerics import Truth, counted, cross_entropies, log_probabilities, most_probable, num_logits

C_VALUES = tuple(10.0 ** (exponent / 2) for exponent in range(-8, 3))  # scikit-learn's C: 1e-4 to 10
DEFAULT_C = 1e-2  # where classes have too few images to validate: what most collections choose
FOLDS = 5
MANY_CLASSES = 200  # past that, C is chosen on half as many of them: the best C of 50, 100 and 200 was the same
FEW = 300  # images, at most, whose folds are solved together; those of more, on a core each
IN_MEMORY = 40_000  # rows: 200 MB of 1,280 features


@dataclass(frozen=True, eq=False)
class Head:
    """A linear layer.

    kernel, bias: of two classes for one logit, the second class's.
    C: that it was solved with, for features of deviation 1.
    weight: what share of the variance the depths before the last were given, 0 to 1; None: there are none.
    """

    kernel: Float32[np.ndarray, "depth logits"]
    bias: Float32[np.ndarray, " logits"]
    C: float
    weight: float | None = None

    def logits(self, features: Rows) -> Float32[np.ndarray, "n logits"]:
        """Features (n, depth) -> logits."""
        return logits(features, self.kernel, self.bias)


@dataclass(frozen=True, eq=False)
class Scale:
    """Centres features and brings their root mean square deviation to 1, so that C means the same for any base.

    One factor for all features: a factor for each would give the weak ones large weights, as accurate on new images
    (benchmarks/LOG.md) but far more sensitive to what fine-tuning changes in the base.
    """

    mean: Float32[np.ndarray, " depth"]
    deviation: float

    @classmethod
    def of(cls, views: Sequence[Rows]) -> "Scale":
        return cls.of_moments(*moments(views))

    @classmethod
    def of_moments(cls, mean: np.ndarray, variance: np.ndarray) -> "Scale":
        deviation = np.float32(np.sqrt(variance.mean()))  # as the mean: in 64 bits the order of sums shows
        return cls(mean.astype(np.float32), max(float(deviation), 1e-12))  # not 0, where all images are alike

    def __call__(self, features: np.ndarray) -> np.ndarray:
        return (features - self.mean) / np.float32(self.deviation)


def logits(
    features: Rows, kernel: Float[np.ndarray, "depth logits"], bias: Float[np.ndarray, " logits"]
) -> Float32[np.ndarray, "n logits"]:
    """A linear layer: features (n, depth) -> logits."""
    return row_by_row(features, lambda piece: piece.astype(np.float32) @ kernel + bias)


def solve(
    views: Sequence[Rows],
    truth: Truth,
    num_classes: int,
    *,
    seed: int,
    C: float | None = None,
    class_weights: Float[np.ndarray, " classes"] | None = None,
    photos: Int[np.ndarray, " n"] | None = None,
    sums: Sums | None = None,
) -> Head:
    """The head that fits the training images best.

    views: of the same n images one or more views, each (n, depth), with equal weight.
    truth: each class at least once the most probable one.
    C: by default, what cross-validation chooses.
    class_weights: what an image of each class counts; by default 1.
    photos: images with the same number, copies of one photo, are in the same fold of cross-validation.
    sums: over the rows of all views, where they are many, by who has them at hand; by default on this machine.
    """
    counts = np.ones(num_classes) if class_weights is None else class_weights
    scale = Scale.of_moments(*sums.moments()) if sums else Scale.of(views)
    many = num_classes > MANY_CLASSES
    images = np.arange(len(truth))
    if len(views) * len(truth) > IN_MEMORY or many:
        images = validated_images(most_probable(truth), IN_MEMORY // (2 * len(views)), seed)
    some = [scale(view[images]) for view in views]
    if C is None:
        photos = None if photos is None else photos[images]
        C = choose_C(some, truth[images], counts, seed=seed, photos=photos)
    if many:  # of which these images lack some
        weights = np.zeros((len(scale.mean) + 1, num_classes))
    else:
        weights = solve_in_memory(np.concatenate(some), np.concatenate([truth[images]] * len(views)), counts, C)
    if len(images) < len(truth) or many:
        del some
        weights = solve_in_pieces(views, truth, counts, scale.mean, scale.deviation, C, weights, sums)
    kernel = weights[:-1] / scale.deviation  # for features as they come
    bias = weights[-1] - scale.mean @ kernel
    return Head(kernel.astype(np.float32), bias.astype(np.float32), C)


def validated_images(labels: Int[np.ndarray, " n"], count: int, seed: int) -> Int[np.ndarray, " m"]:
    """Indices of the images that C is chosen on: all, or `some_images`; past MANY_CLASSES, of half as many of them."""
    images, classes = np.arange(len(labels)), np.unique(labels)
    if len(classes) > MANY_CLASSES:
        chosen = np.random.default_rng(seed).choice(classes, MANY_CLASSES // 2, replace=False)
        images = np.flatnonzero(np.isin(labels, chosen))
    return images if len(images) <= count else images[some_images(labels[images], count, seed)]


def some_images(labels: Int[np.ndarray, " n"], count: int, seed: int) -> Int[np.ndarray, " m"]:
    """Indices of about `count` images, drawn at random; of each class as many as cross-validation needs, if it has."""
    order = np.random.default_rng(seed).permutation(len(labels))
    of_each = [order[labels[order] == label][:FOLDS] for label in np.unique(labels)]
    return np.unique(np.concatenate([order[:count], *of_each]))


def folds(labels: np.ndarray, seed: int, photos: np.ndarray | None = None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Training and validation indices of each fold; no folds where no class has two images.

    A class with fewer images than there are folds is trained on in each, as long as two classes have enough. Images of
    the same photo are on the same side: one of them stands for all.
    """
    if photos is not None:
        _, standing, photo = np.unique(photos, return_index=True, return_inverse=True)
        parts = folds(labels[standing], seed)
        return [(np.flatnonzero(np.isin(photo, train)), np.flatnonzero(np.isin(photo, out))) for train, out in parts]
    sizes = np.bincount(labels)
    enough = np.flatnonzero(sizes >= FOLDS)
    count = FOLDS
    if len(enough) < 2:
        enough = np.unique(labels)
        count = min(FOLDS, int(sizes[enough].min()))
    if count < 2:
        return []
    large = np.isin(labels, enough)
    rows, small = np.flatnonzero(large), np.flatnonzero(~large)
    fold = _stratified(labels[rows], count, seed)
    return [(np.sort(np.append(rows[fold != part], small)), rows[fold == part]) for part in range(count)]


def _stratified(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The fold of each image: those of scikit-learn's `StratifiedKFold(count, shuffle=True, random_state=seed)`, which
    takes a second to import."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    classes = np.argsort(np.argsort(first))[inverse]  # numbered as they come
    ordered, rng, fold = np.sort(classes), np.random.RandomState(seed), np.empty(len(labels), np.int64)
    for number in range(len(first)):
        sizes = [np.count_nonzero(ordered[part::count] == number) for part in range(count)]
        drawn = np.repeat(np.arange(count), sizes)
        rng.shuffle(drawn)
        fold[classes == number] = drawn
    return fold


def choose_C(
    views: list[np.ndarray], truth: Truth, counts: np.ndarray, *, seed: int, photos: np.ndarray | None = None
) -> float:
    """The C with the least cross-entropy in cross-validation; views of an image, and photos, are in the same fold."""
    return cross_validate(views, truth, counts, seed=seed, photos=photos)[0]


def cross_validate(
    views: list[np.ndarray],
    truth: Truth,
    counts: np.ndarray,
    *,
    seed: int,
    photos: np.ndarray | None = None,
    near: float | None = None,
) -> tuple[float, float]:
    """The C with the least cross-entropy, of `C_VALUES`, and that; infinity where nothing can be validated.

    Values are tried from the smallest on, each from the solution before it, until two in a row have been worse: the
    large ones, which overfit and take longest, are mostly not reached. near: a value that may be the best already: its
    neighbours are tried, as long as they are better.
    """
    parts = folds(most_probable(truth), seed, photos)
    if not parts:
        return DEFAULT_C, np.inf
    together = len(parts) if len(truth) <= FEW else 1
    heads = [_Folds(views, truth, counts, parts[at : at + together]) for at in range(0, len(parts), together)]
    losses: dict[int, float] = {}
    with single_threaded_products(), ThreadPoolExecutor(cpu_budget()) as pool:

        def loss(place: int) -> float:
            if place not in losses:
                losses[place] = sum(pool.map(lambda some: some.loss(C_VALUES[place]), heads)) / len(parts)
            return losses[place]

        best = 0 if near is None else C_VALUES.index(near)
        if near is None:
            for place in range(len(C_VALUES)):
                best = min(best, place, key=loss)
                if place - best >= 2:
                    break
        else:
            best = lowest_neighbour(best, len(C_VALUES), loss)
    return C_VALUES[best], losses[best]


def lowest_neighbour(start: int, count: int, loss: Callable[[int], float]) -> int:
    """Of the places 0 to count - 1, over which a loss is a valley, the lowest: from `start` on, downhill."""
    best = start
    for step in (1, -1):
        while 0 <= best + step < count and loss(best + step) < loss(best):
            best += step
    return best


def among_themselves(
    truth: Truth,
) -> tuple[Int[np.ndarray, " present"], Int[np.ndarray, " n"] | Float[np.ndarray, "n present"]]:
    """The classes that are the most probable one of some image, and what is right among these alone."""
    classes, numbers = np.unique(most_probable(truth), return_inverse=True)
    if truth.ndim == 1:
        return classes, numbers
    shares = truth[:, classes]
    return classes, shares / shares.sum(axis=1, keepdims=True)


class _Folds:
    """Heads of which each is solved without the images of a fold, all of them together, for one C after another."""

    def __init__(
        self,
        views: list[np.ndarray],
        truth: Truth,
        counts: np.ndarray,
        parts: Sequence[tuple[np.ndarray, np.ndarray]],
    ) -> None:
        """parts: training and validation indices of each fold."""
        known, of_rows = counted(truth, counts)
        seen, held_out = (np.zeros((len(truth), len(parts))) for _ in range(2))
        for fold, (train, out) in enumerate(parts):
            seen[train, fold], held_out[out, fold] = of_rows[train], of_rows[out]
        classes, known = among_themselves(known)
        trained, asked = seen.any(axis=1), held_out.any(axis=1)
        self._rows = np.concatenate([view[trained] for view in views])
        self._truth, self._seen = np.concatenate([known[trained]] * len(views)), np.tile(seen[trained], (len(views), 1))
        self._asked, self._right, self._shares = views[0][asked], known[asked], (held_out / held_out.sum(axis=0))[asked]
        self._heads = np.zeros((views[0].shape[1] + 1, len(parts), num_logits(len(classes))))

    def loss(self, C: float) -> float:
        """The cross-entropy of the images that each head has not seen, the mean of a fold; the sum of these means."""
        self._heads = solve_side_by_side(self._rows, self._truth, self._seen, C, self._heads, tolerance=TOLERANCE)
        numbers, folds, width = self._heads.shape
        flat = self._heads.reshape(numbers, folds * width).astype(np.float32)
        found = (self._asked @ flat[:-1] + flat[-1]).reshape(-1, width)
        losses = cross_entropies(log_probabilities(found), np.repeat(self._right, folds, axis=0))
        return float((losses.reshape(-1, folds) * self._shares).sum())


def solve_in_memory(
    features: Float[np.ndarray, "n numbers"], truth: Truth, counts: np.ndarray, C: float
) -> Float64[np.ndarray, "numbers+1 logits"]:
    """The last row is the bias. truth: each class at least once the most probable one."""
    start = np.zeros((features.shape[1] + 1, 1, num_logits(len(counts))))
    truth, of_rows = counted(truth, counts)
    return solve_side_by_side(features, truth, of_rows[:, None], C, start)[:, 0]
