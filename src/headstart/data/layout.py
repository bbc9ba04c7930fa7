"""The folders that hold images -> the class and the split of each, and a sentence on the layout that was understood.

Where two layouts are possible, it asks rather than guesses: the wrong guess would train a classifier of "train or
test?".
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from headstart.data.class_doubts import check_classes, is_date, listed, some
from headstart.data.class_tree import with_whole_paths
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
from headstart.data.splits import SPLITS, TRAIN
from headstart.errors import DatasetError
from headstart.storage.url_path import Location

FORMS = """Expected one of:
  a folder of class folders       photos/cats/*.jpg  photos/dogs/*.jpg
  the same with splits            photos/train/cats/*.jpg ...  photos/validation/cats/*.jpg ...  (and perhaps test/)
  a zip of either
  a CSV with the columns path,label or path,label,split
  tar shards of photos with labels, or Parquet files with a column of images
  the URL of any of these            s3://bucket/photos ..."""

SHARED = 0.5  # of the names of folders are in more than one place: then they repeat each other


@dataclass(frozen=True)
class Place:
    """Where an image belongs. split: None where the collection gives none."""

    label: str
    split: str | None


@dataclass(frozen=True)
class Layout:
    """places: of each folder that holds images, but for those outside any class folder.
    root: the folder that holds all of them, below the wrappers. parents: the folders that hold class folders.
    text: what was understood, in a sentence without a full stop.
    left_out: folders that are not read, and why, in a sentence each."""

    places: dict[Parts, Place]
    root: Parts
    parents: tuple[Parts, ...]
    text: str
    left_out: dict[Parts, str]


def understand(
    tree: Tree, source: Location, class_level: int | None = None, *, hierarchy: bool = False
) -> Layout:  # fmt: skip
    """The layout of a collection.

    Args:
        source: the collection's name in messages.
        class_level, hierarchy: see `DataSource`; at most one of them.

    Raises:
        DatasetError: there are no class folders, or it is not clear which folders are the classes.
    """
    if class_level is not None:
        return _at_level(tree, class_level, source)
    root = _without_wrappers(tree)
    tree, left_out = _without_repetitions(tree, root, source)
    if (splits := _splits_above(tree, root, source)) is not None:
        layout = _with_splits_above(tree, root, splits)
    elif _are_splits_below(tree, root):
        return _with_splits_below(tree, root, left_out)
    else:
        places = {folder: Place(folder[len(root)], None) for folder in tree.counts if len(folder) > len(root)}
        layout = Layout(places, root, (root,), _text(_classes(places), root), {})
    if not layout.places:
        raise DatasetError(
            f"'{source}' holds {len(tree.images)} images, but no class folders. "
            f"Put the images of each class into a folder with the name of the class; or give them labels: "
            f"headstart studio {source}\n{FORMS}"
        )
    layout = with_whole_paths(layout) if hierarchy else layout
    check_classes(tree, layout, source, hierarchy=hierarchy)
    return replace(layout, left_out=left_out)


def _without_wrappers(tree: Tree) -> Parts:
    """Go down while a single folder holds all folders with images, and is neither a class nor a split.

    A zip often has one folder that holds everything. Such a wrapper has at least two folders of images in it.
    """
    lower: Parts = ()
    while len(inside := tree.children(lower)) == 1 and not _is_split_folder(tree, (*lower, inside[0])):
        lower = (*lower, inside[0])
        deeper = tree.children(lower)
        if _may_be_classes(deeper) or any(map(is_plain_split, deeper)):
            return lower
    return ()


def _may_be_classes(names: Collection[str]) -> bool:
    """Whether these can be all classes: a single one is none, and dates divide a class."""
    return len(names) > 1 and not all(map(is_date, names))


def _is_split_folder(tree: Tree, folder: Parts) -> bool:
    """Whether it is named after a split and holds no split folders itself."""
    return is_plain_split(folder[-1]) and len({split_of(name) for name in tree.children(folder)} - {None}) < 2


def _without_repetitions(tree: Tree, root: Parts, source: Location) -> tuple[Tree, dict[Parts, str]]:
    """Without folders that hold the whole collection once more.

    Raises:
        DatasetError: a folder has the folders beside it in it, with other images.
    """
    left_out = {}
    tops = tree.children(root)
    for top in tops:
        inner, beside = set(tree.children((*root, top))), set(tops) - {top}
        if not _overlap(inner, beside):
            continue
        if not tree.repeats((*root, top), root):
            raise DatasetError(
                f"'{source}' holds the folder '{top}', and in it are folders with the names of those beside it "
                f"({some(inner & beside)}), but with other images. If it belongs to the same collection, move its "
                f"images into the folders beside it; if not, move '{top}' elsewhere."
            )
        left_out[(*root, top)] = f"'{top}' holds the images of the folders beside it once more, and is left out"
    for folder in left_out:
        tree = tree.without(folder)
    return tree, left_out


def _splits_above(tree: Tree, root: Parts, source: Location) -> dict[str, str] | None:
    """Top folder -> its split, where the top folders are split folders with class folders in them.

    A class may be called 'train', beside 'bus', or 'bullet train'. An ambiguous collection is refused.

    Raises:
        DatasetError: it is ambiguous, or the split folders hold no class folders.
    """
    tops = [top for top in tree.children(root) if not _is_unlabelled_folder(tree, (*root, top))]
    named = {top: name for top in tops if (name := split_in(top))}
    others = [top for top in tops if top not in named]
    shared = _sharing(tree, root, named)
    same_rest = len(named) > 1 and have_one_rest(named.values())
    meant = [top for top in named if named[top].is_plain or top in shared or (same_rest and not others)]
    if not meant:
        return None
    nested = {top for top in meant if tree.children((*root, top))}
    direct = {top for top in meant if tree.counts[(*root, top)]}
    others += sorted(named.keys() - set(meant))
    if not others and not nested:
        raise DatasetError(
            f"'{source}' holds the split folders {', '.join(sorted(meant))}, but no class folders in them. If these "
            f"are the classes: --class-level {len(root) + 1}.\n{FORMS}"
        )
    if others and (nested - direct or (nested and len(meant) > 1)):
        raise DatasetError(
            f"'{source}' holds split folders ({', '.join(sorted(meant))}) and, beside them, {', '.join(others)}. "
            f"If all of these are classes, put their images directly into them, or say so: --class-level "
            f"{len(root) + 1}; if not, move the others elsewhere.\n{FORMS}"
        )
    return None if others else {top: named[top].split for top in meant}


def _is_unlabelled_folder(tree: Tree, folder: Parts) -> bool:
    """Whether it holds photos without a class, beside split folders with class folders."""
    beside = [name for name in tree.children(folder[:-1]) if split_of(name)]
    return is_unlabelled(folder[-1]) and any(tree.children((*folder[:-1], name)) for name in beside)


def _sharing(tree: Tree, root: Parts, tops: Iterable[str]) -> set[str]:
    """Of the top folders, those that have class folders of the same names as another one."""
    tops = list(tops)
    parents = _class_parents(tree, root, tops)
    counts = Counter(name for parent in parents.values() for name in tree.children(parent))
    return {top for top, parent in parents.items() if any(counts[name] > 1 for name in tree.children(parent))}


def _with_splits_above(tree: Tree, root: Parts, splits: dict[str, str]) -> Layout:
    parents = _class_parents(tree, root, splits)
    places = {
        folder: Place(folder[len(parent)], splits[top])
        for top, parent in parents.items()
        for folder in tree.counts
        if _is_below(folder, parent)
    }
    return Layout(places, root, tuple(parents.values()), _text_of_splits(parents, splits, places, root), {})


def _with_splits_below(tree: Tree, root: Parts, left_out: dict[Parts, str]) -> Layout:
    level = len(root)
    places = {
        folder: Place(folder[level], split_of(folder[level + 1])) for folder in tree.counts if len(folder) > level + 1
    }
    return Layout(places, root, (root,), _text(f"{_classes(places)}, each with its own split folders", root), left_out)


def _class_parents(tree: Tree, root: Parts, tops: Iterable[str]) -> dict[str, Parts]:
    """Split folder -> the folder in it that holds its class folders, below any wrappers: train/images, test/test."""
    parents = {top: (*root, top) for top in tops}
    while True:
        only = {top: inside[0] for top, at in parents.items() if len(inside := tree.children(at)) == 1}
        nested = [top for top, at in parents.items() if tree.children(at)]
        classes = {name for top, at in parents.items() if top not in only for name in tree.children(at)}
        lower = {
            top: (*parents[top], name)
            for top, name in only.items()
            if name not in classes and _is_wrapper(tree, (*parents[top], name), top, classes)
        }
        inside = {top: tree.children((*parents[top], name)) for top, name in only.items()}
        if len(only) == len(nested) and all(inside.values()) and _may_be_classes(set().union(*inside.values())):
            lower = {top: (*parents[top], name) for top, name in only.items()}  # a single class makes no sense
        if not lower:
            return parents
        parents |= lower


def _is_wrapper(tree: Tree, folder: Parts, top: str, classes: Collection[str]) -> bool:
    """Whether the only folder in a split folder is no class. classes: of other splits."""
    name, inside = folder[-1], tree.children(folder)
    says_nothing = (
        words_of(name) == words_of(top)
        or is_neutral(name)
        or (not inside and is_unlabelled(name))
        or (split_of(name) is not None and split_of(name) == split_of(top))
    )
    return says_nothing or bool(set(inside) & set(classes))


def _are_splits_below(tree: Tree, root: Parts) -> bool:
    """Whether each class folder is divided into split folders: cats/train/*.jpg, cats/test/*.jpg."""
    inside = [tree.children((*root, top)) for top in tree.children(root)]
    names = {name for names in inside for name in names}
    splits = {split_of(name) for name in names}
    return (
        len(inside) > 1
        and all(inside)
        and all(map(is_plain_split, names))
        and TRAIN in splits
        and len(splits) > 1
        and not any(tree.children((*root, top, name)) for top in tree.children(root) for name in names)
    )


def _at_level(tree: Tree, level: int, source: Location) -> Layout:
    """Classes are the folders at a level. Folders above give the split where all those of a level are named so."""
    deep = [folder for folder in tree.counts if len(folder) >= level]
    if level < 1 or not deep:
        raise DatasetError(
            f"'{source}' holds no images in folders at level {level}; expected 1 to {max(map(len, tree.counts))}: "
            f"DATA/1/2/3/photo.jpg."
        )
    named = next((above for above in range(level - 1) if all(split_in(folder[above]) for folder in deep)), None)
    places = {folder: Place(folder[level - 1], None if named is None else split_of(folder[named])) for folder in deep}
    text = f"{_classes(places)} at level {level}" + ("" if named is None else f", with splits at level {named + 1}")
    return Layout(places, (), tuple({folder[: level - 1]: None for folder in deep}), text, {})


def _overlap(inner: set[str], beside: set[str]) -> bool:
    common = len(inner & beside)
    return common > 1 and common > SHARED * len(inner) and common > SHARED * len(beside)


def _text_of_splits(parents: dict[str, Parts], splits: dict[str, str], places: dict[Parts, Place], root: Parts) -> str:
    order = sorted(parents, key=lambda top: (SPLITS.index(splits[top]), top))
    names = [
        "/".join(parents[top][len(root) :]) + "/" + ("" if top.lower() == splits[top] else f" ({splits[top]})")
        for top in order
    ]
    classes = {
        frozenset(folder[len(parent)] for folder in places if _is_below(folder, parent)) for parent in parents.values()
    }
    each = "each with the same " if len(names) > 1 and len(classes) == 1 else "with "
    return _text(f"{listed(names)}, {each}{_classes(places)}", root)


def _is_below(folder: Parts, parent: Parts) -> bool:
    return len(folder) > len(parent) and folder[: len(parent)] == parent


def _classes(places: dict[Parts, Place]) -> str:
    names = sorted({place.label for place in places.values()})
    return f"{len(names)} class folder{'s' if len(names) != 1 else ''}" + (f" ({listed(names)})" if names else "")


def _text(what: str, root: Parts) -> str:
    return f"{what}, inside '{'/'.join(root)}'" if root else what
