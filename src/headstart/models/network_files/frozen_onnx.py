"""FileBase -> the frozen network as ONNX, for an export: what `frozen.py` writes for OpenVINO. It needs `onnx`."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.errors import ExportError
from headstart.models.depths import LEAST_DEVIATION
from headstart.models.network_files.base import FileBase
from headstart.models.network_files.graph import FeatureMap
from headstart.models.network_files.input_format import BGR, NCHW
from headstart.models.packaged import output_name

PIXELS = "pixels"
OPSET = 17  # of older files, so that the resizing of photos can be put before them
OURS, THEIRS = "headstart/", "base/"  # what names begin with: of what is added, and of what was there


def frozen_onnx(base: FileBase, image_size: int, *, depths: bool) -> Any:
    """An `onnx.ModelProto`: pixels, uint8 (n, size, size, 3) -> features, statistics, maps, named as in `packaged.py`.

    Raises:
        ExportError: the file is none of ONNX, or its names do not tell where its depths are.
    """
    import onnx
    import onnx.compose
    import onnx.version_converter

    if base.path.suffix.lower() != ".onnx":
        raise ExportError(f"'{base.path.name}' is {base.kind}, of which no ONNX can be made. Export to openvino.")
    model = onnx.load(str(base.path))
    if next(each.version for each in model.opset_import if not each.domain) < OPSET:
        model = onnx.version_converter.convert_version(model, OPSET)
    model = onnx.compose.add_prefix(model, THEIRS)
    maps = base.opened(image_size)[1]
    work = _Additions(model.graph)
    work.add_input(base, image_size)
    work.add_outputs(maps if depths else maps[-1:])
    del model.graph.value_info[:]  # of another size, or number of images
    return model


class _Additions:
    """Adds nodes to a graph of ONNX."""

    def __init__(self, graph: Any) -> None:
        self.graph, self.count = graph, 0

    def add_input(self, base: FileBase, image_size: int) -> None:
        """Raw pixels in the place of what the network takes."""
        from onnx import TensorProto, helper

        weights = {tensor.name for tensor in self.graph.initializer}
        (given,) = [each for each in self.graph.input if each.name not in weights]  # old files list weights, too
        kind, said = given.type.tensor_type.elem_type, base.input
        added = len(self.graph.node)
        x = PIXELS
        if kind != TensorProto.UINT8:
            x = self.node("Cast", x, to=TensorProto.FLOAT)
        if said.channels == BGR:
            x = self.node("Gather", x, self.constant([2, 1, 0], np.int64), axis=3)
        if not said.is_raw:
            x = self.node("Sub", x, self.constant([mean / said.scale for mean in said.mean]))
            x = self.node("Div", x, self.constant([std / said.scale for std in said.std]))
        if said.layout == NCHW:
            x = self.node("Transpose", x, perm=[0, 3, 1, 2])
        self.node("Cast", x, to=kind, output=given.name)
        own = list(self.graph.node)
        del self.graph.node[:]
        self.graph.node.extend([*own[added:], *own[:added]])  # in the order in which they are computed
        del self.graph.input[:]
        shape = ["n", image_size, image_size, 3]
        self.graph.input.append(helper.make_tensor_value_info(PIXELS, TensorProto.UINT8, shape))

    def add_outputs(self, maps: list[FeatureMap]) -> None:
        from onnx import TensorProto, helper

        del self.graph.output[:]
        found = [self._map(each) for each in maps]
        averaged = [self._mean_and_deviation(x) for x in found]
        outputs = {output_name(0): self.node("Identity", averaged[-1][0], output=output_name(0))}
        if maps[1:]:
            parts = [part for each in averaged[:-1] for part in each]
            outputs[output_name(1)] = self.node("Concat", *parts, axis=1, output=output_name(1))
        for number, x in enumerate(found, 2):
            name = output_name(number)
            outputs[name] = self.node("Transpose", x, perm=[0, 2, 3, 1], output=name)
        ranks = [4 if number > len(outputs) - len(maps) else 2 for number in range(1, len(outputs) + 1)]
        for name, rank in zip(outputs, ranks, strict=True):
            shape = ["n", *(f"{name}_{axis}" for axis in range(1, rank))]
            self.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def _map(self, said: FeatureMap) -> str:
        """float32 (n, channels, rows, columns)."""
        from onnx import TensorProto

        tensor = f"{THEIRS}{said.tensor}"
        if tensor not in {name for node in self.graph.node for name in node.output}:
            raise ExportError(
                f"The ONNX file has no tensor '{said.tensor}', which the head reads: OpenVINO calls it otherwise. "
                f"Export to openvino."
            )
        x = self.node("Cast", tensor, to=TensorProto.FLOAT)
        rows, columns, first = said.grid
        if first is None:
            return x if said.axis == 1 else self.node("Transpose", x, perm=[0, 3, 1, 2])
        if said.axis == 2:
            x = self.node("Transpose", x, perm=[0, 2, 1])
        wanted = self.constant(range(first, first + rows * columns), np.int64)
        x = self.node("Gather", x, wanted, axis=2)
        return self.node("Reshape", x, self.constant([0, said.channels, rows, columns], np.int64))

    def _mean_and_deviation(self, x: str) -> tuple[str, str]:
        """Both (n, channels)."""
        mean = self.node("GlobalAveragePool", x)
        difference = self.node("Sub", x, mean)
        variance = self.node("GlobalAveragePool", self.node("Mul", difference, difference))
        deviation = self.node("Sqrt", self.node("Max", variance, self.constant(LEAST_DEVIATION**2)))
        return self.node("Flatten", mean, axis=1), self.node("Flatten", deviation, axis=1)

    def node(self, kind: str, *inputs: str, output: str | None = None, **settings: Any) -> str:
        from onnx import helper

        self.count += 1
        name = output or f"{OURS}{kind}_{self.count}"
        self.graph.node.append(helper.make_node(kind, inputs, [name], name=f"{OURS}{self.count}", **settings))
        return name

    def constant(self, values: Any, dtype: type = np.float32) -> str:
        from onnx import numpy_helper

        self.count += 1
        name = f"{OURS}constant_{self.count}"
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name
