"""Does the config of a run suit the collection; and what it leaves to the training images -> the config with these."""

from __future__ import annotations

import json
from pathlib import Path

from headstart.data.collection import Collection
from headstart.data.dataset import Dataset
from headstart.data.items import column
from headstart.data.label_sets import all_classes
from headstart.data.splits import OTHER
from headstart.events import Listener
from headstart.runs.partial import CHOSEN
from headstart.training.config import TrainingConfig


def check_labels(config: TrainingConfig, collection: Collection) -> None:
    """
    Raises:
        ModelError: the config is about other classes than the collection has, or does not suit their kind.
    """
    from headstart.training.multi_label import for_labels

    labels = {*column(collection.items, "label")}
    if collection.listing.multi_label:
        for_labels(config, all_classes(labels))
    elif config.stakes:
        config.stakes.check(sorted(labels - {OTHER}))
        config.stakes.check_exclusive()


def decide(config: TrainingConfig, dataset: Dataset, partial: Path, listener: Listener) -> TrainingConfig:
    """The config with the base and the resizing that suit the training images, if these are left to them.

    partial: where the run is made. One that is resumed keeps its base: how fast each is may be measured otherwise now.
    """
    from headstart.training.backbone_choice import with_backbone
    from headstart.training.resizing import decided

    file = partial / CHOSEN
    if config.candidates and file.is_file():
        config = config.with_base(*json.loads(file.read_text("utf-8")))
    elif config.candidates:
        config = with_backbone(config, dataset, listener)
        file.write_text(json.dumps([config.backbone, str(config.weights)]), "utf-8")
    return decided(config, dataset, listener)
