"""What more photos would bring: on classes that overlap, that do not, and that are too small to tell."""

import json

import numpy as np
import pytest

from headstart.evaluation import learning_curve as learning_curve_module
from headstart.evaluation import plots
from headstart.evaluation.learning_curve import LearningCurve, measure_learning_curve


def drawn(count: int, *, apart: float, seed: int, depth: int = 64, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centres = np.random.default_rng(7).normal(size=(classes, depth))
    return (rng.normal(size=(count, depth)) + apart * centres[labels]).astype(np.float32), labels


def looked_for(train, held_out, *, classes: int = 2, seed: int = 0) -> LearningCurve:
    found = measure_learning_curve(*train, *held_out, num_classes=classes, seed=seed)
    assert found is not None
    return found


@pytest.mark.parametrize("classes", [2, 4])
def test_more_photos_help_where_classes_overlap(classes):
    train, held_out = (drawn(count, apart=0.15, seed=s, classes=classes) for count, s in ((600, 0), (2_000, 1)))
    found = looked_for(train, held_out, classes=classes)
    assert [point.images for point in found.points] == [60, 150, 300, 600]
    accuracies = [point.accuracy for point in found.points]
    assert accuracies[-1] > accuracies[0] + 0.05
    assert found.gain > 0
    assert found.advice.startswith("More photos would help")
    twice = drawn(1_200, apart=0.15, seed=0, classes=classes)
    truth = looked_for(twice, held_out, classes=classes).points[-1].accuracy
    assert found.low - 0.02 <= truth <= found.high + 0.02
    json.dumps(found.to_json(), allow_nan=False)
    (axes,) = plots.outlook(found).axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["60", "150", "300", "600", "1,200"]
    assert all(point.low < point.accuracy < point.high for point in found.points)


def test_of_many_photos_some_are_looked_at_and_the_picture_is_of_all(monkeypatch):
    monkeypatch.setattr(learning_curve_module, "MAX_TRAINING_IMAGES", 400)
    found = looked_for(drawn(1_000, apart=0.3, seed=0), drawn(200, apart=0.3, seed=1))
    assert [point.images for point in found.points] == [40, 100, 200, 400]
    assert found.to_json()["with_images"] == 2_000
    (axes,) = plots.outlook(found).axes
    assert axes.get_xticks()[-1] == 2_000
    assert max(np.asarray(line.get_xdata())[-1] for line in axes.lines) == 2_000


def test_smaller_classes_begin_with_a_quarter():
    train, held_out = (drawn(count, apart=0.3, seed=s, classes=20) for count, s in ((400, 0), (300, 1)))
    found = looked_for(train, held_out, classes=20)
    assert [point.images for point in found.points] == [100, 200, 400]


def test_more_photos_hardly_help_where_all_is_right():
    train, held_out = drawn(600, apart=1.0, seed=0), drawn(500, apart=1.0, seed=1)
    found = looked_for(train, held_out)
    assert found.points[-1].accuracy > 0.99
    assert found.advice.startswith("More photos of the same kind would hardly help")
    assert found.low <= found.expected <= found.high <= 1


def test_the_same_seed_gives_the_same():
    train, held_out = drawn(200, apart=0.3, seed=0), drawn(100, apart=0.3, seed=1)
    first, second = (looked_for(train, held_out, seed=3) for _ in range(2))
    assert first == second


def test_too_few_photos_say_nothing():
    train, held_out = drawn(30, apart=1.0, seed=0), drawn(20, apart=1.0, seed=1)
    assert measure_learning_curve(*train, *held_out, num_classes=2, seed=0) is None


@pytest.mark.parametrize(("held_out", "least"), [(12, 0.08), (100, 0.005)])
def test_no_mistake_among_a_few_photos_promises_nothing(held_out, least):
    """Rule of three: with none of 12 wrong, a quarter of all may be."""
    found = looked_for(drawn(80, apart=3.0, seed=0), drawn(held_out, apart=3.0, seed=1))
    assert found.points[-1].accuracy == 1
    assert least < 1 - found.low < 3.7 / held_out
    assert found.expected == found.high == 1
    assert found.gain_low == 0 < found.gain_high
    if held_out == 12:
        assert found.advice.startswith("It is not yet clear whether more photos would help")
