"""What fewer doubtful labels bring: where they are wrong, where they are not, and what comes of it in the advice."""

import json

import numpy as np
import pytest

from headstart.evaluation.advice import advice
from headstart.evaluation.cleaning import cleaning


def drawn(count: int, seed: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    centres = np.random.default_rng(7).normal(size=(classes, 64))
    return (rng.normal(size=(count, 64)) + 0.4 * centres[labels]).astype(np.float32), labels


@pytest.mark.parametrize("classes", [2, 3])
def test_wrong_labels_left_out(classes):
    features, labels = drawn(600, 0, classes)
    spoiled = np.where(np.arange(600) % 4 == 0, (labels + 1) % classes, labels)
    settings = {"num_classes": classes, "seed": 0}
    held_out = drawn(1_000, 1, classes)
    found = cleaning(features, spoiled, np.arange(600), *held_out, **settings)
    assert found is not None
    assert (found.images, found.held_out) == (600, 1_000)
    assert 75 <= found.left_out <= 225
    assert found.gain > 0.01
    assert found.between.is_distinguishable
    numbers = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert numbers["gain"] * 1_000 == pytest.approx(numbers["mended"] - numbers["spoiled"])
    right = cleaning(features, labels, np.arange(600), *held_out, **settings)
    assert right is None or not right.between.is_distinguishable


def test_the_labels_that_judge_do_not_choose():
    """Which images are left out does not depend on what is held out."""
    features, labels = drawn(300, 0, 2)
    spoiled = np.where(np.arange(300) % 4 == 0, 1 - labels, labels)
    shown, right = drawn(100, 1, 2)
    one, other = (
        cleaning(features, spoiled, np.arange(300), shown, each, num_classes=2, seed=0) for each in (right, 1 - right)
    )
    assert one is not None
    assert other is not None
    assert one.left_out == other.left_out
    assert (one.between.only_first, one.right) == (other.between.only_second, 100 - other.right)


def test_nothing_to_be_left_out_or_measured():
    features, labels = drawn(60, 0, 2)
    apart = features + 30 * labels[:, None].astype(np.float32)
    settings = {"num_classes": 2, "seed": 0}
    assert cleaning(apart, labels, np.arange(60), apart, labels, **settings) is None
    assert cleaning(features, labels, np.arange(60), features[:0], labels[:0], **settings) is None


@pytest.mark.parametrize(("gain", "place"), [(0.05, 0), (0.01, 1)])
def test_what_brings_more_comes_first(run, gain, place):
    cleaner = {"images": 500, "left_out": 9, "held_out": 200, "right": 150, "mended": round(200 * gain), "spoiled": 0,
               "gain": gain, "p": 0.01 if gain > 0.02 else 0.5}  # fmt: skip
    numbers = {
        **run.metrics,
        "outlook": {"advice": "More photos would help.", "gain": {"value": 0.02, "low": 0.01}},
        "cleaning": cleaner,
        "findings": {"verdict": "", "counts": {"doubtful label": 11}},
    }
    lines = advice(numbers)
    assert lines[1 - place] == "More photos would help."
    assert lines[place].startswith("Cleaner labels: 11 labels are doubtful. ")
    right = 150 + round(200 * gain)
    said = f"solved on 491 training photos, without doubtful ones, answers {right} of 200 validation photos rightly"
    assert said in lines[place]
    chance = "" if gain > 0.02 else ", which may be chance"
    assert lines[place].endswith(f", {right - 150} more than one solved on all 500{chance}.")


def test_what_is_not_measured_or_changes_nothing(run):
    found = {"findings": {"verdict": "", "counts": {"doubtful label": 1}}, "outlook": None}
    (line,) = [each for each in advice({**run.metrics, **found, "cleaning": None}) if each.startswith("Cleaner")]
    assert line.endswith("each wrong one teaches, or measures, a mistake.")
    alike = {"images": 50, "left_out": 1, "held_out": 20, "right": 15, "mended": 1, "spoiled": 1, "gain": 0.0, "p": 1.0}
    (line,) = [each for each in advice({**run.metrics, **found, "cleaning": alike}) if each.startswith("Cleaner")]
    assert line.endswith("answers 15 of 20 validation photos rightly, as many as one solved on all 50.")
