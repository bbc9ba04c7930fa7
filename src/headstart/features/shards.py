"""A task, which is plain data -> a shard of features: what an executor maps, here or anywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from headstart.concurrency import cpu_budget, in_pieces, prefetch
from headstart.data.images import read_again
from headstart.data.views import VIEWS
from headstart.engines.base import Compute, Engine, Pixels, regrouped, run_all
from headstart.engines.opening import open_engine
from headstart.events import Advance
from headstart.features.shared_store import send_shard
from headstart.features.spec import FeatureSpec
from headstart.features.store import open_shard, records, write_shard
from headstart.listeners.quiet import Quiet
from headstart.models.backbones import get_backbone
from headstart.models.weights import load_base
from headstart.numerics import check_numbers
from headstart.storage.locations import Fetched, fetched, is_url

READ_AHEAD = 8  # pieces of batches that are decoded before the engine asks for them, besides one in each thread
PIECE = 32  # images at most that a thread decodes for a batch: with more, some would wait for others at the end


@dataclass(frozen=True)
class ShardTask:
    """Images, which features of them are wanted, and where they are written. All of it can be sent to a process.

    digests: SHA-256 of the files, hexadecimal. folder: or URL; None: the features are handed back instead of written.
    """

    spec: FeatureSpec
    compute: Compute
    paths: tuple[str, ...]
    digests: tuple[str, ...]
    folder: str | None


@dataclass(frozen=True, eq=False)
class Shard:
    """What became of a task.

    file: path or URL of the shard; None: it could not be written, or was not to be, and is here as `records`.
    problem: why it could not be written.
    """

    file: str | None
    records: np.ndarray | None = None
    problem: str | None = None


def compute_shard(task: ShardTask, *, engine: Engine | None = None, advance: Advance | None = None) -> Shard:
    """Read the images of a task, run the network, and write the features.

    engine: an open one; None: the one of the task's spec, which a process opens once. advance: is told of each batch.

    Raises:
        ImageError: an image was changed, moved or damaged since the collection was read.
        ModelError: features are no numbers (NaN or infinity); these are not kept.
    """
    engine = engine or _open(task.spec, task.compute)
    tensors = _tensors(task, engine, advance)
    for tensor in tensors:
        check_numbers(tensor, task.paths)
    shard = records(task.digests, tensors)
    if task.folder is None:
        return Shard(None, shard)
    try:
        if is_url(task.folder):
            return Shard(send_shard(shard, task.folder))
        file = write_shard(shard, Path(task.folder))
        open_shard(file)  # where too many files are open, the shard stays in memory
        return Shard(str(file))
    except OSError as error:
        return Shard(None, shard, problem=error.strerror or str(error))


def _tensors(task: ShardTask, engine: Engine, advance: Advance | None) -> list[np.ndarray]:
    spec, count = task.spec, len(task.paths)

    def image(path: str, digest: str, content: Fetched) -> np.ndarray:
        read = partial(read_again, value_range=spec.value_range, digest=digest, content=content)
        return VIEWS[spec.view](read(path, spec.image_size, spec.resizing))

    def piece(photos: Sequence[tuple[str, str, Fetched]]) -> Pixels:
        return np.stack([image(*photo) for photo in photos])

    def counted(batches: Iterator[Pixels]) -> Iterator[Pixels]:
        for images in batches:
            yield images
            if advance:
                advance(len(images))

    workers, size = cpu_budget(), min(engine.batch_size, PIECE)
    photos = zip(task.paths, task.digests, fetched(task.paths), strict=True)
    with ThreadPoolExecutor(workers) as pool:
        pieces = prefetch(pool, piece, in_pieces(photos, size), workers + READ_AHEAD)
        batches = regrouped(pieces, engine.batch_size)
        return run_all(engine, counted(batches), count, outputs=spec.kept_tensors)


@lru_cache(maxsize=2)
def _open(spec: FeatureSpec, compute: Compute) -> Engine:
    """The engine of a spec, in a process that is sent nothing but tasks."""

    def build():
        return spec.frozen_network(load_base(spec.backbone, spec.image_size, spec.weights))

    settings = {"key": spec.network_key, "outputs": spec.kept_tensors, "write": spec.write_frozen}
    settings["by_keras"] = get_backbone(spec.backbone).is_keras
    return open_engine(build, compute, listener=Quiet(), **settings)
