"""Several labels per photo, or none, as text: "cats|dogs". Names and texts <-> each other; texts of images -> Targets.

In a table, and in all that headstart writes, a photo without any label has an empty cell. Inside of headstart, an empty
label means that nobody has looked at the photo yet (`label_state.NO_LABEL`), so NOTHING takes its place. Opens no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from headstart.data.dataset import Split
from headstart.data.splits import OTHER
from headstart.data.targets import SIGN, Kind, Targets
from headstart.errors import DatasetError

NOTHING = "(none)"  # the label of a photo that shows nothing of what is looked for


def names_in(text: str) -> tuple[str, ...]:
    """The labels that a text names, sorted, each once."""
    if text == NOTHING:
        return ()
    return tuple(sorted({name for part in text.split(SIGN) if (name := part.strip())}))


def text_of(names: Iterable[str]) -> str:
    """The labels of a photo as files have them; "" for none."""
    return SIGN.join(sorted(names))


def label_of(names: Iterable[str]) -> str:
    """The same as `Item.label` has it."""
    return text_of(names) or NOTHING


def classes_in(label: str, *, several: bool) -> tuple[str, ...]:
    """The classes that the label of an item stands for. several: whether it may be several."""
    return names_in(label) if several else (label,)


def all_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """Sorted. labels: texts."""
    return tuple(sorted({name for label in set(labels) for name in names_in(label)}))


def with_targets(split: Split, class_names: Sequence[str]) -> Split:
    """Images whose class names are texts of several labels each -> the same images with targets.

    class_names: all labels of these images, and perhaps others.
    """
    number = {name: column for column, name in enumerate(class_names)}
    of_text = np.zeros((len(split.class_names), len(class_names)), np.float32)
    for row in np.unique(split.labels).tolist():
        of_text[row, [number[name] for name in names_in(split.class_names[row])]] = 1
    targets = Targets(of_text[split.labels], Kind.MULTI_LABEL)
    return replace(split, class_names=tuple(class_names), given_targets=targets)


def aligned(split: Split, class_names: Sequence[str]) -> Split:
    """Images with targets, about the labels that a classifier knows, in its order.

    Raises:
        DatasetError: the images have one class each, or a label that the classifier does not know.
    """
    if split.kind is not Kind.MULTI_LABEL:
        raise DatasetError(
            "The classifier gives each image any number of labels, and these images have one class each. Give a table "
            "of all their labels: hs.DataSource(..., multi_label=True)."
        )
    values = split.targets.values
    present = {name for name, column in zip(split.class_names, values.T, strict=True) if column.any()}
    if unknown := sorted(present.difference(class_names)):
        raise DatasetError(
            f"Some images have the label {', '.join(map(repr, unknown))}, which the classifier does not know; it knows "
            f"{', '.join(map(repr, class_names))}. Leave them out, or rename that label."
        )
    place = {name: column for column, name in enumerate(split.class_names)}
    nothing = np.zeros(len(split), np.float32)
    columns = [values[:, place[name]] if name in place else nothing for name in class_names]
    targets = Targets(np.stack(columns, axis=1), Kind.MULTI_LABEL)
    return replace(split, class_names=tuple(class_names), given_targets=targets)


def check_several(labels: Iterable[str], source: str) -> None:
    """
    Raises:
        DatasetError: no image has several labels, or none; there are too few labels, or one that all images have; or
            one is `_other`.
    """
    found = set(labels)
    names = all_classes(found)
    if OTHER in names:
        raise DatasetError(
            f"'{source}' has photos with the label '{OTHER}', which has no meaning with --multi-label: a photo "
            f"that shows none of the labels has an empty cell (or only 0). Leave '{OTHER}' out."
        )
    if len(names) < 2:
        known = f"one label, '{names[0]}'" if names else "no label"
        raise DatasetError(
            f"'{source}' has {known}; several labels per photo (--multi-label) need at least two. For one, make two "
            f"classes of it, such as '{names[0] if names else 'damaged'}' and 'other', and leave --multi-label out."
        )
    if of_all := set(names).intersection(*map(names_in, found)):
        raise DatasetError(
            f"'{source}' gives all photos the label {min(of_all)!r}, so there is nothing to tell it from. Add photos "
            f"that do not show it, or leave that label out."
        )
    if all(len(names_in(label)) == 1 for label in found):
        raise DatasetError(
            f"'{source}' gives each photo exactly one label, so its labels are classes, of which a photo shows one. "
            f"Leave --multi-label out; or check that the table has the other labels: a|b in the label column, a "
            f"column of 0 and 1 for each label, or several rows per photo."
        )
