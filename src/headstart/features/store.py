"""Features on disk, in shards, and in memory maps. Knows nothing of labels, networks or how features are computed.

A feature is found again by its folder, which a `FeatureSpec` and an engine name, and the digest of the image's bytes.
Features lie in shards, `FOLDER/CHECKSUM-NAME.npy`: NumPy arrays of records (digest, tensors), written whole, never
changed, named by their content, opened as memory maps. So two runs at once cannot disturb each other, a killed one
leaves what it had finished, and 100 new images cost the work of 100.
"""

import mmap
import time
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np

from headstart.array_types import Bool, Float, Float32, Int
from headstart.data.packed import Digests
from headstart.storage import cache
from headstart.storage.cache import is_folder
from headstart.storage.hashing import sha256

MOST_OF_IT = 4  # from a quarter of its rows on, a shard is read: pages that are mapped count as memory until the end
STALE = 24 * 3600  # seconds after which the half-written file of a killed run is removed
TOGETHER = 100_000  # digests that are converted at a time
KEY = "S32"
DIGEST = "digest"  # the field of a record that holds the SHA-256 of an image; the others are tensors

# What is mapped in this process, as long as it is used: a page that is mapped five times counts five times as memory.
_mapped: WeakValueDictionary[Path, np.ndarray] = WeakValueDictionary()


@dataclass(frozen=True, eq=False)
class Features:
    """The tensors of n images, in their order: in memory maps, or where nothing can be kept on disk in memory.

    shards: arrays of records; place[i] is the shard and the row of image i, int64 (n, 2).
    """

    shards: list[np.ndarray]
    place: Int[np.ndarray, "n 2"]

    def __len__(self) -> int:
        return len(self.place)

    @property
    def names(self) -> list[str]:
        """Of the tensors."""
        return [name for name in self.shards[0].dtype.names or () if name != DIGEST]

    def take(self, indices: np.ndarray) -> list[Float32[np.ndarray, "m ..."]]:
        """For each tensor at the cut, float32 (len(indices), *shape)."""
        taken = [np.empty((len(indices), *self.shards[0].dtype[name].shape), np.float32) for name in self.names]
        for chosen, rows in self._records(indices):
            for array, name in zip(taken, self.names, strict=True):
                array[chosen] = rows[name]
        return taken

    def side_by_side(self, indices: np.ndarray) -> Float32[np.ndarray, "m numbers"]:
        """All tensors, which are vectors, in one: float32 (len(indices), numbers)."""
        sizes = [self.shards[0].dtype[name].shape[0] for name in self.names]
        taken = np.empty((len(indices), sum(sizes)), np.float32)
        for chosen, rows in self._records(indices):
            for end, size, name in zip(np.cumsum(sizes), sizes, self.names, strict=True):
                taken[chosen, end - size : end] = rows[name]
        return taken

    def by_shard(self) -> Iterator[tuple[int, Int[np.ndarray, " m"]]]:
        """Shard by shard, the images that it holds, in the order of its rows: so they are read fastest."""
        order = np.lexsort((self.place[:, 1], self.place[:, 0]))
        shards = self.place[order, 0]
        starts = np.flatnonzero(np.diff(shards, prepend=-1))
        for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
            yield int(shards[start]), order[start:end]

    def release(self) -> None:
        """Give back the memory of pages that were read: they are mapped again when they are needed."""
        for shard in self.shards:
            _release(shard)

    def _records(self, indices: np.ndarray) -> Iterator[tuple[Int[np.ndarray, " k"], np.ndarray]]:
        """The records of images, shard by shard, and where among the indices they are."""
        places = self.place[indices]
        for number in np.unique(places[:, 0]):
            chosen = np.flatnonzero(places[:, 0] == number)
            rows = places[chosen, 1]
            shard = self.shards[number]
            yield chosen, (_read(shard) if len(rows) * MOST_OF_IT >= len(shard) else shard)[rows]
            _release(shard)

    def __getitem__(self, rows: slice | np.ndarray) -> Float32[np.ndarray, "m ..."]:
        """Of the first tensor: float32 (rows, *shape)."""
        return self.take(np.arange(len(self))[rows])[0]


