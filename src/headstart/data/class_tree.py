"""A hierarchy of classes: folder names, or labels such as 'birds/robin' -> the parents of each class. Opens no file.

A class is named by its whole path, and is one of the lowest: photos belong to no class that holds others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from headstart.data.class_doubts import is_date, listed, some
from headstart.data.folder_tree import Parts
from headstart.data.split_names import is_plain_split
from headstart.data.splits import OTHER
from headstart.errors import DatasetError

if TYPE_CHECKING:
    from headstart.data.layout import Layout

SEPARATOR = "/"


def parents_of(name: str) -> tuple[str, ...]:
    """The classes that a class is in, the highest first: 'a/b/c' -> 'a', 'a/b'."""
    parts = name.split(SEPARATOR)
    return tuple(SEPARATOR.join(parts[:depth]) for depth in range(1, len(parts)))


def with_whole_paths(layout: Layout) -> Layout:
    """The same folders, each class named by all folders down to it; folders named after dates do not count."""
    places, parents = {}, dict.fromkeys(layout.parents)
    for folder, place in layout.places.items():
        above = next(parent for parent in layout.parents if folder[: len(parent)] == parent)
        names = _class_below(folder[len(above) :])
        places[folder] = replace(place, label=SEPARATOR.join(names))
        parents |= {(*above, *names[:depth]): None for depth in range(1, len(names))}
    classes = sorted({place.label for place in places.values()})
    text = f"{layout.text}; as a hierarchy, {len(classes)} classes: {listed(classes)}"
    is_tree = any(map(parents_of, classes))
    return replace(layout, places=places, parents=tuple(parents), text=text if is_tree else layout.text)


def _class_below(names: Parts) -> Parts:
    if names[0] == OTHER:
        return names[:1]
    while len(names) > 1 and is_date(names[-1]):
        names = names[:-1]
    return names


def note_on_divided(layout: Layout) -> list[str]:
    """That folders inside class folders are not classes, where they may be; splits and dates never are."""
    inside: dict[str, set[str]] = defaultdict(set)
    for folder in layout.places:
        above = next(parent for parent in layout.parents if folder[: len(parent)] == parent)
        name, *below = _class_below(folder[len(above) :])
        inside[name].update(each for each in below[:1] if not is_plain_split(each))
    divided = {f"{name}{SEPARATOR}{min(below)}" for name, below in inside.items() if len(below) > 1}
    if not divided:
        return []
    example = min(divided)
    return [
        f"folders inside class folders belong to the class (such as '{example}' to "
        f"'{parents_of(example)[0]}'); if they are classes themselves, say --hierarchy"
    ]


def check_class_tree(counts: Mapping[str, int], source: str) -> None:
    """
    Args:
        counts: class -> its photos.

    Raises:
        DatasetError: the names do not form a tree, or a class with photos holds other classes.
    """
    inside: dict[str, list[str]] = defaultdict(list)
    for name in sorted(counts):
        if not all(map(str.strip, name.split(SEPARATOR))):
            raise DatasetError(
                f"'{source}' has the label '{name}', in which a name is empty. With --hierarchy, expected names with "
                f"'{SEPARATOR}' between them, such as 'birds{SEPARATOR}robin'.",
                reason="hierarchy-empty-name",
                label=name,
            )
        for parent in parents_of(name):
            inside[parent].append(name)
    if not inside:
        raise DatasetError(
            f"'{source}' holds the classes {some(counts)}, and none is in another. --hierarchy expects "
            f"classes inside other classes: nested folders (photos/birds/robin/*.jpg), or labels such as "
            f"'birds/robin'. Leave it out, or name the classes like that.",
            reason="hierarchy-flat",
        )
    if both := sorted(inside.keys() & counts):
        name = both[0]
        photos = "1 photo is" if counts[name] == 1 else f"{counts[name]:,} photos are"
        raise DatasetError(
            f"In '{source}', {photos} directly in '{name}', which also holds the classes {some(inside[name])}. With "
            f"--hierarchy, photos belong to the lowest classes: move them into one of these, or into a new one, "
            f"such as '{name}{SEPARATOR}other'.",
            reason="hierarchy-photos-in-parent",
            label=name,
        )


def notes_on_class_tree(names: Collection[str]) -> list[str]:
    """What the owner of a hierarchy should know, in sentences."""
    inside = Counter(parent for name in names for parent in parents_of(name))
    ends: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        ends[name.rpartition(SEPARATOR)[2]].append(name)
    notes = [
        f"'{parent}' holds one class only, so the answer '{parent}' says as much as the class itself"
        for parent, count in sorted(inside.items())
        if count == 1
    ]
    if several := {end: same for end, same in ends.items() if len(same) > 1}:
        end, same = min(several.items())
        more = f"; and {len(several) - 1} more names" if len(several) > 1 else ""
        notes.append(f"{some(same)} are different classes, though all are called '{end}'{more}")
    return notes
