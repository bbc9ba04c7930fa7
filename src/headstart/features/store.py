"""Images -> bottleneck features: what an engine gives at the cut, kept on disk. Knows nothing of labels.

A feature is found again by the digest of the image's bytes, the key of the engine, the resizing and the view. They lie
in shards, `CACHE/features/KEY/RESIZING-VIEW/CHECKSUM-NAME.npy`: NumPy arrays of records (digest, tensors), written
whole, never changed, opened as memory maps. So two runs at once cannot disturb each other, a killed one leaves what it
had finished, and 100 new images cost the work of 100.
"""

import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np

from headstart.concurrency import cpu_budget, prefetch
from headstart.data.dataset import Split
from headstart.data.images import read_again
from headstart.data.resizing import STRETCH
from headstart.data.views import ORIGINAL, VIEWS
from headstart.engines.openvino import BATCH
from headstart.events import Advance, Listener, Message, Task, advancing
from headstart.features.cut import FrozenPart
from headstart.numerics import check_numbers
from headstart.storage import cache

SHARD_BYTES = 16 * 2**20  # at most, in memory until they are written
SHARD_IMAGES = 2_048  # at most, as they are lost where a run is stopped: with a large network a minute's work or two
AHEAD = 8  # batches that are decoded before the engine asks for them, besides one in each thread
STALE = 24 * 3600  # seconds after which the half-written file of a killed run is removed

# What is mapped in this process, as long as it is used: a page that is mapped five times counts five times as memory.
_opened: WeakValueDictionary[Path, np.ndarray] = WeakValueDictionary()


