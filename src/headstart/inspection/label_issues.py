"""Features and labels -> out-of-fold probabilities, and which labels are doubtful.

The probabilities of each image come from a head that has seen neither it nor a copy of it. Whether they speak against
the label is decided as in confident learning: another class must be as probable as it usually is for its own images
(Northcutt, Jiang and Chuang 2021, https://arxiv.org/abs/1911.00068), or else far more probable than the label. Knows no
files.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from headstart.array_types import Float, Float64, Int
from headstart.concurrency import cpu_budget, single_threaded_products
from headstart.features import linear_head
from headstart.features.linear_head import FOLDS
from headstart.features.rows import Chosen, Rows
from headstart.numerics import probabilities

# C of these heads. The first is a stronger penalty than the best classifiers have: such heads memorize fewer wrong
# labels. The others are tried where many labels seem wrong: of weather photos with 40% wrong labels they raise the
# AUROC of the ranking from 0.97 to 0.99 (benchmarks/LOG.md).
PENALTIES = (linear_head.DEFAULT_C, linear_head.DEFAULT_C / 3, linear_head.DEFAULT_C / 10)
MANY_DOUBTS = 0.05  # share of the images for which another class is more probable than the label
MAX_TRAINING_IMAGES = 20_000  # for each of these heads: with 1,280 features, one takes some 400 MB
# Where a class is that much more probable than the label, the label is doubtful in any case. Of 0.2 to 0.5 the largest
# at which heads on all depths name as many planted errors as heads on the last layer did at 0.5 (benchmarks/LOG.md).
CLEAR_MARGIN = 0.3


@dataclass(frozen=True)
class LabelIssue:
    """An image whose label is doubtful.

    suggested: the most probable other class, according to a head that has not seen the image.
    margin: the probability of its label minus that of the suggested class: -1 (surely wrong) to 0.
    """

    image: int
    suggested: int
    margin: float


def probabilities_despite_wrong_labels(
    features: Rows, labels: Int[np.ndarray, " n"], groups: Int[np.ndarray, " n"], *, seed: int
) -> Float64[np.ndarray, "n classes"]:
    """`out_of_fold_probabilities`; where many labels are doubtful, by heads with a stronger penalty, as long as they
    predict the labels of unseen images better (cross-entropy)."""
    best = out_of_fold_probabilities(features, labels, groups, seed=seed)
    known = np.flatnonzero(~np.isnan(best).any(axis=1))
    if len(rank_by_margin(best, labels)) < MANY_DOUBTS * max(len(known), 1):
        return best
    for penalty in PENALTIES[1:]:
        found = out_of_fold_probabilities(features, labels, groups, seed=seed, C=penalty)
        if _cross_entropy(found[known], labels[known]) >= _cross_entropy(best[known], labels[known]):
            break
        best = found
    return best


def _cross_entropy(shares: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"]) -> float:
    own = np.maximum(shares[np.arange(len(labels)), labels], np.finfo(np.float64).tiny)
    return float(-np.log(own).mean())


def out_of_fold_probabilities(
    features: Rows,
    labels: Int[np.ndarray, " n"],
    groups: Int[np.ndarray, " n"],
    *,
    seed: int,
    C: float = PENALTIES[0],
) -> Float64[np.ndarray, "n classes"]:
    """The probabilities of each image according to a head that has seen neither it nor a copy of it.

    Args:
        features: (n, depth).
        groups: images with the same number, copies of one photo, are always in the same fold.
        seed: of the folds.
        C: of the heads.

    Returns:
        probabilities; NaN in the rows of classes with fewer photos than folds, and in all rows where fewer than two
        classes have enough.
    """
    found = np.full((len(labels), int(labels.max(initial=-1)) + 1), np.nan)
    _, first = np.unique(groups, return_index=True)  # one image stands for each group
    photos = np.bincount(labels[first], minlength=found.shape[1])
    classes = np.flatnonzero(photos >= FOLDS)
    if len(classes) < 2:
        return found
    rows = np.flatnonzero(np.isin(labels, classes))
    position = np.searchsorted(classes, labels)  # of each label within `classes`

    def predict_fold(fold: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        seen, unseen = rows[fold[0]], rows[fold[1]]
        seen = seen[linear_head.some_images(position[seen], MAX_TRAINING_IMAGES, seed)]
        # all classes count alike: otherwise labels of a rare class would be doubtful wherever features say little
        counts = np.maximum(np.bincount(position[seen], minlength=len(classes)), 1)
        weights = len(seen) / (len(classes) * counts)
        head = linear_head.solve(
            [Chosen(features, seen)], position[seen], len(classes), seed=seed, C=C, class_weights=weights
        )
        return unseen, probabilities(head.logits(Chosen(features, unseen)))

    with single_threaded_products(), ThreadPoolExecutor(cpu_budget()) as pool:  # one head per core
        for unseen, predicted in pool.map(predict_fold, linear_head.folds(position[rows], seed, groups[rows])):
            found[unseen] = 0.0
            found[np.ix_(unseen, classes)] = predicted
    return found


def find_label_issues(out_of_fold: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"]) -> list[LabelIssue]:
    """The doubtful labels, the most doubtful first. out_of_fold: see `out_of_fold_probabilities`."""
    known = ~np.isnan(out_of_fold).any(axis=1)
    self_confidence = [out_of_fold[known & (labels == label), label] for label in range(out_of_fold.shape[1])]
    usual = np.array([own.mean() if len(own) else np.inf for own in self_confidence])
    return [
        issue
        for issue in rank_by_margin(out_of_fold, labels)
        if issue.margin <= -CLEAR_MARGIN or out_of_fold[issue.image, issue.suggested] >= usual[issue.suggested]
    ]


def rank_by_margin(out_of_fold: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"]) -> list[LabelIssue]:
    """All images for which another class is more probable than the label, the largest margin first."""
    images = np.arange(len(labels))
    own = out_of_fold[images, labels]
    others = out_of_fold.copy()
    others[images, labels] = -np.inf
    others[np.isnan(others)] = -np.inf
    best = others.argmax(axis=1)
    margins = own - others[images, best]
    order = np.argsort(margins, kind="stable")
    return [LabelIssue(int(i), int(best[i]), float(margins[i])) for i in order if margins[i] < 0]
