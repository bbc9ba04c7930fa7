"""Engine: the protocol of whatever runs a network, and Compute, which says how one is to be run.

Knows neither files nor labels, and no library.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from headstart.array_types import Float, UInt8
from headstart.errors import HeadstartError, ModelError

ENGINES = ("auto", "openvino", "keras")
AUTO, CPU, GPU = DEVICES = ("auto", "cpu", "gpu")
FLOAT32, BFLOAT16 = "float32", "bfloat16"
PRECISIONS = (FLOAT32, BFLOAT16)

Pixels = UInt8[np.ndarray, "batch size size 3"]


class CompileError(HeadstartError):
    """An engine's library is not installed, or it cannot read, convert or compile a network."""


@dataclass(frozen=True)
class Compute:
    """How a network is run.

    engine: "openvino", "keras", or "auto": on a GPU Keras, else OpenVINO where it can, or Keras.
    device: "cpu", "gpu", or "auto": what the engine itself takes.
    precision: "float32", or "bfloat16" where the processor has that; of OpenVINO alone.
    """

    engine: str = "auto"
    device: str = "auto"
    precision: str = "float32"

    def __post_init__(self) -> None:
        """
        Raises:
            ModelError: something is not known.
        """
        for what, value, known in (("engine", self.engine, ENGINES), ("device", self.device, DEVICES)):
            if value not in known:
                raise ModelError(f"There is no {what} '{value}'. Choose one of: {', '.join(known)}.")
        check_precision(self.precision)
        if self.device == GPU and self.precision != FLOAT32:
            raise ModelError(
                f"On a GPU everything is computed in float32, and '{self.precision}' was asked for. Leave one of them "
                f"out: the precision, or the device."
            )

    @property
    def by_keras(self) -> bool:
        """Whether Keras runs the network in any case."""
        return self.engine == "keras" or (self.engine == "auto" and self.device == GPU)


@runtime_checkable
class Engine(Protocol):
    """What turns images into the tensors at the end of a network."""

    @property
    def identity(self) -> str:
        """What its numbers depend on besides the network: equal identities mean equal numbers, to rounding."""
        ...

    @property
    def batch_size(self) -> int:
        """Images in a batch; the last batch may have fewer."""
        ...

    @property
    def output_shapes(self) -> Sequence[tuple[int, ...]]:
        """The shape of each output, for one image."""
        ...

    def run(self, batches: Iterable[Pixels]) -> Iterator[list[Float[np.ndarray, "batch ..."]]]:
        """For each batch, in turn, the outputs of the network: valid until the next one is asked for.

        Batches are taken one by one, some ahead of what is given.
        """
        ...


def run_all(engine: Engine, batches: Iterable[Pixels], count: int, *, outputs: int | None = None) -> list[np.ndarray]:
    """Batches of `count` images in all -> for each output of the network, float32 (count, *shape).

    outputs: how many of the outputs are wanted, the first ones; None: all.
    """
    found = [np.empty((count, *shape), np.float32) for shape in engine.output_shapes[:outputs]]
    start = 0
    for tensors in engine.run(batches):
        stop = start + len(tensors[0])
        for array, values in zip(found, tensors, strict=False):
            array[start:stop] = values
        start = stop
    return found


def in_batches(images: Pixels, batch_size: int) -> Iterator[Pixels]:
    """uint8 (n, size, size, 3) -> the same in batches; the last one may be smaller."""
    for number in range(math.ceil(len(images) / batch_size)):
        yield images[number * batch_size : (number + 1) * batch_size]


def regrouped(groups: Iterable[Pixels], batch_size: int) -> Iterator[Pixels]:
    """Groups of images, of any sizes -> the same images in batches; the last one may be smaller.

    Groups that are batches already are passed on as they are.
    """
    waiting: list[Pixels] = []
    count = 0
    for group in groups:
        start = 0
        while len(group) - start + count >= batch_size:
            stop = start + batch_size - count
            waiting.append(group[start:stop])
            yield waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
            waiting, count, start = [], 0, stop
        if start < len(group):
            waiting.append(group[start:])
            count += len(group) - start
    if waiting:
        yield waiting[0] if len(waiting) == 1 else np.concatenate(waiting)


def filled(images: Pixels, batch_size: int) -> UInt8[np.ndarray, "filled size size 3"]:
    """A batch with black images behind its own, so that each batch has one shape: a network is compiled for one."""
    if len(images) == batch_size:
        return images
    return np.concatenate([images, np.zeros((batch_size - len(images), *images.shape[1:]), np.uint8)])


def check_precision(precision: str) -> None:
    """
    Raises:
        ModelError: there is none of that name.
    """
    if precision not in PRECISIONS:
        raise ModelError(f"There is no precision '{precision}'. Choose one of: {', '.join(PRECISIONS)}.")
