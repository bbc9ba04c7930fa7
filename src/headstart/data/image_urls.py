"""A URL that a user names: of a photo, a folder of photos, or a pattern -> the URLs of photos. Opens none of them."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from headstart.data.formats import FORMAT_OF_SUFFIX
from headstart.data.shard_images import images_in, is_shard
from headstart.data.walking import is_visible
from headstart.errors import DatasetError
from headstart.storage.locations import list_files
from headstart.storage.urls import check_no_secrets, without_secrets


def images_at(url: str) -> tuple[list[str], list[Path]]:
    """The URLs of photos in the order in which the store tells them, and the names of other files.

    url: of a photo; of a shard of photos (see `shard_images.py`); of a folder, whose photos are known by the endings of
        their names; or a pattern, in which * is any part of a name, and ** any folders, for photos or shards. (Question
        marks and brackets mean what they mean in URLs.)

    Raises:
        DatasetError: there are none.
        HeadstartError: the place cannot be listed.
    """
    check_no_secrets(url)
    if "*" not in url and (_is_image(url) or is_shard(url)):
        return images_in(url) if is_shard(url) else [url], []
    above, signs, _ = url.partition("*")
    root = above.rpartition("/")[0] if signs else url.rstrip("/")
    fits = _expression(url) if signs else re.compile(re.escape(root) + "/.*", re.DOTALL)
    images, others = [], []
    for place in _listed(root):
        below = place.removeprefix(root).split("/")
        if fits.fullmatch(place) and all(map(is_visible, filter(None, below))):
            if _is_image(place):
                images.append(place)
            elif signs and is_shard(place):
                images += images_in(place)
            else:
                others.append(Path(below[-1]))
    if not images:
        what = "No image matches" if signs else "There is no image below"
        raise DatasetError(f"{what} '{without_secrets(url)}'. Check the address, and give one that has some.")
    return images, others


def _listed(root: str) -> Iterable[str]:
    """
    Raises:
        DatasetError: it must not be listed.
    """
    try:
        for listed in list_files(root):
            yield listed.place
    except FileNotFoundError:
        return
    except OSError as error:
        raise DatasetError(f"'{without_secrets(root)}' cannot be listed: {error.strerror or error}.") from error


def _is_image(url: str) -> bool:
    return PurePosixPath(url.partition("?")[0]).suffix.lower() in FORMAT_OF_SUFFIX


def _expression(pattern: str) -> re.Pattern[str]:
    """s3://b/**/*.jpg -> what matches the URLs that are meant."""
    signs = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*"}
    parts = re.split(r"(\*\*/|\*\*|\*)", pattern)
    return re.compile("".join(signs.get(part) or re.escape(part) for part in parts), re.DOTALL)
