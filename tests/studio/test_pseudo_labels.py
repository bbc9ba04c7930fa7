"""Probable labels spread to like photos, count less than labels, and are used where cross-validation says so."""

import numpy as np
import pytest

from headstart.studio.answers import NO_LABEL
from headstart.studio.neighbourhood import Neighbourhood
from headstart.studio.pseudo_labels import Spreading
from headstart.studio.solving import AnswerSolver
from support.real_features import RealFeatures


@pytest.fixture(scope="module")
def neighbourhood(real: RealFeatures) -> Neighbourhood:
    return Neighbourhood.of(real.photos.directions)


@pytest.fixture(scope="module")
def is_scene(real: RealFeatures) -> np.ndarray:
    return (real.labels == real.names.index("scene")).astype(np.int64)


def some(labels: np.ndarray, count: int) -> np.ndarray:
    """Of the labels a few, drawn at random."""
    chosen = np.random.default_rng(0).permutation(len(labels))[:count]
    found = np.full(len(labels), NO_LABEL)
    found[chosen] = labels[chosen]
    return found


def test_labels_spread_to_like_photos(neighbourhood: Neighbourhood, is_scene):
    given = some(is_scene, 30)
    found, sure = Spreading.over(neighbourhood, np.arange(len(given))).pseudo_labels(given)
    assert (found == is_scene).mean() > 0.95
    np.testing.assert_array_equal(found[given >= 0], given[given >= 0])
    np.testing.assert_array_equal(sure[given >= 0], 1.0)
    assert sure.min() >= 0
    assert sure.max() <= 1
    wrong = found != is_scene
    assert not wrong.any() or sure[wrong].mean() < sure[~wrong].mean()


def test_photos_that_no_label_reaches_are_not_sure(neighbourhood: Neighbourhood):
    photos = np.arange(20)
    alone = Neighbourhood(np.full((20, 3), -1, np.int32), np.full((20, 3), np.nan, np.float32))
    _, sure = Spreading.over(alone, photos).pseudo_labels(np.where(photos < 2, photos, NO_LABEL))
    np.testing.assert_array_equal(sure, np.where(photos < 2, 1.0, 0.0))


def test_they_are_not_used_where_labels_say_nothing(real: RealFeatures, neighbourhood: Neighbourhood):
    given = some(np.random.default_rng(1).integers(0, 2, len(real.labels)), 40)
    solver = AnswerSolver(real.photos, real.groups, neighbourhood=neighbourhood)
    found = solver.answers(given, ("a", "b"), waiting=given < 0)
    assert found.pseudo_labels == 0
    without = AnswerSolver(real.photos, real.groups).answers(given, ("a", "b"))
    np.testing.assert_allclose(found.probabilities, without.probabilities, atol=0.01)


def test_where_they_are_used_held_out_photos_keep_their_labels_to_themselves(
    real: RealFeatures, neighbourhood: Neighbourhood, is_scene, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(AnswerSolver, "_chosen_pseudo_weight", lambda *_: 0.03)
    given = some(is_scene, 40)
    solver = AnswerSolver(real.photos, real.groups, neighbourhood=neighbourhood)
    found = solver.answers(given, ("cell", "scene"), waiting=given < 0)
    assert found.pseudo_labels == (given < 0).sum()
    assert (found.answer == is_scene).mean() > 0.95
    # labels that mean nothing are not learned by heads that have not seen them
    random = some(np.random.default_rng(1).integers(0, 2, len(is_scene)), 40)
    solver = AnswerSolver(real.photos, real.groups, neighbourhood=neighbourhood)
    accuracy = solver.answers(random, ("a", "b"), waiting=random < 0).accuracy
    assert accuracy is not None
    assert accuracy.value < 0.75
