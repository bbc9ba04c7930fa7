"""A folder -> the files below it: images by their endings, and others. Looks at names only, and opens no file.

Hidden files, folders that systems make, and what headstart itself wrote are no part of a collection.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from headstart.data.corrections_file import is_of_corrections
from headstart.data.formats import is_meant_as_image
from headstart.data.own_output import what_headstart_wrote
from headstart.errors import DatasetError

# Written by Windows, macOS, Linux, Android, and by Synology's and QNAP's storage
SYSTEM_NAMES = frozenset(
    {"thumbs.db", "desktop.ini", "$recycle.bin", "recycler", "system volume information", "found.000",
     "__macosx", "icon\r", "lost+found", "lost.dir", "@eadir", "#recycle", "@recycle", "@recently-snapshot"}
)  # fmt: skip


@dataclass(frozen=True)
class Files:
    """The files below a folder. skipped: what is not entered -> why, the end of a sentence."""

    images: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    skipped: dict[Path, str] = field(default_factory=dict)


def files_below(folder: Path) -> Files:
    """All files below a folder that are part of a collection, in the order of their names.

    Follows symbolic links, except back to a folder above.

    Raises:
        DatasetError: a folder cannot be read.
    """
    found = Files()
    _walk(folder, frozenset(), found)
    return found


def images_below(folder: Path) -> list[Path]:
    """All image files below a folder, sorted by their relative names."""
    return sorted(files_below(folder).images, key=lambda path: path.relative_to(folder).as_posix())


def by_suffix(files: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Those that are meant as images, and the others."""
    images: list[Path] = []
    others: list[Path] = []
    for file in files:
        (images if is_meant_as_image(file) else others).append(file)
    return images, others


def is_visible(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in SYSTEM_NAMES and not is_of_corrections(name)


def _walk(folder: Path, above: frozenset[str], found: Files) -> None:
    real = os.path.realpath(folder)
    if real in above:
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DatasetError(f"The folder '{folder}' cannot be read: {error.strerror or error}.") from None
    files = []
    for entry in filter(lambda entry: is_visible(entry.name), entries):
        path = Path(entry.path)
        if entry.is_dir():
            if what := what_headstart_wrote(path):
                found.skipped[path] = f"is {what} that headstart wrote"
            else:
                _walk(path, above | {real}, found)
        elif entry.is_file() or entry.is_symlink():
            files.append(path)
        else:
            found.skipped[path] = "is no file, but a pipe, a socket or a device"
    images, others = by_suffix(files)
    found.images.extend(images)
    found.others.extend(others)
