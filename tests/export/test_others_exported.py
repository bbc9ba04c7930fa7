"""Exports of a classifier that learned from `_other` photos: each says how probably a photo is none of the classes."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import headstart as hs
from headstart.classifier.others import OtherHead
from headstart.data.images import read_image
from headstart.errors import ExportError
from headstart.export.export import export
from headstart.export.formats import FORMATS
from headstart.export.proof import Proof, Tolerance


def squares_of(classifier: hs.Classifier, images: list[Path]) -> np.ndarray:
    return np.stack([read_image(image, classifier.image_size, classifier.resizing) for image in images])


def taught(run: Path, images: list[Path], folder: Path) -> Path:
    """The same run with a head for others whose weights are drawn, so that photos get all kinds of probabilities."""
    classifier, rng = hs.load(run), np.random.default_rng(5)
    (output,) = classifier.forward([squares_of(classifier, images)])
    mean, deviation = output.features.mean(axis=0), output.features.std(axis=0) + 1e-3
    shape = len(mean), len(classifier.class_names) + 1
    weights = rng.normal(0, 1 / np.sqrt(len(mean)), shape) / deviation[:, None]
    head = OtherHead(np.vstack([weights, -mean @ weights]).astype(np.float32), 1.7)
    replace(classifier, other_head=head).save(folder)
    for file in run.glob("*.csv"):
        shutil.copy(file, folder)
    return folder


@pytest.fixture(scope="module")
def images(packaged) -> list[Path]:
    return sorted(Path(packaged.photos).rglob("*.png"))[:8]


@pytest.fixture(scope="module")
def runs(packaged, three, images, tmp_path_factory) -> dict[str, Path]:
    """On the network of the package, whose graph there is without Keras; and on a base that Keras writes."""
    folder = tmp_path_factory.mktemp("taught")
    made = {"packaged": packaged, "keras": three}
    return {name: taught(run.folder, images, folder / name) for name, run in made.items()}


def of_file(run: Path, out: Path, images: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """What the file says, and the classifier, of the same squares."""
    classifier = hs.load(run)
    squares = squares_of(classifier, images)
    format = next(name for name, row in FORMATS.items() if out.name.startswith(name))
    *_, found = FORMATS[format].open(out)(squares)
    (output,) = classifier.forward([squares])
    return found, classifier.other_head.probabilities(output.features) if classifier.other_head else np.zeros(0)


FILES: dict[str, tuple[str, str, str | None, float]] = {  # run, format, precision, how far it may be off
    "onnx": ("packaged", "onnx", None, 1e-4),
    "onnx in float16": ("packaged", "onnx", "float16", 1e-2),
    "openvino": ("packaged", "openvino", None, 1e-4),
    "web": ("packaged", "web", None, 1e-4),
    "onnx by Keras": ("keras", "onnx", None, 1e-4),
    "openvino, three classes": ("keras", "openvino", None, 1e-4),
    "litert": ("keras", "litert", None, 1e-4),
    "saved-model": ("keras", "saved-model", None, 1e-4),
}


@pytest.mark.parametrize("what", FILES)
def test_each_format_says_it(what, runs, images, tmp_path):
    run, format, precision, tolerance = FILES[what]
    out = tmp_path / f"{format}{FORMATS[format].suffix}"
    made = hs.export(runs[run], out, format=format, quantize=precision, listener=hs.Quiet())
    found, expected = of_file(runs[run], out, images)
    assert found.shape == (len(images),)
    assert np.ptp(expected) > 0.02, "they are not all alike"
    np.testing.assert_allclose(found, expected, atol=tolerance)
    assert made.proof.other_farthest is not None
    assert made.proof.other_farthest <= tolerance
    assert made.card["outputs"]["other"] == [None]
    assert "That of none of the classes differs by at most" in str(made)


def test_in_8_bits_it_stays_behind_the_network(runs, images, tmp_path):
    """The head is not rounded; the features that it reads are."""
    out = tmp_path / "onnx.onnx"
    export(runs["packaged"], out, format="onnx", quantize="int8", tolerance=Tolerance(), listener=hs.Quiet())
    found, expected = of_file(runs["packaged"], out, images)
    assert np.corrcoef(found, expected)[0, 1] > 0.5


def test_without_such_photos_there_is_no_such_output(packaged, tmp_path):
    made = hs.export(packaged.folder, tmp_path / "plain.onnx", format="onnx", listener=hs.Quiet())
    assert made.card["outputs"].keys() == {"logits", "probabilities"}
    assert made.proof.other_farthest is None


def test_a_file_that_says_it_wrongly_is_not_kept():
    proof = Proof(10, 10, 10, 0, 0.0, "photo.png", other_farthest=0.2)
    with pytest.raises(ExportError, match=r"none of the classes differs by up to 0\.2, expected at most 0\.0001"):
        proof.check(Tolerance(probability=1e-4))
