"""FileBase: the network in an ONNX or OpenVINO file as a base: what is read of it, and how it sees pixels.

A file is read by OpenVINO, which knows both. It is looked at once; a file that was changed is looked at again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from headstart.engines.base import CompileError
from headstart.engines.openvino import read_network, reason_of
from headstart.errors import ModelError, WeightsError
from headstart.models.network_files import FILES
from headstart.models.network_files.graph import BATCH, FeatureMap, feature_maps
from headstart.models.network_files.input_format import LAYOUTS, NCHW, PREPROCESSINGS, InputFormat, read_input_format
from headstart.storage.hashing import sha256, sha256_of_weights

USUAL_SIZE = 224  # pixels, where neither the network nor a file beside it says one
TYPES = ("f32", "f16", "u8")  # of pixels that a network may take


@dataclass(frozen=True)
class FileBase:
    """input: with size and layout. maps: the depths, the last layer's at the end, for images of that size.

    fixed: whether the network takes images of one size alone.
    operations, parameters: how many it has.
    """

    path: Path
    input: InputFormat
    maps: tuple[FeatureMap, ...]
    fixed: bool
    operations: int
    parameters: int

    @classmethod
    def read(cls, path: str | Path) -> FileBase:
        """
        Raises:
            WeightsError: there is no such file, or it holds no network.
            ModelError: the network takes no images, or more; or what is said of its input cannot be.
        """
        path = Path(path).absolute()
        facts = [each.stat() for each in files_of(path)]
        return _read(path, read_input_format(path), *((each.st_size, each.st_mtime_ns, each.st_ino) for each in facts))

    @property
    def kind(self) -> str:
        return FILES[self.path.suffix.lower()]

    @property
    def files(self) -> list[Path]:
        """Those of the network itself."""
        return files_of(self.path)

    @property
    def identity(self) -> str:
        """What tells this base from others: a digest of its files, and of how it sees pixels."""
        said = json.dumps(self.input.to_json(), sort_keys=True)
        return sha256(said.encode(), *(sha256_of_weights(file).encode() for file in self.files))

    @property
    def image_size(self) -> int:
        """Side in pixels, its own or the one that it is best used at."""
        return self.input.size or USUAL_SIZE

    def opened(self, image_size: int) -> tuple[Any, list[FeatureMap]]:
        """The network of OpenVINO for any number of images of that size, and its depths, see `maps`.

        Raises:
            ModelError: it cannot be used for that size.
        """
        network, said = read_network(self.path), replace(self.input, size=image_size)
        _set_size(network, said, self.path)
        maps = feature_maps(network, said.layout or NCHW)
        if [each.channels for each in maps] != [each.channels for each in self.maps]:
            raise ModelError(
                f"'{self.path}' has other feature maps for images of {image_size} x {image_size} pixels than for those "
                f"of {self.input.size}, its own size. Take that, or one nearer to it."
            )
        _set_size(network, said, self.path, batch=-1)
        return network, maps

    def __str__(self) -> str:
        size = f"{self.input.size} x {self.input.size}{'' if self.fixed else ' or others'}"
        return (
            f"{self.path.name}: {self.kind}, frozen; images of {size}, {self.input.layout}; pixels as {self.input} "
            f"({self.input.said_by}); {len(self.maps)} depths, the last '{self.maps[-1].tensor}'"
        )


def files_of(path: Path) -> list[Path]:
    """The file, and those with its weights: the BIN of an IR, or what ONNX keeps outside of large files, which PyTorch
    names FILE.data and Hugging Face FILE_data.

    Raises:
        WeightsError: one is missing.
    """
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "is not there"
        raise WeightsError(f"'{path}' {found}. Give an ONNX file (.onnx) or an OpenVINO file (.xml, with its .bin).")
    if path.suffix.lower() == ".xml":
        weights = path.with_suffix(".bin")
        if not weights.is_file():
            raise WeightsError(f"'{weights}' is not there: it has the weights of '{path.name}'. Put it beside that.")
        return [path, weights]
    outside = [path.with_name(path.name + ending) for ending in (".data", "_data")]
    return [path, *(file for file in outside if file.is_file())]


@lru_cache(maxsize=8)
def _read(path: Path, said: InputFormat, *facts: tuple[int, int, int]) -> FileBase:
    """facts: that tell whether the file was changed."""
    try:
        network = read_network(path)
    except CompileError as error:
        raise WeightsError(f"{error}. Give an ONNX file (.onnx) or an OpenVINO file (.xml).") from None
    said, fixed = _resolved(network, said, path)
    _set_size(network, said, path)
    maps = feature_maps(network, said.layout or NCHW)
    if not maps:
        raise ModelError(
            f"'{path}' has no feature maps for a head to read: tensors with channels for each place of an image, or "
            f"for each token. Export the network that they are in, not a part behind it."
        )
    constants = [node for node in network.get_ops() if node.get_type_name() == "Constant"]
    operations = len(network.get_ops()) - len(constants)
    return FileBase(path, said, tuple(maps), fixed, operations, sum(map(_numbers, constants)))


def _numbers(constant: Any) -> int:
    return int(np.prod(constant.get_output_shape(0))) if constant.get_output_element_type(0).is_real() else 0


def _resolved(network: Any, said: InputFormat, path: Path) -> tuple[InputFormat, bool]:
    """The input format with layout and size, and whether the network takes no other size."""
    if len(network.inputs) != 1:
        names = ", ".join(f"'{_name(each)}'" for each in network.inputs)
        raise ModelError(
            f"'{path}' takes {len(network.inputs)} inputs ({names}), expected one: an image. Of a network for images "
            f"and text, export the part for images alone."
        )
    (pixels,) = network.inputs
    shape, kind = pixels.get_partial_shape(), pixels.get_element_type().get_type_name()
    if kind not in TYPES or shape.rank.is_dynamic or shape.rank.get_length() != 4:
        raise ModelError(
            f"'{path}' takes '{_name(pixels)}', {kind} {shape}; expected images, in four dimensions, of the type "
            f"{' or '.join(TYPES)}."
        )
    sides = [None if side.is_dynamic else side.get_length() for side in shape]
    layout = said.layout or next((each for each, axis in zip(LAYOUTS, (1, 3), strict=True) if sides[axis] == 3), None)
    if layout is None and sides[1] is None and sides[3] is None:
        layout = NCHW  # as PyTorch has it
    if layout is None or sides[1 if layout == NCHW else 3] not in (3, None):
        raise ModelError(
            f"'{path}' takes images of the shape {shape}; expected 3 channels, in the second place (NCHW) or the last "
            f"(NHWC). Networks for grey images cannot be used."
        )
    own = sides[2]
    if own != (sides[3] if layout == NCHW else sides[1]):
        raise ModelError(f"'{path}' takes images of the shape {shape}, expected squares. Export it for squares.")
    size = own or said.size or USUAL_SIZE
    if kind == "u8":  # the network's own preprocessing begins with bytes
        said = replace(PREPROCESSINGS["raw"], channels=said.channels, said_by="it takes bytes")
    return replace(said, layout=layout, size=size), own is not None


def _set_size(network: Any, said: InputFormat, path: Path, *, batch: int = BATCH) -> None:
    """Set the size of the images that a network takes, and how many; batch: -1 for any number.

    Raises:
        ModelError: it is made for another size, or number, alone.
    """
    size, (pixels,) = said.size, network.inputs
    shape = str(pixels.get_partial_shape())
    try:
        network.reshape([batch, 3, size, size] if said.layout == NCHW else [batch, size, size, 3])
        shapes = [output.get_partial_shape() for output in network.outputs]
        if batch > 0 and not any(str(each[0]) == str(batch) for each in shapes if each.rank.is_static and len(each)):
            raise RuntimeError(f"of {batch} images it gives {', '.join(map(str, shapes))}")
    except RuntimeError as error:
        raise ModelError(
            f"'{path}' takes the shape {shape}, and cannot be made to take any number of images of {size} x {size} "
            f"pixels ({reason_of(error)}). Take the size that it was made for, or export it with a batch of any size "
            f"(in PyTorch: torch.onnx.export(..., dynamic_axes={{'{_name(pixels)}': {{0: 'n'}}}}))."
        ) from None


def _name(pixels: Any) -> str:
    return min(pixels.get_names(), default=pixels.get_node().get_friendly_name())
