"""A folder of this machine -> the folders and collections in it, by name, for a picker. Opens no file."""

import os
from pathlib import Path
from typing import Any

from headstart.data.tables import SUFFIXES
from headstart.data.walking import is_visible
from headstart.errors import DatasetError
from headstart.home import home_folder

MAX_ROWS = 2_000  # of a folder; more are not shown
KINDS = {".zip": "zip", **dict.fromkeys(SUFFIXES, "csv")}


def look(path: str) -> dict[str, Any]:
    """As GET /api/places answers. path: "" for the user's home.

    Raises:
        DatasetError: there is no such folder, or it cannot be read.
    """
    folder = Path(os.path.abspath(Path(path).expanduser() if path else home_folder()))  # noqa: PTH100 - links stay links
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name.casefold())
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"The folder '{folder}' cannot be read: {getattr(error, 'strerror', None) or error}. Choose another."
        ) from None
    folders, files = [], []
    for entry in entries:
        if not is_visible(entry.name) or not entry.name.isprintable():
            continue
        kind = KINDS.get(Path(entry.name).suffix.lower())
        if entry.is_dir():
            folders.append({"name": entry.name, "path": entry.path})
        elif kind:
            files.append({"name": entry.name, "path": entry.path, "kind": kind})
    return {
        "path": str(folder),
        "parent": None if folder.parent == folder else str(folder.parent),
        "places": _places(),
        "folders": folders[:MAX_ROWS],
        "files": files[:MAX_ROWS],
    }


def _places() -> list[dict[str, str]]:
    """Where people keep photos, as far as these exist."""
    home = home_folder()
    known = {
        "home": home, "pictures": home / "Pictures", "downloads": home / "Downloads", "desktop": home / "Desktop",
        "documents": home / "Documents", "working folder": Path.cwd(), "disks": Path("/media"),
        "root": Path(home.anchor),
    }  # fmt: skip
    return [{"name": name, "path": str(path)} for name, path in known.items() if os.path.isdir(path)]  # noqa: PTH112
