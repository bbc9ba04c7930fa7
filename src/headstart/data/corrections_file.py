"""Where the corrections of a collection lie: beside it, or where the user says. Knows names, not what is in the file."""

from __future__ import annotations

from pathlib import Path

from headstart.data.source import DataSource

ENDING = ".headstart.db"


def corrections_file(source: DataSource) -> Path | None:
    """Where the corrections of a collection lie, or will lie once there are some: PHOTOS.headstart.db, beside PHOTOS (of
    a link, beside what it leads to); where nothing can be written there, a file in the user's data folder. None where
    the user wants none used.

    Raises:
        DatasetError: there are two such files.
    """
