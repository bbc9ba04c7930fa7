"""Where the shards of features lie: in the cache, or in a store that many machines share, a folder or a URL.

What lies at a URL is copied into the cache, where it is opened as what was computed here is. Beside each shard,
NAME.npy, lies NAME.digests with the digests of its images, 32 bytes each: so only shards that are needed are read.
Knows nothing of labels, or of how features are computed.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from headstart.errors import ClusterError, DatasetError
from headstart.features.store import DIGEST, KEY, Shards, find_shards, has_some, keys_of, open_shard, shard_name
from headstart.storage import cache, locations
from headstart.storage.locations import is_url

DIGESTS = ".digests"
AT_ONCE = 16  # objects that are read at the same time


@dataclass(frozen=True)
class ShardPlace:
    """The shards of a spec.

    folder: on this machine. url: where all machines reach them, which `folder` has copies of; None: in the folder.
    is_cache: whether the folder is in the cache, which throws away what is not used.
    """

    folder: Path
    url: str | None = None
    is_cache: bool = True

    @classmethod
    def of(cls, address: str | None, store: str | None) -> ShardPlace | None:
        """
        Args:
            address: see `FeatureSpec.address`. store: a folder or URL; None: the cache.
        """
        if address is None:
            return None
        if store is not None and not is_url(store):
            return cls(Path(store).absolute() / address, is_cache=False)
        return cls(cache.cache_folder() / address, f"{store.rstrip('/')}/{address}" if store else None)

    @property
    def target(self) -> str:
        """Where tasks write to."""
        return self.url or str(self.folder)

    def find(self, wanted: Sequence[str], shapes: Sequence[tuple[int, ...]] | None) -> Shards:
        """See `find_shards`."""
        if self.url:
            _fetch(_missing(self.url, self.folder, wanted), self.folder)
        return find_shards(self.folder, wanted, shapes)

    def open(self, file: str) -> np.ndarray:
        """A shard that a task has written just now."""
        if self.url:
            _fetch([file], self.folder)
        return open_shard(self.folder / PurePosixPath(file).name)

    def check_dispensable(self, problem: str) -> None:
        """
        Raises:
            ClusterError: the store cannot be written, and this is no cache, which work can do without.
        """
        if self.url or not self.is_cache:
            raise ClusterError(
                f"Features cannot be kept in the store '{self}' ({problem}). What is finished is kept: make room "
                f"there, or give another --store, and start the same again."
            )

    def __str__(self) -> str:
        return self.target


def for_all_machines(files: Sequence[str], store: str | None) -> list[str]:
    """Where the machines of a cluster find shards that lie in these files here. What is not at the URL of the store
    yet, as it was computed before there was one, is copied there."""
    if store is None or not is_url(store):
        return list(files)
    root = cache.cache_folder()
    places = [f"{store.rstrip('/')}/{Path(file).relative_to(root).as_posix()}" for file in files]
    there = {place for url in {place.rpartition("/")[0] for place in places} for place in _listed(url, ".npy")}
    for file, place in zip(files, places, strict=True):
        if place not in there:
            locations.write(place, Path(file).read_bytes())
            locations.write(_beside(place), open_shard(Path(file))[DIGEST].tobytes())
    return places


def send_shard(shard: np.ndarray, url: str) -> str:
    """Write a shard below a URL, under its checksum, where it appears whole. Returns its own URL.

    Raises:
        OSError, HeadstartError: it cannot be written.
    """
    stream = io.BytesIO()
    np.save(stream, shard, allow_pickle=False)
    content = stream.getvalue()
    place = f"{url}/{shard_name(f'{zlib.crc32(content):08x}', shard)}"
    locations.write(place, content)
    locations.write(_beside(place), shard[DIGEST].tobytes())  # last: where it is, the shard is
    return place


def _beside(place: str) -> str:
    return place.removesuffix(".npy") + DIGESTS


def _missing(url: str, folder: Path, wanted: Sequence[str]) -> list[str]:
    """The URLs of shards that hold something of what is wanted, and are not in the folder yet."""
    keys = np.sort(keys_of(wanted))
    lists = _listed(url, DIGESTS)
    shards = {place: place.removesuffix(DIGESTS) + ".npy" for place in lists}
    lists = [place for place in lists if not (folder / PurePosixPath(shards[place]).name).exists()]
    return [
        shards[place]
        for place, content in zip(lists, _read(lists), strict=True)
        if has_some(np.frombuffer(content, KEY), keys)
    ]


def _listed(url: str, ending: str) -> list[str]:
    try:
        return [each.place for each in locations.list_files(url) if each.place.endswith(ending)]
    except FileNotFoundError:  # nothing was kept there yet
        return []


def _fetch(places: Sequence[str], folder: Path) -> None:
    """
    Raises:
        DatasetError: the cache cannot be written.
    """
    for place, content in zip(places, _read(places), strict=True):
        if not cache.store_file(folder / PurePosixPath(place).name, content):
            raise DatasetError(
                f"Features cannot be copied into the cache '{cache.cache_folder()}'. Make room there, or set "
                f"HEADSTART_CACHE to another folder."
            )


def _read(places: Sequence[str]) -> Iterator[bytes]:
    for content in locations.read_ahead(places, AT_ONCE):
        if isinstance(content, Exception):
            raise content
        yield content
