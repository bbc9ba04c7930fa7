"""A layout that was understood -> a question, where the class folders may not be the classes. Opens no file.

The names decide: a classifier of "train or test?", of cameras or of masks would look accurate, and be useless.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from headstart.data.folder_tree import Parts, Tree
from headstart.data.split_names import (
    have_one_rest,
    is_neutral,
    is_plain_split,
    is_unlabelled,
    split_in,
    split_of,
    words_of,
)
from headstart.errors import DatasetError
from headstart.storage.url_path import Location

if TYPE_CHECKING:
    from headstart.data.layout import Layout

MOST = 0.9  # of the images of a class folder lie in its subfolders: then these may be the classes
SHARED = 0.5  # of the names of these are in more than one class folder: then they repeat each other
MAX_SHOWN = 5  # names in a sentence
MASK_WORDS = frozenset({"mask", "masks", "label", "labels", "annotation", "annotations", "groundtruth", "gt"})

BOTH = "Or --hierarchy if both are: a hierarchy of classes."
COLLECTION_WORDS = frozenset({"classification", "classes", "collection", "dataset", "datasets", "data"})

_DATE = re.compile(r"(19|20)\d\d([-_.]?\d\d){0,2}")


def check_classes(tree: Tree, layout: Layout, source: Location, *, hierarchy: bool = False) -> None:
    """
    Args:
        hierarchy: whether the owner says that the classes are a hierarchy.

    Raises:
        DatasetError: it is not clear that the class folders are the classes.
    """
    classes = {(*parent, name) for parent in layout.parents for name in tree.children(parent)}
    _check_names(classes, source)
    _check_no_splits_inside(tree, classes, source)
    if hierarchy:
        return
    _check_not_repeated(tree, classes, source)
    _check_none_is_a_collection(tree, classes, source)


def _check_names(classes: set[Parts], source: Location) -> None:
    names = {folder[-1] for folder in classes}
    splits = [found for name in names if (found := split_in(name))]
    if len(splits) == len(names) and len({found.split for found in splits}) > 1 and have_one_rest(splits):
        raise DatasetError(
            f"The class folders of '{source}' would be {some(names)}, which are names of splits. {_levels(classes)}"
        )
    masks = {name for name in names if MASK_WORDS.intersection(words_of(name))}
    if masks and names > masks and all(map(is_neutral, names - masks)):
        raise DatasetError(
            f"The class folders of '{source}' would be {some(names)}: images and their masks or annotations. headstart "
            f"learns one label for a whole photo: put the photos of each class into a folder with its name. "
            f"{_levels(classes)}"
        )


def _check_no_splits_inside(tree: Tree, classes: set[Parts], source: Location) -> None:
    """No class folder holds split folders, as where a collection lies beside something else."""
    inside = {folder: list(filter(is_plain_split, tree.children(folder))) for folder in classes}
    if found := {folder: names for folder, names in inside.items() if len(set(map(split_of, names))) > 1}:
        folder, splits = min(found.items())
        one = f"'{source.joinpath(*folder)}'" if source.is_dir() else "unpack the zip first"
        raise DatasetError(
            f"'{source}' would have the class folders {some(each[-1] for each in classes)}, but there are the split "
            f"folders {some(splits)} in {some(each[-1] for each in found)}. To use only one of these, give it as DATA "
            f"({one}). {_levels(classes, {name for each in found for name in _two_below(tree, each)}, deeper=2)}"
        )


def _check_not_repeated(tree: Tree, classes: set[Parts], source: Location) -> None:
    """Not all class folders hold folders of the same names, which may be the classes."""
    inside: dict[str, set[str]] = {}
    for folder in classes:
        inside.setdefault(folder[-1], set()).update(tree.children(folder))
    counts = Counter(name for names in inside.values() for name in names)
    shared = {name for name, count in counts.items() if count > 1 and not is_date(name)}
    if len(inside) < 2 or len(shared) < 2 or sum(counts[name] for name in shared) <= SHARED * counts.total():
        return
    total = tree.totals(classes)
    if all(tree.counts[folder] <= (1 - MOST) * total[folder] for folder in classes):
        raise DatasetError(
            f"The folders {some(inside)} of '{source}' all hold folders of the same names: {some(shared)}. Which are "
            f"the classes? {_levels(classes, shared)} {BOTH}"
        )


def _check_none_is_a_collection(tree: Tree, classes: set[Parts], source: Location) -> None:
    """Not all folders but one are flat, where that one holds folders only, and names say that it is a collection: a
    class may be divided, too (dogs/beagle, dogs/poodle beside cats)."""
    divided = [folder for folder in classes if not tree.counts[folder] and len(tree.children(folder)) > 1]
    others = classes - set(divided)
    if len(divided) != 1 or not others or any(map(tree.children, others)):
        return
    inside = tree.children(divided[0])
    if all(map(is_date, inside)):
        return
    names = [folder[-1] for folder in others]
    is_collection = is_neutral(divided[0][-1]) or COLLECTION_WORDS.intersection(words_of(divided[0][-1]))
    if is_collection or all(is_neutral(name) or is_unlabelled(name) or is_plain_split(name) for name in names):
        raise DatasetError(
            f"'{source}' would have the class folders {some(each[-1] for each in classes)}, but all images of "
            f"'{divided[0][-1]}' are in the folders {some(inside)}. Which are the classes? {_levels(classes, inside)} "
            f"{BOTH}"
        )


def _two_below(tree: Tree, folder: Parts) -> set[str]:
    return {name for inside in tree.children(folder) for name in tree.children((*folder, inside))}


def _levels(classes: set[Parts], others: Collection[str] = (), *, deeper: int = 1) -> str:
    """How to say which folders are the classes. others: names of folders that may be, so many levels deeper."""
    level = len(min(classes, key=len))
    names = some(folder[-1] for folder in classes)
    text = f"Say --class-level {level} if the classes are {names}"
    return text + (f", or --class-level {level + deeper} if they are {some(others)}." if others else ".")


def is_date(name: str) -> bool:
    """Whether a folder is named after a day, a month or a year: 2024-05, 20240531, 2024."""
    return bool(_DATE.fullmatch(name))


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: a, b and 3 more."""
    names = list(names)
    names = names if len(names) <= MAX_SHOWN + 1 else [*names[:MAX_SHOWN], f"{len(names) - MAX_SHOWN} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def some(names: Iterable[str]) -> str:
    """The same in quotes, sorted, each once."""
    return listed(f"'{name}'" for name in sorted(set(names)))