@dataclass(frozen=True, eq=False)
class Features:
    """The tensors of one view of n images, in their order: in memory maps, or where nothing is kept in memory.

    shards: arrays of records; where[i] is the shard and row of image i, int64 (n, 2).
    """

    shards: list[np.ndarray]
    where: np.ndarray

    def __len__(self) -> int:
        return len(self.where)

    def take(self, indices: np.ndarray) -> list[np.ndarray]:
        """For each tensor at the cut, float32 (len(indices), *shape)."""
        places = self.where[indices]
        names = [name for name in self.shards[0].dtype.names or () if name != "digest"]
        taken = [np.empty((len(places), *self.shards[0].dtype[name].shape), np.float32) for name in names]
        for number in np.unique(places[:, 0]):
            chosen = np.flatnonzero(places[:, 0] == number)
            rows = self.shards[number][places[chosen, 1]]
            for array, name in zip(taken, names, strict=True):
                array[chosen] = rows[name]
        return taken

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Of a cut at one tensor: float32 (rows, *shape)."""
        return self.take(np.arange(len(self))[rows])[0]


def extract(
    split: Split,
    compiled: FrozenPart,
    image_size: int,
    *,
    resizing: str = STRETCH,
    view: str = ORIGINAL,
    listener: Listener,
) -> Features:
    """The features of each image of a split: from the cache, or computed and kept there.

    Args:
        split: the images.
        compiled: what computes them.
        image_size, resizing: the squares that it sees: their side in pixels, and a row of RESIZINGS.
        view: name of a row of VIEWS.
        listener: where to report to.

    Raises:
        ImageError: an image was changed, moved or damaged since the collection was read.
        ModelError: features are no numbers (NaN or infinity); these are not kept.
    """
    folder = cache.cache_folder() / cache.FEATURES / compiled.key / f"{resizing}-{view}" if compiled.key else None

    def read(index: int) -> np.ndarray:
        return VIEWS[view](read_again(split.paths[index], image_size, resizing, digest=split.digests[index]))

    shards, known = _known(folder, compiled, set(split.digests)) if folder else ([], {})
    first: dict[str, int] = {}  # digest -> the first image with it: two equal files are computed once
    for index, digest in enumerate(split.digests):
        if digest not in known:
            first.setdefault(digest, index)
    missing = np.array(list(first.values()), dtype=np.int64)
    rows_of_shard = min(SHARD_IMAGES, max(BATCH, SHARD_BYTES // _record(compiled, np.float16).itemsize))
    if len(missing):
        with advancing(listener, Task.EXTRACT, "Extracting features", len(missing)) as advance:
            for start in range(0, len(missing), rows_of_shard):
                chosen = missing[start : start + rows_of_shard]
                shard = _compute(split, chosen, compiled, read, advance)
                if folder:
                    shard = _write(shard, folder, listener)
                    folder = folder if isinstance(shard, np.memmap) else None  # said once, not for each shard
                known |= {split.digests[i]: (len(shards), row) for row, i in enumerate(chosen)}
                shards.append(shard)
        if folder:
            cache.evict(
                cache.limit(), sparing={str(shard.filename) for shard in shards if isinstance(shard, np.memmap)}
            )
    return Features(shards, np.array([known[digest] for digest in split.digests], np.int64).reshape(-1, 2))


def run_batches(compiled: FrozenPart, images: Iterable[np.ndarray], count: int) -> list[np.ndarray]:
    """Batches of up to BATCH images -> for each tensor at the cut, float32 (count, *shape). Nothing is kept."""
    outputs = [np.empty((count, *shape), np.float32) for shape in compiled.shapes]
    compiled.engine.fill(images, outputs)
    return outputs


def _compute(
    split: Split,
    chosen: np.ndarray,
    compiled: FrozenPart,
    read: Callable[[int], np.ndarray],
    advance: Advance,
) -> np.ndarray:
    def batch(start: int) -> np.ndarray:
        return np.stack([read(i) for i in chosen[start : start + BATCH]])

    def counted(batches: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        for batch in batches:
            yield batch
            advance(len(batch))

    workers = cpu_budget()
    with ThreadPoolExecutor(workers) as pool:
        batches = prefetch(pool, batch, range(0, len(chosen), BATCH), workers + AHEAD)
        tensors = run_batches(compiled, counted(batches), len(chosen))
    for tensor in tensors:
        check_numbers(tensor, [split.paths[i] for i in chosen])
    largest = max((float(np.abs(tensor).max()) for tensor in tensors if tensor.size), default=0.0)
    # most activations are small (relu6 gives 0 to 6); where one is too large, float32
    kind = np.float16 if largest < float(np.finfo(np.float16).max) else np.float32
    shard = np.empty(len(chosen), _record(compiled, kind))
    shard["digest"] = [bytes.fromhex(split.digests[i]) for i in chosen]
    for number, tensor in enumerate(tensors):
        shard[f"tensor_{number}"] = tensor
    return shard


def _record(compiled: FrozenPart, kind: type) -> np.dtype:
    tensors = [(f"tensor_{number}", kind, shape) for number, shape in enumerate(compiled.shapes)]
    return np.dtype([("digest", "V32"), *tensors])


def _known(folder: Path, compiled: FrozenPart, wanted: Set[str]) -> tuple[list[np.ndarray], dict[str, tuple[int, int]]]:
    """The shards of a folder that hold something of what is wanted, and where in them each digest is. These count as
    used; others are left alone. What is damaged or foreign is removed."""
    shards: list[np.ndarray] = []
    known: dict[str, tuple[int, int]] = {}
    expected = [_record(compiled, kind) for kind in (np.float16, np.float32)]
    for path in sorted(folder.glob("*.npy")) if folder.is_dir() else []:
        try:
            shard = _opened.get(path)
            is_new = shard is None
            if shard is None:
                shard = _mapped(path)
            _check(shard.dtype in expected)
            found = {digest.tobytes().hex(): row for row, digest in enumerate(shard["digest"])}
            here = found.keys() & wanted
            if here:
                _check(not is_new or _checksum(path) == path.name.partition("-")[0])
        except (ValueError, EOFError):
            _opened.pop(path, None)
            _remove(path)
            continue
        except OSError:  # it is gone, or too many files are open: that says nothing of its content
            continue
        if here:
            cache.used(path)
            known |= {digest: (len(shards), found[digest]) for digest in here}
            shards.append(shard)
    for path in folder.glob("writing-*") if folder.is_dir() else []:
        with suppress(FileNotFoundError):  # another run has finished it
            if time.time() - path.stat().st_mtime > STALE:
                _remove(path)
    return shards, known


def _check(is_whole: bool) -> None:
    if not is_whole:
        raise ValueError("not what was written")


def _mapped(path: Path) -> np.ndarray:
    _opened[path] = shard = np.load(path, mmap_mode="r", allow_pickle=False)
    return shard


def _checksum(path: Path) -> str:
    """CRC-32 of a file's content, as eight hexadecimal digits."""
    return f"{zlib.crc32(np.memmap(path, np.uint8, mode='r').data):08x}"


def _write(shard: np.ndarray, folder: Path, listener: Listener) -> np.ndarray:
    """Write a shard, under its checksum; where that cannot be, go on with it in memory, and say so."""
    temporary = folder / f"writing-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.save(file, shard, allow_pickle=False)
        path = folder / f"{_checksum(temporary)}-{uuid.uuid4().hex[:8]}.npy"
        temporary.rename(path)
        return _mapped(path)
    except OSError as error:
        _remove(temporary)
        listener.emit(
            Message(f"Features cannot be kept in '{folder}' ({error.strerror or error}): the next run computes anew.")
        )
        return shard


def _remove(path: Path) -> None:
    with suppress(OSError):  # a cache that can only be read: the file is not used
        path.unlink(missing_ok=True)
