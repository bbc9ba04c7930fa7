"""A run -> one file, or folder, that answers without headstart, and is kept only if it answers as its classifier does.

Preprocessing, temperature and probabilities are inside the network; class names, image size and resizing stand in its
metadata, and with the proof in a JSON beside it.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.concurrency import cpu_budget
from headstart.data.images import read_again
from headstart.data.splits import TRAIN, VALIDATION
from headstart.errors import ExportError, HeadstartError
from headstart.events import Listener, Message
from headstart.export.formats import FLOAT32, INT8, Format, Run, get_format
from headstart.export.photos import Photos, PhotosOfRun
from headstart.export.proof import BATCH, TOLERANCES, Proof, Tolerance, prove
from headstart.listeners.console import Console
from headstart.storage.atomic import atomic_file, atomic_folder, check_free
from headstart.storage.hashing import sha256_of_file

if TYPE_CHECKING:
    from headstart.classifier.classifier import Classifier

SCHEMA = 1  # of the JSON
CARD = "export.json"
PROVED_ON = 200  # photos
CALIBRATED_ON = 100  # photos
PIXELS = ("uint8", "float32")


@dataclass(frozen=True)
class Export:
    """What an export left behind."""

    path: Path
    card: dict  # the content of the JSON beside it, or in it

    @property
    def proof(self) -> Proof:
        return Proof(**self.card["proof"])

    def __str__(self) -> str:
        kind, size = f"{self.card['format']}, {self.card['precision']}", self.card["bytes"] / 1e6
        return f"'{self.path}': {kind}, {size:,.1f} MB.\n{self.proof}"


def export(
    run: str | Path,
    out: str | Path,
    *,
    format: str,
    quantize: str | None = None,
    pixels: str = "uint8",
    data: str | Path | None = None,
    tolerance: Tolerance | None = None,
    listener: Listener | None = None,
) -> Export:
    """Write a classifier for another runtime, and prove that it gives the same answers there.

    Args:
        run: folder of a run.
        out: what to write: a file for onnx (*.onnx) and litert (*.tflite), with a JSON beside it; a folder for openvino
            and saved-model. It must not exist yet.
        format: name of a row of FORMATS.
        quantize: "float16", or "int8", calibrated on training photos; None: float32.
        pixels: what is given to the file, "uint8" or "float32", 0 to 255.
        data: where the photos of the run are now, if they were moved: folder, zip or CSV.
        tolerance: how far it may be from the classifier, instead of the usual for its precision.
        listener: where to report to; by default to standard error.

    Raises:
        HeadstartError: with what is wrong and what to do; nothing is written then.
    """
    run, out, listener = Path(run), Path(out), listener or Console()
    precision = quantize or FLOAT32
    target = get_format(format, precision)
    if pixels not in PIXELS:
        raise ExportError(f"Pixels cannot be given as '{pixels}'. Choose one of: {', '.join(PIXELS)}.")
    if target.suffix and out.suffix != target.suffix:
        raise ExportError(f"'{out}' is no name for the format '{format}': expected '{out}{target.suffix}'.")
    card = _card_beside(out) if target.suffix else out / CARD
    check_free(out)
    check_free(card)
    photos = PhotosOfRun(run, Path(data) if data else None, listener)
    proving = photos.draw(VALIDATION, PROVED_ON)
    calibrating = photos.draw(TRAIN, CALIBRATED_ON) if precision == INT8 else None

    # Only now: Keras takes its time, and something might have been wrong.
    from headstart.classifier.classifier import load

    classifier = load(run)
    for purpose, drawn, usual in (("prove", proving, PROVED_ON), ("calibrate", calibrating, CALIBRATED_ON)):
        if drawn and len(drawn) < usual:
            lost = f"; {drawn.lost} others were moved or changed" if drawn.lost else ""
            listener.emit(Message(f"{len(drawn)} photos to {purpose} it with, where {usual} are usual{lost}."))
    listener.emit(Message(f"Writing {format}, {precision} ..."))
    with atomic_file(out, card) if target.suffix else atomic_folder(out) as content:
        path = content / out.name if target.suffix else content
        facts = {"schema": SCHEMA, "format": format, "precision": precision, **_facts(classifier)}
        with _failures_of_libraries(classifier.backbone, precision):
            facts = _write(classifier, target, path, facts, precision=precision, pixels=pixels, photos=calibrating)
            listener.emit(Message("Proving it ..."))
            proof = _prove(classifier, target.open(path), proving, pixels)
        proof.check(tolerance or TOLERANCES[precision])
        files = sorted(file for file in content.rglob("*") if file.is_file())
        size = sum(file.stat().st_size for file in files)
        hashes = {file.relative_to(content).as_posix(): sha256_of_file(file) for file in files}
        facts |= {"proof": proof.to_json(), "bytes": size, "hashes": hashes}
        (content / card.name).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return Export(out, facts)


def _card_beside(file: Path) -> Path:
    """pets.onnx -> pets.onnx.json: pets.tflite beside it has one of its own."""
    return file.with_name(file.name + ".json")


def _facts(classifier: Classifier) -> dict:
    return {
        "class_names": list(classifier.class_names),
        "image_size": classifier.image_size,
        "resizing": classifier.resizing,
        "backbone": classifier.backbone,
        "temperature": classifier.calibration.temperature,
        "versions": {name: version(name) for name in ("headstart", "keras")},
    }


def _write(
    classifier: Classifier,
    target: Format,
    path: Path,
    facts: dict,
    *,
    precision: str,
    pixels: str,
    photos: Photos | None,
) -> dict:
    """Write the file, and give what was said inside it."""
    from headstart.models.composing import with_probabilities

    network = with_probabilities(classifier.model, temperature=classifier.calibration.temperature, dtype=pixels)
    description = {
        **facts,  # a side of None stands for any number of images
        "input": {"name": "pixels", "type": pixels, "shape": list(network.input.shape), "values": "RGB, 0 to 255"},
        "outputs": {name: list(tensor.shape) for name, tensor in network.output.items()},
    }
    # the exporters' warnings are about themselves, and their bars would get into --json; the proof says what matters
    examples = [image[None].astype(pixels) for image in _decoded(photos, classifier)] if photos else []
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        target.write(network, path, description, precision=precision, photos=examples)
    return description


@contextmanager
def _failures_of_libraries(backbone: str, precision: str) -> Iterator[None]:
    """Converters, quantisers and runtimes raise errors of some ten kinds, most of which derive from Exception alone."""
    try:
        yield
    except (HeadstartError, OSError):
        raise
    except Exception as error:
        raise ExportError(
            f"The libraries of this format fail at '{backbone}' in {precision}, so nothing was written: {error}. Try "
            f"another format or precision."
        ) from error


def _prove(classifier: Classifier, run: Run, photos: Photos, pixels: str) -> Proof:
    images = _decoded(photos, classifier)
    logits = classifier.logits(images[start : start + BATCH] for start in range(0, len(images), BATCH))
    labels = np.array([classifier.class_names.index(label) for label in photos.labels])
    return prove(run, images.astype(pixels), classifier.calibration.probabilities(logits), labels, photos.paths)


def _decoded(photos: Photos, classifier: Classifier) -> np.ndarray:
    """uint8 (n, image_size, image_size, 3)."""
    read = partial(read_again, size=classifier.image_size, resizing=classifier.resizing)
    with ThreadPoolExecutor(cpu_budget()) as pool:
        return np.stack(list(pool.map(read, photos.paths)))
