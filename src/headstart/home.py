"""The home folder of the user, or for a user without one, as in some containers, a temporary folder in its place."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from headstart.errors import DatasetError


def home_folder() -> Path:
    """
    Raises:
        DatasetError: there is no home, and the temporary folder belongs to somebody else.
    """
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and the user is a number without a name
        return _temporary_home()


def _temporary_home() -> Path:
    user = os.getuid()
    folder = Path(tempfile.gettempdir(), f"headstart-{user}")
    with suppress(OSError):  # what is there already is looked at; where nothing can be made, nothing is kept
        folder.mkdir(mode=0o700)
    if folder.is_symlink() or (folder.exists() and folder.stat().st_uid != user):
        raise DatasetError(
            f"'{folder}' belongs to somebody else, and you have no home folder. Set HOME to a folder of your own."
        )
    return folder
