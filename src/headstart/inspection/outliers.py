"""Features and labels -> images that are unlike the rest of their class. Knows no files."""

from dataclasses import dataclass

import numpy as np

from headstart.array_types import Int
from headstart.features.neighbours import directions, distances
from headstart.features.rows import Rows

NEIGHBOUR = 10  # which of the nearest images of its class decides how far away an image is
REFERENCES = 2_000  # images of a class among which its neighbours are searched for
MIN_IMAGES = 20  # of a class, to say what is unusual in it
MIN_DISTANCE = 6.0  # robust standard deviations above the median of the class


@dataclass(frozen=True)
class Outlier:
    """An image far from the rest of its class: `distance` in robust standard deviations from the median."""

    image: int
    distance: float


def find_outliers(features: Rows, labels: Int[np.ndarray, " n"], *, seed: int) -> list[Outlier]:
    """Images whose nearest neighbours of their own class are unusually far away, the farthest first.

    Args:
        features: (n, depth).
        seed: of the images of a large class that the others are compared with.
    """
    found = []
    rng = np.random.default_rng(seed)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < MIN_IMAGES:
            continue
        references = directions(features[np.sort(rng.permutation(members)[:REFERENCES])])
        away = np.concatenate(
            # an image may itself be one of the references, and so may its copies: they are nearer than NEIGHBOUR
            [distances(directions(features[members[start : start + REFERENCES]]), references, NEIGHBOUR)
             for start in range(0, len(members), REFERENCES)]
        )  # fmt: skip
        median = np.median(away)
        deviation = 1.4826 * float(np.median(np.abs(away - median)))  # the standard deviation of a normal distribution
        if deviation > 0:
            scores = (away - median) / deviation
            found += [Outlier(int(members[i]), float(scores[i])) for i in np.flatnonzero(scores > MIN_DISTANCE)]
    return sorted(found, key=lambda outlier: -outlier.distance)
