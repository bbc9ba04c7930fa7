"""Would cleaner labels help? A head solved without the doubtful training images, against one solved on all of them.

Both answer the same held-out images: those whose own labels are not doubtful. Leaving an image out is the least that
can be done about its label; putting the label right brings what this brings, or a little more. Features are those that
are kept; nothing is fine-tuned.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from headstart.data.rows import Rows
from headstart.models.mcnemar import Disagreement, disagreement
from headstart.models.outputs import two_sided

MOST = 8_000  # training images that are looked at: solving takes longer than the answer is worth beyond


@dataclass(frozen=True)
class Cleaning:
    """What becomes of the held-out images' answers without the doubtful training images.

    left_out: doubtful training images, of those that were looked at.
    held_out: images that both heads answered.
    right: of these, answered rightly by the head of all training images.
    between: the first head is that of all images.
    """

    left_out: int
    held_out: int
    right: int
    between: Disagreement

    @property
    def gain(self) -> float:
        """Change of the accuracy, -1..1."""
        return (self.between.only_second - self.between.only_first) / self.held_out

    def to_json(self) -> dict:
        return {
            "left_out": self.left_out,
            "held_out": self.held_out,
            "right": self.right,
            "mended": self.between.only_second,
            "spoiled": self.between.only_first,
            "gain": self.gain,
            "p": self.between.p,
        }


def cleaning(
    features: Rows,
    labels: np.ndarray,
    doubtful: np.ndarray,
    held_out: Rows,
    held_out_labels: np.ndarray,
    *,
    num_classes: int,
    seed: int,
) -> Cleaning | None:
    """
    Args:
        features: (n, depth) of the training images, with their labels, int (n,), and which are doubtful, bool (n,).
        held_out: (m, depth) of other images whose labels are not doubtful, int (m,).

    Returns:
        None where nothing is doubtful, a class would have no image left, or nothing is held out.
    """
    from headstart.training import head  # scikit-learn takes seconds, which who draws a page need not wait for

    rows = np.sort(np.random.default_rng(seed).permutation(len(labels))[:MOST])
    clean = rows[~doubtful[rows]]
    if len(clean) == len(rows) or len(held_out) == 0 or len(np.unique(labels[clean])) < num_classes:
        return None
    shown = held_out[:]

    def right(chosen: np.ndarray) -> np.ndarray:
        found = head.solve(
            [features[chosen]], labels[chosen], num_classes, seed=seed, strength=head.DEFAULT_STRENGTH
        )  # fmt: skip
        return two_sided(found.logits(shown)).argmax(axis=1) == held_out_labels

    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        of_all, of_clean = pool.map(right, (rows, clean))
    return Cleaning(len(rows) - len(clean), len(shown), int(of_all.sum()), disagreement(of_all, of_clean))
