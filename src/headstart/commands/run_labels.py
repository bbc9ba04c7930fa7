"""What is measured of a run with several labels per photo, instead of `run_stages.measure_run`; and its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.data.splits import TEST, VALIDATION
from headstart.events import Message, Step, StepStarted

if TYPE_CHECKING:
    from headstart.commands.run_stages import RunRequest
    from headstart.data.dataset import Dataset
    from headstart.data.loading import Collection
    from headstart.evaluation.drawing import Draw
    from headstart.evaluation.label_evaluation import LabelEvaluation
    from headstart.evaluation.report import Results
    from headstart.events import Listener
    from headstart.training.trained import Trained


def measure_labels_of_run(
    trained: Trained,
    dataset: Dataset,
    collection: Collection,
    request: RunRequest,
    draw: Draw,
    listener: Listener,
) -> Results:
    """See `measure_run`. What more photos would bring, and what views, is not measured."""
    from headstart.commands.run_inspection import inspect_again
    from headstart.commands.run_others import share_of_familiar
    from headstart.evaluation import gallery
    from headstart.evaluation.report import Results

    config = request.config
    evaluations = _evaluated(trained, dataset, listener)
    name = TEST if TEST in evaluations else VALIDATION
    held_out, evaluation = dataset.splits()[name], evaluations[name]
    value_range = trained.classifier.value_range
    gallery.draw_label_results(draw, held_out, evaluation, name=name, value_range=value_range, seed=config.seed)
    inspection = None if request.images else inspect_again(collection, config, listener, rough=config.rough(dataset))
    return Results(
        evaluations,
        familiar=share_of_familiar(trained, held_out),
        inspection=inspection,
        cross_validated=trained.cross_validated,
    )


def _evaluated(trained: Trained, dataset: Dataset, listener: Listener) -> dict[str, LabelEvaluation]:
    """Split -> how its images are answered, for each split that has some."""
    from headstart.classifier.label_calibration import LabelCalibration
    from headstart.evaluation.label_evaluation import measure_labels

    listener.emit(StepStarted(Step.EVALUATE, "Evaluate"))
    calibration, found = trained.classifier.calibration, {}
    if not isinstance(calibration, LabelCalibration):
        raise TypeError(f"a calibration of several labels per photo was expected, not {calibration!r}")
    for name, split in dataset.splits().items():
        if not len(split):
            continue
        found[name] = measure_labels(
            trained.logits(split), split.targets.values, dataset.class_names, calibration, groups=split.groups
        )
        metrics = found[name].metrics
        mean = metrics.mean_average_precision
        text = f"{name:<10}  F1 {metrics.f1_micro}, exactly right {metrics.accuracy}"
        listener.emit(Message(f"{text}, mean average precision {mean}" if mean else text))
    for sentence in list(found.values())[-1].metrics.sentences:
        listener.emit(Message(sentence))
    return found
