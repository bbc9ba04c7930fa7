"""An image -> the training images most like it, as small pictures. Only where the operator of a service allows it."""

import hashlib
from functools import lru_cache
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image

from headstart.data.images import read_thumbnail
from headstart.data.neighbours import directions
from headstart.data.tables import read_splits
from headstart.deployment.runtime import Predictor
from headstart.errors import ImageError
from headstart.evaluation.page import as_webp

SPLITS = "splits.csv"
COUNT = 3
LONGEST = 160  # pixels, the longer side of a picture


class TrainingImages:
    """Those of the served runs, as far as they are still on this machine and unchanged."""

    def __init__(self) -> None:
        self._files: WeakKeyDictionary[Predictor, dict[str, tuple[str, str]]] = WeakKeyDictionary()

    def similar(self, predictor: Predictor, features: np.ndarray) -> list[dict]:
        """features: float (1, depth) of an image. The most similar first; none where there are none any more."""
        familiar = predictor.familiar
        if familiar is None:
            return []
        if predictor not in self._files:
            self._files[predictor] = _files(predictor.folder / SPLITS, set(familiar.digests))
        likeness = familiar.known.astype(np.float32) @ directions(features)[0]
        found = []
        for place in np.argsort(-likeness)[:COUNT]:
            path, label = self._files[predictor].get(familiar.digests[place], ("", ""))
            picture = _picture(path, familiar.digests[place])
            if picture:
                found.append({"label": label, "similarity": round(float(likeness[place]), 4), "image": picture})
        return found


def _files(table: Path, digests: set[str]) -> dict[str, tuple[str, str]]:
    """Digest -> path and label."""
    rows = read_splits(table) if table.is_file() else []
    return {digest: (str(table.parent / path), label) for path, label, _, digest in rows if digest in digests}


@lru_cache(maxsize=1_000)  # pictures of 2 to 8 kB
def _picture(path: str, digest: str) -> str | None:
    """A data URL; None where the file is not that one any more."""
    try:
        content = Path(path).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            return None
        return f"data:image/webp;base64,{as_webp(Image.fromarray(read_thumbnail(content, LONGEST)), 70)}"
    except (OSError, ImageError):
        return None
