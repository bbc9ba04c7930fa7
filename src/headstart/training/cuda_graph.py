"""The trainable part on a GPU, by PyTorch: its forward and its backward pass as CUDA graphs.

Keras calls each layer, and PyTorch starts each kernel, from Python; for 32 images a GPU may be done before. A graph is
captured once and starts all kernels of a pass with one call. It reads the variables where they lie, so that training
goes on as without.
https://docs.pytorch.org/docs/stable/generated/torch.cuda.make_graphed_callables.html
"""

# PyTorch comes with headstart[gpu] alone
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from headstart.engines.torch_network import Constants

TOLERANCE = 1e-3  # of the norm of features, and of that of gradients: as between a processor and the cut network

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
    samples = tuple(
        torch.rand((batch_size, *tensor.shape[1:]), device=weights[0].device) for tensor in part.inputs
    )  # fmt: skip
    module = _Module(part, weights)
    expected = _with_gradients(module, samples)
    captured = torch.cuda.make_graphed_callables(module, samples)
    _check(_with_gradients(captured, samples), expected)
    shapes = [sample.shape for sample in samples]

    def run(inputs: Inputs) -> torch.Tensor | None:
        tensors = [inputs] if isinstance(inputs, torch.Tensor) else list(inputs)
        fits = [tensor.shape for tensor in tensors] == shapes and all(tensor.is_cuda for tensor in tensors)
        return captured(*tensors) if fits and torch.is_grad_enabled() else None

    return run


class _Module(torch.nn.Module):
    """A Keras model as a module that has the variables that are trained, and no others."""

    def __init__(self, part: Any, weights: Sequence[torch.nn.Parameter]) -> None:
        super().__init__()
        self.weights = torch.nn.ParameterList(weights)
        self.constants = Constants()
        self.call = lambda tensors: part(tensors, training=False)  # a function, so that it is no part of the module

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        with self.constants:
            return self.call(tensors[0] if len(tensors) == 1 else list(tensors))


def _with_gradients(module: torch.nn.Module, samples: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """The features, and the gradients of the sum of their squares."""
    features = module(*samples)
    gradients = torch.autograd.grad(features.square().sum(), list(module.parameters()))
    return [features.detach().clone(), *(gradient.clone() for gradient in gradients)]


def _check(found: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> None:
    for one, other in zip(found, expected, strict=True):
        if not torch.linalg.vector_norm(one - other) <= TOLERANCE * torch.linalg.vector_norm(other):
            raise RuntimeError("what was captured gives other features or gradients")
