"""Why did it answer so? Features -> the training images that are alike. Knows no model and no files."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.features.neighbours import directions
from headstart.features.rows import Rows

PIECE = 4_096  # other rows that are looked at together


@dataclass(frozen=True, eq=False)
class Explained:
    """An answer and where it comes from. All images are uint8 (h, w, 3) of any size.

    where: the photo as the network sees it, dark where nothing speaks for the answer.
    neighbours: training images, each with its class name.
    """

    image: np.ndarray
    label: str
    answer: str
    certainty: float
    where: np.ndarray
    neighbours: Sequence[tuple[np.ndarray, str]]


def nearest(features: np.ndarray, others: Rows, count: int) -> np.ndarray:
    """Which of the others are most like each.

    features: float (n, depth); others: (m, depth), looked at in pieces.

    Returns:
        int64 (n, up to count): rows of others, the one with the most similar direction first.
    """
    wanted = directions(features)
    cosines = np.empty((len(wanted), 0), np.float32)
    rows = np.empty((len(wanted), 0), np.int64)
    for start in range(0, len(others), PIECE):
        piece = wanted @ directions(others[start : start + PIECE]).T
        places = np.broadcast_to(np.arange(start, start + piece.shape[1]), piece.shape)
        cosines, rows = np.concatenate([cosines, piece], axis=1), np.concatenate([rows, places], axis=1)
        best = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
        cosines, rows = np.take_along_axis(cosines, best, axis=1), np.take_along_axis(rows, best, axis=1)
    return rows
