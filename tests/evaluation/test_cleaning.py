"""What fewer doubtful labels bring: where they are wrong, where they are not, and what comes of it in the advice."""

import json
from dataclasses import replace

import numpy as np
import pytest

from headstart.evaluation.advice import advice
from headstart.evaluation.cleaning import Cleaning, measure_cleaning
from headstart.evaluation.document import Findings
from headstart.evaluation.learning_curve import LearningCurve
from headstart.statistics import Disagreement


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
    found = measure_cleaning(features, spoiled, np.arange(600), *held_out, **settings)
    assert found is not None
    assert (found.images, found.held_out) == (600, 1_000)
    assert 75 <= found.left_out <= 225
    assert found.gain > 0.01
    assert found.between.is_distinguishable
    numbers = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert numbers["gain"] * 1_000 == pytest.approx(numbers["mended"] - numbers["spoiled"])
    clean = measure_cleaning(features, labels, np.arange(600), *held_out, **settings)
    assert clean is None or not clean.between.is_distinguishable


def test_the_labels_that_judge_do_not_choose():
    """Which images are left out does not depend on what is held out."""
    features, labels = drawn(300, 0, 2)
    spoiled = np.where(np.arange(300) % 4 == 0, 1 - labels, labels)
    shown, right = drawn(100, 1, 2)
    one, other = (
        measure_cleaning(features, spoiled, np.arange(300), shown, each, num_classes=2, seed=0)
        for each in (right, 1 - right)
    )
    assert one is not None
    assert other is not None
    assert one.left_out == other.left_out
    assert (one.between.only_first, one.correct) == (other.between.only_second, 100 - other.correct)


def test_nothing_to_be_left_out_or_measured():
    features, labels = drawn(60, 0, 2)
    apart = features + 30 * labels[:, None].astype(np.float32)
    settings = {"num_classes": 2, "seed": 0}
    assert measure_cleaning(apart, labels, np.arange(60), apart, labels, **settings) is None
    assert measure_cleaning(features, labels, np.arange(60), features[:0], labels[:0], **settings) is None


CURVE = LearningCurve((), 500, 0.9, 0.88, 0.92, gain=0.02, gain_low=0.01, gain_high=0.03)


@pytest.mark.parametrize(("gain", "place"), [(0.05, 0), (0.01, 1)])
def test_the_larger_gain_comes_first(numbers, gain, place):
    mended = round(200 * gain)
    found = Cleaning(500, 9, 200, 150, Disagreement(0, mended, 0.01 if gain > 0.02 else 0.5))
    lines = advice(
        replace(numbers, learning_curve=CURVE, cleaning=found, findings=Findings("", {"doubtful label": 11}))
    )
    assert lines[1 - place].startswith(
        "More photos would help: with 500 more, expect accuracy to change by +2.0 points"
    )
    assert lines[place].startswith("Check the labels: 11 labels are doubtful ")
    said = (
        f"solved on 491 training photos, without the doubtful ones, classifies {150 + mended} of 200 validation photos"
    )
    assert said in lines[place]
    chance = "" if gain > 0.02 else ", which may be chance"
    assert lines[place].endswith(f" correctly, {mended} more than one solved on all 500{chance}.")


def test_what_is_not_measured_or_changes_nothing(numbers):
    found = replace(numbers, findings=Findings("", {"doubtful label": 1}))
    (line,) = [each for each in advice(found) if each.startswith("Check the labels: 1 label is doubtful")]
    assert line.endswith("or counts a correct answer as one.")
    alike = replace(found, cleaning=Cleaning(50, 1, 20, 15, Disagreement(1, 1, 1.0)))
    (line,) = [each for each in advice(alike) if each.startswith("Check the labels")]
    assert line.endswith("classifies 15 of 20 validation photos correctly, as many as one solved on all 50.")
    worse = replace(found, cleaning=Cleaning(50, 1, 20, 15, Disagreement(2, 1, 1.0)))
    assert "14 of 20 validation photos correctly, 1 fewer than" in " ".join(advice(worse))
