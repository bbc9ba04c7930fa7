"""Splits of photos that the user labels one after the other: each is drawn alone, and stays as others follow.

A draw that shares a class out among the splits changes with each photo more. Here a photo's name and the seed decide.
Knows listed items, opens no file.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

from headstart.data.items import Item, column
from headstart.data.packed import Names
from headstart.data.splits import TEST, TRAIN, VALIDATION
from headstart.storage.hashing import sha256

DIGITS = 13  # hexadecimal ones: a number between 0 and 1 as fine as a float


def unlabelled_groups(
    items: Sequence[Item], indices: Iterable[int], groups: Sequence[Hashable], target: str, fraction: float, seed: int
) -> set[Hashable]:
    """The groups, of those without a label of the collection in any of their images, that go to the split `target`.

    indices: of the items to draw from. fraction: how many of these, about.
    """
    members = _members(indices, groups)
    return {
        group
        for group, inside in members.items()
        if not any(items[index].drawn_as for index in inside) and _number(items, inside, target, seed) < fraction
    }


def with_corrected_classes(
    items: Sequence[Item],
    drawn: Sequence[str | None],
    groups: Names,
    seed: int,
    *,
    wants_validation: bool,
) -> list[str | None]:
    """The splits of the items, in which each class that the user's labels make or change has at least one photo to
    train on. One of which the collection labels no photo has at least one for validation, too, where it has two groups
    or more. drawn: the splits until now."""
    found, pairs = list(drawn), zip(column(items, "label"), column(items, "own"), strict=True)
    for label in sorted({label for label, own in pairs if label and own is not None}):
        of_class = [index for index, item in enumerate(items) if item.label == label]
        held_out = [index for name in (VALIDATION, TEST) for index in of_class if found[index] == name]
        train = _members([index for index in of_class if found[index] == TRAIN], groups)
        is_new = not any(items[index].drawn_as for index in of_class)
        if not train and held_out:
            _move(found, groups, groups[held_out[0]], TRAIN)
        elif is_new and wants_validation and len(train) > 1 and not any(found[i] == VALIDATION for i in held_out):
            _move(found, groups, min(train, key=lambda each: _number(items, train[each], VALIDATION, seed)), VALIDATION)
    return found


def _move(found: list[str | None], groups: Names, group: Hashable, target: str) -> None:
    for index, name in enumerate(groups):
        if name == group:
            found[index] = target


def _members(indices: Iterable[int], groups: Names) -> dict[Hashable, list[int]]:
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index in indices:
        members[groups[index]].append(index)
    return members


def _number(items: Sequence[Item], indices: Iterable[int], target: str, seed: int) -> float:
    """Between 0 and 1, evenly spread: always the same for a group and a split."""
    return number_of(min(items[index].name for index in indices), target, seed)


def number_of(name: str, target: str, seed: int) -> float:
    """Between 0 and 1, evenly spread: always the same for a name and a split."""
    return int(sha256(f"{seed} {target} {name}".encode())[:DIGITS], 16) / 16**DIGITS
