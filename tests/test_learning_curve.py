"""What more photos would bring: on classes that overlap, that do not, and that are too small to tell."""

import json

import numpy as np
import pytest

from headstart.evaluation import plots
from headstart.evaluation.learning_curve import Outlook, outlook


def drawn(count: int, *, apart: float, seed: int, depth: int = 64, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centres = np.random.default_rng(7).normal(size=(classes, depth))
    return (rng.normal(size=(count, depth)) + apart * centres[labels]).astype(np.float32), labels


def looked_for(train, held_out, *, classes: int = 2, seed: int = 0) -> Outlook:
    found = outlook(*train, *held_out, num_classes=classes, seed=seed)
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
    plots.outlook(found)


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
    train, held_out = drawn(60, apart=1.0, seed=0), drawn(20, apart=1.0, seed=1)
    assert outlook(*train, *held_out, num_classes=2, seed=0) is None
