"""How a network in a file sees pixels: as a JSON file beside it says, ours, or that of timm or Hugging Face.

Knows no network.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from headstart.errors import ModelError

NCHW, NHWC = LAYOUTS = ("NCHW", "NHWC")
RGB, BGR = CHANNELS = ("RGB", "BGR")
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of each channel, RGB, in 0..1
CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))  # openai/CLIP, clip/clip.py
CAFFE = ((103.939, 116.779, 123.68), (1.0, 1.0, 1.0))  # of BGR in 0..255, as in models/preprocessing.py
ZEROS, ONES = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
HALVES = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class InputFormat:
    """How pixels become what a network takes: (value x scale - mean) / std.

    mean, std: of each channel, in the order that the network takes. scale: of values from 0 to 255.
    channels: their order, "RGB" or "BGR".
    layout: "NCHW" or "NHWC"; None: as the shape of the network's input tells.
    size: side of the images in pixels; None: as the shape tells.
    said_by: what says so, in words.
    """

    mean: tuple[float, float, float] = IMAGENET[0]
    std: tuple[float, float, float] = IMAGENET[1]
    scale: float = 1 / 255
    channels: str = RGB
    layout: str | None = None
    size: int | None = None
    said_by: str = "assumed, as most networks are trained so"

    @property
    def is_raw(self) -> bool:
        """Whether values from 0 to 255 stay as they are."""
        return (self.mean, self.std, self.scale) == (ZEROS, ONES, 1.0)

    def to_json(self) -> dict:
        content = asdict(self)
        del content["said_by"]
        return content

    def __str__(self) -> str:
        if self.is_raw:
            return f"{self.channels} from 0 to 255"
        mean, std = (", ".join(f"{value:g}" for value in values) for values in (self.mean, self.std))
        unit = {1 / 255: "value / 255", 1.0: "value"}.get(self.scale, f"value x {self.scale:g}")
        return f"{self.channels}, ({unit} - [{mean}]) / [{std}]"


# "preprocessing" in the JSON: a name for all of it
PREPROCESSINGS = {
    "imagenet": InputFormat(*IMAGENET),
    "clip": InputFormat(*CLIP),
    "half": InputFormat(HALVES, HALVES),  # -1..1: SigLIP, many ViT
    "unit": InputFormat(ZEROS, ONES),  # 0..1
    "raw": InputFormat(ZEROS, ONES, 1.0),  # 0..255: the network begins with its own
    "caffe": InputFormat(*CAFFE, scale=1.0, channels=BGR),
    "lite": InputFormat((127.0,) * 3, (128.0,) * 3, scale=1.0),  # EfficientNet-Lite, see models/backbones.py
}
# our key -> the same in a `preprocessor_config.json` of Hugging Face, or in the `config.json` of timm
OTHER_NAMES = {"mean": "image_mean", "std": "image_std", "scale": "rescale_factor", "size": "input_size"}
OWN = {"preprocessing", "mean", "std", "scale", "channels", "layout", "size", "image_size"}
BESIDE = ("preprocessor_config.json", "config.json")  # of Hugging Face, of timm; after FILE.json, our own


def read_input_format(file: Path) -> InputFormat:
    """What is said of the input of the network in a file: by FILE.json, or by a file that its library left beside it.

    Raises:
        ModelError: a JSON file is damaged, or says what cannot be.
    """
    own = file.with_name(f"{file.name}.json")
    if own.is_file():
        content = _read(own)
        if not OWN & content.keys():
            raise ModelError(
                f"'{own}' says nothing of how the network sees pixels: expected some of {', '.join(sorted(OWN))}. "
                f'An example: {{"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}.'
            )
        return _parsed(content, own)
    for beside in (file.with_name(name) for name in BESIDE):
        content = _read(beside) if beside.is_file() else {}
        content = content.get("pretrained_cfg", content)  # of timm
        if isinstance(content, dict) and {"image_mean", "mean"} & content.keys():
            return _parsed(content, beside)
    return InputFormat()


def _read(file: Path) -> dict:
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"'{file}' cannot be read ({error}). Mend it, or remove it.") from None
    if not isinstance(content, dict):
        raise ModelError(f"'{file}' holds {type(content).__name__}, expected a JSON object. Mend it, or remove it.")
    return content


def _parsed(content: Mapping[str, Any], file: Path) -> InputFormat:
    name = content.get("preprocessing", "imagenet")
    if name not in PREPROCESSINGS:
        raise ModelError(
            f"'{file}' names the preprocessing {name!r}. Choose one of: {', '.join(PREPROCESSINGS)}; or give mean, std "
            f"and scale."
        )
    found = replace(PREPROCESSINGS[name], said_by=f"as '{file.name}' says")
    given = {key: content.get(key, content.get(other)) for key, other in OTHER_NAMES.items()}
    if content.get("do_normalize") is False:
        given |= {"mean": ZEROS, "std": ONES}
    if content.get("do_rescale") is False:
        given["scale"] = 1.0
    for key in ("mean", "std"):
        if given[key] is not None:
            found = replace(found, **{key: _three(given[key], key, file)})
    if min(map(abs, found.std)) == 0:
        raise ModelError(f"'{file}' has a std of 0: pixels cannot be divided by it. Mend it.")
    if given["scale"] is not None:
        found = replace(found, scale=_three([given["scale"]] * 3, "scale", file)[0])
    for key, known in (("channels", CHANNELS), ("layout", LAYOUTS)):
        value = content.get(key)
        if value is not None and str(value).upper() not in known:
            raise ModelError(f"'{file}' has {key} {value!r}. Choose one of: {', '.join(known)}.")
        if value is not None:
            found = replace(found, **{key: str(value).upper()})
    return replace(found, size=_size(content, file))


def _three(values: Any, key: str, file: Path) -> tuple[float, float, float]:
    if (
        isinstance(values, Sequence)
        and len(values) == 3
        and all(isinstance(each, (int, float)) and math.isfinite(each) for each in values)
    ):
        return tuple(map(float, values))
    raise ModelError(f"'{file}' has {key} {values!r}, expected a number for each of three channels. Mend it.")


def _size(content: Mapping[str, Any], file: Path) -> int | None:
    """Ours is a number; Hugging Face has {"height": 224, "width": 224} or {"shortest_edge": 256} and a crop; timm has
    [3, 224, 224]."""
    crop = content.get("crop_size") if content.get("do_center_crop", True) else None
    said = next(
        (v for v in (crop, content.get("size"), content.get("image_size"), content.get("input_size")) if v), None
    )
    sides = said if isinstance(said, (Sequence, Mapping)) else [said]
    if isinstance(sides, Mapping):
        sides = [sides[key] for key in ("height", "width", "shortest_edge") if key in sides]
    side = sides[-1] if sides else None
    if said is None:
        return None
    if not isinstance(side, int) or side < 1 or (len(sides) > 1 and sides[-2] != side):
        raise ModelError(
            f"'{file}' has the size {said!r}, expected one side in pixels, as images are squares. Mend it."
        )
    return side
