"""Sums over all rows of features: they are all that the solution of a large head needs to know of these.

A sum has no order and can be made in parts: here on all cores, or on many machines, each of which has some of the rows
(`executors/ray_sums.py`). Knows no images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol

import numpy as np

from headstart.array_types import Float64
from headstart.concurrency import cpu_budget, prefetch, single_threaded_products
from headstart.features.rows import Rows, pieces
from headstart.numerics import Truth, counted, two_sided

# the cross-entropy of some rows, and its derivatives with respect to kernel (numbers, logits) and bias (logits,); of
# several heads the sum, and their logits side by side
Loss = tuple[float, np.ndarray, np.ndarray]
LARGEST = 2.0**16  # that a number of features, or the mean loss, can be: in 16 bits there is none that is larger
EXACT = 51  # bits of a sum that are kept: float64 has two more


class Sums(Protocol):
    """Of all rows, of which is known what is right, and of all views of them."""

    @property
    def rows(self) -> int: ...

    def moments(self) -> tuple[Float64[np.ndarray, " numbers"], Float64[np.ndarray, " numbers"]]:
        """The mean and the variance of each number."""
        ...

    def loss(self, kernel: np.ndarray, bias: np.ndarray) -> Loss:
        """Of a head, for features as they come: float32 (numbers, logits) and float64 (logits,)."""
        ...


class PieceSums:
    """On this machine, a piece of the rows on each core."""

    def __init__(self, views: Sequence[Rows], truth: Truth, counts: np.ndarray) -> None:
        """views: of the same images. truth: of these. counts: what an image of each class counts."""
        self._views, self._truth, self._counts = views, truth, counts
        self._pool: ThreadPoolExecutor | None = None

    @property
    def rows(self) -> int:
        return sum(map(len, self._views))

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        return moments(self._views)

    @contextmanager
    def at_work(self) -> Iterator[PieceSums]:
        """With threads, as long as they are used."""
        with single_threaded_products(), ThreadPoolExecutor(cpu_budget()) as self._pool:
            yield self

    def loss(self, kernel: np.ndarray, bias: np.ndarray) -> Loss:
        def of_piece(piece: tuple[slice | np.ndarray, np.ndarray]) -> Loss:
            place, features = piece
            return on_grid(loss_of(features, self._truth[place], self._counts, kernel, bias), self.rows, self._counts)

        if self._pool is None:
            raise RuntimeError("outside of `at_work`")
        return added(prefetch(self._pool, of_piece, pieces(self._views), cpu_budget() + 1))


def moments(views: Sequence[Rows]) -> tuple[np.ndarray, np.ndarray]:
    """float64 (numbers,): the mean and the variance of each number in all rows of all views."""
    rows = sum(map(len, views))
    mean = sum_of(views) / rows
    return mean, squares_of(views, mean) / rows


def sum_of(views: Sequence[Rows]) -> np.ndarray:
    return np.sum([piece.sum(axis=0, dtype=np.float64) for _, piece in pieces(views)], axis=0)


def squares_of(views: Sequence[Rows], mean: np.ndarray) -> np.ndarray:
    """Of the differences from the mean."""
    return np.sum([((piece - mean) ** 2).sum(axis=0) for _, piece in pieces(views)], axis=0)


def loss_of(features: np.ndarray, truth: Truth, counts: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> Loss:
    """Of n rows, and one head or several.

    counts: what an image of each class counts, (classes,); of several heads, what each row counts in each, (n, heads).
    kernel, bias: of two classes for one logit, the second class's.
    """
    features = features.astype(np.float32, copy=False)
    if counts.ndim == 1:
        truth, of_rows = counted(truth, counts)
        counts = of_rows[:, None]
    heads = counts.shape[1]
    truth, counts = np.repeat(truth, heads, axis=0), counts.ravel()
    scores = two_sided((features @ kernel + bias).reshape(len(truth), -1))
    scores -= scores.max(axis=1, keepdims=True)
    error, own = np.exp(scores), (np.arange(len(truth)), truth)
    totals = error.sum(axis=1)
    if truth.ndim == 2:
        shares = truth * counts[:, None]
        loss = float(np.log(totals) @ counts - np.vdot(scores, shares))
        error *= (counts / totals)[:, None]
        error -= shares
    else:
        loss = float((np.log(totals) - scores[own]) @ counts)  # of softmax; the error is its derivative
        error *= (counts / totals)[:, None]
        error[own] -= counts
    error = error[:, -(len(bias) // heads) :].reshape(len(features), -1)  # of two classes the second
    return loss, features.T @ error.astype(np.float32), error.sum(axis=0)


def on_grid(loss: Loss, rows: int, counts: np.ndarray) -> Loss:
    """What a piece adds to the sum over so many rows, rounded to multiples of a power of two: float64 adds these up
    without rounding, and so to the same in any order, however many machines share the work.

    A last bit would not matter by itself, but it sends L-BFGS another way, and then kernels differ by 1e-5 and more of
    their norm (benchmarks/LOG.md). Adding and subtracting a large number rounds (Demmel and Nguyen, "Fast Reproducible
    Floating-Point Summation", 2013).
    """
    grid = 2.0 ** (np.ceil(np.log2(LARGEST * rows * counts.max())) - EXACT)
    large = 1.5 * 2.0**52 * grid
    whole, kernel, bias = (np.asarray(part, np.float64) + large - large for part in loss)
    return float(whole), kernel, bias


def added(losses: Iterator[Loss] | Sequence[Loss]) -> Loss:
    """In float64, whatever they come in. At least one."""
    parts = iter(losses)
    loss, kernel, bias = next(parts)
    kernel, bias = kernel.astype(np.float64), bias.astype(np.float64)
    for more, of_kernel, of_bias in parts:
        loss, kernel, bias = loss + more, np.add(kernel, of_kernel, out=kernel), bias + of_bias
    return loss, kernel, bias
