"""FeatureExtractor: images -> features of a spec, from the cache or computed. Knows no classes, and no head.

Who asks for features, asks here: inspection, choosing a backbone, the learning curve, training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from itertools import tee
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from headstart.array_types import Float, Int, UInt8
from headstart.data.dataset import Split
from headstart.data.packed import chosen
from headstart.engines.base import BFLOAT16, GPU, Compute, Engine, in_batches, run_all
from headstart.engines.opening import expected_identity, kept_network, open_engine
from headstart.engines.openvino import NETWORK
from headstart.events import Advance, Listener, Message, Task, advancing
from headstart.features.executors.base import Executor
from headstart.features.executors.local import LocalExecutor
from headstart.features.shards import ShardTask, compute_shard
from headstart.features.shared_store import ShardPlace
from headstart.features.spec import FeatureSpec
from headstart.features.store import Features, Shards, keys_of, record_type
from headstart.models.backbones import get_backbone
from headstart.models.weights import load_base
from headstart.storage import cache

if TYPE_CHECKING:
    import keras

SHARD_BYTES = 16 * 2**20  # at most, in memory until they are written
SIDE_BY_SIDE_ON_GPU = 2  # shards: so fast an engine would wait while one is written
SHARD_IMAGES = 2_048  # at most, as they are lost where a run is stopped: with a large network a minute's work or two


class FeatureExtractor:
    """Gives the features of any images, each of which is computed once."""

    def __init__(
        self,
        spec: FeatureSpec,
        *,
        listener: Listener,
        base: Callable[[], keras.Model] | None = None,
        engine: Engine | None = None,
        compute: Compute | None = None,
        executor: Executor | None = None,
        rough: frozenset[str] = frozenset(),
    ) -> None:
        """
        Args:
            spec: which features.
            listener: where to report to.
            base: gives the base whose features are wanted, with the weights that the spec names; called only if it is
                needed. None: it is loaded.
            engine: an open one, instead of that of the spec.
            compute: how the network is run; its precision is the spec's.
            executor: who works. Others than the local one are sent the spec alone, and load the base themselves; this
                machine works in any case where the base has random weights, which are others on each machine.
            rough: digests of images whose features need not be exact: unless they are kept already, they are computed
                in bfloat16.
        """
        self.spec = spec
        self.listener = listener
        self._base = base or (lambda: load_base(spec.backbone, spec.image_size, spec.weights))
        self._given_engine = engine
        self.compute = replace(compute or Compute(), precision=spec.precision)
        self.executor = (
            executor
            if executor and spec.network_key
            else LocalExecutor(SIDE_BY_SIDE_ON_GPU if self.compute.device == GPU else 1)
        )
        self.rough = rough
        self.is_exact = True  # whether all features that were given are those of the spec
        self._extracted: dict[tuple[Split, str], Features] = {}

    @cached_property
    def engine(self) -> Engine:
        """The engine of the frozen network, which gives features alone, opened on first use."""
        return self._open(self.spec.kept_tensors)

    @cached_property
    def _whole_engine(self) -> Engine:
        """The same, which also gives feature maps."""
        return self._open(None)

    def _open(self, outputs: int | None) -> Engine:
        return self._given_engine or open_engine(
            lambda: self.spec.frozen_network(self._base()),
            self.compute,
            key=self.spec.network_key,
            outputs=outputs,
            write=self.spec.write_frozen,
            by_keras=get_backbone(self.spec.backbone).is_keras,
            listener=self.listener,
        )

    @property
    def compiled_network(self) -> Path | None:
        """The file of the compiled frozen network in the cache, if it is there; or else made of the package's, or of
        that of a file."""
        kept, write = kept_network(self.spec.network_key), self.spec.write_frozen
        if kept or write is None:
            return kept
        file = Path(self._scratch.name, NETWORK)
        write(file)
        return file

    @cached_property
    def _scratch(self) -> TemporaryDirectory:
        return TemporaryDirectory(prefix="headstart-")

    def features(self, images: Split, *, view: str | None = None) -> Features:
        """The features of each image, in their order.

        view: name of a row of VIEWS; by default the spec's.

        Raises:
            ImageError: an image was changed, moved or damaged since the collection was read.
            ModelError: features are no numbers (NaN or infinity); these are not kept.
            CancelledError: the listener wants the work to stop. Shards that are finished are kept.
        """
        wanted = (images, view or self.spec.view)
        if wanted not in self._extracted:
            self._extracted[wanted] = self._extract(images, replace(self.spec, view=wanted[1]))
        return self._extracted[wanted]

    def feature_maps(
        self, pixels: UInt8[np.ndarray, "n size size 3"]
    ) -> list[Float[np.ndarray, "n height width channels"]]:
        """The feature maps that the features of a few images are of, the last layer's at the end: nothing of them is
        kept. Of a pooled spec alone."""
        batches = in_batches(pixels, self._whole_engine.batch_size)
        return run_all(self._whole_engine, batches, len(pixels))[self.spec.kept_tensors :]

    def _extract(self, images: Split, spec: FeatureSpec) -> Features:
        rough = self.rough.intersection(images.digests)
        if rough:
            there = self._find(spec, self._expected, images).has(images.digests)
            rough = rough.difference(digest for digest, kept in zip(images.digests, there, strict=True) if kept)
        if not rough:
            return self._complete(images, spec).of(images.digests)
        self.is_exact = False
        exact, approximate = (
            images.take([index for index, digest in enumerate(images.digests) if (digest in rough) == which])
            for which in (False, True)
        )
        found = self._roughly._complete(approximate, replace(spec, precision=BFLOAT16))
        return self._complete(exact, spec).joined(found).of(images.digests)

    @cached_property
    def _roughly(self) -> FeatureExtractor:
        """Of the same features, in bfloat16."""
        spec = replace(self.spec, precision=BFLOAT16)
        return FeatureExtractor(
            spec, listener=self.listener, base=self._base, compute=self.compute, executor=self.executor
        )

    @property
    def _expected(self) -> str | None:
        """The identity of the engine, without opening it, if it can be told."""
        return self._given_engine.identity if self._given_engine else expected_identity(self.compute)

    def _complete(self, images: Split, spec: FeatureSpec) -> Shards:
        """The shards with all of these images."""
        found = self._find(spec, self._expected, images)
        if len(_missing(found, images)):
            if self.engine.identity != self._expected:  # another engine than was expected: its features are others
                found = self._find(spec, self.engine.identity, images)
            found = self._compute(found, images, spec)
        return found

    def _place(self, spec: FeatureSpec, engine: str) -> ShardPlace | None:
        return ShardPlace.of(spec.address(engine), getattr(self.executor, "store", None))

    def _find(self, spec: FeatureSpec, engine: str | None, images: Split) -> Shards:
        place = self._place(spec, engine) if engine else None
        if place is None:
            return Shards()
        shapes = self.engine.output_shapes[: spec.kept_tensors] if self._given_engine else spec.shapes
        return place.find(images.digests, shapes)

    def _compute(self, found: Shards, images: Split, spec: FeatureSpec) -> Shards:
        """The shards that were found, and those with what is missing in them."""
        missing, place = _missing(found, images), self._place(spec, self.engine.identity)
        tasks, sent = tee(self._tasks(images, missing, spec, place))
        made = []
        with advancing(self.listener, Task.EXTRACT, "Extracting features", len(missing)) as advance:
            for task, shard in zip(tasks, self.executor.map(self._work(advance), sent), strict=True):
                if not self.is_here:
                    advance(len(task.paths))
                if shard.problem and place:
                    place.check_dispensable(shard.problem)
                    text = f"Features cannot be kept in '{place}' ({shard.problem}): the next run computes them again."
                    self.listener.emit(Message(text))
                    place = None  # said once, not for each shard
                made.append(place.open(shard.file) if shard.file and place else shard.records)
        found = found.joined(Shards.of_arrays(made))
        if place and place.is_cache:
            cache.evict(cache.size_limit(), protected=found.files)
        return found

    @property
    def is_here(self) -> bool:
        """Whether the executor works in this process."""
        return isinstance(self.executor, LocalExecutor)

    def _work(self, advance: Advance) -> Callable:
        """What an executor maps. Here the engine is open already, and each batch is reported."""
        if self.is_here:
            return partial(compute_shard, engine=self.engine, advance=advance)
        return compute_shard

    def _tasks(
        self, images: Split, missing: Int[np.ndarray, " m"], spec: FeatureSpec, place: ShardPlace | None
    ) -> Iterator[ShardTask]:
        batch, record = self.engine.batch_size, record_type(self.engine.output_shapes[: spec.kept_tensors])
        size = min(SHARD_IMAGES, max(batch, SHARD_BYTES // record.itemsize))
        if not self.is_here:  # each worker has one
            size = min(size, max(batch, -(-len(missing) // getattr(self.executor, "side_by_side", 1))))
        target = place.target if place else None
        for start in range(0, len(missing), size):
            some = missing[start : start + size]
            paths, digests = tuple(chosen(images.paths, some)), tuple(chosen(images.digests, some))
            yield ShardTask(spec, self.compute, paths, digests, target)


def _missing(found: Shards, images: Split) -> Int[np.ndarray, " m"]:
    """Indices of images that are in no shard; of several equal files, the first."""
    keys = keys_of(images.digests)
    first = np.unique(keys, return_index=True)[1]
    return np.sort(first[~found.has_keys(keys[first])])
