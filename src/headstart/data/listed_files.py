"""A path as a CSV writes it -> the file: other separators, forms of Unicode, cases and places of the collection."""

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from headstart.data.formats import FORMAT_OF_SUFFIX
from headstart.storage.locations import is_url
from headstart.storage.members import version_of
from headstart.storage.url_path import Location, Url, place_of, stamp_of
from headstart.storage.urls import split_member

_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]|[\\/]")  # also of Windows


class FileFinder:
    """Finds the files of a collection below a folder. Remembers what is in each folder.

    moved: how many files had an absolute path of another place, and were found below the folder by its last parts.
    """

    def __init__(self, root: Location, *, is_sure: bool) -> None:
        """
        Args:
            root: the folder. Below a URL no file is looked for: to ask for each would take too long.
            is_sure: whether somebody said that the files are below `root`. Then absolute paths are looked for there
                first, and the name of the file is enough to find it; else it takes the folder that the file is in, too.
        """
        self.root, self.moved, self._is_sure = root, 0, is_sure
        self._folder = root if isinstance(root, Path) else Path()
        self._skipped = 0  # how many parts of the last absolute path were above the root; the next one is likely alike
        self._entries: dict[Path, dict[str, list[str]]] = {}  # folder -> folded name -> the names in it

    def find(self, name: str) -> Location | None:
        """The file, or None; the URL, if it is one. Of a shard with the member after it, as "train-000.tar#cat.jpg".

        A path is tried as it stands; then with backslashes as separators; then each part in another form of Unicode or,
        if there is only one such file, in another case or without the ending of an image.
        """
        if is_url(name):
            return place_of(name)
        file, member = split_member(name)
        if member:
            found = self.find(file)
            if isinstance(found, Url):
                return Url(f"{found}#{member}", stamp=stamp_of(version_of(str(found))))
            return found and Path(f"{found}#{member}")
        parts = tuple(part for part in re.split(r"[\\/]", name) if part not in ("", "."))
        if isinstance(self.root, Url):
            return None if is_absolute(name) else self.root.joinpath(*parts)
        if not is_absolute(name):
            path = self._folder / name
            return path if _is_file(path) else self._alike(self._folder, parts)
        if self._is_sure:
            return self._moved(parts) or self._in_place(Path(name))
        return self._in_place(Path(name)) or self._moved(parts)

    def _in_place(self, path: Path) -> Path | None:
        if not path.is_absolute():  # it is one of Windows
            return None
        return path if _is_file(path) else self._alike(Path(path.anchor), path.relative_to(path.anchor).parts)

    def _moved(self, parts: Sequence[str]) -> Path | None:
        end = len(parts) if self._is_sure else len(parts) - 1
        for skipped in (self._skipped, *range(end)):
            if skipped < end and (found := self._alike(self._folder, parts[skipped:])):
                self._skipped = skipped
                self.moved += 1
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
