"""What is odd about the collection of a run, where what shows it is there already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.data.resizing import STRETCH
from headstart.errors import ImageError
from headstart.events import Listener, Message
from headstart.inspection.findings import GROUPING
from headstart.listeners.quiet import Quiet

if TYPE_CHECKING:
    from headstart.data.collection import Collection
    from headstart.inspection.report import Inspection
    from headstart.inspection.shortcuts import Shortcut
    from headstart.training.config import TrainingConfig


def inspect_again(
    collection: Collection, config: TrainingConfig, listener: Listener, *, rough: frozenset[str]
) -> Inspection | None:
    """What is odd about the collection, where the features that show it are kept already. rough: see
    `FeatureExtractor`."""
    if not config.recipe.solves_head or config.resizing != STRETCH:
        return None
    from headstart.features.extractor import FeatureExtractor
    from headstart.inspection.collection import inspect_collection

    quiet = Quiet()
    try:
        extractor = FeatureExtractor(
            config.feature_spec, listener=quiet, compute=config.compute, executor=config.executor, rough=rough
        )
        found = inspect_collection(collection, extractor, seed=config.seed, listener=quiet)
    except ImageError as error:  # by now everything is trained and measured
        listener.emit(Message(f"The report says nothing about the collection: {error}"))
        return None
    for grouping in found.of_kind(GROUPING):
        listener.emit(Message(f"Note: {grouping.detail}."))
    return found


def look_for_shortcuts(
    collection: Collection, inspection: Inspection | None, seed: int, listener: Listener
) -> tuple[Shortcut, ...]:
    """The shortcuts of the collection, from its inspection where there is one."""
    from headstart.inspection.collection import shortcuts_of
    from headstart.inspection.shortcuts import said_in_a_line

    try:
        found = inspection.shortcuts if inspection else shortcuts_of(collection, seed=seed)
    except ImageError as error:
        listener.emit(Message(f"The report says nothing about shortcuts: {error}"))
        return ()
    if found:
        listener.emit(Message(said_in_a_line(found)))
    return found
