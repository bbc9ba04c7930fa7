"""Would cleaner labels help? A head solved without the doubtful training images, compared with one solved on all.

Both classify the same held-out images. Which training images are doubtful is decided by the training images alone
(`inspection/label_issues.py`). Leaving out an image with a wrong label helps about as much as correcting the label; an
image that is only hard is lost. The features come from the cache; nothing is fine-tuned.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headstart.array_types import Int
from headstart.evaluation.partial_heads import MAX_TRAINING_IMAGES, correct_answers
from headstart.features.rows import Chosen, Rows
from headstart.statistics import Disagreement, disagreement


@dataclass(frozen=True)
class Cleaning:
    """How the answers to the held-out images change without the doubtful training images.

    images: training images that were checked. left_out: the doubtful ones among them.
    held_out: images that both heads classified.
    correct: of these, correct with the head of all training images that were checked.
    between: the first head is that of all images, the second that without the doubtful ones.
    """

    images: int
    left_out: int
    held_out: int
    correct: int
    between: Disagreement

    @property
    def correct_after(self) -> int:
        """Held-out images that are correct with the head that was solved without the doubtful images."""
        return self.correct + self.between.only_second - self.between.only_first

    @property
    def gain(self) -> float:
        """Change of the accuracy, -1..1."""
        return (self.between.only_second - self.between.only_first) / self.held_out

    def to_json(self) -> dict:
        return {
            "images": self.images,
            "left_out": self.left_out,
            "held_out": self.held_out,
            "right": self.correct,
            "mended": self.between.only_second,
            "spoiled": self.between.only_first,
            "gain": self.gain,
            "p": self.between.p,
        }

    @classmethod
    def from_json(cls, content: Mapping) -> "Cleaning":
        between = Disagreement(only_first=content["spoiled"], only_second=content["mended"], p=content["p"])
        return cls(content["images"], content["left_out"], content["held_out"], content["right"], between)


def measure_cleaning(
    features: Rows,
    labels: Int[np.ndarray, " n"],
    groups: Int[np.ndarray, " n"],
    held_out: Rows,
    held_out_labels: Int[np.ndarray, " m"],
    *,
    num_classes: int,
    seed: int,
) -> Cleaning | None:
    """
    Args:
        features: (n, depth), of the training images.
        groups: training images with the same number are copies of one photo.
        held_out: (m, depth), of other images.
        seed: of the folds in which labels are checked.

    Returns:
        None where no label is doubtful, a class would have no image left, or nothing is held out.
    """
    # imported here: SciPy takes a moment, and pages do not need it
    from headstart.features import linear_head
    from headstart.inspection.label_issues import find_label_issues, probabilities_despite_wrong_labels

    if len(held_out) == 0:
        return None
    rows = linear_head.some_images(labels, MAX_TRAINING_IMAGES, seed)
    out_of_fold = probabilities_despite_wrong_labels(Chosen(features, rows), labels[rows], groups[rows], seed=seed)
    clean = np.delete(rows, [issue.image for issue in find_label_issues(out_of_fold, labels[rows])])
    if len(clean) == len(rows) or len(np.unique(labels[clean])) < num_classes:
        return None
    of_all, of_clean = correct_answers(
        (rows, clean), features, labels, held_out, held_out_labels, num_classes=num_classes, seed=seed
    )
    return Cleaning(len(rows), len(rows) - len(clean), len(held_out), int(of_all.sum()), disagreement(of_all, of_clean))
