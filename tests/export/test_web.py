"""The folder of a web export: whole, from one host, in two languages; and what cannot be a page."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import headstart as hs
from headstart.data.value_range import KnownValues, ValueRange
from headstart.errors import ExportError
from headstart.export.formats.web import PARTS
from headstart.storage.hashing import sha256_of_file

SOURCE = Path(hs.__file__).parent
SCRIPTS = [SOURCE / part / name for part, names in PARTS.items() if "vendor" not in part for name in names]


def test_the_folder_is_whole(web, packaged):
    """Each file is in the proof's card and is kept for later; nothing is loaded that is not there."""
    names = {file.name for file in web.iterdir()}
    card = json.loads((web / "export.json").read_text("utf-8"))
    assert set(card["hashes"]) == names - {"export.json"}
    assert card["hashes"]["network.onnx"] == sha256_of_file(web / "network.onnx")
    assert card["proof"]["farthest"] < 1e-4
    kept = json.loads((web / "files.js").read_text("utf-8").partition("FILES = ")[2].rstrip(";\n"))
    assert set(kept) == names - {"export.json", "files.js"} | {"./"}
    for page in ("index.html", "answers.css", "page.css", *(name for name in names if name.endswith(".js"))):
        if page != "onnxruntime.js":
            text = (web / page).read_text("utf-8")
            asked = re.findall(r'(?:(?:src|href)=|from |Worker\(|register\(|fetch\()"([^"#]+)"', text)
            assert {name.removeprefix("./") for name in asked} <= names, page
    assert (web / "onnxruntime.wasm").read_bytes()[:4] == b"\0asm"
    assert "MIT License" in (web / "LICENSE-onnxruntime.txt").read_text("utf-8")


def test_the_facts_are_those_of_the_classifier(web, packaged):
    facts, classifier = json.loads((web / "facts.json").read_text("utf-8")), hs.load(packaged.folder)
    calibration = classifier.calibration
    assert facts["class_names"] == list(classifier.class_names)
    assert facts["promises"] == {f"{k:g}": v for k, v in calibration.accuracy.items() if v != float("inf")}
    assert facts["promise"] == f"{calibration.usual_accuracy:g}"
    assert facts["bytes"] == {name: (web / name).stat().st_size for name in ("network.onnx", "onnxruntime.wasm")}
    assert facts["accuracy"]["count"] > 0


def test_another_network_is_another_version(web, packaged, tmp_path):
    """The service worker of a browser sees by it that what it has kept is old."""
    other = tmp_path / "other"
    hs.export(packaged.folder, other, format="web", quantize="float16", listener=hs.Quiet())
    assert (web / "files.js").read_text("utf-8") != (other / "files.js").read_text("utf-8")
    assert (other / "network.onnx").stat().st_size < 0.6 * (web / "network.onnx").stat().st_size


def test_it_names_no_other_host():
    for file in SCRIPTS:
        for address in re.findall(r"https?://[\w.:-]*", file.read_text("utf-8")):
            assert address in (
                "http://www.w3.org",
                "http://localhost:8000",
                "https://web.dev",
                "https://",
                "http://localhost",
            )


def test_each_word_stands_in_both_languages():
    """What the pages of service and export say; nothing is kept that neither says."""
    text = (SOURCE / "pages/answers/strings.js").read_text("utf-8")
    english, portuguese = (set(re.findall(r'"([\w.]+)": ["{]', part)) for part in text.split("  pt: {"))
    assert english == portuguese
    pages = [SOURCE / "serving/page/page.js", SOURCE / "serving/page/index.html", *SCRIPTS]
    said = [file.read_text("utf-8") for file in pages if file.name != "strings.js"]
    quoted = {name for each in said for name in re.findall(r'"([\w.]+)"', each)}
    codes = {f"problem.{name}" for name in quoted}
    assert english - quoted - codes == set()


def refused(packaged, tmp_path, monkeypatch, **changes) -> str:
    loaded = hs.load(packaged.folder)
    monkeypatch.setattr("headstart.classifier.classifier.load", lambda _: replace(loaded, **changes))
    with pytest.raises(ExportError) as raised:
        hs.export(packaged.folder, tmp_path / "page", format="web", listener=hs.Quiet())
    assert list(tmp_path.iterdir()) == []
    return str(raised.value)


def test_photos_that_no_browser_shows(packaged, tmp_path, monkeypatch):
    known = KnownValues(has_8_bits=False, dimmest=3000, brightest=4095)
    message = refused(packaged, tmp_path, monkeypatch, value_range=ValueRange(0, 4095), known_values=known)
    assert "learned from photos with 16, from 0 (black) to 4,095 (white)" in message
    assert "Choose another format" in message


def test_eight_bits(packaged, tmp_path):
    with pytest.raises(ExportError, match=r"'web' cannot be quantised to 'int8'\. Choose one of: float16"):
        hs.export(packaged.folder, tmp_path / "page", format="web", quantize="int8", listener=hs.Quiet())


@pytest.mark.parametrize("form", [{"pixels": "float32"}, {"fixed_size": True}])
def test_another_form_of_the_network(packaged, tmp_path, form):
    with pytest.raises(ExportError, match=r"any size, in uint8.* Leave --pixels and --fixed-size out"):
        hs.export(packaged.folder, tmp_path / "page", format="web", **form, listener=hs.Quiet())
