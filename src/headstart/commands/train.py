"""A path of labelled photos -> a run folder: read, train, evaluate, draw, write. What `headstart train` does.

A run is made in RUN.partial (`partial_run.py`) and moved to RUN when it is complete.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np

from headstart.data.dataset import Dataset, Split
from headstart.data.loading import Collection, build_dataset, collect
from headstart.data.resizing import STRETCH
from headstart.data.splits import TEST, VALIDATION
from headstart.data.tables import TABLE, read_splits, write_splits
from headstart.errors import ImageError, RunError
from headstart.evaluation.drawing import drawing
from headstart.events import Listener, Message, Step, StepStarted
from headstart.inspection.findings import DOUBT
from headstart.listeners.console import Console
from headstart.listeners.quiet import Quiet
from headstart.models import backbones
from headstart.runs.partial import CHECKPOINTS, epochs_in, partial_run
from headstart.training import recipes
from headstart.training.config import TrainingConfig
from headstart.training.recipes import Recipe

if TYPE_CHECKING:
    from headstart.classifier.classifier import Classifier
    from headstart.evaluation.cleaning import Cleaning
    from headstart.evaluation.learning_curve import LearningCurve
    from headstart.evaluation.metrics import Evaluation
    from headstart.evaluation.report import Results
    from headstart.inspection.report import Inspection
    from headstart.statistics import Interval
    from headstart.training.trainer import Trained

LATER = ("headstart.evaluation.gallery", "headstart.inspection.collection", "headstart.training.trainer")
BATCH = 32  # predictions that are shown as numbers


@dataclass(frozen=True)
class Run:
    """What a finished run left behind."""

    folder: Path
    metrics: dict  # the content of metrics.json

    @property
    def pictures(self) -> list[Path]:
        return sorted((self.folder / "plots").glob("*.png"))


def make_run(
    data: str | Path,
    out: str | Path,
    *,
    recipe: str | Recipe = recipes.DEFAULT,
    backbone: str = backbones.DEFAULT,
    image_size: int | None = None,
    resizing: str = STRETCH,
    weights: str | Path = "pretrained",
    seed: int = 0,
    execution: str = "cached",
    precision: str = "float32",
    test_fraction: float | None = None,
    images: int | None = None,
    resume: bool = False,
    listener: Listener | None = None,
) -> Run:
    """Train a classifier on `data` and leave everything about it in the folder `out`.

    Args:
        data: folder, zip or CSV, see `load_dataset`.
        out: the folder of the run; it must not exist yet.
        recipe, backbone, image_size, resizing, weights, seed, execution, precision: see `headstart.train`.
        test_fraction: see `load_dataset`.
        images: use only about so many of the images, for a quick look, in which near copies are not kept together, as
            finding them means to look at all of them; None: all.
        resume: go on with the run that was stopped on its way to `out`, if there is one.
        listener: where to report to; by default to standard error.

    Raises:
        HeadstartError: with what is wrong and what to do. What was trained so far is kept.
    """
    listener = listener or Console()
    out = Path(out) if Path(out).name else Path(out).resolve()  # "." has no name to put ".partial" behind
    settings = TrainingConfig.of(
        recipe=recipe,
        backbone=backbone,
        image_size=image_size,
        resizing=resizing,
        weights=weights,
        seed=seed,
        execution=execution,
        precision=precision,
    )
    said = {
        "data": str(Path(data).absolute()), "test_fraction": test_fraction, "images": images, **settings.to_json(),
    }  # fmt: skip
    start = time.perf_counter()
    with partial_run(out, said, resume=resume, listener=listener) as partial:
        listener.emit(StepStarted(Step.READ_DATA, "Look at the data"))
        imported = _import_meanwhile()
        collection = collect(data, listener)
        imported.join()  # two threads that import what needs each other could stand still, or see half of it
        with drawing(partial / "plots") as draw:
            dataset = build_dataset(
                collection,
                seed=seed,
                test_fraction=test_fraction,
                groups=None if images else lambda found, drawn: copy_groups(found, drawn, settings, listener),
                listener=listener,
            )
            if images:
                dataset = dataset.sample(images, seed=seed)
                listener.emit(Message(f"Of these, {len(dataset):,} are used."))
            _keep_splits(partial, dataset)

            from headstart.evaluation import gallery
            from headstart.evaluation.report import Results
            from headstart.training.trainer import train_classifier

            gallery.draw_samples(draw, dataset, seed=seed)
            trained = train_classifier(dataset, settings, checkpoint_folder=partial / CHECKPOINTS, listener=listener)
            gallery.draw_views(
                draw,
                dataset,
                trained.views,
                settings.recipe.augmentation,
                image_size=settings.image_size,
                resizing=settings.resizing,
                seed=seed,
            )
            classifier = trained.classifier
            evaluations = _evaluate(trained, dataset, listener)
            name = TEST if TEST in evaluations else VALIDATION
            held_out, evaluation = dataset.splits()[name], evaluations[name]
            _say_predictions(listener, evaluation, name, seed)
            gallery.draw_results(draw, held_out, evaluation, classifier.history, name=name, seed=seed)
            gallery.draw_explanations(draw, trained, dataset.train, held_out, evaluation)
            future = _outlook(trained, dataset, seed, listener)
            if future:
                gallery.draw_outlook(draw, future)
            found = None if images else _findings(collection, settings, listener)
            results = Results(
                evaluations,
                outlook=future,
                cleaning=_cleaning(trained, dataset, seed) if found and DOUBT in found.counts else None,
                familiar=_familiar(trained, held_out),
                findings=found,
            )
        numbers = _write(
            partial,
            out.name,
            classifier,
            dataset,
            results,
            data=Path(data).absolute().name,
            settings=settings,
            start=start,
        )
    listener.emit(Message(f"Done in {numbers['seconds']['total']:.0f} s. The run is in '{out}'."))
    return Run(out, numbers)


def _import_meanwhile() -> Thread:
    """What takes seconds to import, beside the reading of the files; if these are wrong, nobody waits for it."""

    def work() -> None:
        for name in LATER:
            import_module(name)

    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread


def copy_groups(images: Split, drawn: np.ndarray, settings: TrainingConfig, listener: Listener) -> list[str]:
    """The same name for copies of one photo, to be kept on one side of the splits.

    drawn: the images whose split is drawn. Where a training needs the features of all images anyway, copies are looked
    for among all of them, so that those across given splits become known.

    They are looked for on stretched photos, whatever is trained on: there a copy in another shape is found as well, and
    runs that differ in their resizing alone have the same splits, so that they can be compared.
    """
    from headstart.features.extractor import FeatureExtractor
    from headstart.inspection.known_duplicates import copies

    wanted = np.arange(len(images)) if settings.recipe.solves_head and settings.resizing == STRETCH else drawn
    settings = replace(settings, resizing=STRETCH)
    names = list(images.digests)
    if len(wanted):
        some = images.take(wanted)
        found = copies(
            some,
            settings,
            lambda: FeatureExtractor(settings.feature_spec, listener=listener).features(some),
            listener=listener,
        )
        for index, group in zip(wanted, found.groups, strict=True):
            names[index] = f"group {group}"
    return names


def _keep_splits(partial: Path, dataset: Dataset) -> None:
    """Write splits.csv and unreadable.csv; where a run goes on, the images must be the same ones."""
    table = partial / TABLE
    if not epochs_in(partial):
        write_splits(table, dataset.rows())
    elif read_splits(table) != dataset.rows():
        raise RunError(
            f"The images have changed since the run in '{partial}' was started, so it cannot go on. "
            f"Start a new one with another --out."
        )
    if dataset.unreadable:
        rows = [asdict(bad) for bad in dataset.unreadable]
        _write_table(partial / "unreadable.csv", rows)


def _evaluate(trained: Trained, dataset: Dataset, listener: Listener) -> dict[str, Evaluation]:
    from headstart.evaluation.metrics import measure

    listener.emit(StepStarted(Step.EVALUATE, "Evaluate"))
    evaluations = {
        name: measure(trained.logits(split), split.labels, dataset.class_names, trained.classifier.calibration)
        for name, split in dataset.splits().items()
        if len(split)
    }
    for name, evaluation in evaluations.items():
        listener.emit(Message(f"{name:<10}  accuracy {evaluation.accuracy}, loss {evaluation.loss:.4f}"))
    return evaluations


def _outlook(trained: Trained, dataset: Dataset, seed: int, listener: Listener) -> LearningCurve | None:
    """What more photos would bring, where the features that tell it are there."""
    from headstart.evaluation.learning_curve import measure_learning_curve

    if trained.pretrained is None:
        return None
    train, held_out = dataset.train, dataset.validation
    features, shown = trained.pretrained.features(train), trained.pretrained.features(held_out)
    classes = len(dataset.class_names)
    found = measure_learning_curve(features, train.labels, shown, held_out.labels, num_classes=classes, seed=seed)
    if found:
        listener.emit(Message(found.advice))
    return found


def _findings(collection: Collection, settings: TrainingConfig, listener: Listener) -> Inspection | None:
    """What is odd about the collection, where the features that show it are kept already."""
    if not settings.recipe.solves_head or settings.resizing != STRETCH:
        return None
    from headstart.inspection.collection import inspect_collection

    try:
        return inspect_collection(collection, settings, Quiet())
    except ImageError as error:  # by now all is trained and measured
        listener.emit(Message(f"The report says nothing of the collection: {error}"))
        return None


def _cleaning(trained: Trained, dataset: Dataset, seed: int) -> Cleaning | None:
    """What becomes of the validation answers without the doubtful training images."""
    from headstart.evaluation.cleaning import cleaning

    if trained.pretrained is None:
        return None
    train, held_out = dataset.train, dataset.validation
    return cleaning(
        trained.pretrained.features(train),
        train.labels,
        train.photos,
        trained.pretrained.features(held_out),
        held_out.labels,
        num_classes=len(dataset.class_names),
        seed=seed,
    )


def _familiar(trained: Trained, held_out: Split) -> Interval | None:
    """How many held-out images are like what was trained on."""
    from headstart.statistics import wilson

    detector = trained.classifier.novelty_detector
    if detector is None:
        return None
    knows = detector.is_familiar(trained.features(held_out)[:])
    return wilson(int(knows.sum()), len(knows))


def _say_predictions(listener: Listener, evaluation: Evaluation, name: str, seed: int) -> None:
    """As the tutorial does for a batch of its shuffled test images: the numbers of the classes, answered and right."""
    listener.emit(StepStarted(Step.PREDICT, "Predict"))
    some = np.random.default_rng(seed).permutation(len(evaluation.labels))[:BATCH]
    names = ", ".join(f"{number} is {label}" for number, label in enumerate(evaluation.class_names))
    listener.emit(
        Message(
            f"{len(some)} {name} images, drawn at random ({names}):\n"
            f"predictions: {evaluation.predicted[some].tolist()}\n"
            f"labels:      {evaluation.labels[some].tolist()}"
        )
    )


def _write(
    folder: Path,
    title: str,
    classifier: Classifier,
    dataset: Dataset,
    results: Results,
    *,
    data: str,
    settings: TrainingConfig,
    start: float,
) -> dict:
    """All files of the run but the pictures, which are there."""
    from headstart.evaluation import report
    from headstart.runs.predictions import write_answers

    classifier.write_into(folder)
    write_answers(folder, dataset.splits(), results.evaluations)
    (folder / "summary.txt").write_text(classifier.network.summary.nested_table + "\n", "utf-8")
    _write_table(folder / "history.csv", classifier.history)
    seconds = {
        "total": round(time.perf_counter() - start, 3),  # of this process; all others add up over a resumed run
        "epochs": round(sum(row["seconds"] for row in classifier.history), 3),
    }
    numbers = report.metrics(
        classifier,
        results,
        data=data,
        settings=settings,
        notes=dataset.notes,
        unreadable=len(dataset.unreadable),
        seconds=seconds,
    )
    report.write_metrics(folder / "metrics.json", numbers)
    report.write_page(
        folder / "report.html",
        title=title,
        numbers=numbers,
        plots=folder / "plots",
        unreadable=dataset.unreadable,
        found=results.findings,
    )
    return numbers


def _write_table(file: Path, rows: Sequence[dict]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
