"""Files that a user drops, or shoots with the camera -> photos in the folders of a collection. Overwrites nothing.

A photo goes to the folder of its class: where most photos of that class lie, or a new one beside the others. Its
name is kept as far as every system allows it; where there is another file of that name, it gets a number.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from headstart.data.class_names import checked_class_name, folder_name
from headstart.data.formats import is_meant_as_image
from headstart.data.splits import TRAIN
from headstart.errors import DatasetError
from headstart.storage.cache import is_folder
from headstart.storage.names import portable
from headstart.studio.catalogue import READABLE, Entry, Facts
from headstart.studio.problems import RefusalError
from headstart.studio.reading import facts_of

if TYPE_CHECKING:
    from headstart.studio.collection import Collection

MAX_NAME = 120  # characters of a file's name that are kept
SUFFIX_OF_SHOT = ".jpg"


@dataclass(frozen=True)
class Dropped:
    """A file. name: with the folders that it was dropped with, if any."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Added:
    """ids: of the new photos. skipped: what was left out, and why."""

    ids: list[int]
    skipped: list[dict[str, str]]

    def to_json(self) -> dict[str, Any]:
        return {"added": len(self.ids), "ids": self.ids, "skipped": self.skipped}


def add(collection: Collection, files: Sequence[Dropped], class_name: str | None) -> Added:
    """
    Args:
        class_name: of all files; None: that of the folder that a file was dropped with; "": none, they have no label.

    Raises:
        RefusalError: nothing can be written to this collection, or the disk refuses.
        DatasetError: it is no name for a class.
    """
    root = collection.path
    if not is_folder(root):
        raise RefusalError(
            "impossible", "Photos can be added to a folder only, not to a zip or a CSV.", reason="folders-only"
        )
    skipped: list[dict[str, str]] = []
    written = list(_written(collection, files, class_name, skipped))
    return Added(collection.add(written) if written else [], skipped)


def _written(
    collection: Collection, files: Sequence[Dropped], class_name: str | None, skipped: list[dict[str, str]]
) -> Iterator[tuple[Entry, Facts]]:
    folders = _folders(collection)
    for file in files:
        parts = PurePosixPath(file.name.replace("\\", "/")).parts
        label = class_name if class_name is not None else (parts[-2] if len(parts) > 1 else "")
        label = checked_class_name(label) if label else ""
        found = facts_of(file.content)
        known = None if isinstance(found, str) else collection.id_of(found.digest.hex())
        if isinstance(found, str):
            skipped.append({"name": file.name, "reason": found, "code": "unreadable"})
        elif known is not None:
            path = collection.columns.names[known]
            reason = f"is there already: '{path}'"
            skipped.append({"name": file.name, "reason": reason, "code": "there-already", "path": path})
        else:
            folder, split = folders.get(label) or (_new_folder(collection, folders, label), None)
            folders[label] = folder, split
            path = _write(folder, _safe(parts[-1] if parts else ""), file.content)
            entry = Entry(str(path), _name_below(collection, path), label or None, split)
            yield entry, replace(found, modified=path.stat().st_mtime_ns)


def shot_name() -> str:
    """Of a photo of the camera."""
    return f"camera-{datetime.now():%Y%m%d-%H%M%S-%f}{SUFFIX_OF_SHOT}"


def _folders(collection: Collection) -> dict[str, tuple[Path, str | None]]:
    """Class -> the folder that most of its photos lie in, of those for training, and the split of that folder; "": of
    photos without a class, the collection's own folder."""
    counts: dict[str, Counter[tuple[str, str | None]]] = {}
    for entry, state in zip(collection.catalogue.entries, collection.catalogue.numbers["state"], strict=True):
        if entry.label and entry.split in (None, TRAIN) and state == READABLE:
            counts.setdefault(entry.label, Counter())[os.path.dirname(entry.path), entry.split] += 1  # noqa: PTH120
    folders = {label: count.most_common(1)[0][0] for label, count in counts.items()}
    return {label: (Path(folder), split) for label, (folder, split) in folders.items()} | {"": (collection.path, None)}


def _new_folder(collection: Collection, folders: dict[str, tuple[Path, str | None]], label: str) -> Path:
    """For a class that has none yet: beside those of the others."""
    others = Counter(folder.parent for name, (folder, _) in folders.items() if name)
    parent = others.most_common(1)[0][0] if others else collection.path
    return parent / folder_name(label)


def _name_below(collection: Collection, path: Path) -> str:
    """As the listing will name it."""
    sample = next((entry for entry in collection.catalogue.entries if entry.path.endswith(f"/{entry.name}")), None)
    root = Path(sample.path[: -len(sample.name) - 1]) if sample else collection.path
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _safe(name: str) -> str:
    """A name that every system allows, and that is that of an image."""
    kept = "".join(sign for sign in name if sign.isprintable()).strip().lstrip(".")
    stem, dot, suffix = kept.rpartition(".")
    kept = portable(f"{(stem or suffix)[:MAX_NAME]}{dot and f'.{suffix[:10]}'}" if stem else kept[:MAX_NAME])
    return kept if is_meant_as_image(Path(kept)) else f"{kept}{SUFFIX_OF_SHOT}"


def _write(folder: Path, name: str, content: bytes) -> Path:
    """The file, whole or not at all, under this name or one with a number.

    Raises:
        RefusalError: the disk refuses.
    """
    temporary = folder / f".{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            return _linked(temporary, folder, name)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RefusalError(
            "disk", f"'{folder / name}' cannot be written: {reason}. Free some space.", reason="disk"
        ) from None


def _linked(temporary: Path, folder: Path, name: str) -> Path:
    """A second name for the file, which no file has: no other program's file is overwritten, whenever it comes."""
    stem, suffix = Path(name).stem, Path(name).suffix
    for number in count(1):
        path = folder / (name if number == 1 else f"{stem}-{number}{suffix}")
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            continue
        return path
    raise DatasetError(f"'{folder}' is full.")
