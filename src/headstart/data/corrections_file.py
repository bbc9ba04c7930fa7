"""Where the corrections of a collection lie: beside it, or where the user says. Knows names, not what is in files."""

from __future__ import annotations

import os
from pathlib import Path

from headstart.data.source import DataSource
from headstart.errors import DatasetError
from headstart.storage.hashing import sha256
from headstart.storage.names import portable
from headstart.storage.url_path import Url

ENDING = ".headstart.db"
MAX_LENGTH = 60  # characters of the collection's name that are kept: a name of a file may have 255 bytes
JOURNAL_ENDING = f"{ENDING}-journal"  # what SQLite keeps beside it while it writes


def corrections_file(source: DataSource) -> Path | None:
    """Where the corrections of a collection lie, or will lie once there are some.

    It is PHOTOS.headstart.db, beside PHOTOS (of a link, beside what it leads to); where nothing can be written there, a
    file in the user's data folder, as for a URL. None where the user wants none used.

    Raises:
        DatasetError: there are two such files.
    """
    if isinstance(source.corrections, Path):
        return source.corrections
    if not source.corrections:
        return None
    if isinstance(source.path, Url):
        return _own_file(str(source.path), source.path.name)
    place = Path(os.path.realpath(source.path))
    beside, own = place.parent / f"{place.name[:MAX_LENGTH]}{ENDING}", _own_file(place, place.name)
    if own.exists():
        if beside.exists():
            raise DatasetError(
                f"There are two files of corrected labels for '{source}': '{beside}' and '{own}'. Move one of them "
                f"elsewhere, or say which one is meant: --corrections FILE."
            )
        return own
    return beside if beside.exists() or os.access(beside.parent, os.W_OK) else own


def is_of_corrections(name: str) -> bool:
    """Whether a file, by its name, is no part of a collection but the corrections of one."""
    return name.endswith((ENDING, JOURNAL_ENDING))


def _own_file(place: str | Path, name: str) -> Path:
    """In the user's data folder."""
    import platformdirs  # here, as most collections need it not

    try:
        folder = Path(platformdirs.user_data_dir("headstart", appauthor=False))
    except RuntimeError:  # the user has no home
        from headstart.home import home_folder

        folder = home_folder() / ".local" / "share" / "headstart"
    key = sha256(os.fsencode(place))[:12]
    return folder / "corrections" / f"{portable(name)[:MAX_LENGTH]}-{key}{ENDING}"
