"""Heads solved on parts of the training images -> which held-out images each of them classifies correctly.

Such heads show what more photos (`learning_curve.py`) or cleaner labels (`cleaning.py`) would bring. The features come
from the cache, nothing is fine-tuned, and C is the same for all heads.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from headstart.array_types import Bool, Int
from headstart.concurrency import cpu_budget, single_threaded_products
from headstart.features.rows import Rows
from headstart.numerics import two_sided

MAX_TRAINING_IMAGES = 8_000  # beyond that, solving takes longer than the answer is worth


def correct_answers(
    parts: Sequence[Int[np.ndarray, " _"]],
    features: Rows,
    labels: Int[np.ndarray, " n"],
    held_out: Rows,
    held_out_labels: Int[np.ndarray, " m"],
    *,
    num_classes: int,
    seed: int,
) -> list[Bool[np.ndarray, " m"]]:
    """For each part, whether its head classifies each held-out image correctly.

    Args:
        parts: indices of the training images that a head is solved on, with at least one image of each class.
        features: (n, depth), of the training images.
        held_out: (m, depth), of other images.
    """
    from headstart.features import linear_head  # imported here: SciPy takes a moment, and pages do not need it

    held_out_features = held_out[:]

    def correct(part: np.ndarray) -> np.ndarray:
        part = np.sort(part)
        head = linear_head.solve([features[part]], labels[part], num_classes, seed=seed, C=linear_head.DEFAULT_C)
        return two_sided(head.logits(held_out_features)).argmax(axis=1) == held_out_labels

    with single_threaded_products(), ThreadPoolExecutor(cpu_budget()) as pool:
        return list(pool.map(correct, parts))
