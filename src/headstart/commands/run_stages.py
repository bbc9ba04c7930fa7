"""The stages of `headstart train`, in their order: read, train, measure, draw, write. Read `make` first.

A run is made in RUN.partial (`runs/partial.py`) and becomes RUN when it is complete. Pictures are drawn by another
process meanwhile.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np

from headstart.classifier.label_calibration import of_classes
from headstart.commands.run_choices import check_labels, decide
from headstart.commands.run_inspection import inspect_again, look_for_shortcuts
from headstart.commands.run_labels import measure_labels_of_run
from headstart.commands.run_others import recognised_others, share_of_familiar
from headstart.commands.run_splits import split
from headstart.data.dataset import Dataset, Split
from headstart.data.folder import list_images
from headstart.data.loading import Collection, collect
from headstart.data.source import DataSource
from headstart.data.splits import TEST, VALIDATION
from headstart.data.targets import Kind
from headstart.data.value_range import FULL
from headstart.evaluation.drawing import Draw, drawing
from headstart.events import Listener, Message, PictureReady, Step, StepStarted
from headstart.features.executors.reading import looking_on
from headstart.inspection.findings import DOUBT
from headstart.runs.folder import METRICS, MODEL_CARD, PLOTS, REPORT, Run
from headstart.runs.partial import CHECKPOINTS, partial_run
from headstart.runs.writing import keep_splits, write_history, write_predictions, write_summary, write_unreadable
from headstart.storage.copies import keeping_copies
from headstart.time_limit import TimeLimit
from headstart.training.config import TrainingConfig

if TYPE_CHECKING:
    from headstart.evaluation.averaging import Averaging
    from headstart.evaluation.cleaning import Cleaning
    from headstart.evaluation.learning_curve import LearningCurve
    from headstart.evaluation.metrics import Evaluation
    from headstart.evaluation.report import Results
    from headstart.training.trained import Trained

LATER = ("headstart.evaluation.gallery", "headstart.inspection.collection", "headstart.training.trainer")
SHOWN = 32  # predictions that are shown as numbers: a batch of the tutorial


@dataclass(frozen=True)
class RunRequest:
    """What a run is to be made of. data: the collection, by its absolute path. The rest: see `commands.train`."""

    data: DataSource
    config: TrainingConfig
    test_fraction: float | None = None
    images: int | None = None

    def to_json(self) -> dict:
        """What must be the same where a run is resumed."""
        return {
            "data": str(self.data),
            **self.data.settings(),
            "test_fraction": self.test_fraction,
            "images": self.images,
            **self.config.to_json(),
        }


@keeping_copies()
def make(
    request: RunRequest,
    out: Path,
    *,
    resume: bool,
    listener: Listener,
    time_limit: float | TimeLimit | None = None,
) -> Run:
    """All stages of a run, one after the other. Arguments: see `commands.train`.

    Raises:
        HeadstartError: with what is wrong and what to do. What was trained so far is kept.
    """
    out = out if out.name else out.resolve()  # "." has no name to put ".partial" behind
    start, limit = time.perf_counter(), TimeLimit.of(time_limit)
    with partial_run(out, request.to_json(), resume=resume, listener=listener) as partial:
        collection = read(request, listener)
        request = replace(request, config=request.config.for_values(collection.value_range))
        with drawing(partial / PLOTS) as draw:
            check_labels(request.config, collection)  # before the features, which take long
            dataset = split(collection, request, listener)
            keep_splits(partial, dataset)
            write_unreadable(partial, dataset.unreadable)
            request = replace(request, config=decide(request.config, dataset, partial, listener))
            trained = fit(dataset, request.config, partial, draw, limit, listener)
            measure = measure_labels_of_run if dataset.kind is Kind.MULTI_LABEL else measure_run
            results = measure(trained, dataset, collection, request, draw, listener)
        metrics = write(partial, out.name, trained, dataset, results, request, start)
    run = Run(out, metrics)
    for picture in run.pictures:
        listener.emit(PictureReady(picture.stem, picture))
    seconds = metrics["seconds"]["total"]
    facts = {"seconds": seconds, "path": str(out)}
    listener.emit(Message(f"Done in {seconds:.0f} s. The run is in '{out}'.", "done", facts))
    return run


def read(request: RunRequest, listener: Listener) -> Collection:
    """Read every image once, while the modules that take seconds to import are imported."""
    imported = _import_meanwhile()
    listing = list_images(request.data, listener)  # which says the layout, before anything else
    listener.emit(StepStarted(Step.READ_DATA, "Look at the data"))
    collection = collect(listing, listener, look=looking_on(request.config.executor))
    imported.join()  # two threads that import what needs each other could deadlock, or see half of it
    return collection


def fit(
    dataset: Dataset, config: TrainingConfig, partial: Path, draw: Draw, limit: TimeLimit, listener: Listener
) -> Trained:
    """Train, and draw what the training has seen. The state after each epoch is kept in `partial`."""
    from headstart.evaluation import gallery
    from headstart.training.trainer import train_classifier

    gallery.draw_samples(draw, dataset, value_range=config.value_range or FULL, seed=config.seed)
    checkpoints = partial / CHECKPOINTS
    trained = train_classifier(dataset, config, checkpoint_folder=checkpoints, limit=limit, listener=listener)
    gallery.draw_views(
        draw,
        dataset,
        trained.views,
        config.recipe.augmentation,
        image_size=config.image_size,
        resizing=config.resizing,
        value_range=config.value_range or FULL,
        seed=config.seed,
    )
    return trained


def measure_run(
    trained: Trained,
    dataset: Dataset,
    collection: Collection,
    request: RunRequest,
    draw: Draw,
    listener: Listener,
) -> Results:
    """Everything that is measured of a trained classifier, and its pictures."""
    from headstart.evaluation import gallery
    from headstart.evaluation.report import Results

    config, seed = request.config, request.config.seed
    evaluations = evaluate_splits(trained, dataset, listener)
    name = TEST if TEST in evaluations else VALIDATION
    held_out, evaluation = dataset.splits()[name], evaluations[name]
    say_predictions(listener, evaluation, name, seed)
    history, value_range = trained.classifier.history, trained.classifier.value_range
    gallery.draw_results(draw, held_out, evaluation, history, name=name, value_range=value_range, seed=seed)
    gallery.draw_explanations(
        draw,
        trained.classifier,
        dataset.train,
        held_out,
        evaluation,
        features=trained.last_layer,
        feature_maps=trained.feature_maps,
    )
    learning_curve = measure_more_photos(trained, dataset, seed, listener)
    if learning_curve:
        gallery.draw_learning_curve(draw, learning_curve)
    inspection = None if request.images else inspect_again(collection, config, listener, rough=config.rough(dataset))
    return Results(
        evaluations,
        learning_curve=learning_curve,
        averaging=measure_views(trained, held_out, evaluation, listener),
        cleaning=measure_cleaner_labels(trained, dataset, seed) if inspection and DOUBT in inspection.counts else None,
        familiar=share_of_familiar(trained, held_out),
        others=recognised_others(trained, held_out, dataset.others.get(name), listener),
        inspection=inspection,
        cross_validated=trained.cross_validated,
        shortcuts=look_for_shortcuts(collection, inspection, seed, listener),
    )


def evaluate_splits(trained: Trained, dataset: Dataset, listener: Listener) -> dict[str, Evaluation]:
    """Split -> how its images are answered, for each split that has some."""
    from headstart.evaluation.metrics import measure

    listener.emit(StepStarted(Step.EVALUATE, "Evaluate"))
    evaluations = {
        name: measure(
            trained.logits(split),
            split.truth,
            dataset.class_names,
            of_classes(trained.classifier.calibration),
            groups=split.groups,
        )
        for name, split in dataset.splits().items()
        if len(split)
    }
    for name, evaluation in evaluations.items():
        listener.emit(Message(f"{name:<10}  accuracy {evaluation.accuracy}, loss {evaluation.loss:.4f}"))
    held_out = list(evaluations.values())[-1]
    for sentence in held_out.metrics.sentences:
        listener.emit(Message(sentence))
    return evaluations


def measure_more_photos(
    trained: Trained, dataset: Dataset, seed: int, listener: Listener
) -> LearningCurve | None:  # fmt: skip
    """What more photos would bring, where the features that tell it are there."""
    from headstart.evaluation.learning_curve import measure_learning_curve

    if trained.compact is None:
        return None
    train, held_out = dataset.train, dataset.validation
    found = measure_learning_curve(
        trained.compact(train),
        train.labels,
        trained.compact(held_out),
        held_out.labels,
        num_classes=len(dataset.class_names),
        seed=seed,
        groups=held_out.groups,
    )
    if found:
        listener.emit(Message(found.advice))
    return found


def measure_views(trained: Trained, held_out: Split, alone: Evaluation, listener: Listener) -> Averaging | None:
    """What it would bring to average over the views that were trained on; None where there is one.

    held_out: the images that measure the classifier; alone: the answers to them as they are.
    """
    from headstart.evaluation.averaging import Averaging
    from headstart.evaluation.metrics import measure

    if len(trained.views) < 2:
        return None
    logits = np.mean([trained.logits(held_out, view) for view in trained.views], axis=0)
    calibration = of_classes(trained.classifier.calibration)
    averaged = measure(logits, held_out.truth, alone.class_names, calibration, groups=held_out.groups)
    found = Averaging.of(trained.views, alone, averaged)
    listener.emit(Message(found.sentence))
    return found


def measure_cleaner_labels(trained: Trained, dataset: Dataset, seed: int) -> Cleaning | None:
    """How the validation images are answered without the training images whose labels are doubtful."""
    from headstart.evaluation.cleaning import measure_cleaning

    if trained.compact is None:
        return None
    train, held_out = dataset.train, dataset.validation
    return measure_cleaning(
        trained.compact(train),
        train.labels,
        train.photos,
        trained.compact(held_out),
        held_out.labels,
        num_classes=len(dataset.class_names),
        seed=seed,
    )


def say_predictions(listener: Listener, evaluation: Evaluation, name: str, seed: int) -> None:
    """As the tutorial does for a batch of shuffled test images: the predicted and the correct classes, as numbers."""
    listener.emit(StepStarted(Step.PREDICT, "Predict"))
    some = np.random.default_rng(seed).permutation(len(evaluation.labels))[:SHOWN]
    shown = np.unique([evaluation.predicted[some], evaluation.labels[some]])
    names = ", ".join(f"{number} is {evaluation.class_names[number]}" for number in shown)
    listener.emit(
        Message(
            f"{len(some)} {name} images, drawn at random ({names}):\n"
            f"predictions: {evaluation.predicted[some].tolist()}\n"
            f"labels:      {evaluation.labels[some].tolist()}"
        )
    )


def write(
    folder: Path,
    title: str,
    trained: Trained,
    dataset: Dataset,
    results: Results,
    request: RunRequest,
    start: float,
) -> dict:
    """Write all files of the run but the pictures and tables that are there already. Returns the metrics."""
    from headstart.evaluation import report
    from headstart.runs.model_card import model_card

    classifier = trained.classifier
    classifier.write_into(folder)
    write_predictions(folder, dataset.splits(), results.evaluations)
    write_summary(folder, classifier.network.summary.nested_table)
    write_history(folder, classifier.history)
    seconds = {
        "total": round(time.perf_counter() - start, 3),  # of this process; all others add up over a resumed run
        "epochs": round(sum(row["seconds"] for row in classifier.history), 3),
    }
    config = request.config
    metrics = report.run_metrics(
        classifier,
        results,
        data=request.data.path.name,
        seed=config.seed,
        balanced=config.recipe.balanced,
        weights=config.weights,
        training_precision=trained.training_precision,
        notes=dataset.notes,
        unreadable=len(dataset.unreadable),
        seconds=seconds,
        labels=dataset.labels,
    )
    metrics.write(folder / METRICS)
    (folder / MODEL_CARD).write_text(model_card(metrics, title), "utf-8")
    report.write_page(
        folder / REPORT,
        title=title,
        metrics=metrics,
        plots=folder / PLOTS,
        unreadable=dataset.unreadable,
        inspection=results.inspection,
    )
    return metrics.to_json()


def _import_meanwhile() -> Thread:
    """Import slow modules in another thread; if the images cannot be used, nobody waits for it."""

    def work() -> None:
        for name in LATER:
            import_module(name)

    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread
