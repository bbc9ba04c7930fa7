"""A path as a CSV writes it -> the file: other separators, forms of Unicode, cases and places of the collection."""

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from headstart.data.images import FORMAT_OF_SUFFIX

_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]|[\\/]")  # also of Windows


class FileFinder:
    """Finds the files of a collection below a folder. Remembers what is in each folder.

    is_moved: whether absolute paths are those of another place, and their last parts are looked for below the folder.
    """

    def __init__(self, root: Path, *, is_moved: bool) -> None:
        self.root, self._is_moved = root, is_moved
        self._skipped = 0  # how many parts of the last absolute path were above the root; the next one is likely alike
        self._entries: dict[Path, dict[str, list[str]]] = {}  # folder -> folded name -> the names in it

    def find(self, name: str) -> Path | None:
        """The file, or None.

        A path is tried as it stands; then with backslashes as separators; then each part in another form of Unicode or,
        if there is only one such file, in another case or without the ending of an image.
        """
        parts = tuple(part for part in re.split(r"[\\/]", name) if part not in ("", "."))
        if self._is_moved and is_absolute(name) and (found := self._moved(parts)):
            return found
        path = self.root / name
        if _is_file(path):
            return path
        if path.anchor and Path(name).is_absolute():
            return self._alike(Path(path.anchor), path.relative_to(path.anchor).parts)
        return None if is_absolute(name) else self._alike(self.root, parts)

    def _moved(self, parts: Sequence[str]) -> Path | None:
        for skipped in (self._skipped, *range(len(parts))):
            if skipped < len(parts) and (found := self._alike(self.root, parts[skipped:])):
                self._skipped = skipped
                return found
        return None

    def _alike(self, folder: Path, parts: Sequence[str]) -> Path | None:
        """The file below a folder whose path is written in another way."""
        exact = folder.joinpath(*parts)
        if _is_file(exact):
            return exact
        for number, part in enumerate(parts):
            name = part if part == ".." else self._entry(folder, part, is_file=number == len(parts) - 1)
            if name is None:
                return None
            folder /= name
        return folder if _is_file(folder) else None

    def _entry(self, folder: Path, name: str, *, is_file: bool) -> str | None:
        """The entry of a folder that is meant by a name."""
        wanted, entries = _normal(name), self._entries_of(folder)
        alike = entries.get(wanted.casefold(), [])
        candidates = [[entry for entry in alike if _normal(entry) == wanted], alike]
        if is_file:
            candidates.append(
                [entry for suffix in FORMAT_OF_SUFFIX for entry in entries.get(wanted.casefold() + suffix, [])]
            )
        return next((found[0] for found in candidates if len(found) == 1), None)

    def _entries_of(self, folder: Path) -> dict[str, list[str]]:
        if folder not in self._entries:
            self._entries[folder] = entries = {}
            for name in _names_in(folder):
                entries.setdefault(_normal(name).casefold(), []).append(name)
        return self._entries[folder]


def is_absolute(name: str) -> bool:
    """Whether a path is absolute, here or on Windows."""
    return bool(_ABSOLUTE.match(name))


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208  names alone are wanted
    except OSError:  # there is no such folder, or it may not be read
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # the name is too long, or holds a NUL
        return False


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)
