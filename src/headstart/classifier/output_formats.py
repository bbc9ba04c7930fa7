"""Image files -> predictions, one by one -> text, CSV, JSON lines or JSON: what `headstart predict` writes."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from PIL import Image

from headstart.classifier.activation_map import overlay
from headstart.classifier.answers import Question, answers
from headstart.classifier.base import DECODED_AHEAD, Explanation
from headstart.classifier.decision import RECALL
from headstart.classifier.prediction import Prediction
from headstart.classifier.predictor import Predictor
from headstart.concurrency import cpu_budget, prefetch
from headstart.data.images import read_image, read_thumbnail
from headstart.data.own_output import EXPLANATIONS
from headstart.data.resizing import STRETCH
from headstart.errors import ImageError, RunError
from headstart.storage.atomic import check_free
from headstart.storage.names import portable

# what JSON has of an answer only where there is something to say
OPTIONAL = ("remark", "rule", "cost", "other", "parent", "parent_probability")
SHOWN = 640  # pixels, the longer side of a photo that shows where its prediction comes from


@dataclass(frozen=True)
class FilePrediction:
    """A file, and its prediction or what is wrong with it. explanation: the picture that shows where it comes from."""

    path: str
    found: Prediction | ImageError
    explanation: Path | None = None


@dataclass(frozen=True)
class Layout:
    """top: how many classes are written; None: as many as the format has columns for. candidates: whether these were
    asked for. explained: whether there are explanations. width: of the longest path. costs: whether the classifier
    says what its answers cost; others: whether it says how probably a photo is none of the classes; parents: whether it
    answers a parent where a class is not sure. labels: with several labels per photo, all of them; each has a column of
    its own in a CSV."""

    top: int | None
    candidates: bool
    explained: bool
    width: int
    costs: bool = False
    others: bool = False
    parents: bool = False
    labels: tuple[str, ...] = ()


def predict_files(
    predictor: Predictor,
    files: Sequence[str],
    *,
    accuracy: float | None = None,
    coverage: float | None = None,
    views: bool = False,
    explain: Path | None = None,
) -> Iterator[FilePrediction]:
    """For each file, in their order, what `Predictor.predict_each` says.

    explain: a new folder, for a picture of each photo that shows where its prediction comes from.

    Raises:
        ModelError: the guarantee cannot be given.
        RunError: the folder exists, or cannot be written.
    """
    if explain is None:
        question = Question(accuracy, coverage, views)
        return (FilePrediction(each.path, each.found) for each in answers(predictor, files, question))
    check_free(explain)
    explanations = predictor.explain_each(files, accuracy=accuracy, coverage=coverage, views=views)
    return _explained(predictor, files, explanations, explain)


def _explained(
    predictor: Predictor, files: Sequence[str], explanations: Iterator[Explanation | ImageError], folder: Path
) -> Iterator[FilePrediction]:
    digits = len(str(len(files)))  # numbers, as files of different folders may have the same name

    def drawn(numbered: tuple[int, tuple[str, Explanation | ImageError]]) -> FilePrediction:
        number, (file, found) = numbered
        if isinstance(found, ImageError):
            return FilePrediction(file, found)
        try:
            photo = _shown(file, predictor)
        except ImageError as error:  # it was changed since, or can be read only once
            return FilePrediction(file, error)
        picture = folder / f"{number:0{digits}}-{portable(Path(file).stem[:50])}.jpg"
        Image.fromarray(overlay(photo, found.places)).save(picture, quality=90)
        return FilePrediction(file, found.prediction, picture)

    try:
        folder.mkdir(parents=True)
        (folder / EXPLANATIONS).touch()  # or the pictures could become photos of a training
        with ThreadPoolExecutor(cpu_budget()) as pool:
            yield from prefetch(pool, drawn, enumerate(zip(files, explanations, strict=True), start=1), DECODED_AHEAD)
    except OSError as error:
        raise RunError(f"'{folder}' cannot be written: {error.strerror or error}. Choose another folder.") from error


def _shown(file: str, predictor: Predictor) -> np.ndarray:
    """A photo in the size that it is shown in, uint8 (height, width, 3): all that the network sees, unsquared."""
    if predictor.resizing == STRETCH:
        return read_thumbnail(file, SHOWN, value_range=predictor.value_range)
    return read_image(file, SHOWN, predictor.resizing, value_range=predictor.value_range)


@contextmanager
def new_file(file: Path) -> Iterator[TextIO]:
    """A file to write into, as predictions come.

    Raises:
        RunError: something is there already, or it cannot be written.
    """
    check_free(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as error:
        raise RunError(f"'{file}' cannot be written: {error.strerror or error}. Choose another file.") from error


def write_text(rows: Iterable[FilePrediction], stream: TextIO, layout: Layout) -> None:
    """A line for each photo that could be read."""
    for row in rows:
        if not isinstance(row.found, ImageError):
            print(f"{_printable(row.path):<{layout.width}}  {in_words(row.found, layout.top)}", file=stream, flush=True)


def write_csv(rows: Iterable[FilePrediction], stream: TextIO, layout: Layout) -> None:
    """A line for each photo; what is wrong with one that could not be read stands in the last column."""
    writer = csv.writer(stream, lineterminator="\n")
    more = range(2, 1 if layout.labels else (layout.top or 1) + 1)
    ranks = [name for rank in more for name in (f"label_{rank}", f"probability_{rank}")]
    optional = ["parent", "parent_probability"] * layout.parents + ["other"] * layout.others + ["cost"] * layout.costs
    optional += ["candidates"] * layout.candidates + ["explanation"] * layout.explained
    of_labels = {f"probability of {label}": label for label in layout.labels}
    columns = ["path", "label", "probability", *ranks, *of_labels, "sure", "familiar", *optional, "error"]
    writer.writerow(columns)
    for row in rows:
        values: dict[str, object] = {
            "path": _printable(row.path),
            "explanation": _printable(row.explanation),
        }
        if isinstance(row.found, ImageError):
            values["error"] = _printable(str(row.found))
        else:
            values |= {"label": row.found.label, "probability": f"{row.found.probability:.6f}"}
            values |= {name: f"{row.found.probabilities[label]:.6f}" for name, label in of_labels.items()}
            for rank, (label, share) in list(enumerate(row.found.top(layout.top or 1).items(), start=1))[1:]:
                values |= {f"label_{rank}": label, f"probability_{rank}": f"{share:.6f}"}
            values |= {"sure": _word(row.found.sure), "familiar": _word(row.found.familiar)}
            values["cost"] = "" if row.found.cost is None else f"{row.found.cost:.6g}"
            values["other"] = "" if row.found.other is None else f"{row.found.other:.6f}"
            values["parent"], share = row.found.parent or "", row.found.parent_probability
            values["parent_probability"] = "" if share is None else f"{share:.6f}"
            values["candidates"] = "|".join(row.found.candidates)
        writer.writerow([values.get(column, "") for column in columns])
        stream.flush()


def write_json_lines(rows: Iterable[FilePrediction], stream: TextIO, layout: Layout) -> None:
    """A JSON object on a line for each photo; one that could not be read has an `error`."""
    for row in rows:
        if isinstance(row.found, ImageError):
            content = {"path": _printable(row.path), "error": _printable(str(row.found))}
        else:
            content = _json(row, row.found, layout)
        print(json.dumps(content, ensure_ascii=False), file=stream, flush=True)


def write_json(rows: Iterable[FilePrediction], stream: TextIO, layout: Layout) -> None:
    """One JSON document, when all is done."""
    predictions, unreadable = [], []
    for row in rows:
        if isinstance(row.found, ImageError):
            unreadable.append({"path": _printable(row.path), "reason": _printable(str(row.found))})
        else:
            predictions.append(_json(row, row.found, layout))
    document = {"predictions": predictions, "unreadable": unreadable}
    print(json.dumps(document, indent=2, ensure_ascii=False), file=stream)


FORMATS: dict[str, Callable[[Iterable[FilePrediction], TextIO, Layout], None]] = {
    "text": write_text, "csv": write_csv, "jsonl": write_json_lines, "json": write_json,
}  # fmt: skip


def in_words(answer: Prediction, top: int | None = None) -> str:
    """A prediction in a line: the class, its parent, or that it is not sure or unlike the training images."""
    if answer.labels is not None:
        return _labels_in_words(answer, answer.labels, top)
    shown = top or (1 if answer.sure else max(2, len(answer.candidates)))
    ranked = "   ".join(f"{label} {percent(share)}" for label, share in answer.top(shown).items())
    if answer.rule and answer.familiar and not answer.remark:
        best, share = max(answer.probabilities.items(), key=lambda pair: pair[1])
        why = "it is to be missed rarely" if answer.rule == RECALL else f"expected cost {answer.cost:.4g}"
        return f"{answer.label} {percent(answer.probability)} ({why}; more probable: {best} {percent(share)})"
    if answer.remark:
        return f"not sure: {ranked}; the photo {answer.remark}"
    if answer.other is not None and answer.is_other:
        return f"none of the classes ({percent(answer.other)}); if anything: {ranked}"
    if not answer.familiar:
        return f"like nothing it was trained on; if anything: {ranked}"
    if answer.parent is not None and answer.parent_probability is not None:
        return f"{answer.parent} {percent(answer.parent_probability)}; it is not sure which one: {ranked}"
    return ranked if answer.sure else f"not sure: {ranked}"


def _labels_in_words(answer: Prediction, labels: Sequence[str], top: int | None) -> str:
    """With several labels per photo: those of this one, each with its probability; or the `top` most probable ones."""
    named = answer.top(top) if top else {label: answer.probabilities[label] for label in labels}
    text = "   ".join(f"{label} {percent(share)}" for label, share in named.items())
    if not text:
        likeliest, share = next(iter(answer.probabilities.items()))
        text = f"none of the labels (the most likely: {likeliest} {percent(share)})"
    if answer.remark:
        return f"not sure: {text}; the photo {answer.remark}"
    if not answer.familiar:
        return f"like nothing it was trained on; if anything: {text}"
    return text if answer.sure else f"not sure: {text}"


def percent(share: float) -> str:
    """With one decimal; what is not quite certain is never called 100% or 0%."""
    if 0.9995 <= share < 1:
        return "over 99.9%"
    return "under 0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def _json(row: FilePrediction, answer: Prediction, layout: Layout) -> dict:
    content = {
        "path": _printable(row.path),
        "label": answer.label,
        "probability": answer.probability,
        "probabilities": answer.top(layout.top or len(answer.probabilities)),
        "sure": answer.sure,
        "familiar": answer.familiar,
        "candidates": list(answer.candidates) if layout.candidates else None,
    }
    content |= {name: value for name in OPTIONAL if (value := getattr(answer, name)) is not None}
    if answer.labels is not None:
        content["labels"] = list(answer.labels)
    return content | ({"explanation": _printable(row.explanation)} if layout.explained else {})


def _printable(path: str | Path | None) -> str:
    """A path may hold bytes that are no text; none is an empty one."""
    return os.fsencode(path or "").decode("utf-8", "backslashreplace")


def _word(truth: bool) -> str:
    return "true" if truth else "false"
