"""The network of a web export gives what `explain` and `is_familiar` give in NumPy."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import headstart as hs
from headstart.export.formats.web import NETWORK
from headstart.export.proof import Tolerance


def network(folder: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(folder / NETWORK, providers=["CPUExecutionProvider"])


def asked(folder: Path, pixels: np.ndarray) -> dict[str, Any]:
    opened = network(folder)
    names = [each.name for each in opened.get_outputs()]
    return dict(zip(names, opened.run(names, {"pixels": pixels}), strict=True))


def some_pixels(classifier: hs.Classifier, photos: Path) -> np.ndarray:
    """Photos that it learned from, and noise, which it did not."""
    rng = np.random.default_rng(0)
    size = classifier.image_size
    noise = rng.integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    paths = sorted(photos.rglob("*.png"))[::7]
    return np.concatenate([np.stack([classifier.pixels(path) for path in paths]), noise])


@pytest.mark.parametrize("which", ["small", "three", "packaged"])
def test_it_is_explained_as_by_the_classifier(which, request, tmp_path):
    """One logit and several; a Keras network and the package's; all depths."""
    made = request.getfixturevalue(which)
    classifier = hs.load(made.folder)
    settings = {"format": "web", "tolerance": Tolerance(), "listener": hs.Quiet()}  # the proof is tested elsewhere
    hs.export(made.folder, tmp_path / "web", **settings)
    pixels = some_pixels(classifier, made.photos)
    found = asked(tmp_path / "web", pixels)
    assert list(found) == ["logits", "probabilities", "places", "familiar"]
    (output,) = classifier.forward([pixels], maps=True)
    predictions = classifier.predictions(output, classifier.calibration.to_predictions(classifier.class_names))
    assert {prediction.familiar for prediction in predictions} == {True, False}
    for number, prediction in enumerate(predictions):
        places = classifier.explanation(prediction, [each[number] for each in output.maps]).places
        assert found["places"][number].shape == places.shape
        np.testing.assert_allclose(found["places"][number], places, atol=2e-3 * np.abs(places).max())
        assert classifier.class_names[found["probabilities"][number].argmax()] == prediction.label
        assert found["familiar"][number] == prediction.familiar
