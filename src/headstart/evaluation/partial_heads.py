"""Heads solved on some of the training images -> which held-out images each of them answers rightly.

What more photos or cleaner labels would bring is told by such heads. Features are those that are kept; the strength is
the same for all.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from headstart.concurrency import cpu_budget
from headstart.features.rows import Rows
from headstart.numerics import two_sided

MOST = 8_000  # training images that are looked at: solving takes longer than the answer is worth beyond


def right_answers(
    chosen: Sequence[np.ndarray],
    features: Rows,
    labels: np.ndarray,
    held_out: Rows,
    held_out_labels: np.ndarray,
    *,
    num_classes: int,
    seed: int,
) -> list[np.ndarray]:
    """
    Args:
        chosen: of each head the training images that it is solved on, int (k,); of each class at least one.
        features: (n, depth) of the training images, with their labels, int (n,).
        held_out: (m, depth) of other images, with their labels, int (m,).

    Returns:
        of each head, bool (m,).
    """
    from headstart.features import linear_head  # scikit-learn takes seconds, which who draws a page need not wait for

    shown = held_out[:]

    def right(rows: np.ndarray) -> np.ndarray:
        rows = np.sort(rows)
        found = linear_head.solve([features[rows]], labels[rows], num_classes, seed=seed, C=linear_head.DEFAULT_C)
        return two_sided(found.logits(shown)).argmax(axis=1) == held_out_labels

    with threadpool_limits(1), ThreadPoolExecutor(cpu_budget()) as pool:
        return list(pool.map(right, chosen))
