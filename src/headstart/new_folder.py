"""A folder that appears whole or not at all: what is written into it is first written beside its place."""

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
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into; when the block ends without an error, it becomes `folder`.

    Raises:
        RunError: there is something already, or it cannot be written.
    """
    check_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            content = Path(temporary, "content")
            content.mkdir()
            yield content
            content.rename(folder)
    except OSError as error:
        raise RunError(
            f"'{folder}' cannot be written: {error.strerror or error}. Choose another folder, or free some space."
        ) from error
