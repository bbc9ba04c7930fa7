"""Steps of a network -> the tensors at the ends of its blocks, whoever wrote the network: Keras, ONNX, OpenVINO.

Knows no library, and no images.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

# What kinds of operations there are for this purpose
SUM, CONCATENATION = "sum", "concatenation"  # of several branches
ACTIVATION = "activation"  # belongs to the join before it
PASSING = "passing"  # keeps each channel to itself
LAYOUT = "layout"  # changes nothing of what a tensor says
PADDING = "padding"
ATTENTION = "attention"
OTHER = "other"
JOINS = {SUM, CONCATENATION}

Tensor = TypeVar("Tensor", bound=Hashable)  # how a tensor is called


@dataclass(frozen=True)
class Step(Generic[Tensor]):
    """A call of an operation.

    takes: the tensors that it is computed from and that depend on the image; weights do not.
    gives: what it computes.
    places: rows and columns of the first tensor that it gives, channels: of it; None where that is no feature map.
    """

    kind: str
    takes: tuple[Tensor, ...]
    gives: tuple[Tensor, ...]
    places: tuple[int | None, int | None] | None = None
    channels: int | None = None

    @property
    def tensor(self) -> Tensor:
        return self.gives[0]

    @property
    def is_join(self) -> bool:
        return self.kind in JOINS and len(self.takes) > 1

    @property
    def is_map(self) -> bool:
        return self.channels is not None


def ends_of_blocks(steps: Sequence[Step[Tensor]], last: Tensor) -> list[Tensor]:
    """The feature maps at the ends of the blocks, in order, without the last tensor.

    steps: each after those that it takes from; all that the last tensor needs, and nothing else.

    A tensor ends a block if all that comes later depends on nothing else from before, and it is
    - joined from branches, as in a residual network, with the activation that follows; of the two sums of a
      transformer's block, the second; or
    - narrower than what comes before and what comes later, as the linear bottlenecks of MobileNetV2 are.
    A network without such ends is read where its resolution changes: at the last join of each, or the last step.
    """
    waists = find_waists(steps)
    ends = (_joined(waists, steps) | _bottlenecks(waists)) - {last}
    if not ends:
        joins = [step for step in steps if step.is_join and step.is_map]
        ends = _last_of_each_resolution(joins or waists) - {last}
    return [tensor for step in steps for tensor in step.gives if tensor in ends]


def find_waists(steps: Sequence[Step[Tensor]]) -> list[Step[Tensor]]:
    """The steps whose feature map is all that those behind it depend on."""
    last_use = {tensor: number for number, step in enumerate(steps) for tensor in step.takes}
    last_use |= dict.fromkeys(steps[-1].gives, len(steps))
    found, alive = [], set()
    for number, step in enumerate(steps):
        alive = {tensor for tensor in (*alive, *step.gives) if last_use.get(tensor, 0) > number}
        if alive == {step.tensor} and step.is_map:
            found.append(step)
    return found


def _joined(waists: Sequence[Step[Tensor]], steps: Sequence[Step[Tensor]]) -> set[Tensor]:
    """Waists that are joined from branches; of those that are parts of a longer concatenation, the longest."""
    found: set[Tensor] = set()
    halves = _halves_of_blocks(waists, steps)
    for number, step in enumerate(waists):
        if not step.is_join or step.tensor in halves:
            continue
        found.add(_activated(step.tensor, waists[number + 1 :]))
        if step.kind == CONCATENATION:
            found -= set(step.takes)
    return found


def _activated(tensor: Tensor, behind: Sequence[Step[Tensor]]) -> Tensor:
    """What an activation makes of a tensor, if one is the next step."""
    given = tensor
    for step in behind:
        if step.takes != (given,) or step.kind not in (ACTIVATION, LAYOUT):
            break
        if step.kind == ACTIVATION:
            return step.tensor
        given = step.tensor
    return tensor


def _halves_of_blocks(waists: Sequence[Step[Tensor]], steps: Sequence[Step[Tensor]]) -> set[Tensor]:
    """Sums behind an attention that another sum of the same size follows, without one: that ends their block."""
    place = {step.tensor: number for number, step in enumerate(steps)}
    found: set[Tensor] = set()
    before, start = None, 0
    for step in (each for each in waists if each.is_join):
        attends = any(each.kind == ATTENTION for each in steps[start : place[step.tensor]])
        if before and not attends and (before.places, before.channels) == (step.places, step.channels):
            found.add(before.tensor)
        before, start = step if attends else None, place[step.tensor]
    return found


def _bottlenecks(waists: Sequence[Step[Tensor]]) -> set[Tensor]:
    """Waists with fewer channels than the last that had another number, and than the next that will have; of several in
    a row of one size, such as a tensor and what normalizes it, the last."""
    found, channels = set(), [step.channels or 0 for step in waists]
    for number, step in enumerate(waists):
        before = next((each for each in reversed(channels[:number]) if each != channels[number]), 0)
        behind = next((each for each in channels[number + 1 :] if each != channels[number]), 0)
        following = waists[number + 1] if number + 1 < len(waists) else None
        is_passed_on = following is not None and (
            following.kind in {ACTIVATION, PASSING}
            or (following.kind == OTHER and (following.places, following.channels) == (step.places, step.channels))
        )
        if before > channels[number] < behind and not is_passed_on:
            found.add(step.tensor)
    return found


def _last_of_each_resolution(steps: Sequence[Step[Tensor]]) -> set[Tensor]:
    last = {step.places: step.tensor for step in steps if step.kind != PADDING}
    return set(last.values())
