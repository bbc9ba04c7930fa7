"""An image -> the training images most like it, as small pictures. Only where the operator of a service allows it."""

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from headstart.classifier.predictor import Predictor
from headstart.data.images import read_thumbnail
from headstart.data.tables import TABLE, read_splits
from headstart.errors import ImageError, RunError
from headstart.pages.rendering import as_webp

COUNT = 3
LONGEST = 160  # pixels, the longer side of a picture


class TrainingImages:
    """Those of a run, as far as they are still on this machine and unchanged."""

    def __init__(self, predictor: Predictor) -> None:
        """
        Raises:
            RunError: the table of the run's photos is damaged.
        """
        self._familiar = predictor.novelty_detector
        table = predictor.folder / TABLE
        try:
            rows = read_splits(table) if table.is_file() else []
            self._files = {digest: (str(table.parent / path), label) for path, label, _, digest in rows}
        except ValueError as error:
            raise RunError(f"'{table}' is damaged ({error}). Copy it again from where it was trained.") from None

    def similar(self, features: np.ndarray) -> list[dict]:
        """features: float (1, depth) of an image. The most similar first; none where there are none any more."""
        if self._familiar is None:
            return []
        found = []
        for place, cosine in zip(*self._familiar.nearest(features, COUNT), strict=True):
            digest = self._familiar.digests[place]
            path, label = self._files.get(digest, ("", ""))
            try:
                picture = _picture(path, digest)
            except (OSError, ImageError):  # it was moved or changed since the training
                continue
            found.append({"label": label, "similarity": round(float(cosine), 4), "image": picture})
        return found


@lru_cache(maxsize=1_000)  # pictures of 2 to 8 kB
def _picture(path: str, digest: str) -> str:
    """A data URL.

    Raises:
        OSError, ImageError: the file is not that one any more.
    """
    content = Path(path).read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise ImageError("was changed")
    return f"data:image/webp;base64,{as_webp(Image.fromarray(read_thumbnail(content, LONGEST)), 70)}"
