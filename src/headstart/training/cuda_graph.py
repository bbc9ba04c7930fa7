"""The trainable part on a GPU, by PyTorch: its forward and its backward pass as CUDA graphs.

Keras calls each layer, and PyTorch starts each kernel, from Python; for 32 images a GPU may be done before. A graph is
captured once and starts all kernels of a pass with one call. It reads the variables where they lie, so that training
goes on as without. There is nothing random in this part.
https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

# PyTorch comes with headstart[gpu] alone
# pyright: reportMissingImports=false

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from headstart.engines.torch_network import Constants

TOLERANCE = 1e-3  # of the norm of features, and of that of gradients: as between a processor and the cut network
WARM_UPS = 3  # as many as torch.cuda.make_graphed_callables makes

Inputs = Any  # a tensor, or a sequence of several


def graphed(part: Any, batch_size: int) -> Callable[[Inputs], torch.Tensor | None] | None:
    """A Keras model in inference mode, with variables to be trained -> the same for batches of that size.

    What is given back answers None for other inputs: those are for the model itself. None where the variables are not
    on a GPU, or there are none.

    Raises:
        RuntimeError: it cannot be captured, or what was captured gives other features or gradients.
    """
    weights = [variable.value for variable in part.trainable_variables]
    if not weights or not all(weight.is_cuda for weight in weights):
        return None
    samples = [torch.rand((batch_size, *tensor.shape[1:]), device=weights[0].device) for tensor in part.inputs]
    constants = Constants()

    def forward() -> torch.Tensor:
        with constants:
            return part(samples[0] if len(samples) == 1 else samples, training=False)

    passes = _Passes(forward, samples, weights)
    shapes = [sample.shape for sample in samples]

    def run(inputs: Inputs) -> torch.Tensor | None:
        tensors = [inputs] if isinstance(inputs, torch.Tensor) else list(inputs)
        fits = [tensor.shape for tensor in tensors] == shapes and all(tensor.is_cuda for tensor in tensors)
        return _Replay.apply(passes, *tensors, *weights) if fits and torch.is_grad_enabled() else None

    return run


class _Passes:
    """Two graphs, and the tensors that they read and write.

    All is done on one stream, from the first pass on: PyTorch remembers with each variable on which stream it was used
    first, as long as a result of that use lives, and its backward pass waits there. The default stream must not wait
    for one that is captured (what torch.cuda.make_graphed_callables, which has streams of its own, can stumble on). So
    no result of the passes before lives on, either. Other threads may use the GPU meanwhile.
    """

    def __init__(
        self,
        forward: Callable[[], torch.Tensor],
        samples: Sequence[torch.Tensor],
        weights: Sequence[torch.Tensor],
    ) -> None:
        """
        Raises:
            RuntimeError: see `graphed`.
        """
        self.samples, self._weights = samples, weights
        self.forward, self.backward = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
        stream = torch.cuda.Stream()
        with _nothing_else():
            with torch.cuda.stream(stream):
                expected = self._with_gradients(forward)
                for _ in range(WARM_UPS):
                    self._with_gradients(forward)
            settings = {"pool": torch.cuda.graph_pool_handle(), "stream": stream, "capture_error_mode": "thread_local"}
            with torch.cuda.graph(self.forward, **settings):
                self.features = forward()
            self.incoming = torch.empty_like(self.features)  # the gradient of the loss by the features
            with torch.cuda.graph(self.backward, **settings):
                self.gradients = torch.autograd.grad(self.features, self._weights, self.incoming)
            self.features = self.features.detach()
        _check(self._with_gradients(lambda: _Replay.apply(self, *samples, *weights)), expected)

    def _with_gradients(self, forward: Callable[[], torch.Tensor]) -> list[torch.Tensor]:
        """The features, and the gradients of the sum of their squares."""
        features = forward()
        gradients = torch.autograd.grad(features.square().sum(), self._weights)
        return [features.detach().clone(), *(gradient.clone() for gradient in gradients)]


class _Replay(torch.autograd.Function):
    """One step: inputs and variables -> features, whose gradients reach the variables."""

    @staticmethod
    def forward(ctx: Any, passes: _Passes, *tensors: torch.Tensor) -> torch.Tensor:
        ctx.passes = passes
        for sample, tensor in zip(passes.samples, tensors, strict=False):  # after the inputs come the variables
            if sample.data_ptr() != tensor.data_ptr():
                sample.copy_(tensor)
        passes.forward.replay()
        return passes.features.detach()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *incoming: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        passes = ctx.passes
        passes.incoming.copy_(incoming[0])
        passes.backward.replay()
        return None, *(None for _ in passes.samples), *(gradient.detach() for gradient in passes.gradients)


@contextmanager
def _nothing_else() -> Iterator[None]:
    """All work that was begun is done, and Python frees nothing by itself meanwhile: what it would free may have been
    used on the GPU, which has to be asked whether that is over, and answers a capture with an error."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    torch.cuda.synchronize()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
        torch.cuda.synchronize()


def _check(found: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> None:
    for one, other in zip(found, expected, strict=True):
        if not torch.linalg.vector_norm(one - other) <= TOLERANCE * torch.linalg.vector_norm(other):
            raise RuntimeError("what was captured gives other features or gradients")