@dataclass(frozen=True, eq=False)
class Shards:
    """Shards that were found or made, and where in them the image of each digest is.

    keys: the digests' bytes, sorted, "S32" (m,). rows: for each the shard and the row, int32 (m, 2). Of ten million
    images these take 400 MB, a dictionary ten times as much.
    """

    arrays: list[np.ndarray] = field(default_factory=list)
    keys: np.ndarray = field(default_factory=lambda: np.empty(0, KEY))
    rows: Int[np.ndarray, "m 2"] = field(default_factory=lambda: np.empty((0, 2), np.int32))

    @classmethod
    def of_arrays(cls, arrays: Sequence[np.ndarray]) -> "Shards":
        """What is in several of them comes from the first."""
        keys, rows = [], []
        for number, shard in enumerate(arrays):
            keys.append(np.array(shard[DIGEST]).view(KEY))
            rows.append(np.column_stack([np.full(len(shard), number), np.arange(len(shard))]).astype(np.int32))
            _release(shard)  # to read the digests, most pages were read
        return cls(list(arrays), *_sorted(keys, rows)) if arrays else cls()

    def joined(self, others: "Shards") -> "Shards":
        """These and others; what is in both comes from these."""
        moved = others.rows + np.array([len(self.arrays), 0], np.int32)
        return Shards([*self.arrays, *others.arrays], *_sorted([self.keys, others.keys], [self.rows, moved]))

    def has(self, digests: Sequence[str]) -> Bool[np.ndarray, " n"]:
        """Whether the images with these digests are here."""
        return self.has_keys(keys_of(digests))

    def has_keys(self, keys: np.ndarray) -> Bool[np.ndarray, " n"]:
        """The same, of the digests' bytes, "S32"."""
        return self._find(keys)[1]

    def of(self, digests: Sequence[str]) -> Features:
        """The features of images with these digests, all of which are here."""
        at, found = self._find(keys_of(digests))
        if not found.all():
            raise KeyError(digests[int(np.argmin(found))])
        return Features(self.arrays, self.rows[at].astype(np.int64))

    def _find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where each key would be, and whether it is there."""
        if not len(self.keys):
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), bool)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return at, self.keys[at] == keys

    @property
    def files(self) -> set[str]:
        """The paths of those that are on disk."""
        return {str(shard.filename) for shard in self.arrays if isinstance(shard, np.memmap)}


def _sorted(keys: Sequence[np.ndarray], rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """In order, the first of equal ones before the others."""
    joined = np.concatenate(keys)
    order = np.argsort(joined, kind="stable")
    return joined[order], np.concatenate(rows)[order]


def keys_of(digests: Sequence[str]) -> np.ndarray:
    """Hexadecimal digests -> their bytes, "S32" (n,)."""
    if isinstance(digests, Digests):
        return digests.keys
    keys = np.empty(len(digests), KEY)
    for start in range(0, len(digests), TOGETHER):
        part = digests[start : start + TOGETHER]
        keys[start : start + len(part)] = np.frombuffer(bytes.fromhex("".join(part)), KEY)
    return keys


def digests_of(shard: np.ndarray) -> list[str]:
    """The digests of the images in a shard, hexadecimal, row by row."""
    return [digest.tobytes().hex() for digest in shard[DIGEST]]


def record_type(shapes: Sequence[tuple[int, ...]], kind: type = np.float16) -> np.dtype:
    """Of a shard: the digest, and a tensor of each shape."""
    return np.dtype([(DIGEST, "V32"), *((f"tensor_{number}", kind, shape) for number, shape in enumerate(shapes))])


def records(digests: Sequence[str], tensors: Sequence[Float[np.ndarray, "n ..."]]) -> np.ndarray:
    """Digests, hexadecimal (n,), and tensors (n, *shape) -> a shard in memory.

    Numbers are kept in 16 bits: most activations are small (ReLU6 gives 0 to 6); where one is too large, in 32.
    """
    largest = max((float(np.abs(tensor).max()) for tensor in tensors if tensor.size), default=0.0)
    kind = np.float16 if largest < float(np.finfo(np.float16).max) else np.float32
    shard = np.empty(len(digests), record_type([tensor.shape[1:] for tensor in tensors], kind))
    shard[DIGEST] = [bytes.fromhex(digest) for digest in digests]
    for number, tensor in enumerate(tensors):
        shard[f"tensor_{number}"] = tensor
    return shard


def find_shards(folder: Path, wanted: Sequence[str], shapes: Sequence[tuple[int, ...]] | None) -> Shards:
    """The shards of a folder that hold something of what is wanted. These count as used; others are left alone. What
    is damaged or foreign is removed.

    wanted: digests. shapes: of the tensors, where they are known.
    """
    found, keys = [], np.sort(keys_of(wanted))
    expected = None if shapes is None else [record_type(shapes, kind) for kind in (np.float16, np.float32)]
    for path in sorted(folder.glob("*.npy")) if is_folder(folder) else []:
        try:
            shard, is_new = _open(path)
            _check(DIGEST in (shard.dtype.names or ()) and (expected is None or shard.dtype in expected))
            here = has_some(np.array(shard[DIGEST]).view(KEY), keys)
            if here:
                _check(not is_new or _checksum(path) == path.name.partition("-")[0])
            else:
                _release(shard)  # others may use it, too
        except (ValueError, EOFError):
            _mapped.pop(path, None)
            _remove(path)
            continue
        except OSError:  # it is gone, or too many files are open: that says nothing of its content
            continue
        if here:
            cache.mark_used(path)
            found.append(shard)
    _remove_stale(folder)
    return Shards.of_arrays(found)


def has_some(keys: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether some keys are among those that are wanted, which are sorted."""
    at = np.searchsorted(wanted, keys)
    return bool((wanted[np.minimum(at, len(wanted) - 1)] == keys).any()) if len(wanted) else False


