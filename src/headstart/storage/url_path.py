"""Url: a URL with the questions that one asks a Path, so that a collection there is read by the same code.

Its names may be read without a request; `exists`, `is_dir` and `is_file` ask the store.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache, total_ordering
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

from headstart.errors import LocationError
from headstart.storage.filesystems import SCHEMES, WEB
from headstart.storage.hashing import sha256
from headstart.storage.locations import kind_of
from headstart.storage.urls import check_no_secrets, is_url, scheme_of, split_member

_MANGLED = re.compile(rf"({'|'.join(SCHEMES)}):[\\/]+(?=[^\\/])")  # a URL that was made a Path: one slash is left


@total_ordering
class Url:
    """A place of photos that is no local path. Many of one collection share the text of its beginning.

    stamp: of a file that was listed: a number that changes with its size and version; else 0.
    """

    __slots__ = ("below", "root", "stamp")

    def __init__(self, root: str, below: str = "", *, stamp: int = 0) -> None:
        """below: what follows the root and a slash."""
        self.root, self.below, self.stamp = root, below, stamp

    def __str__(self) -> str:
        return f"{self.root}/{self.below}" if self.below else self.root

    def __repr__(self) -> str:
        return f"Url({str(self)!r})"

    def __hash__(self) -> int:
        return hash(str(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Url) and str(self) == str(other)

    def __lt__(self, other: Url) -> bool:
        return self.parts < other.parts

    def __truediv__(self, name: str | os.PathLike[str]) -> Url:
        return self.joinpath(*PurePosixPath(name).parts)

    def joinpath(self, *names: str) -> Url:
        written = "/".join(map(quote, names) if scheme_of(self.root) in WEB else names)
        return Url(str(self).rstrip("/"), written) if written else self

    @property
    def parts(self) -> tuple[str, ...]:
        """The scheme with the bucket or the server, and each name below it; those of a web server decoded."""
        scheme, _, rest = str(self).partition("://")
        first, *names = rest.rstrip("/").split("/")
        return (f"{scheme}://{first}", *map(unquote, names)) if scheme in WEB else (f"{scheme}://{first}", *names)

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem

    @property
    def parent(self) -> Url:
        return Url(str(self).rstrip("/").rpartition("/")[0]) if len(self.parts) > 1 else self

    def relative_to(self, above: Location) -> PurePosixPath:
        """
        Raises:
            ValueError: it is not below.
        """
        if not self.is_relative_to(above):
            raise ValueError(f"'{self}' is not below '{above}'")
        return PurePosixPath(*self.parts[len(above.parts) :])

    def is_relative_to(self, above: Location) -> bool:
        return isinstance(above, Url) and self.parts[: len(above.parts)] == above.parts

    def absolute(self) -> Url:
        return self

    def is_file(self) -> bool:
        return kind_of(str(self)) == "file"

    def is_dir(self) -> bool:
        return kind_of(str(self)) == "directory"

    def exists(self) -> bool:
        return kind_of(str(self)) is not None


def stamp_of(version: str) -> int:
    """A number for what a store tells of a file's content, never 0. It takes less memory than the text."""
    return int(sha256(version.encode())[:14], 16) + 1


Location = Path | Url


def parts_below(file: Location, folder: Location) -> tuple[str, ...]:
    """The names from a folder down to a file in it."""
    if isinstance(file, Url) and isinstance(folder, Url) and file.root == str(folder):
        above, _, name = file.below.rpartition("/")
        is_web = scheme_of(file.root) in WEB
        return (*_names(above, is_web), unquote(name) if is_web else name)
    return file.parts[len(folder.parts) :]


@lru_cache(maxsize=4096)
def _names(below: str, is_web: bool) -> tuple[str, ...]:
    """Those of a folder, once for all of its files."""
    names = below.split("/") if below else []
    return tuple(map(unquote, names) if is_web else names)


def real_name(file: Location) -> str:
    """What is the same for one file, however it is named."""
    return str(file) if isinstance(file, Url) else os.path.realpath(file)


def place_of(path: str | os.PathLike[str] | Url) -> Location:
    """What a user names: a path, or a URL, also one that has become a Path on its way.

    Raises:
        LocationError: it is a URL that holds a secret, or of an unknown kind.
    """
    text = str(path)
    if isinstance(path, Path) and (found := _MANGLED.match(text)):
        text = f"{found[1]}:{'///' if found[1] == 'file' else '//'}{text[found.end() :]}".replace("\\", "/")
    if not is_url(text):
        return Path(text)
    check_no_secrets(text)
    if isinstance(path, Url):
        return path
    if scheme_of(text) not in SCHEMES:
        raise LocationError(
            f"'{text}': headstart reads no '{scheme_of(text)}://'; expected {', '.join(f'{s}://' for s in SCHEMES)}."
        )
    return Url(text if scheme_of(text) in WEB else text.rstrip("/"))


def name_of(place: str) -> str:
    """The name of a photo by its place, for a caption: without the folders above, decoded."""
    file, member = split_member(place)
    if member:
        return PurePosixPath(member).name
    return Url(file).name if is_url(file) else Path(file).name
