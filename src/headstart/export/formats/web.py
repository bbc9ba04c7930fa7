"""A web page: a folder with the network (ONNX), ONNX Runtime Web, and a page that answers photos and the camera in the
browser. Any host of files serves it; nothing in it asks another one.

The network is the ONNX export that also says where an answer comes from, and whether training photos are like the
photo (`export/explained.py`). What the page has to know besides is in `facts.json`.
"""

from __future__ import annotations

import json
import lzma
import shutil
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.classifier.calibration import NEVER
from headstart.classifier.label_calibration import AnyCalibration, LabelCalibration
from headstart.data.value_range import remark_on_photo
from headstart.errors import ExportError
from headstart.export.formats import onnx
from headstart.storage.hashing import sha256, sha256_of_file

if TYPE_CHECKING:
    from headstart.classifier.classifier import Classifier
    from headstart.export.source import Source

NETWORK, RUNTIME, FACTS, FILES = "network.onnx", "onnxruntime.wasm", "facts.json", "files.js"
PAGE = "index.html"
# folder of the package -> its files that the page consists of; those that end in .xz are unpacked
PARTS = {
    "pages": ("tokens.css",),
    "pages/answers": ("answers.css", "cards.js", "dropping.js", "strings.js", "words.js"),
    "export/page": (
        PAGE, "icon.svg", "live.js", "network.js", "page.css", "page.js", "page.webmanifest",
        "service-worker.js", "worker.js",
    ),
    "export/page/vendor": (
        "LICENSE-onnxruntime.txt", "NOTICES-onnxruntime.txt.xz", "onnxruntime.js", f"{RUNTIME}.xz",
    ),
}  # fmt: skip


def write(source: Source, folder: Path, description: dict, *, precision: str, photos: Sequence[np.ndarray]) -> None:
    """
    Raises:
        ExportError: a browser cannot show photos as the classifier needs them, or pixels of another type or of one size
            were wanted.
    """
    _check(source)
    onnx.write(replace(source, has_maps=True), folder / NETWORK, description, precision=precision, photos=photos)
    for part, names in PARTS.items():
        for name in names:
            _copy(Path(str(files("headstart"))) / part / name, folder)
    facts = _facts(source.classifier, source.held_out_accuracy)
    facts["bytes"] = {name: (folder / name).stat().st_size for name in (NETWORK, RUNTIME)}
    (folder / FACTS).write_text(json.dumps(facts, ensure_ascii=False) + "\n", "utf-8")
    (folder / FILES).write_text(_listed(folder), "utf-8")


def open_folder(folder: Path):
    """An `ExportedModel`: the network in ONNX Runtime, on the CPU."""
    return onnx.open_file(folder / NETWORK)


def _check(source: Source) -> None:
    if source.pixels != "uint8" or source.fixed_size:
        raise ExportError(
            "The page gives its network photos of any size, in uint8, and has no code for another form. Leave --pixels "
            "and --fixed-size out."
        )
    classifier = source.classifier
    if remark_on_photo(None, classifier.value_range, classifier.known_values):
        raise ExportError(
            f"A browser gives a page 8 bits a value, and this classifier learned from photos with 16, from "
            f"{classifier.value_range.low:,} (black) to {classifier.value_range.high:,} (white), so it could be sure "
            f"of nothing there. Choose another format, or train it on photos with 8 bits a value."
        )


def _copy(file: Path, folder: Path) -> None:
    if file.suffix == ".xz":
        with lzma.open(file) as packed, (folder / file.stem).open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    else:
        shutil.copyfile(file, folder / file.name)


def _facts(classifier: Classifier, accuracy: dict | None) -> dict:
    """What the page has to know of a classifier. thresholds: of several labels per photo, the probability from which on
    each is answered."""
    calibration = classifier.calibration
    usual = calibration.usual_accuracy
    return {
        "class_names": list(classifier.class_names),
        "resizing": classifier.resizing,
        "promises": _promises(calibration),
        "promise": None if usual is None else f"{usual:g}",
        "is_measured": bool(calibration.accuracy),
        "unsure": list(calibration.unsure),
        "decision": calibration.decision.to_json() if calibration.decision else None,
        "thresholds": list(calibration.thresholds) if isinstance(calibration, LabelCalibration) else None,
        "hierarchy": calibration.hierarchy.to_json() if calibration.hierarchy else None,
        "accuracy": accuracy,
    }


def _promises(calibration: AnyCalibration) -> dict[str, float | None]:
    """Those of `Calibration.accuracy` that can be kept; null: for parents of classes only."""
    found = {level: calibration.accuracy[level] for level in calibration.possible_accuracies}
    return {f"{level:g}": None if least == NEVER else least for level, least in found.items()}


def _listed(folder: Path) -> str:
    """For the service worker: all files of the page, and what changes with any of them."""
    names = sorted(file.name for file in folder.iterdir())
    version = sha256("".join(sha256_of_file(folder / name) for name in names).encode())[:16]
    return f"self.VERSION = {json.dumps(version)};\nself.FILES = {json.dumps(['./', *names])};\n"
