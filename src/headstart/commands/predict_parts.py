"""`headstart predict ... --out ANSWERS/`: a run and any number of photos -> parts of answers, here or on a cluster.

What is answered is never asked again: the same command goes on where it was stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headstart.classifier.answer_parts import AnsweredPart, AnswerTask
    from headstart.classifier.predictor import Predictor
    from headstart.events import Listener
    from headstart.features.executors.base import Executor

FILE_ENDING = ".parquet"  # of one file, instead of a folder
SHOWN = 10  # sentences about photos that cannot be read


@dataclass(frozen=True)
class Answered:
    """What lies in a folder of answers now.

    out: the folder. photos: how many were asked about. before: how many answers were there already. answers: how many
    are there now, with those of photos that cannot be read: `unreadable`; problems: what is wrong with the first of
    them. left_out: sentences about files that are no photos.
    """

    out: str
    photos: int
    before: int
    answers: int
    unreadable: int
    problems: tuple[str, ...]
    left_out: tuple[str, ...]

    def to_json(self) -> dict:
        return {
            "out": self.out,
            "photos": self.photos,
            "before": self.before,
            "answers": self.answers,
            "unreadable": self.unreadable,
            "problems": list(self.problems),
            "left_out": list(self.left_out),
        }

    def __str__(self) -> str:
        before = f", {self.before:,} of them from before" if self.before else ""
        unreadable = f" {self.unreadable:,} photos cannot be read: their rows have an error." if self.unreadable else ""
        return f"{self.answers:,} answers in {self.out}{before}.{unreadable}"


def predict_parts(
    run: str | Path,
    images: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    accuracy: float | None = None,
    coverage: float | None = None,
    views: bool = False,
    top: int | None = None,
    on: str | None = None,
    device: str = "auto",
    listener: Listener | None = None,
) -> Answered:
    """Say what is on photos, and write the answers as Parquet into a folder, some thousands of them in a file.

    If it is stopped, or a machine is lost, give the same again: what is written is not done again, and each photo has
    exactly one answer. Later, photos that are new get theirs.

    Args:
        run: folder of a run.
        images: files, folders of them, or patterns such as "photos/**/*.jpg"; or URLs of these.
        out: a folder or URL, new or with answers of the same classifier to the same question; or, if it ends in
            .parquet, a new file for all answers.
        accuracy, coverage, views: see `predict`.
        top: how many probabilities are kept for each photo. None: all.
        on: a cluster of Ray: "ray" for the one of this machine, "HOST:PORT" or "ray://HOST:PORT". None: this process.
        device: see `predict`.
        listener: where to report to; by default nowhere.

    Raises:
        HeadstartError: there is no such run, there are no images, the guarantee cannot be given, `out` holds something
            else or cannot be written, or the cluster cannot be used.
    """
    from headstart.classifier.answer_folder import AnswerFolder
    from headstart.classifier.answer_parts import AnswerTask
    from headstart.classifier.answer_table import need_parquet
    from headstart.classifier.answers import Question
    from headstart.classifier.metadata import FILE
    from headstart.classifier.predictor import Predictor
    from headstart.features.executors.ray import executor_on
    from headstart.storage.hashing import sha256_of_file
    from headstart.storage.url_path import place_of

    need_parquet()
    question = Question(accuracy, coverage, views, top)
    predictor = Predictor(run, device=device, listener=listener)
    predictor.calibration.to_predictions(predictor.class_names, accuracy=accuracy, coverage=coverage)  # or says why not
    files, left_out = _listed([images] if isinstance(images, str | Path) else images)
    place = str(place_of(out).absolute())
    facts = {"classifier": sha256_of_file(Path(run) / FILE), "class_names": list(predictor.class_names)}
    calibration = predictor.calibration
    says = {"costs": calibration.has_costs, "others": predictor.other_head, "parents": calibration.hierarchy}
    says["multi_label"] = predictor.is_multi_label
    facts |= {name: True for name, found in says.items() if found}
    if place.endswith(FILE_ENDING) and on is None:
        return _one_file(predictor, AnswerTask(tuple(files), question, facts, ""), place, left_out, listener)
    cluster = executor_on(on, place if on else None, device, listener)
    folder = AnswerFolder(place, question, facts)
    tasks = list(folder.tasks(files, far_away=cluster is not None))
    parts = list(_answered(predictor, tasks, cluster, listener))
    return Answered(
        out=folder.place,
        photos=len(files),
        before=folder.answered,
        answers=folder.answered + sum(part.photos for part in parts),
        unreadable=folder.unreadable + sum(part.unreadable for part in parts),
        problems=tuple(problem for part in parts for problem in part.problems)[:SHOWN],
        left_out=tuple(left_out),
    )


def _listed(images: Sequence[str | Path]) -> tuple[list[str], list[str]]:
    """The photos, each once, and notes on what is left out.

    Paths are whole: who goes on may have another working folder, and so have the machines of a cluster.
    """
    from headstart.data.image_arguments import images_among
    from headstart.storage.url_path import place_of

    files, left_out = images_among([place_of(each).absolute() for each in images])
    return files if len(images) == 1 else list(dict.fromkeys(files)), left_out


def _one_file(
    predictor: Predictor, task: AnswerTask, place: str, left_out: Sequence[str], listener: Listener | None
) -> Answered:
    """All answers in a new file, which is there whole or not at all.

    Raises:
        RunError: it exists.
    """
    from headstart.classifier.answer_parts import write_answers
    from headstart.errors import RunError
    from headstart.events import Task, advancing
    from headstart.listeners.quiet import Quiet
    from headstart.storage.locations import exists

    if exists(place):
        raise RunError(f"'{place}' exists already. Choose another name, or remove it first.")
    with advancing(listener or Quiet(), Task.PREDICT, "Predicting", len(task.paths)) as advance:
        part = write_answers(predictor, task, place, advance=advance)
    return Answered(place, part.photos, 0, part.photos, part.unreadable, part.problems, tuple(left_out))


def _answered(
    predictor: Predictor, tasks: Sequence[AnswerTask], cluster: Executor | None, listener: Listener | None
) -> Iterator[AnsweredPart]:
    """What became of the tasks, done in this process or on a cluster."""
    from headstart.classifier.answer_parts import answer_part
    from headstart.classifier.packed import PackedClassifier
    from headstart.events import Task, advancing
    from headstart.features.executors.local import LocalExecutor
    from headstart.listeners.quiet import Quiet

    if not tasks:
        return
    total = sum(len(task.paths) for task in tasks)
    with advancing(listener or Quiet(), Task.PREDICT, "Predicting", total) as advance:
        if cluster is None:
            yield from LocalExecutor().map(partial(answer_part, lambda: predictor, advance=advance), tasks)
            return
        packed = PackedClassifier.of(predictor.folder, predictor.device)
        for part in cluster.map(partial(answer_part, packed.open), tasks):
            advance(part.photos)
            yield part
