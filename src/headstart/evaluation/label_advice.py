"""With several labels per photo: the numbers of a run -> the result in plain sentences, and what next. The counterpart
of `advice.py` and `report.verdict`. Knows no model and no images."""

from __future__ import annotations

from headstart.classifier.calibration import FEW_PHOTOS
from headstart.data.splits import VALIDATION
from headstart.evaluation.advice import WIDE_INTERVAL, on_the_collection
from headstart.evaluation.document import RunMetrics
from headstart.evaluation.label_metrics import LabelMetrics
from headstart.statistics import percent

WEAK_F1 = 0.5  # of a label, that is worth a sentence
MAX_NAMED = 3


def label_verdict(metrics: RunMetrics) -> str:
    """The result in plain sentences, with its intervals."""
    name, found = metrics.held_out_name, _held_out(metrics)
    accuracy = found.accuracy
    text = f"Of {accuracy.count:,} {name} images, {accuracy.correct:,} are given exactly the right labels"
    text = f"{text}: {percent(accuracy.value)} ({percent(accuracy.low)} to {percent(accuracy.high)})."
    text = f"{text} {' '.join(sentence[0].upper() + sentence[1:] for sentence in found.sentences)}"
    if metrics.cross_validated:
        text += (
            f" As these are few: of all validation and training images, answered by heads that had not seen them, "
            f"{metrics.cross_validated} are exactly right."
        )
    if name == VALIDATION:
        text += " These images also set the thresholds, so expect a little less; hold out a test split to know."
    return text


def label_advice(metrics: RunMetrics) -> list[str]:
    """One sentence or more each, the most important first; at least one."""
    found, train = _held_out(metrics), metrics.train
    lines = on_the_collection(metrics)
    rare = [row.name for row in train.per_class if row.support < FEW_PHOTOS] if train else []
    if rare:
        lines.append(
            f"Add photos of {_named(rare)}: fewer than {FEW_PHOTOS} training photos are too few to learn a label from. "
            f"Answers that name it are never called sure."
        )
    weak = [row for row in found.per_class if row.name not in rare and row.f1 is not None and row.f1 < WEAK_F1]
    if weak:
        names = _named([row.name for row in sorted(weak, key=lambda row: row.f1 or 0.0)])
        lines.append(f"Look at the photos of {names}: F1 is below {WEAK_F1:g}. Are labels missing? Add photos.")
    if not metrics.calibration.usual_accuracy:
        lines.append(
            "No answer is called sure: answers are exactly right too rarely, or the photos are too few, to guarantee "
            "any accuracy. Each label has its own probability and threshold; promise what matters (--recall, "
            "--label-precision)."
        )
    width = found.accuracy.high - found.accuracy.low
    if width >= WIDE_INTERVAL:
        lines.append(
            f"Hold out more {metrics.held_out_name} images: with {found.accuracy.count:,}, the share of exactly right "
            f"answers is known to within about {100 * width / 2:.1f} points; four times as many would halve that."
        )
    return lines or ["Nothing stands out: use it, and test it on new photos now and then (headstart evaluate)."]


def _held_out(metrics: RunMetrics) -> LabelMetrics:
    found = metrics.held_out
    if not isinstance(found, LabelMetrics):
        raise TypeError("metrics of classes were given; expected those of several labels per photo")
    return found


def _named(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:MAX_NAMED])
    return f"{shown} and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else shown
