"""What schemathesis sends to the service besides what it generates: real images where an image is expected."""

import io

import numpy as np
import schemathesis
from hypothesis import strategies
from PIL import Image


def _image(kind: str, side: int) -> bytes:
    with io.BytesIO() as file:
        pixels = np.random.default_rng(side).integers(0, 256, (side, side + 1, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(file, kind)
        return file.getvalue()


IMAGES = [_image(kind, side) for kind in ("PNG", "JPEG", "WEBP") for side in (1, 30)]
schemathesis.openapi.format("binary", strategies.sampled_from(IMAGES))
for media_type in ("image/jpeg", "image/png", "image/webp", "application/octet-stream"):
    schemathesis.openapi.media_type(media_type, strategies.sampled_from(IMAGES))


@schemathesis.hook
def before_call(context, case, kwargs) -> None:
    """An accuracy and a coverage together are refused, which OpenAPI cannot express."""
    if case.query and {"accuracy", "coverage"} <= set(case.query):
        del case.query["coverage"]
