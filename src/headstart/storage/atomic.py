"""Folders and files that appear whole or not at all: they are written beside their place, then moved there.

Knows nothing of what they hold.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headstart.errors import RunError
from headstart.storage.names import is_allowed, portable


def check_free(path: Path) -> None:
    """
    Raises:
        RunError: the path exists already, or Windows, where this is that, allows no such name.
    """
    if not is_allowed(path.name):
        raise RunError(f"'{path}' is no name that Windows allows. Choose another, such as '{portable(path.name)}'.")
    if path.exists():
        raise RunError(f"'{path}' exists already. Choose another name, or remove it first.")


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Gives a folder to write into. When the block ends without an error, it becomes `folder`.

    Raises:
        RunError: `folder` exists already, or cannot be written.
    """
    check_free(folder)
    with _beside(folder) as content:
        yield content
        content.rename(folder)


@contextmanager
def atomic_file(file: Path, *companions: Path) -> Iterator[Path]:
    """Gives a folder to write a file into, and files that belong with it, each under its own name.

    When the block ends without an error, they are moved to their places, `file` last: where it is, all of them are.

    Raises:
        RunError: one of them exists already, or cannot be written.
    """
    for place in (file, *companions):
        check_free(place)
    with _beside(file) as content:
        yield content
        for place in (*companions, file):
            (content / place.name).rename(place)


@contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """An empty folder on the same disk. What is left in it is removed at the end."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as temporary:
            content = Path(temporary, "content")
            content.mkdir()
            yield content
    except OSError as error:
        raise RunError(
            f"'{place}' cannot be written: {error.strerror or error}. Choose another folder, or free some space."
        ) from error
