"""A path of labelled photos -> a run folder: read, train, evaluate, draw, write. What `headstart train` does.

A run is written beside its place, in RUN.partial, with the state of the training after each epoch, and moved to RUN
when it is complete. So RUN is complete or absent, and `resume` goes on from the last epoch of RUN.partial.
"""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.data.dataset import Dataset, Split
from headstart.data.loading import load_dataset
from headstart.data.resizing import STRETCH
from headstart.data.splits import TEST, VALIDATION
from headstart.data.tables import read_splits, write_splits
from headstart.errors import RunError, RunInterruptedError
from headstart.models import backbones
from headstart.progress import Console, Progress
from headstart.training import recipes
from headstart.training.copies import copies
from headstart.training.parts import pooled_features
from headstart.training.recipes import Recipe
from headstart.training.settings import Settings

if TYPE_CHECKING:
    from headstart.evaluation.metrics import Evaluation
    from headstart.models.classifier import Classifier
    from headstart.training.trainer import Trained

CHECKPOINTS, SETTINGS = "checkpoints", "settings.json"  # in RUN.partial only
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
    execution: str = "split",
    precision: str = "float32",
    test_fraction: float | None = None,
    images: int | None = None,
    resume: bool = False,
    progress: Progress | None = None,
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
        progress: where to report to; by default to standard error.

    Raises:
        HeadstartError: with what is wrong and what to do. What was trained so far is kept.
    """
    progress = progress or Console()
    out = Path(out) if Path(out).name else Path(out).resolve()  # "." has no name to put ".partial" behind
    settings = Settings.of(
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
    with _workspace(out, said, resume=resume, progress=progress) as partial:
        progress.step("Look at the data")
        dataset = load_dataset(
            data,
            seed=seed,
            test_fraction=test_fraction,
            groups=None if images else partial(_copies, settings=settings, progress=progress),
            progress=progress,
        )
        if images:
            dataset = dataset.sample(images, seed=seed)
            progress.say(f"Of these, {len(dataset):,} are used.")
        _keep_splits(partial, dataset)

        # Only now: Keras and matplotlib take their time, and the data might have been wrong.
        from headstart.evaluation import gallery
        from headstart.training.trainer import train_and_keep

        plots = partial / "plots"
        plots.mkdir(exist_ok=True)
        gallery.draw_samples(plots, dataset, seed=seed)
        trained = train_and_keep(dataset, settings, checkpoint_folder=partial / CHECKPOINTS, progress=progress)
        gallery.draw_views(
            plots,
            dataset,
            trained.views,
            settings.recipe.augmentation,
            image_size=settings.image_size,
            resizing=settings.resizing,
            seed=seed,
        )
        classifier = trained.classifier
        evaluations = _evaluate(trained, dataset, progress)
        name = TEST if TEST in evaluations else VALIDATION
        _say_predictions(progress, evaluations[name], name, seed)
        gallery.draw_results(plots, dataset.splits()[name], evaluations[name], classifier.history, name=name, seed=seed)
        numbers = _write(partial, out.name, classifier, dataset, evaluations, start=start, seed=seed)
    progress.say(f"Done in {numbers['seconds']['total']:.0f} s. The run is in '{out}'.")
    return Run(out, numbers)


def _copies(images: Split, *, settings: Settings, progress: Progress) -> list[int]:
    """The same number for copies of one photo: they are kept on one side of the splits."""
    found = copies(images, settings, lambda: pooled_features(images, settings, progress=progress), progress=progress)
    return found.groups.tolist()


@contextmanager
def _workspace(out: Path, settings: dict, *, resume: bool, progress: Progress) -> Iterator[Path]:
    """The folder RUN.partial to work in. On success it becomes RUN; otherwise it stays, if an epoch was finished."""
    if _is_taken(out):
        raise RunError(f"'{out}' exists already. Choose another folder with --out, or remove it first.")
    partial = out.with_name(out.name + ".partial")
    settings = json.loads(json.dumps(settings))  # as it will be read again: tuples become lists
    with _explained(out, partial):
        if partial.exists():
            _check_resumed(out, partial, settings, resume)
        else:
            if resume:
                progress.say(f"There is no unfinished run on its way to '{out}'; a new one begins.")
            partial.mkdir(parents=True)
            (partial / SETTINGS).write_text(json.dumps(settings, indent=2, ensure_ascii=False), "utf-8")
        try:
            yield partial
        except BaseException:
            if not _epochs(partial):
                shutil.rmtree(partial)  # nothing in it took long to make
            raise
        if _is_taken(out):
            raise RunError(
                f"'{out}' came into being while the run was made. Move it elsewhere; the finished run is in "
                f"'{partial}', and the same command with --resume puts it in its place."
            )
        if out.exists():
            out.rmdir()
        partial.rename(out)
        if (out / CHECKPOINTS).exists():  # not where all there was to do was to solve the head
            shutil.rmtree(out / CHECKPOINTS)  # only now: until here, the run could be gone on with
        (out / SETTINGS).unlink()


def _is_taken(out: Path) -> bool:
    """Whether there is something; an empty folder is free."""
    return out.exists() and not (out.is_dir() and not any(out.iterdir()))


@contextmanager
def _explained(out: Path, partial: Path) -> Iterator[None]:
    """What the disk refuses becomes one message; what was kept is said also when the user interrupts."""
    try:
        yield
    except KeyboardInterrupt:
        raise RunInterruptedError(f"Stopped.{_kept(out, partial)}") from None
    except OSError as error:
        raise RunError(
            f"'{out}' cannot be written: {error.strerror or error}. Check the free space and the rights of the "
            f"folder, or choose another one with --out.{_kept(out, partial)}"
        ) from error


def _kept(out: Path, partial: Path) -> str:
    epochs = _epochs(partial)
    if not epochs:
        return " No epoch was finished, so nothing was kept."
    return f" Kept in '{partial}': {_counted(epochs)}. Go on with the same command, --out '{out}' and --resume."


def _counted(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"


def _epochs(partial: Path) -> int:
    """How many epochs are kept in a checkpoint."""
    return max((int(path.name.rpartition("-")[2]) for path in (partial / CHECKPOINTS).glob("epoch-*")), default=0)


def _check_resumed(out: Path, partial: Path, settings: dict, resume: bool) -> None:
    """Raise RunError unless the unfinished run may be gone on with."""
    if not resume:
        raise RunError(
            f"An unfinished run on its way to '{out}' lies in '{partial}' ({_counted(_epochs(partial))}). "
            f"Go on with it: add --resume. Or remove that folder to start anew."
        )
    try:
        before = json.loads((partial / SETTINGS).read_text("utf-8"))
    except (OSError, ValueError):
        raise RunError(
            f"'{partial}' cannot be gone on with: its {SETTINGS} is missing or damaged. Remove it to start anew."
        ) from None
    changed = [
        f"{key} was {before.get(key)!r}, now {value!r}" for key, value in settings.items() if before.get(key) != value
    ]
    if changed:
        raise RunError(
            f"The unfinished run in '{partial}' was started with other settings: {'; '.join(changed)}. "
            f"Give the same ones to go on with it, or another --out."
        )


def _keep_splits(partial: Path, dataset: Dataset) -> None:
    """Write splits.csv and unreadable.csv; where a run goes on, the images must be the same ones."""
    table = partial / "splits.csv"
    if not _epochs(partial):
        write_splits(table, dataset.rows())
    elif read_splits(table) != dataset.rows():
        raise RunError(
            f"The images have changed since the run in '{partial}' was started, so it cannot go on. "
            f"Start a new one with another --out."
        )
    if dataset.unreadable:
        rows = [asdict(bad) for bad in dataset.unreadable]
        _write_table(partial / "unreadable.csv", rows)


def _evaluate(trained: Trained, dataset: Dataset, progress: Progress) -> dict[str, Evaluation]:
    from headstart.evaluation.metrics import measure

    progress.step("Evaluate")
    evaluations = {
        name: measure(trained.logits(split), split.labels, dataset.class_names, trained.classifier.certainty)
        for name, split in dataset.splits().items()
        if len(split)
    }
    for name, evaluation in evaluations.items():
        progress.say(f"{name:<10}  accuracy {evaluation.accuracy}, loss {evaluation.loss:.4f}")
    return evaluations


def _say_predictions(progress: Progress, evaluation: Evaluation, name: str, seed: int) -> None:
    """As the tutorial does for a batch of its shuffled test images: the numbers of the classes, answered and right."""
    progress.step("Predict")
    some = np.random.default_rng(seed).permutation(len(evaluation.labels))[:BATCH]
    names = ", ".join(f"{number} is {label}" for number, label in enumerate(evaluation.class_names))
    progress.say(
        f"{len(some)} {name} images, drawn at random ({names}):\n"
        f"predictions: {evaluation.predicted[some].tolist()}\n"
        f"labels:      {evaluation.labels[some].tolist()}"
    )


def _write(
    folder: Path,
    title: str,
    classifier: Classifier,
    dataset: Dataset,
    evaluations: dict[str, Evaluation],
    *,
    start: float,
    seed: int,
) -> dict:
    """All files of the run but the pictures, which are there."""
    from headstart.evaluation import report
    from headstart.evaluation.answers import write_answers

    classifier.write_into(folder)
    write_answers(folder, dataset.splits(), evaluations)
    (folder / "summary.txt").write_text(classifier.network.summary.nested_table + "\n", "utf-8")
    _write_table(folder / "history.csv", classifier.history)
    seconds = {
        "total": round(time.perf_counter() - start, 3),  # of this process; all others add up over a resumed run
        "epochs": round(sum(row["seconds"] for row in classifier.history), 3),
    }
    numbers = report.metrics(classifier, evaluations, seconds=seconds, seed=seed)
    report.write_metrics(folder / "metrics.json", numbers)
    report.write_page(
        folder / "report.html",
        title=title,
        numbers=numbers,
        plots=folder / "plots",
        unreadable=dataset.unreadable,
        notes=dataset.notes,
    )
    return numbers


def _write_table(file: Path, rows: Sequence[dict]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
