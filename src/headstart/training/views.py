"""Do turned views of the training images do harm? Found by cross-validation over the training images themselves.

A look at a few images (`probe.py`) tells which views seem to show the same class. Whether they do, all of the training
images tell: heads solved with and without the views answer images that they have not seen, in the original view. Arrows
to the left, mirrored, are arrows to the right, and a head that has seen both as "left" answers worse. Where too few
images are there to tell, no view is taken.
"""

import numpy as np

from headstart.array_types import Float64
from headstart.data.dataset import Split
from headstart.data.views import MIRRORED, ORIGINAL
from headstart.features import linear_head
from headstart.features.validated import difference, out_of_fold_losses
from headstart.training.probe import GetFeatures

ANSWERED = 1_000  # images, at most, that are looked at: more hardly change the answer


def harmless_views(
    features: GetFeatures, train: Split, views: tuple[str, ...], *, seed: int, slack: float = 1.0
) -> tuple[str, ...]:
    """These views if they do no harm; or else the original and the mirrored one if both are among them and do none; or
    else the original alone.

    views: names of VIEWS, the original first.
    slack: how many standard errors of the mean difference are no harm yet; at 0 the views have to help.
    """
    if len(views) == 1:
        return views
    images = train.take(linear_head.validated_images(train.labels, ANSWERED, seed))
    without = _losses(features, images, (ORIGINAL,), seed)
    for some in dict.fromkeys((views, (ORIGINAL, MIRRORED))):
        if set(some) <= set(views) and _is_no_worse(_losses(features, images, some, seed), without, slack):
            return some
    return (ORIGINAL,)


def _losses(
    features: GetFeatures, images: Split, views: tuple[str, ...], seed: int
) -> Float64[np.ndarray, " answered"]:
    return out_of_fold_losses([features(images, view) for view in views], images, seed=seed)


def _is_no_worse(losses: np.ndarray, others: np.ndarray, slack: float) -> bool:
    harm = difference(losses, others)
    return harm is not None and harm[0] <= slack * harm[1]
