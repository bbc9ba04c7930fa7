"""Images -> which of them are copies of each other, as a network and the pixels say; found once, and kept.

CACHE/copies/KEY.json holds the pairs that were found among images with these digests, in their order. It may be removed
at any time.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from headstart.data.dataset import Split
from headstart.events import Listener
from headstart.features.rows import Rows
from headstart.inspection.duplicates import Duplicates, Pair, find_duplicates
from headstart.models.weights import identity
from headstart.storage import cache
from headstart.training.config import TrainingConfig

SCHEMA = 4  # of what counts as a copy


def copies(images: Split, settings: TrainingConfig, features: Callable[[], Rows], *, listener: Listener) -> Duplicates:
    """
    Args:
        images: of any splits and classes.
        settings: of the network that gives the features.
        features: gives them, float32 (n, depth), when they are needed.

    Raises:
        ImageError: a file was changed, moved or damaged since the collection was read.
    """
    key = cache.key(
        "opencv-python-headless",
        "pillow",
        schema=SCHEMA,
        images=hashlib.sha256("".join(images.digests).encode()).hexdigest(),
        weights=identity(settings.backbone, settings.weights),
        backbone=settings.backbone,
        image_size=settings.image_size,
        resizing=settings.resizing,
        precision=settings.precision,
    )
    file = cache.cache_folder() / cache.COPIES / f"{key}.json"
    kept = _read(file, len(images)) if key else None
    if kept:
        return kept
    found = find_duplicates(images, features(), listener=listener)
    if key:
        _write(file, found)
    return found


def _read(file: Path, count: int) -> Duplicates | None:
    """What was kept; None where there is nothing, or it is damaged."""
    try:
        document = json.loads(file.read_text("utf-8"))
        pairs, groups = tuple(Pair(*row) for row in document["pairs"]), np.array(document["groups"], np.int64)
        return Duplicates(pairs, groups, document["limit"], document["looked_at"]) if len(groups) == count else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(file: Path, found: Duplicates) -> None:
    pairs = [(pair.first, pair.second, pair.kind, pair.similarity) for pair in found.pairs]
    document = {"limit": found.limit, "looked_at": found.looked_at, "pairs": pairs, "groups": found.groups.tolist()}
    cache.put(file, json.dumps(document).encode())
