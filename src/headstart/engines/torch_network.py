"""TorchNetwork: a Keras model of the PyTorch backend on a GPU, as a CUDA graph.

Keras calls hundreds of operations for a batch, and PyTorch starts a kernel for each: Python takes longer than the GPU.
A CUDA graph is captured once and starts all of them with one call.
https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

# PyTorch comes with headstart[gpu] alone
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from headstart.engines.base import Pixels
from headstart.errors import first_cause, first_line

WARM_UPS = 2  # runs before a capture: libraries choose their kernels, and take the memory for them, in the first
SMALL = 4_096  # numbers of a constant
TOLERANCE = 1e-4  # of the norm of an output, between the graph and the network itself


class TorchNetwork:
    """Runs a Keras model, always with the weights that it has now. Any number of threads may start batches."""

    def __init__(self, model: Any, batch_size: int, device: str = "cuda") -> None:
        """model: raw pixels (n, size, size, 3) -> several tensors. device: "cpu" captures nothing, for tests."""
        self._model, self._lock, self.remark = model, Lock(), None
        self._weights = [
            [variable.value.detach().clone() for variable in variables]
            for variables in (model.trainable_variables, model.non_trainable_variables)
        ]
        self._constants = Constants()
        self._pixels = torch.zeros((batch_size, *model.inputs[0].shape[1:]), dtype=torch.uint8, device=device)
        self._outputs: Sequence[torch.Tensor] = ()
        self._graph: torch.cuda.CUDAGraph | None = None
        self._stream = torch.cuda.Stream() if device == "cuda" else None  # beside that of a training
        if self._stream:
            torch.cuda.synchronize()  # the copies of the weights are complete
            self._capture(self._stream)

    def start(self, images: Pixels) -> Callable[[], list[np.ndarray]]:
        if self._stream is None:
            self._pixels.copy_(torch.from_numpy(images))
            found = self._forward()
            return lambda: [tensor.numpy() for tensor in found]
        staged = torch.empty(self._pixels.shape, dtype=torch.uint8, pin_memory=True)
        staged.copy_(torch.from_numpy(np.ascontiguousarray(images)))
        with self._lock, torch.cuda.stream(self._stream):
            self._pixels.copy_(staged, non_blocking=True)
            if self._graph:
                self._graph.replay()
            else:
                self._outputs = self._forward()
            copies = [torch.empty(each.shape, dtype=each.dtype, pin_memory=True) for each in self._outputs]
            for copy, output in zip(copies, self._outputs, strict=True):
                copy.copy_(output, non_blocking=True)
            done = torch.cuda.Event()
            done.record(self._stream)

        def finish() -> list[np.ndarray]:
            done.synchronize()
            return [copy.numpy() for copy in copies]

        return finish

    def _capture(self, stream: torch.cuda.Stream) -> None:
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                self._forward()
        stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                self._outputs = self._forward()
            self._check(graph, stream)
        except RuntimeError as error:  # an operation of this base asks the GPU for a number, or the like
            self.remark = (
                f"The network cannot be captured ({first_line(first_cause(error))}): the GPU runs it more slowly."
            )
            torch.cuda.synchronize()
        else:
            self._graph = graph

    def _check(self, graph: torch.cuda.CUDAGraph, stream: torch.cuda.Stream) -> None:
        """
        Raises:
            RuntimeError: the graph gives other outputs for noise than the network itself.
        """
        with torch.cuda.stream(stream):
            self._pixels.random_(0, 256)
            graph.replay()
            for found, expected in zip(self._outputs, self._forward(), strict=True):
                difference = torch.linalg.vector_norm(found - expected)
                if not difference <= TOLERANCE * torch.linalg.vector_norm(expected):
                    raise RuntimeError("what was captured gives other outputs")

    @torch.no_grad()
    def _forward(self) -> Sequence[torch.Tensor]:
        with self._constants:
            found, _ = self._model.stateless_call(*self._weights, self._pixels, training=False)
        return found if isinstance(found, (list, tuple)) else [found]


class Constants(TorchFunctionMode):
    """Tensors that Keras makes of plain numbers in each call are made in the first one, and kept.

    Nothing may be copied to a GPU while a graph is captured.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[Any, torch.Tensor] = {}

    def __torch_function__(
        self, func: Callable, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        options = dict(kwargs or {})
        if func not in (torch.as_tensor, torch.tensor) or not args:
            return func(*args, **options)
        key = _key(args[0])
        if key is None:
            return func(*args, **options)
        whole = (key, *map(str, args[1:]), *(f"{name}={value}" for name, value in sorted(options.items())))
        if whole not in self._known:
            self._known[whole] = func(*args, **options)
        return self._known[whole]


def _key(value: Any) -> Any:
    """What tells a constant from others; None of what is none."""
    if isinstance(value, (bool, int, float)):
        return type(value), value
    if isinstance(value, np.ndarray | np.generic) and value.size <= SMALL:
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, (list, tuple)) and all(isinstance(each, (bool, int, float)) for each in value):
        return tuple(map(_key, value))
    return None
