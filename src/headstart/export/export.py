"""A run -> a file, or folder, that predicts without headstart. It is kept only if it predicts as its classifier does.

Preprocessing, temperature and probabilities are inside the network. Class names, image size and resizing are in its
metadata and, with the proof, in a JSON file beside it.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from headstart.classifier.metadata import ENGINE, MODEL
from headstart.data.source import DataSource
from headstart.data.splits import TRAIN, VALIDATION
from headstart.errors import ExportError, HeadstartError
from headstart.events import Listener, Message
from headstart.export.formats import FLOAT32, INT8, Format, get_format
from headstart.export.formats.litert_needs import described
from headstart.export.photos import Photos, PhotosOfRun
from headstart.export.proof import TOLERANCES, Proof, Tolerance
from headstart.export.proving import decoded, prove_on_photos
from headstart.export.source import Source
from headstart.listeners.console import Console
from headstart.storage.atomic import atomic_file, atomic_folder, check_free
from headstart.storage.cache import versions
from headstart.storage.hashing import sha256_of_file

SCHEMA = 1  # of the JSON file
CARD = "export.json"
PROOF_PHOTOS = 200  # validation photos that an export is proved on
CALIBRATION_PHOTOS = 100  # training photos that int8 is calibrated on
PIXELS = ("uint8", "float32")
WEB = "web"  # the format that is looked at in a browser
COPIES = 2  # of a network, which a library may have on a disk at the same time


@dataclass(frozen=True)
class Export:
    """The result of an export. card: the content of the JSON file beside it, or in its folder."""

    path: Path
    card: dict

    @property
    def proof(self) -> Proof:
        return Proof(**self.card["proof"])

    def __str__(self) -> str:
        kind, size = f"{self.card['format']}, {self.card['precision']}", self.card["bytes"] / 1e6
        lines = [f"'{self.path}': {kind}, {size:,.1f} MB.", str(self.proof)]
        if "small_device" in self.card:
            lines.append(described(self.card["small_device"]))
        if self.card["format"] == WEB:
            lines.append(f"To open it: python -m http.server --directory '{self.path}', then http://localhost:8000.")
        return "\n".join(lines)


def export(
    run: str | Path,
    out: str | Path,
    *,
    format: str,
    quantize: str | None = None,
    pixels: str = "uint8",
    fixed_size: bool = False,
    data: str | Path | DataSource | None = None,
    tolerance: Tolerance | None = None,
    listener: Listener | None = None,
) -> Export:
    """Write a classifier for another runtime, and prove that it gives the same predictions there.

    Args:
        run: the folder of a run.
        out: what to write: a file for onnx (*.onnx) and litert (*.tflite), with a JSON file beside it; a folder for
            openvino, saved-model and web. It must not exist yet.
        format: the name of a row of FORMATS.
        quantize: "float16", or "int8", which is calibrated on training photos; None: float32.
        pixels: the type of the network's input, "uint8" or "float32", 0 to 255.
        fixed_size: take only squares of the classifier's size, for small devices; otherwise photos of any height and
            width, which the file resizes itself.
        data: where the photos of the run are now, if they were moved: a folder, zip or CSV.
        tolerance: how far it may differ from the classifier, instead of the default for its precision.
        listener: what receives the messages; by default they are written to standard error.

    Raises:
        HeadstartError: what is wrong and what to do. Nothing is written then.
    """
    run, listener = Path(run), listener or Console()
    destination = _destination(Path(out), format, quantize or FLOAT32, pixels, fixed_size)
    photos = PhotosOfRun(run, DataSource.of(data) if data else None, listener)
    for_proof = photos.draw(VALIDATION, PROOF_PHOTOS)
    for_calibration = photos.draw(TRAIN, CALIBRATION_PHOTOS) if destination.precision == INT8 else None

    # only now: what it imports takes a while, and something could have been wrong
    from headstart.classifier.classifier import load

    classifier = load(run)
    _report_missing_photos(listener, for_proof, "proof", PROOF_PHOTOS)
    _report_missing_photos(listener, for_calibration, "calibration", CALIBRATION_PHOTOS)
    source = Source.of(run, classifier, pixels, fixed_size=destination.fixed_size)
    listener.emit(Message(f"Writing {format}, {destination.precision} ..."))
    with destination.opened() as folder:
        path = destination.path_in(folder)
        with _failures_of_libraries(classifier.backbone, destination.precision, folder, _size_of_network(run)):
            description = _write(source, destination, path, for_calibration)
            listener.emit(Message("Proving it ..."))
            opened = destination.format.open(path)
            proof = prove_on_photos(classifier, opened, for_proof, pixels, fixed_size=destination.fixed_size)
        proof.check(tolerance or TOLERANCES[destination.precision])
        card = description | {"proof": proof.to_json(), **_files_in(folder)}
        if destination.format.needs:
            square = decoded(for_proof.paths[:1], classifier).astype(pixels)
            card["small_device"] = destination.format.needs(path, square)
        (folder / destination.card.name).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return Export(destination.out, card)


@dataclass(frozen=True)
class _Destination:
    """What is written, and where. card: the path of the JSON file; pixels, fixed_size: see `export`."""

    out: Path
    card: Path
    format_name: str
    format: Format
    precision: str
    pixels: str
    fixed_size: bool

    def opened(self) -> AbstractContextManager[Path]:
        """A folder to write into, whose content appears at the destination if all goes well."""
        return atomic_file(self.out, self.card) if self.format.suffix else atomic_folder(self.out)

    def path_in(self, folder: Path) -> Path:
        """Where the network is written in that folder."""
        return folder / self.out.name if self.format.suffix else folder


def _destination(out: Path, format_name: str, precision: str, pixels: str, fixed_size: bool) -> _Destination:
    """
    Raises:
        ExportError: there is no such format, precision or type of pixels, or the name of the file does not fit.
        MissingExtraError: a library is not installed.
        RunError: it exists already.
    """
    format = get_format(format_name, precision)
    if pixels not in PIXELS:
        raise ExportError(f"Pixels cannot be '{pixels}'. Choose one of: {', '.join(PIXELS)}.")
    if format.suffix and out.suffix != format.suffix:
        raise ExportError(
            f"'{out}' is not a valid name for the format '{format_name}': expected '{out}{format.suffix}'."
        )
    # pets.onnx -> pets.onnx.json: pets.tflite beside it has a JSON file of its own
    card = out.with_name(f"{out.name}.json") if format.suffix else out / CARD
    check_free(out)
    check_free(card)
    return _Destination(out, card, format_name, format, precision, pixels, fixed_size)


def _report_missing_photos(listener: Listener, photos: Photos | None, purpose: str, usual: int) -> None:
    if photos and len(photos) < usual:
        lost = f"; {photos.lost} others were moved or changed" if photos.lost else ""
        listener.emit(Message(f"Only {len(photos)} photos for the {purpose}, instead of {usual}{lost}."))


def _write(source: Source, destination: _Destination, path: Path, photos: Photos | None) -> dict:
    """Write the network. Returns its description, which is also inside the file."""
    classifier, pixels = source.classifier, source.pixels
    description = {
        "schema": SCHEMA,
        "format": destination.format_name,
        "precision": destination.precision,
        "class_names": list(classifier.class_names),
        "image_size": classifier.image_size,
        "resizing": classifier.resizing,
        "value_range": list(classifier.value_range),
        "backbone": classifier.backbone,
        "temperature": source.temperature,
        **({"decision": decision.to_json()} if (decision := classifier.calibration.decision) else {}),
        **({"multi_label": classifier.calibration.to_json()} if classifier.is_multi_label else {}),
        **({"hierarchy": hierarchy.to_json()} if (hierarchy := classifier.calibration.hierarchy) else {}),
        "versions": versions("headstart", "keras"),
        "input": {"name": "pixels", "type": pixels, "shape": source.input_shape, "values": "RGB, 0 to 255"},
        "outputs": source.output_shapes,
    }
    examples = [image[None].astype(pixels) for image in decoded(photos.paths, classifier)] if photos else []
    # the exporters' warnings are about themselves, and their progress bars would get into --json; the proof says
    # what matters
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        destination.format.write(source, path, description, precision=destination.precision, photos=examples)
    return description


@contextmanager
def _failures_of_libraries(backbone: str, precision: str, folder: Path, size: int) -> Iterator[None]:
    """Converters, quantisers and runtimes raise some ten kinds of errors, most of which derive from Exception alone.

    Few of them say that a disk is full. folder: where the export is written. size: bytes of the network.
    """
    try:
        yield
    except (HeadstartError, OSError):
        raise
    except Exception as error:
        remedy = "Try another format or precision."
        for place, name in ((folder, folder.parents[1]), (Path(tempfile.gettempdir()), tempfile.gettempdir())):
            free = shutil.disk_usage(place).free
            if free < COPIES * size:
                remedy = f"Only {free / 1e6:,.1f} MB are free in '{name}': free some space, or choose another folder."
        raise ExportError(
            f"The libraries for this format failed with '{backbone}' in {precision}, so nothing was written: {error}. "
            f"{remedy}"
        ) from error


def _size_of_network(run: Path) -> int:
    """Bytes, of one of the forms that it is kept in."""
    return max((file.stat().st_size for file in [run / MODEL, *(run / ENGINE).glob("*")] if file.is_file()), default=0)


def _files_in(folder: Path) -> dict:
    """The size and the hashes of all files."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {
        "bytes": sum(file.stat().st_size for file in files),
        "hashes": {file.relative_to(folder).as_posix(): sha256_of_file(file) for file in files},
    }
