"""What a run leaves to its training images, the base and the resizing -> the config with these."""

from __future__ import annotations

import json
from pathlib import Path

from headstart.data.dataset import Dataset
from headstart.events import Listener
from headstart.runs.partial import CHOSEN
from headstart.training.config import TrainingConfig


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
