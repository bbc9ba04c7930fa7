"""Heads of several labels: each is scikit-learn's, whether solved alone, together, or in pieces."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from headstart.features import label_heads
from headstart.features.label_heads import solve_labels, solve_side_by_side
from headstart.numerics import cross_entropies, label_cross_entropies, log_probabilities

SIZES = (24, 8, 8)  # the last layer, and a depth


def made(rows: int = 300, labels: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features, of which labels depend on a few; the labels overlap."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, sum(SIZES))) * np.geomspace(3, 0.1, sum(SIZES))
    scores = features @ rng.normal(size=(sum(SIZES), labels)) / 3 + rng.normal(size=(rows, labels)) - 0.5
    return features.astype(np.float32), (scores > 0).astype(np.float32)


def objective(features: np.ndarray, target: np.ndarray, C: float, head: np.ndarray) -> float:
    """scikit-learn's, divided by C, in float64."""
    scores = features.astype(float) @ head[:-1] + head[-1]
    return float(label_cross_entropies(scores, target).sum() + (head[:-1] ** 2).sum() / (2 * C))


def test_each_head_is_as_good_as_that_of_scikit_learn():
    features, targets = made()
    C = np.array([0.01, 0.3, 5.0])
    found = solve_side_by_side(features, targets, C, np.zeros((features.shape[1] + 1, 3)))
    for label in range(3):
        model = LogisticRegression(C=C[label], tol=1e-9, max_iter=1_000, solver="newton-cholesky")
        model.fit(features.astype(float), targets[:, label])
        exact = objective(features, targets[:, label], C[label], np.append(model.coef_[0], model.intercept_))
        assert objective(features, targets[:, label], C[label], found[:, label]) < exact * (1 + 1e-6)
        np.testing.assert_allclose(found[:-1, label], model.coef_[0], atol=0.02)


def test_a_label_does_not_depend_on_the_others():
    features, targets = made()
    start = np.zeros((features.shape[1] + 1, 3))
    together = solve_side_by_side(features, targets, np.full(3, 0.1), start, tolerance=1e-7)
    alone = solve_side_by_side(features, targets[:, [1]], np.array([0.1]), start[:, [1]], tolerance=1e-7)
    np.testing.assert_allclose(together[:, [1]], alone, atol=1e-3)


def test_losses_are_those_of_two_classes():
    scores = np.array([[-800.0, 0.3], [2.0, 700.0]])
    targets = np.array([[0.0, 1.0], [1.0, 0.0]])
    found = label_cross_entropies(scores, targets)
    expected = cross_entropies(log_probabilities(scores.reshape(-1, 1)), targets.ravel().astype(int)).reshape(2, 2)
    np.testing.assert_allclose(found, expected)


def test_penalties_are_chosen_for_each_label():
    """One label follows a single number of the features, another is chance, and takes a stronger penalty."""
    rng = np.random.default_rng(3)
    features, _ = made(rows=400)
    targets = np.stack([features[:, 0] > 0, rng.random(400) < 0.5], axis=1).astype(np.float32)
    heads = solve_labels([features], SIZES, targets, seed=0)
    assert 10 * heads.C[1] <= heads.C[0]
    assert ((heads.logits(features) > 0)[:, 0] == (targets[:, 0] > 0)).mean() > 0.97
    assert heads.logits(features).dtype == np.float32


@pytest.mark.parametrize("views", [1, 2])
def test_pieces_give_the_same_heads(monkeypatch, views):
    """From the solution for a part of the rows on, and without a copy of them."""
    features, targets = made(rows=500)
    noise = 0.01 * np.random.default_rng(1).normal(size=features.shape)
    given = [features, features + noise.astype(np.float32)][:views]
    monkeypatch.setattr(label_heads, "_choose", lambda *_: (0.6, np.array([0.01, 0.1, 1.0])))
    whole = solve_labels(given, SIZES, targets, seed=0)
    monkeypatch.setattr(label_heads, "VALIDATED", 200)
    monkeypatch.setattr(label_heads, "IN_GRAM", 0)
    monkeypatch.setattr(label_heads, "IN_MEMORY", 0)
    pieces = solve_labels(given, SIZES, targets, seed=0)
    np.testing.assert_allclose(pieces.logits(features), whole.logits(features), atol=0.02)


def test_a_last_layer_alone():
    features, targets = made()
    heads = solve_labels([features[:, : SIZES[0]]], SIZES[:1], targets, seed=0)
    assert heads.weight == 0
    assert heads.kernel.shape == (SIZES[0], 3)


def test_copies_are_on_one_side(monkeypatch):
    features, targets = made(rows=100)
    photos, seen = np.repeat(np.arange(50), 2), []
    of_folds = label_heads.stratification.folds

    def folds(*given):
        seen.extend(of_folds(*given))
        return of_folds(*given)

    monkeypatch.setattr(label_heads.stratification, "folds", folds)
    solve_labels([features], SIZES, targets, seed=0, photos=photos)
    assert seen
    assert not any(set(photos[train]) & set(photos[out]) for train, out in seen)