def write_shard(shard: np.ndarray, folder: Path) -> Path:
    """Write a shard, under its checksum, where it appears whole.

    Raises:
        OSError: the folder cannot be written.
    """
    temporary = folder / f"writing-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.save(file, shard, allow_pickle=False)
        path = folder / shard_name(_checksum(temporary), shard)
        if path.exists():  # a task that was begun again has done this already
            _remove(temporary)
        else:
            temporary.rename(path)
        return path
    except OSError:
        _remove(temporary)
        raise


def shard_name(checksum: str, shard: np.ndarray) -> str:
    """The file name of a shard. checksum: CRC-32 of the file's content, eight hexadecimal digits."""
    return f"{checksum}-{sha256(shard[DIGEST].tobytes())[:8]}.npy"


def open_shard(path: Path) -> np.ndarray:
    """A shard that was written just now, as a memory map."""
    return _open(path)[0]


def _release(shard: np.ndarray) -> None:
    mapped = shard.base
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
        mapped.madvise(mmap.MADV_DONTNEED)


def _open(path: Path) -> tuple[np.ndarray, bool]:
    """A memory map, and whether it was not open yet."""
    shard = _mapped.get(path)
    if shard is not None:
        return shard, False
    _mapped[path] = shard = np.load(path, mmap_mode="r", allow_pickle=False)
    return shard, True


def _read(shard: np.ndarray) -> np.ndarray:
    """A shard in memory; where its file has been removed meanwhile, which a memory map outlives, as it is."""
    if not isinstance(shard, np.memmap):
        return shard
    try:
        return np.load(str(shard.filename), allow_pickle=False)
    except OSError:
        return shard


def _check(is_whole: bool) -> None:
    if not is_whole:
        raise ValueError("not what was written")


def _checksum(path: Path) -> str:
    """CRC-32 of a file's content, as eight hexadecimal digits."""
    return f"{zlib.crc32(np.memmap(path, np.uint8, mode='r').data):08x}"


def _remove_stale(folder: Path) -> None:
    for path in folder.glob("writing-*") if is_folder(folder) else []:
        with suppress(FileNotFoundError):  # another run has finished it
            if time.time() - path.stat().st_mtime > STALE:
                _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):  # a cache that can only be read: the file is not used
        path.unlink(missing_ok=True)
