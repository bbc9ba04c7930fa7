"""The images that a user names: files, folders and patterns, also as URLs -> paths or URLs. Opens none of them."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from headstart.data.folder import note_on_others, notes_on_skipped
from headstart.data.image_urls import images_at
from headstart.data.shard_images import images_in, is_shard
from headstart.data.walking import by_suffix, files_below
from headstart.errors import DatasetError
from headstart.storage.url_path import Location, Url, place_of


def images_among(paths: Iterable[str | Path | Url]) -> tuple[list[str], list[str]]:
    """The paths of images, and notes on what was left out, in sentences.

    Args:
        paths: files, which are taken as they are; folders, for all image files below them; patterns such as
            photos/**/*.jpg, for the image files that match; shards, for all photos in them; or URLs of any of these.

    Raises:
        DatasetError: a folder holds no images, or nothing matches a pattern.
        HeadstartError: a URL cannot be listed.
    """
    files: list[str] = []
    others: list[Location] = []
    skipped: dict[Location, str] = {}
    for given in paths:
        path = place_of(given)
        text = str(path)
        if isinstance(path, Url):
            found, other_files = images_at(str(path))
            others += other_files
        elif os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises where a name is too long
            below = files_below(path)
            found = sorted(map(str, below.images), key=lambda image: image.replace(os.sep, "/"))
            others += below.others
            skipped |= below.skipped
            if not found:
                raise DatasetError(f"'{path}' holds no images. Give image files, or a folder that has some.")
        elif any(sign in text for sign in "*?[") and not os.path.exists(path):  # noqa: PTH110  as above
            images, other_files = by_suffix(_matching(path))
            found = sorted(map(str, images))
            others += other_files
            if not found:
                raise DatasetError(f"No image matches '{path}' (now in '{Path.cwd()}'). Give image files, or a folder.")
        else:
            found = images_in(text) if is_shard(text) else [text]
        files += found
    return files, [*note_on_others(others), *notes_on_skipped(skipped)]


def _matching(pattern: Path) -> list[Path]:
    """The files that a pattern matches. Brackets count as they stand where there is such a folder, or such a file."""
    for text in _readings(pattern):
        # Path.glob takes no absolute pattern
        if files := [path for path in map(Path, glob.iglob(text, recursive=True)) if path.is_file()]:  # noqa: PTH207
            return files
    return []


def _readings(pattern: Path) -> Iterator[str]:
    """The pattern with the folders that exist taken literally; then with all brackets taken literally as well."""
    folder, rest = Path(pattern.anchor), list(pattern.relative_to(pattern.anchor).parts)
    while rest and os.path.isdir(folder / rest[0]):  # noqa: PTH112  Path.is_dir raises where a name is too long
        folder /= rest.pop(0)
    for remaining in (rest, [part.replace("[", "[[]") for part in rest]):
        yield str(Path(glob.escape(str(folder)), *remaining))
