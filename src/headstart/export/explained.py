"""An ONNX network with feature maps as outputs -> one that says where its predictions come from, and whether training
photos are like a photo: what `activation_map.py` and `novelty.py` do in NumPy, inside the network.

Its outputs are then `logits`, `probabilities`, `places` (float32 (n, rows, columns), see `class_map`) and, where the
classifier knows what is familiar, `familiar` (bool (n,)). Only operations that mean the same in every version of ONNX
from 13 on are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.array_types import Float
from headstart.classifier.activation_map import against_the_mean, resampling, resolution
from headstart.classifier.novelty import NEIGHBOURS, SAME, SAME_SHARE, NoveltyDetector
from headstart.export.onnx_nodes import Nodes, whole
from headstart.models.packaged import output_name

if TYPE_CHECKING:
    from headstart.export.source import Source

FEATURES = output_name(0)
FLOAT = 1  # `onnx.TensorProto.FLOAT`
SLACK = 0.001  # of distances: `farthest` is that of a validation photo, which rounding must not move beyond it
LEAST = np.float32(1e-12)  # what is divided by, as in `class_map` and `directions`

Shape = tuple[int, int, int]  # of a feature map: height, width, channels


def explain(graph: Any, source: Source) -> None:
    """Give an `onnx.ModelProto` of a source that `has_maps` these outputs, in place of features and feature maps."""
    from onnx import TensorProto, helper

    shapes, new = _shapes_of_maps(graph, source), Nodes(graph.graph, "explained")
    rows, columns = resolution([shape[:2] for shape in shapes.values()])
    _add_places(new, source, shapes, rows, columns)
    outputs = [each for each in graph.graph.output if each.name in source.output_shapes]
    outputs.append(helper.make_tensor_value_info("places", TensorProto.FLOAT, ["n", rows, columns]))
    if detector := source.classifier.novelty_detector:
        _add_familiarity(new, detector)
        outputs.append(helper.make_tensor_value_info("familiar", TensorProto.BOOL, ["n"]))
    del graph.graph.output[:]
    graph.graph.output.extend(outputs)


def _shapes_of_maps(graph: Any, source: Source) -> dict[str, Shape]:
    """Of each feature map, by its name, the last one at the end: what the network gives for one image."""
    import onnxruntime

    given = [each.name for each in graph.graph.output]
    names = [name for number in range(len(given)) if (name := output_name(2 + number)) in given]
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    size = source.classifier.image_size
    pixels = np.zeros((1, size, size, 3), source.pixels)
    maps = session.run(names, {"pixels": pixels})
    return {name: each.shape[1:] for name, each in zip(names, maps, strict=True)}


def _add_places(new: Nodes, source: Source, shapes: dict[str, Shape], rows: int, columns: int) -> None:
    """`class_map` for the most probable class of each image; of several labels, against its absence."""
    kernel, bias = source.head
    weights, constants = against_the_mean(kernel).T, against_the_mean(bias[None])[0]
    if source.is_multi_label:
        weights, constants = kernel.T.astype(np.float64) / 2, bias.astype(np.float64) / 2
    label = new("ArgMax", "probabilities", axis=1, keepdims=0)

    def of_class(values: Float[np.ndarray, "classes numbers"]) -> str:
        """(n, numbers, 1). Kept in 16 bits, as these are the head once more; a map is looked at, not computed with."""
        chosen = new("Gather", values.astype(np.float16), label, axis=0)
        return new("Unsqueeze", new("Cast", chosen, to=FLOAT), whole(2))

    total, start = of_class(constants[:, None]), 0
    *inner, last = shapes
    for name in (last, *inner):  # the order of the numbers that the head reads
        channels = shapes[name][2]
        of_mean = of_class(weights[:, start : start + channels])
        of_deviation = None if name == last else of_class(weights[:, start + channels : start + 2 * channels])
        start += channels if name == last else 2 * channels
        evidence = _evidence(new, name, shapes[name], of_mean, of_deviation)
        total = new("Add", total, _resized(new, evidence, shapes[name], rows, columns))
    new("Identity", total, output="places")


def _evidence(new: Nodes, name: str, shape: Shape, of_mean: str, of_deviation: str | None) -> str:
    """What the places of a feature map say, (n, height, width). of_mean, of_deviation: weights, (n, channels, 1)."""
    height, width, channels = shape
    places = new("Reshape", name, whole(-1, height * width, channels))
    found = new("MatMul", places, of_mean)
    if of_deviation:
        average = new.constant(np.full((1, height * width), 1 / (height * width), np.float32))
        difference = new("Sub", places, new("MatMul", average, places))
        squares = new("Mul", difference, difference)
        deviation = new("Reshape", new("Sqrt", new("MatMul", average, squares)), whole(-1, channels, 1))
        weights = new("Div", of_deviation, new("Max", deviation, LEAST))
        found = new("Add", found, new("MatMul", squares, weights))
    return new("Reshape", found, whole(-1, height, width))


def _resized(new: Nodes, evidence: str, shape: Shape, rows: int, columns: int) -> str:
    """The same with other numbers of places, and with the same mean."""
    height, width, _ = shape
    if (height, width) == (rows, columns):
        return evidence
    down, across = resampling(height, rows), resampling(width, columns).T
    found = _between(new, down, evidence, across)
    if np.allclose(down.mean(axis=0), 1 / height) and np.allclose(across.mean(axis=1), 1 / width):
        return found
    mean = _between(new, np.full((1, height), 1 / height), evidence, np.full((width, 1), 1 / width))
    other = _between(new, down.mean(axis=0, keepdims=True), evidence, across.mean(axis=1, keepdims=True))
    return new("Add", found, new("Sub", mean, other))


def _between(new: Nodes, left: np.ndarray, inner: str, right: np.ndarray) -> str:
    return new("MatMul", new("MatMul", left.astype(np.float32), inner), right.astype(np.float32))


def _add_familiarity(new: Nodes, detector: NoveltyDetector) -> None:
    """`is_familiar` of each image. The remembered images are kept in 8 bits a number, which moves a cosine by less than
    0.003, and by 0.0005 as a rule: 2,000 of them are 2.6 MB so."""
    count, depth = detector.known.shape
    scale = np.maximum(np.abs(detector.known.astype(np.float32)).max(axis=1), LEAST) / 127
    known = np.round(detector.known / scale[:, None]).astype(np.int8)
    features = new("Slice", FEATURES, whole(0), whole(depth), whole(1))
    length = new("Sqrt", new("MatMul", new("Mul", features, features), np.ones((depth, 1), np.float32)))
    direction = new("Div", features, new("Max", length, LEAST))
    cosines = new("Mul", new("MatMul", direction, new("Cast", known.T.copy(), to=FLOAT)), scale)
    closest = new("TopK", cosines, whole(place := min(NEIGHBOURS, count)), axis=1)
    nearest, farthest = (new("Gather", closest, np.int64(at), axis=1) for at in (0, place - 1))
    limit = max(SAME, SAME_SHARE * detector.farthest)
    is_near = new("GreaterOrEqual", farthest, np.float32(1 - detector.farthest - SLACK))
    is_known = new("GreaterOrEqual", nearest, np.float32(1 - limit))
    new("Or", is_near, is_known, output="familiar")
