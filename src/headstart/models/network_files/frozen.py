"""FileBase -> the frozen network as engines run it, written by OpenVINO.

It takes raw RGB pixels, uint8 (n, size, size, 3), and gives what `frozen_part` in features/cut.py gives: features of
the last layer, statistics of the depths before it, and all feature maps.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from headstart.engines.base import CompileError
from headstart.engines.openvino import import_openvino, reason_of
from headstart.models.depths import LEAST_DEVIATION
from headstart.models.network_files.base import FileBase
from headstart.models.network_files.graph import FeatureMap
from headstart.models.network_files.input_format import BGR, InputFormat


def write_frozen(base: FileBase, file: Path, image_size: int, *, depths: bool) -> None:
    """Write it for images of that side, as an XML file with a BIN beside it. depths: else of the last layer alone.

    Raises:
        CompileError: OpenVINO cannot.
        ModelError: the network takes no images of that size.
    """
    openvino = import_openvino()
    network, maps = base.opened(image_size)
    maps = maps if depths else maps[-1:]
    try:
        tensors = {
            (node.get_friendly_name(), output.get_index()): output
            for node in network.get_ordered_ops()
            for output in node.outputs()
        }
        found = [_map(tensors[each.node, each.output], each) for each in maps]
        averaged = [_mean_and_deviation(*each) for each in found]
        outputs = [averaged[-1][0], *([_joined([part for each in averaged[:-1] for part in each])] if maps[1:] else [])]
        outputs += [_channels_last(*each) for each in found]
        frozen = openvino.Model(outputs, network.get_parameters(), "frozen_part")
        openvino.save_model(_from_bytes(frozen, base.input), file, compress_to_fp16=False)
    except RuntimeError as error:
        raise CompileError(f"OpenVINO cannot write '{base.path}': {reason_of(error)}") from None


def _map(tensor: Any, said: FeatureMap) -> tuple[Any, tuple[int, int]]:
    """Of a tensor of the network, float32 in four dimensions, and which of them are rows and columns."""
    from openvino import opset13 as operations

    found = operations.convert(tensor, "f32")
    rows, columns, first = said.grid
    if first is None:
        return found, (2, 3) if said.axis == 1 else (1, 2)
    if said.axis == 1:
        found = operations.transpose(found, [0, 2, 1])
    begin, end, step, axis = (np.array([each], np.int64) for each in (first, first + rows * columns, 1, 1))
    found = operations.slice(found, begin, end, step, axis)
    return operations.reshape(found, [0, rows, columns, said.channels], True), (1, 2)


def _mean_and_deviation(found: Any, places: tuple[int, int]) -> tuple[Any, Any]:
    """Both (n, channels): what `statistics` in models/depths.py calculates."""
    from openvino import opset13 as operations

    mean = operations.reduce_mean(found, list(places), keep_dims=True)
    difference = operations.subtract(found, mean)
    variance = operations.reduce_mean(operations.multiply(difference, difference), list(places), keep_dims=False)
    deviation = operations.sqrt(operations.maximum(variance, np.float32(LEAST_DEVIATION**2)))
    return operations.squeeze(mean, list(places)), deviation


def _joined(vectors: list[Any]) -> Any:
    from openvino import opset13 as operations

    return operations.concat(vectors, 1)


def _channels_last(found: Any, places: tuple[int, int]) -> Any:
    from openvino import opset13 as operations

    return operations.transpose(found, [0, 2, 3, 1]) if places == (2, 3) else found


def _from_bytes(network: Any, said: InputFormat) -> Any:
    """The same network for raw pixels."""
    openvino = import_openvino()
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(network)
    steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout(str(said.layout)))
    work = steps.input().preprocess()
    if said.channels == BGR:
        work.reverse_channels()
    if not said.is_raw:
        work.convert_element_type(openvino.Type.f32)
        work.mean([mean / said.scale for mean in said.mean]).scale([std / said.scale for std in said.std])
    return steps.build()
