"""Images and their features -> how well heads answer images that they have not seen: two ways to show the same images
are compared by this. Knows no model and no files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.array_types import Float32, Float64
from headstart.data.dataset import Split
from headstart.features import linear_head
from headstart.numerics import cross_entropies, log_probabilities

ENOUGH = 32  # images; with fewer, nothing can be concluded


def out_of_fold_losses(
    views: Sequence[Float32[np.ndarray, "n depth"]], images: Split, *, seed: int
) -> Float64[np.ndarray, " answered"]:
    """The cross-entropy of each image that a head without it, or a copy of it, answers, in the first view.

    views: features of the images, in each view that heads are trained on.
    """
    scale = linear_head.Scale.of(views)
    counts = np.ones(int(images.labels.max()) + 1)
    scaled = [scale(view) for view in views]
    C = linear_head.choose_C(scaled, images.labels, counts, seed=seed, photos=images.photos)
    found = []
    for train, held_out in linear_head.folds(images.labels, seed, images.photos):
        classes, labels = np.unique(images.labels[train], return_inverse=True)
        head = linear_head.solve([view[train] for view in views], labels, len(classes), seed=seed, C=C)
        answers = log_probabilities(head.logits(views[0][held_out]))
        found.append(cross_entropies(answers, np.searchsorted(classes, images.labels[held_out])))
    return np.concatenate(found) if found else np.zeros(0)


def difference(losses: Float64[np.ndarray, " n"], others: Float64[np.ndarray, " n"]) -> tuple[float, float] | None:
    """The mean of losses minus others, of the same images, and its standard error; None where there are too few."""
    if len(losses) < ENOUGH:
        return None
    found = losses - others
    return float(found.mean()), float(found.std(ddof=1) / np.sqrt(len(found)))
