"""What fewer doubtful labels bring: where they are wrong, where they are not, and what comes of it in the advice."""

import json

import numpy as np
import pytest

from headstart.evaluation.advice import advice
from headstart.evaluation.cleaning import Cleaning, cleaning


def drawn(count: int, seed: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    centres = np.random.default_rng(7).normal(size=(classes, 64))
    return (rng.normal(size=(count, 64)) + 0.25 * centres[labels]).astype(np.float32), labels


def looked_for(labels: np.ndarray, features: np.ndarray, doubtful: np.ndarray, classes: int) -> Cleaning:
    found = cleaning(features, labels, doubtful, *drawn(1_000, 1, classes), num_classes=classes, seed=0)
    assert found is not None
    return found


@pytest.mark.parametrize("classes", [2, 3])
def test_wrong_labels_left_out(classes):
    features, labels = drawn(600, 0, classes)
    wrong = np.arange(600) % 3 == 0
    spoiled = np.where(wrong, (labels + 1) % classes, labels)
    found = looked_for(spoiled, features, wrong, classes)
    assert (found.left_out, found.held_out) == (200, 1_000)
    assert found.gain > 0.03
    assert found.between.is_distinguishable
    numbers = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert numbers["gain"] * 1_000 == pytest.approx(numbers["mended"] - numbers["spoiled"])
    # what the head of all and the head without them are right in, counted by themselves
    alone = looked_for(spoiled[~wrong], features[~wrong], np.arange(400) == 0, classes)
    assert abs(found.right + round(1_000 * found.gain) - alone.right) <= 3


def test_right_labels_left_out():
    features, labels = drawn(600, 0, 2)
    found = looked_for(labels, features, np.arange(600) % 20 == 0, 2)
    assert found.left_out == 30
    assert not found.between.is_distinguishable


def test_nothing_to_be_left_out_or_measured():
    features, labels = drawn(60, 0, 2)
    nothing, all_of_one = np.zeros(60, bool), labels == 1
    settings = {"num_classes": 2, "seed": 0}
    assert cleaning(features, labels, nothing, features, labels, **settings) is None
    assert cleaning(features, labels, all_of_one, features, labels, **settings) is None
    assert cleaning(features, labels, np.arange(60) == 3, features[:0], labels[:0], **settings) is None


@pytest.mark.parametrize(("gain", "place"), [(0.05, 0), (0.01, 1)])
def test_what_brings_more_comes_first(run, gain, place):
    cleaner = {"left_out": 9, "held_out": 200, "right": 150, "mended": round(200 * gain), "spoiled": 0, "gain": gain,
               "p": 0.01 if gain > 0.02 else 0.5}  # fmt: skip
    numbers = {
        **run.metrics,
        "outlook": {"advice": "More photos would help.", "gain": {"value": 0.02}},
        "cleaning": cleaner,
        "findings": {"verdict": "", "counts": {"doubtful label": 11}},
    }
    lines = advice(numbers)
    assert lines[1 - place] == "More photos would help."
    assert lines[place].startswith("Cleaner labels: 11 labels are doubtful. ")
    right = 150 + round(200 * gain)
    said = f"without those 9 of them that are training photos answers {right} of 200 validation photos rightly"
    assert said in lines[place]
    assert lines[place].endswith(
        "one of all photos 150." if gain > 0.02 else "one of all photos 150, which may be chance."
    )
