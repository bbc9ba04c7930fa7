"""A LiteRT file -> what it needs of a small device: multiplications, flash and RAM, counted, measured or estimated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.export.micro import in_micro

if TYPE_CHECKING:
    from headstart.export.formats import ExportedModel

# All of TensorFlow Lite Micro (0.dev20261023, x86-64) is 617 kB of code, the sum of its symbols, with 128 operators; an
# application links those alone that its network has.
CODE_PER_OPERATOR = 4_800  # bytes


def needs(network: Any, file: Path, opened: ExportedModel, square: np.ndarray) -> dict[str, Any]:
    """
    Args:
        network: the content of the file, a `ModelT` of the schema.
        file: the file itself.
        opened: the file in LiteRT.
        square: a photo (1, size, size, 3), of the type of the file's input.

    Returns:
        multiplications: of weights, for a square; resizing has none. operators: their names.
        flash: bytes of the file. code: bytes of the interpreter with these operators, estimated.
        ram: bytes, measured in TensorFlow Lite Micro; None where it was not, as `unmeasured` then says.
        farthest: the difference of a probability between TensorFlow Lite Micro and LiteRT, on one photo.
    """
    names = sorted({_name(network, node) for graph in network.subgraphs for node in graph.operators})
    found: dict[str, Any] = {
        "multiplications": sum(_multiplications(network, node) for node in network.subgraphs[0].operators),
        "operators": names,
        "flash": file.stat().st_size,
        "code": CODE_PER_OPERATOR * len(names),
        "ram": None,
    }
    pixels = network.subgraphs[0].tensors[network.subgraphs[0].inputs[0]]
    if -1 in list(pixels.shapeSignature)[1:]:
        return found | {"unmeasured": "it takes photos of any size; export it with a fixed size"}
    answered = in_micro(file, square)
    if answered is None:
        return found | {"unmeasured": "pip install 'headstart[micro]' (Linux on x86-64)"}
    if "fault" in answered:
        return found | {"unmeasured": f"TensorFlow Lite Micro cannot run it: {answered['fault']}"}
    difference = np.abs(opened(square)[1][0] - answered["probabilities"]).max()
    return found | {"ram": answered["ram"], "farthest": float(difference)}


def _name(network: Any, node: Any) -> str:
    from ai_edge_litert import schema_py_generated as schema

    number = network.operatorCodes[node.opcodeIndex].builtinCode
    return next(name for name, value in vars(schema.BuiltinOperator).items() if value == number)


def _multiplications(network: Any, node: Any) -> int:
    """Of one photo, in convolutions and matrix products; others multiply a hundredth as often, or less."""
    tensors = network.subgraphs[0].tensors
    shapes = [[int(side) for side in tensors[place].shape] for place in (*node.inputs[:2], node.outputs[0])]
    match _name(network, node):
        case "CONV_2D":  # weights: (out, height, width, in)
            return int(np.prod(shapes[2][1:]) * np.prod(shapes[1][1:]))
        case "DEPTHWISE_CONV_2D":  # weights: (1, height, width, channels)
            return int(np.prod(shapes[2][1:]) * np.prod(shapes[1][1:3]))
        case "FULLY_CONNECTED":
            return int(np.prod(shapes[1]))
    return 0


def described(needs: dict[str, Any]) -> str:
    """For a person."""
    kinds, size = len(needs["operators"]), needs["flash"] / 1e6
    text = (
        f"On a small device: {needs['multiplications'] / 1e6:,.0f} million multiplications a photo; flash {size:,.2f} "
        f"MB, and about {needs['code'] / 1e3:,.0f} kB for an interpreter with its {kinds} operators (estimated)"
    )
    if needs["ram"] is None:
        return f"{text}. RAM was not measured: {needs['unmeasured']}."
    return (
        f"{text}; RAM {needs['ram'] / 1e6:,.2f} MB, measured in TensorFlow Lite Micro, whose probabilities differ by "
        f"{needs['farthest']:.2g}."
    )
