"""The graph of a functional Keras model. Knows no images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def nodes_of(model: keras.Model) -> list:
    """The calls that a functional model consists of; those of its layers in other models are not among them."""
    return [node for nodes in model._nodes_by_depth.values() for node in nodes]


def below(model: keras.Model, tensors: Iterable[keras.KerasTensor]) -> set[int]:
    """The ids of all tensors that these are computed from, without themselves."""
    maker = {id(tensor): node for node in nodes_of(model) for tensor in node.outputs}
    found: set[int] = set()
    waiting = [id(tensor) for tensor in tensors]
    while waiting:
        node = maker.get(waiting.pop())
        new = {id(tensor) for tensor in node.input_tensors} - found if node else set()
        found |= new
        waiting += new
    return found


def several(found: Any) -> list[keras.KerasTensor]:
    """What a model gives for one call: a tensor, or a list of several."""
    return list(found) if isinstance(found, (list, tuple)) else [found]
