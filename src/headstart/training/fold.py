"""Fold: a training on some of the training images, which others of them judge."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from headstart.data.dataset import Split
from headstart.events import Listener
from headstart.listeners.quiet import Quiet
from headstart.training.context import TrainingContext


@dataclass(frozen=True, eq=False)
class Fold(TrainingContext):
    """A training on some of the training images, which shows them in the same views as that on all of them."""

    whole: TrainingContext = field(kw_only=True)

    @classmethod
    def of(cls, whole: TrainingContext, fitted: Split, held_out: Split) -> Fold:
        dataset = replace(whole.dataset, train=fitted, validation=held_out, test=held_out.take([]))
        listener = _Silent(whole.listener)
        return cls(dataset, whole.config, whole.network, whole.pretrained, listener, whole=whole)

    @cached_property
    def views(self) -> tuple[str, ...]:
        return self.whole.views

    @cached_property
    def head_views(self) -> tuple[str, ...]:
        return self.whole.head_views


class _Silent(Quiet):
    """Hears of the wish to stop, and says nothing."""

    def __init__(self, listener: Listener) -> None:
        self.cancelled = listener.cancelled
