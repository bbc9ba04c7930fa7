"""The splits of a run: a collection -> which split each image goes to, copies of a photo the same one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.array_types import Int64
from headstart.data.dataset import Dataset, Split
from headstart.data.loading import Collection, Groups, build_dataset
from headstart.data.packed import numbered
from headstart.data.resizing import STRETCH
from headstart.events import Listener, Message
from headstart.listeners.quiet import Quiet
from headstart.training.config import AUTO, TrainingConfig

if TYPE_CHECKING:
    from headstart.commands.run_stages import RunRequest


def split(collection: Collection, request: RunRequest, listener: Listener) -> Dataset:
    """Give each image its split, copies of a photo the same one; or, for a quick look, take some of the images."""

    def build(groups: Groups | None, listener: Listener) -> Dataset:
        fraction = request.test_fraction
        return build_dataset(
            collection, seed=request.config.seed, test_fraction=fraction, groups=groups, listener=listener
        )

    def groups(images: Split, drawn: np.ndarray) -> np.ndarray:
        # where few images are copies, nearly all will have the split that they would have without
        rough = request.config.rough(build(None, Quiet())) if request.config.is_rough else frozenset()
        return copy_groups(images, drawn, request.config, listener, rough=rough)

    dataset = build(None if request.images else groups, listener)
    if request.images:
        dataset = dataset.sample(request.images, seed=request.config.seed)
        listener.emit(Message(f"Of these, {len(dataset):,} are used."))
    return dataset


def copy_groups(
    images: Split,
    drawn: np.ndarray,
    config: TrainingConfig,
    listener: Listener,
    *,
    rough: frozenset[str] = frozenset(),
) -> Int64[np.ndarray, " n"]:
    """The same number for copies of one photo, to be kept on one side of the splits.

    drawn: the images whose split is drawn. Where training needs the features of all images anyway, or may need them,
    copies are looked for among all of them, so that those across given splits become known. rough: see
    `FeatureExtractor`.

    They are looked for on stretched photos, whatever is trained on: there a copy in another shape is found too, and
    runs that differ only in their resizing have the same splits, so that they can be compared.
    """
    from headstart.features.extractor import FeatureExtractor
    from headstart.inspection.duplicate_cache import cached_duplicates
    from headstart.training.trainer import new_network

    wanted = np.arange(len(images)) if config.recipe.solves_head and config.resizing in (STRETCH, AUTO) else drawn
    numbers = numbered(images.digests)
    if len(wanted):
        # The base of the network that is trained later: where nothing is kept yet, that is built once, for both
        extractor = FeatureExtractor(
            replace(config, resizing=STRETCH).feature_spec,
            listener=listener,
            base=lambda: new_network(config, len(images.class_names)).first_base(),
            compute=config.compute,
            executor=config.executor,
            rough=rough,
        )
        found = cached_duplicates(images.take(wanted), extractor, listener=listener)
        numbers[wanted] = found.groups + len(images)  # none of those that are left
    return numbers
