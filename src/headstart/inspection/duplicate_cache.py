"""Images and an extractor -> the copies among them, found once and then read from the cache.

CACHE/copies/KEY.json holds the pairs that were found among images with these digests, in this order. It may be deleted
at any time. How copies are found, `duplicates.py` knows.
"""

import json
from pathlib import Path

import numpy as np

from headstart.data.dataset import Split
from headstart.events import Listener
from headstart.features.extractor import FeatureExtractor
from headstart.features.spec import FeatureSpec
from headstart.features.store import Features
from headstart.inspection.duplicates import Duplicates, Pair, find_duplicates
from headstart.models.weights import identity
from headstart.storage import cache
from headstart.storage.hashing import sha256

SCHEMA = 6  # of what counts as a copy


def cached_duplicates(images: Split, extractor: FeatureExtractor, *, listener: Listener) -> Duplicates:
    """The copies among images, from the cache where they were found before.

    Args:
        images: of any splits and classes.
        extractor: of the features that select the pairs to compare; it is asked only if the cache has no answer.

    Raises:
        ImageError: a file was changed, moved or damaged since the collection was read.
    """
    key = _key(images, extractor.spec, is_exact=extractor.rough.isdisjoint(images.digests))
    file = cache.cache_folder() / cache.COPIES / f"{key}.json"
    known = _read(file, len(images)) if key else None
    if known:
        return known
    features = extractor.features(images)
    found = find_duplicates(images, features, value_range=extractor.spec.value_range, listener=listener)
    if isinstance(features, Features):  # on disk: of many images each was looked at, wherever it lies
        features.release()
    if key:
        _write(file, found)
    return found


def _key(images: Split, spec: FeatureSpec, *, is_exact: bool) -> str | None:
    """None where the weights are not known by an identity, so that nothing can be kept."""
    return cache.key(
        "opencv-python-headless",
        "pillow",
        "simplejpeg",
        schema=SCHEMA,
        images=sha256("".join(images.digests).encode()),
        weights=identity(spec.backbone, spec.weights),
        backbone=spec.backbone,
        image_size=spec.image_size,
        resizing=spec.resizing,
        value_range=str(spec.value_range),
        precision=spec.precision if is_exact else "mixed",
    )


def _read(file: Path, count: int) -> Duplicates | None:
    """None where nothing was kept, or the file is damaged."""
    try:
        document = json.loads(file.read_text("utf-8"))
        pairs, groups = tuple(Pair(*row) for row in document["pairs"]), np.array(document["groups"], np.int64)
        if len(groups) != count:
            return None
        return Duplicates(pairs, groups, document["limit"], document["compared"], document["is_exact"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(file: Path, found: Duplicates) -> None:
    pairs = [(pair.first, pair.second, pair.kind, pair.similarity, pair.mirrored) for pair in found.pairs]
    document = {
        "limit": found.limit,
        "compared": found.compared,
        "is_exact": found.is_exact,
        "pairs": pairs,
        "groups": found.groups.tolist(),
    }
    cache.store_file(file, json.dumps(document).encode())
