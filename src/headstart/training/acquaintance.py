"""Features of training and validation images -> Familiar: what a classifier knows, and how far away is unknown."""

import math

import numpy as np

from headstart.data.dataset import Split
from headstart.data.neighbours import directions
from headstart.data.rows import Rows
from headstart.data.splits import in_turn
from headstart.models.familiarity import Familiar

KNOWN = 2_000  # training images that are remembered: 5 MB of 1,280 features
USUAL = 0.97  # share of images of the same kind that are to be familiar: a little more than the 95% that are promised


def fit_familiar(features: Rows, train: Split, held_out: Rows, *, seed: int) -> Familiar:
    """
    Args:
        features: (n, depth) of the training images `train`; of many, as many of each class are remembered.
        held_out: (m, depth), m at least 1, of images that were not trained on.
    """
    chosen = np.sort(in_turn(train.labels, np.random.default_rng(seed))[:KNOWN])
    digests = tuple(train.digests[i] for i in chosen)
    known = Familiar(directions(features[chosen]).astype(np.float16), digests, 2.0)
    distances = known.distances(held_out[:])
    if math.ceil((len(distances) + 1) * USUAL) > len(distances):
        # too few to tell so rare a distance: those of the training images from each other say more than none
        distances = np.concatenate([distances, known.distances_inside()])
    # as in split conformal prediction: of m + 1 images, in any order, this one is among the nearest with that share
    place = min(math.ceil((len(distances) + 1) * USUAL), len(distances)) - 1
    return Familiar(known.known, digests, float(np.sort(distances)[place]))
