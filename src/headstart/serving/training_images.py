"""An image's features -> the most similar training images, as thumbnails. Only where a service's operator allows it."""

from functools import lru_cache

import numpy as np
from PIL import Image

from headstart.array_types import Float
from headstart.classifier.predictor import Predictor
from headstart.data.images import read_thumbnail
from headstart.data.value_range import ValueRange
from headstart.errors import ImageError
from headstart.pages.rendering import as_webp
from headstart.runs.folder import RunFolder
from headstart.storage.hashing import sha256
from headstart.storage.regular import read_regular

COUNT = 3
SIDE = 160  # pixels, the longer side of a thumbnail


class TrainingImages:
    """The training images of a run that are still on this machine and unchanged."""

    def __init__(self, predictor: Predictor) -> None:
        """
        Raises:
            RunError: the run's table of photos is damaged.
        """
        self._detector, self._value_range = predictor.novelty_detector, predictor.value_range
        self._rows = {row.digest: row for row in RunFolder(predictor.folder).splits}

    def similar(self, features: Float[np.ndarray, "1 depth"]) -> list[dict]:
        """The most similar ones first; none where the run keeps no features, or no image is left."""
        if self._detector is None:
            return []
        found = []
        for index, cosine in zip(*self._detector.nearest(features, COUNT), strict=True):
            digest = self._detector.digests[index]
            if digest not in self._rows:
                continue
            row = self._rows[digest]
            try:
                thumbnail = _thumbnail(row.path, digest, self._value_range)
            except (OSError, ImageError):  # it was moved or changed after the training
                continue
            found.append({"label": row.label, "similarity": round(float(cosine), 4), "image": thumbnail})
        return found


@lru_cache(maxsize=1_000)  # of 2 to 8 kB
def _thumbnail(path: str, digest: str, value_range: ValueRange) -> str:
    """A data URL.

    Raises:
        OSError, ImageError: the file is gone, or is not the one with this digest.
    """
    content = read_regular(path)
    if sha256(content) != digest:
        raise ImageError("was changed")
    thumbnail = Image.fromarray(read_thumbnail(content, SIDE, value_range=value_range))
    return f"data:image/webp;base64,{as_webp(thumbnail, 70)}"
