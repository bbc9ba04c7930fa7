"""A folder or a URL -> the files below it: images by their endings, and others. Looks at names only, opens no file.

Hidden files, folders that systems make, and what headstart itself wrote are no part of a collection.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from headstart.data.corrections_file import is_of_corrections
from headstart.data.formats import FORMAT_OF_SUFFIX, is_meant_as_image
from headstart.data.own_output import OWN_FILES, PARTIAL, what_headstart_wrote
from headstart.errors import DatasetError
from headstart.storage.locations import Listed, list_files
from headstart.storage.url_path import Location, Url, parts_below, stamp_of

# Written by Windows, macOS, Linux, Android, and by Synology's and QNAP's storage
SYSTEM_NAMES = frozenset(
    {"thumbs.db", "desktop.ini", "$recycle.bin", "recycler", "system volume information", "found.000",
     "__macosx", "icon\r", "lost+found", "lost.dir", "@eadir", "#recycle", "@recycle", "@recently-snapshot"}
)  # fmt: skip


@dataclass(frozen=True)
class Files:
    """The files below a folder. folders: below it, with or without images.
    skipped: what is not entered -> why, the end of a sentence."""

    images: list[Location] = field(default_factory=list)
    others: list[Location] = field(default_factory=list)
    folders: set[Location] = field(default_factory=set)
    skipped: dict[Location, str] = field(default_factory=dict)


def files_below(folder: Location) -> Files:
    """All files below a folder that are part of a collection, in the order of their names.

    Follows symbolic links, except back to a folder above.

    Raises:
        DatasetError: a folder cannot be read.
    """
    found = Files()
    if isinstance(folder, Url):
        _list(folder, found)
        return found
    _walk(folder, frozenset(), found)
    return found


def images_below(folder: Location) -> list[Location]:
    """All image files below a folder, sorted by their relative names."""
    return sorted(files_below(folder).images, key=lambda path: "/".join(parts_below(path, folder)))


def by_suffix(files: Iterable[Path]) -> tuple[list[Location], list[Location]]:
    """Those that are meant as images, and the others."""
    images: list[Location] = []
    others: list[Location] = []
    for file in files:
        (images if is_meant_as_image(file) else others).append(file)
    return images, others


def is_visible(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in SYSTEM_NAMES and not is_of_corrections(name)


def _list(url: Url, found: Files) -> None:
    """The same at a URL, from a list of names that the store tells page by page.

    A name alone says whether a file is meant as an image: to look into those without an ending would be a request each.
    """
    root, skipped = str(url).rstrip("/"), {}
    visible: dict[str, bool] = {"": True}  # folder below the root -> whether its files count
    try:
        for listed in list_files(root):
            file = _listed(root, listed)
            folder, _, name = file.below.rpartition("/")
            if folder and name in OWN_FILES:
                skipped[folder] = f"is {OWN_FILES[name]} that headstart wrote"
            if _is_entered(folder, visible, skipped) and is_visible(file.name):
                is_image = file.suffix.lower() in FORMAT_OF_SUFFIX
                (found.images if is_image else found.others).append(file)
    except OSError as error:
        raise DatasetError(f"'{url}' cannot be listed: {error.strerror or error}.") from None
    found.folders.update(Url(root, folder) for folder, counts in visible.items() if counts and folder)
    if skipped:
        found.skipped.update((Url(root, folder), why) for folder, why in skipped.items())
        for files in (found.images, found.others):
            files[:] = [file for file in files if not any(f"{file}".startswith(f"{each}/") for each in found.skipped)]
        found.folders.difference_update(found.skipped)


def _listed(root: str, listed: Listed) -> Url:
    stamp = stamp_of(f"{listed.size} {listed.version}") if listed.version else 0
    return Url(root, listed.place[len(root) + 1 :], stamp=stamp)


def _is_entered(folder: str, visible: dict[str, bool], skipped: dict[str, str]) -> bool:
    """Whether a folder and those above it are visible. Remembers it, and which ones are unfinished runs."""
    if folder not in visible:
        above, _, name = folder.rpartition("/")
        if name.endswith(PARTIAL):
            skipped[folder] = "is an unfinished run that headstart wrote"
        visible[folder] = is_visible(name) and _is_entered(above, visible, skipped)
    return visible[folder]


def _walk(folder: Path, above: frozenset[str], found: Files) -> None:
    found.folders.add(folder)
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
