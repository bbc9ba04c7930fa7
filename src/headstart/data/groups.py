"""Which images belong together: of one patient, plant, site or day. Names and a rule -> groups. Opens no file."""

import re
from collections.abc import Hashable, Sequence

from headstart.data.packed import Names
from headstart.errors import DatasetError

PARENT_FOLDER = "parent-folder"
SHOWN = 3  # names in a message
LEAST = 3  # groups: one for each split


def group_names(names: Sequence[str], labels: Sequence[str], rule: str, source: str) -> tuple[list[str], list[str]]:
    """The group of each image, and notes on those that have none, in sentences. These are groups of their own.

    Args:
        names: of the images, relative to the collection, with forward slashes.
        labels: of the images; a folder that is named after the label of its images is no group.
        rule: PARENT_FOLDER: the folder that an image lies in, by its name alone, so that 'sick/anna' and 'well/anna'
            are one group; or a regular expression, which is searched in each name: what its brackets find, or if it
            has none, all that it finds, is the name of the group.
        source: the collection's name in messages.

    Raises:
        DatasetError: the expression is not valid, or there are too few groups to split.
    """
    found = _by_folder(names, labels) if rule == PARENT_FOLDER else _by_pattern(names, rule)
    missing = [name for name, group in zip(names, found, strict=True) if group is None]
    count = len({group for group in found if group is not None})
    if names and count < min(LEAST, len(names)):
        raise DatasetError(
            f"--group-by '{rule}' finds {count} {'group' if count == 1 else 'groups'} among the {len(names):,} images "
            f"of '{source}' (such as {_shown(names)}); at least {LEAST} are needed, one for each split. Name what is "
            f"different in the paths of different groups, such as --group-by '(patient[0-9]+)', or the folders that "
            f"hold a group each, --group-by {PARENT_FOLDER}.",
            reason="few-groups",
            rule=rule,
            count=count,
            least=LEAST,
        )
    notes = []
    if missing:
        notes.append(
            f"{len(missing):,} of {len(names):,} images have no group by --group-by '{rule}' (such as "
            f"{_shown(missing)}): each of them counts as a group of its own"
        )
    return [group or name for name, group in zip(names, found, strict=True)], notes


def joined(first: Names, second: Names) -> list[int]:
    """A number for each image, the same for images that are connected by equal names in the one or the other."""
    parents: dict[Hashable, Hashable] = {}

    def root(node: Hashable) -> Hashable:
        while parents.setdefault(node, node) != node:
            parents[node] = node = parents[parents[node]]
        return node

    for one, other in zip(first, second, strict=True):
        parents[root((0, one))] = root((1, other))
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(root((0, one)), len(numbers)) for one in first]


def _by_folder(names: Sequence[str], labels: Sequence[str]) -> list[str | None]:
    folders = [name.split("/")[-2] if "/" in name else None for name in names]
    return [None if folder == label else folder for folder, label in zip(folders, labels, strict=True)]


def _by_pattern(names: Sequence[str], rule: str) -> list[str | None]:
    try:
        pattern = re.compile(rule)
    except re.error as error:
        raise DatasetError(
            f"--group-by '{rule}' is not a valid regular expression ({error}); expected one such as "
            f"'(patient[0-9]+)', or {PARENT_FOLDER}.",
            reason="no-pattern",
        ) from None
    matches = map(pattern.search, names)
    return [" ".join(part or "" for part in match.groups()) or match[0] or None if match else None for match in matches]


def _shown(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:SHOWN])
