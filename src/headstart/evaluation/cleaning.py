"""Would cleaner labels help? A head solved without the doubtful training images, against one solved on all of them.

Both answer the same held-out images, which nothing else is done with: which training images are doubtful is decided by
the training images alone (`training/label_issues.py`). A wrong label that is put right brings about what leaving its image
out brings; an image that is only hard is lost by it. Features are those that are kept; nothing is fine-tuned.
"""

from dataclasses import dataclass

import numpy as np

from headstart.evaluation.partial_heads import MOST, right_answers
from headstart.features.rows import Chosen, Rows
from headstart.statistics import Disagreement, disagreement


@dataclass(frozen=True)
class Cleaning:
    """What becomes of the held-out images' answers without the doubtful training images.

    images: training images that were looked at. left_out: the doubtful ones of these.
    held_out: images that both heads answered.
    right: of these, answered rightly by the head of all training images that were looked at.
    between: the first head is that of all images.
    """

    images: int
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
            "images": self.images,
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
    groups: np.ndarray,
    held_out: Rows,
    held_out_labels: np.ndarray,
    *,
    num_classes: int,
    seed: int,
) -> Cleaning | None:
    """
    Args:
        features: (n, depth) of the training images, with their labels, int (n,).
        groups: int (n,): training images with the same number are copies of one photo.
        held_out: (m, depth) of other images, with their labels, int (m,).

    Returns:
        None where nothing is doubtful, a class would have no image left, or nothing is held out.
    """
    # scikit-learn takes seconds, which who draws a page need not wait for
    from headstart.features import linear_head
    from headstart.inspection import label_issues

    if len(held_out) == 0:
        return None
    rows = linear_head.some_images(labels, MOST, seed)
    judged = label_issues.out_of_fold(Chosen(features, rows), labels[rows], groups[rows], seed=seed)
    clean = np.delete(rows, [doubt.image for doubt in label_issues.doubtful(judged, labels[rows])])
    if len(clean) == len(rows) or len(np.unique(labels[clean])) < num_classes:
        return None
    of_all, of_clean = right_answers(
        (rows, clean), features, labels, held_out, held_out_labels, num_classes=num_classes, seed=seed
    )
    return Cleaning(len(rows), len(rows) - len(clean), len(held_out), int(of_all.sum()), disagreement(of_all, of_clean))
