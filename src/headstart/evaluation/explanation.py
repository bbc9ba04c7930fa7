"""Explanation: an answer and where it comes from, ready to be drawn. Plain data."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.array_types import UInt8


@dataclass(frozen=True, eq=False)
class Explanation:
    """An answer and where it comes from. Images are RGB, of any size.

    label: the true class. answer: what the classifier said. probability: of the answer.
    evidence: the photo as the network sees it, dark where nothing speaks for the answer.
    similar: the most similar training images, each with its class name.
    """

    image: UInt8[np.ndarray, "_ _ 3"]
    label: str
    answer: str
    probability: float
    evidence: UInt8[np.ndarray, "_ _ 3"]
    similar: Sequence[tuple[np.ndarray, str]]
