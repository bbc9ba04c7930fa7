"""What appears whole or not at all, a folder or a file with others: it is first written beside its place."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headstart.errors import RunError


def check_free(folder: Path) -> None:
    """
    Raises:
        RunError: there is something already.
    """
    if folder.exists():
        raise RunError(f"'{folder}' exists already. Choose another name, or remove it first.")


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into; when the block ends without an error, it becomes `folder`.

    Raises:
        RunError: there is something already, or it cannot be written.
    """
    check_free(folder)
    with _beside(folder) as content:
        yield content
        content.rename(folder)


@contextmanager
def atomic_file(file: Path, *others: Path) -> Iterator[Path]:
    """A folder to write a file into, and others that belong beside it, each under its own name.

    When the block ends without an error, they are moved to their places, the file itself last: where it is, all are.

    Raises:
        RunError: there is something already, or it cannot be written.
    """
    for place in (file, *others):
        check_free(place)
    with _beside(file) as content:
        yield content
        for place in (*others, file):
            (content / place.name).rename(place)


@contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """An empty folder on the same disk, which is removed with all that is left in it."""
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
