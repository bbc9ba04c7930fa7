"""The solved head: scikit-learn's own, chosen inside the training set."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV

from headstart.training import head
from headstart.training.head import STRENGTHS, Scale, choose_strength, folds, solve


def made(classes: int = 2, count: int = 240, width: int = 24, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Two views of features that overlap, so that there is something to choose."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centres = rng.normal(size=(classes, width))
    views = [(0.6 * centres[labels] + rng.normal(size=(count, width)) + 3).astype(np.float32) for _ in range(2)]
    return views, labels


@pytest.mark.parametrize("classes", [2, 5])
def test_cross_validation_chooses_what_scikit_learn_would(classes):
    views, labels = made(classes)
    scale = Scale.of(views)
    scaled = [scale(view) for view in views]
    count = len(labels)
    parts = [(np.concatenate([train, train + count]), held_out) for train, held_out in folds(labels, 0)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = LogisticRegressionCV(
            Cs=list(STRENGTHS), cv=parts, scoring="neg_log_loss", max_iter=2000, tol=1e-6
        ).fit(np.concatenate(scaled), np.tile(labels, 2))
    assert choose_strength(scaled, labels, np.ones(classes), seed=0) == pytest.approx(float(np.ravel(theirs.C_)[0]))


@pytest.mark.parametrize("classes", [2, 5])
def test_the_solution_is_scikit_learns(classes):
    views, labels = made(classes)
    solved = solve(views, labels, classes, seed=0)
    both = np.concatenate(views)
    scale = Scale.of(views)
    model = LogisticRegression(C=solved.strength, tol=1e-7, max_iter=5000).fit(scale(both), np.tile(labels, 2))
    logits = solved.logits(views[0])
    assert logits.shape == (len(labels), 1 if classes == 2 else classes)
    expected = model.decision_function(scale(views[0])).reshape(len(labels), -1)
    np.testing.assert_allclose(logits, expected, rtol=0.01, atol=0.02)


def test_the_same_seed_gives_the_same_head():
    views, labels = made(3)
    one, other = solve(views, labels, 3, seed=4), solve(views, labels, 3, seed=4)
    np.testing.assert_allclose(one.kernel, other.kernel, atol=1e-6)
    np.testing.assert_allclose(one.bias, other.bias, atol=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
def test_pieces_find_the_same_head(classes, monkeypatch):
    views, labels = made(classes, count=1200)
    exact = solve(views, labels, classes, seed=0)
    monkeypatch.setattr(head, "IN_MEMORY", 2000)
    monkeypatch.setattr(head, "PIECE", 500)
    monkeypatch.setattr(head, "choose_strength", lambda *args, **options: exact.strength)
    stepped = solve(views, labels, classes, seed=0)
    one, other = exact.logits(views[0]), stepped.logits(views[0])
    if classes > 2:  # a number added to every logit changes nothing
        one, other = one - one.mean(axis=1, keepdims=True), other - other.mean(axis=1, keepdims=True)
    assert np.abs(one - other).max() < 0.01 * np.abs(one).max()


def test_few_images_and_dead_features():
    views, labels = made(3, count=3)
    views = [np.concatenate([view, np.zeros((3, 5), np.float32)], axis=1) for view in views]
    solved = solve(views, labels, 3, seed=0)
    assert solved.strength == head.DEFAULT_STRENGTH
    assert np.isfinite(solved.kernel).all()
    assert (solved.logits(views[0]).argmax(axis=1) == labels).all()


def test_views_of_an_image_are_never_on_both_sides():
    labels = np.arange(50) % 5
    for train, held_out in folds(labels, 0):
        assert not set(train) & set(held_out)
        assert set(labels[held_out]) == set(range(5))
    assert folds(np.array([0, 1, 1]), 0) == []


def test_a_class_of_few_images_does_not_end_the_validation_of_the_others():
    labels = np.array([0] * 20 + [1] * 30 + [2])
    parts = folds(labels, 0)
    assert len(parts) == 5
    assert all(len(labels) - 1 in train for train, _ in parts)
    assert sorted(np.concatenate([held_out for _, held_out in parts])) == list(range(50))
    views, _ = made(2, count=51)
    assert np.isfinite(solve(views, labels, 3, seed=0).logits(views[0])).all()


def test_it_converges_silently():
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        solve(*made(2), 2, seed=0)


@pytest.mark.parametrize("in_memory", [True, False])
def test_class_weights_are_repetitions(in_memory, monkeypatch):
    """An image that counts three times is an image that is there three times."""
    views, labels = made(2, count=90)
    weights = np.array([1.0, 3.0])
    thrice = np.concatenate([np.arange(90), *[np.flatnonzero(labels == 1)] * 2])
    # the mean and the deviation of the features are those of the images as they are, so the strength differs a little
    repeated = solve([view[thrice] for view in views], labels[thrice], 2, seed=0, strength=1e-2)
    if not in_memory:
        monkeypatch.setattr(head, "IN_MEMORY", 100)
    weighted = solve(views, labels, 2, seed=0, strength=1e-2, class_weights=weights)
    np.testing.assert_allclose(weighted.logits(views[0]), repeated.logits(views[0]), atol=0.15)
    plain = solve(views, labels, 2, seed=0, strength=1e-2)
    assert weighted.logits(views[0]).mean() > plain.logits(views[0]).mean() + 0.5


@pytest.mark.parametrize("classes", [2, 3])
def test_a_rare_class_in_a_large_collection(classes, monkeypatch):
    """It is among the images that the strength is chosen by, and that the first solution is found for."""
    views, labels = made(classes, count=1200)
    kept = np.concatenate([np.flatnonzero(labels != 0), np.flatnonzero(labels == 0)[:6]])
    monkeypatch.setattr(head, "IN_MEMORY", 200)
    solved = solve([view[kept] for view in views], labels[kept], classes, seed=0)
    assert np.isfinite(solved.kernel).all()
    for seed in range(20):
        some = head.some_images(labels[kept], 50, seed)
        assert np.bincount(labels[kept][some]).min() >= head.FOLDS
        assert len(set(some)) == len(some) <= 50 + classes * head.FOLDS
