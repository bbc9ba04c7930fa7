"""Several labels per photo: what `collection.py` asks of labels, label by label. Knows no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headstart.array_types import Float32, Int
from headstart.data.dataset import Split
from headstart.data.items import Item
from headstart.data.label_sets import NOTHING, names_in, text_of
from headstart.inspection.findings import DOUBT, Finding
from headstart.inspection.label_issues import find_label_issues, probabilities_despite_wrong_labels

NOT_LOOKED_FOR = "with several labels per photo, shortcuts, groupings and photos unlike their class are not looked for"


def items_by_label(items: Sequence[Item]) -> list[Item]:
    """Each item once for each of its labels."""
    return [replace(item, label=name) for item in items for name in names_in(item.label)]


def doubtful_labels(
    images: Split, compact: Float32[np.ndarray, "n components"], sides: Int[np.ndarray, " n"], *, seed: int
) -> list[Finding]:
    """Images of which a label is probably missing, or wrong, the most doubtful first; `suggested` are the labels that
    they seem to have.

    Each label is judged as a class is, against its absence, by heads that have seen neither the image nor a copy.
    sides: the same number for images that are on one side of a fold.
    """
    has_label, doubts = images.targets.values > 0, dict[int, list[tuple[float, int]]]()
    for place, column in enumerate(has_label.T):
        labels = column.astype(np.int64)
        out_of_fold = probabilities_despite_wrong_labels(compact, labels, sides, seed=seed)
        for issue in find_label_issues(out_of_fold, labels):
            doubts.setdefault(issue.image, []).append((-issue.margin, place))
    findings = []
    for image, found in doubts.items():
        seems = has_label[image].copy()
        seems[[place for _, place in found]] ^= True
        suggested = text_of(np.array(images.class_names)[seems].tolist()) or NOTHING
        findings.append(Finding(DOUBT, images.paths[image], suggested=suggested, score=max(found)[0]))
    return sorted(findings, key=lambda finding: -(finding.score or 0.0))
