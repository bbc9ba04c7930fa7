"""What a trained classifier says of held-out images that are none of its classes, and of those that are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.data.dataset import Split
from headstart.events import Listener, Message

if TYPE_CHECKING:
    from headstart.evaluation.others import OthersMetrics
    from headstart.statistics import Interval
    from headstart.training.trained import Trained


def share_of_familiar(trained: Trained, held_out: Split) -> Interval | None:
    """The share of held-out images that are like those that were trained on."""
    from headstart.statistics import proportion

    detector = trained.classifier.novelty_detector
    if detector is None:
        return None
    familiar = detector.is_familiar(trained.last_layer(held_out)[:])
    return proportion(familiar, held_out.groups or None)


def recognised_others(
    trained: Trained, held_out: Split, others: Split | None, listener: Listener
) -> OthersMetrics | None:
    """How `_other` photos are told from held-out photos of the classes; None where there are none."""
    from headstart.evaluation.others import measure_others, scores_of

    if not others:
        return None
    known, unknown = (scores_of(trained.classifier, trained.features(split)[:]) for split in (held_out, others))
    found = measure_others(known, unknown)
    listener.emit(Message(found.sentence))
    return found
