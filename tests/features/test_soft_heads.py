"""Heads that are solved on shares of classes: exactly those of photos that are repeated for each class, in parts."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from headstart.classifier.calibration import fit_temperature
from headstart.features import depth_head, head_in_pieces, linear_head
from headstart.features.heads_in_memory import solve_side_by_side
from headstart.features.sums import PieceSums, loss_of
from headstart.numerics import counted, cross_entropies, log_probabilities, mean_cross_entropy, num_logits


def made(classes: int, rows: int = 160, width: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Features, and shares of which each class has the largest of some rows."""
    rng = np.random.default_rng(classes)
    labels, centres = np.arange(rows) % classes, rng.normal(size=(classes, width))
    features = (0.5 * centres[labels] + rng.normal(size=(rows, width))).astype(np.float32)
    shares = rng.dirichlet(np.ones(classes), rows) + 1.5 * np.eye(classes)[labels] * (np.arange(rows) % 3 > 0)[:, None]
    return features, (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def repeated(features: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each row once for each class: features, labels, and what each counts."""
    rows, classes = shares.shape
    return np.repeat(features, classes, axis=0), np.tile(np.arange(classes), rows), shares.ravel().astype(np.float64)


def objective(features: np.ndarray, shares: np.ndarray, weights: np.ndarray, C: float, head: np.ndarray) -> float:
    logits = features.astype(np.float64) @ head[:-1] + head[-1]
    return float(-(weights * shares * log_probabilities(logits)).sum() + (head[:-1] ** 2).sum() / (2 * C))


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("classes", [2, 4])
def test_a_share_counts_as_so_much_of_a_photo(classes, balanced):
    """Loss and gradient; the solution in memory and in pieces."""
    features, shares = made(classes)
    weights = np.linspace(0.5, 2, classes) if balanced else np.ones(classes)
    rows, labels, counts = repeated(features, shares)
    counts = counts * weights[labels]
    rng, width = np.random.default_rng(1), num_logits(classes)
    kernel, bias = rng.normal(size=(features.shape[1], width)).astype(np.float32), rng.normal(size=width)
    soft = loss_of(features, shares, weights, kernel, bias)
    for found, wanted in zip(soft, loss_of(rows, labels, counts[:, None], kernel, bias), strict=True):
        assert_allclose(found, wanted, rtol=1e-4, atol=1e-3)

    C = 0.1
    start = np.zeros((features.shape[1] + 1, 1, width))
    wanted = solve_side_by_side(rows, labels, counts[:, None], C, start)[:, 0]
    found = linear_head.solve_in_memory(features, shares, weights, C)
    least = objective(features, shares, weights, C, wanted)
    assert objective(features, shares, weights, C, found) == pytest.approx(least, rel=1e-5)
    pieces = head_in_pieces.solve_in_pieces(
        [features], shares, weights, np.zeros(features.shape[1], np.float32), 1.0, C, start[:, 0]
    )
    assert objective(features, shares, weights, C, pieces) == pytest.approx(least, rel=1e-4)


def test_shares_of_one_are_labels():
    """To the last digits: the same head, C, weight and temperature."""
    features, shares = made(3)
    labels = shares.argmax(axis=1)
    whole = np.eye(3, dtype=np.float32)[labels]
    hard, soft = (depth_head.solve_depths([features], [20, 10], truth, 3, seed=0) for truth in (labels, whole))
    assert (hard.C, hard.weight) == (soft.C, soft.weight)
    assert_allclose(soft.kernel, hard.kernel, atol=1e-4)
    assert fit_temperature(hard.logits(features), whole) == pytest.approx(
        fit_temperature(hard.logits(features), labels)
    )


def test_the_head_is_closer_to_the_shares_than_one_of_the_most_probable_classes():
    """Of data whose shares are a function of the features; on other rows than it was solved on."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(600, 20)).astype(np.float32)
    shares = np.exp(log_probabilities(features @ rng.normal(size=(20, 3)))).astype(np.float32)
    train, test = slice(300), slice(300, None)
    losses = []
    for truth in (shares, shares.argmax(axis=1)):
        head = linear_head.solve([features[train]], truth[train], 3, seed=0)
        losses.append(cross_entropies(log_probabilities(head.logits(features[test])), shares[test]).mean())
    entropy = cross_entropies(np.log(shares[test]), shares[test]).mean()
    assert losses[0] - entropy < 0.5 * (losses[1] - entropy)


def test_many_rows_and_many_classes(monkeypatch):
    """The same head where rows are solved in pieces, or C is chosen on some of the classes."""
    features, shares = made(5, rows=400)
    whole = linear_head.solve([features], shares, 5, seed=0, C=0.01)
    monkeypatch.setattr(linear_head, "IN_MEMORY", 100)
    pieces = linear_head.solve([features], shares, 5, seed=0, C=0.01)
    assert_allclose(pieces.logits(features), whole.logits(features), atol=5e-3)
    monkeypatch.setattr(linear_head, "MANY_CLASSES", 4)
    many = linear_head.solve([features], shares, 5, seed=0)
    assert many.C in linear_head.C_VALUES
    assert many.logits(features).shape == (400, 5)


def test_sums_take_shares():
    features, shares = made(3)
    kernel, bias = np.zeros((30, 3), np.float32), np.zeros(3)
    with PieceSums([features, features], shares, np.ones(3)).at_work() as sums:
        loss, _, _ = sums.loss(kernel, bias)
    assert loss == pytest.approx(2 * len(features) * np.log(3), rel=1e-5)


def test_what_an_image_counts():
    truth, weights = counted(np.array([[0.25, 0.75], [1, 0]]), np.array([4.0, 1.0]))
    assert_allclose(weights, [1.75, 4])
    assert_allclose(truth, [[1 / 1.75, 0.75 / 1.75], [1, 0]])
    logs = np.log(np.array([[0.5, 0.5], [0.25, 0.75]]))
    expected = (1.75 * np.log(2) + 4 * np.log(4)) / 5.75
    assert mean_cross_entropy(logs, np.array([[0.25, 0.75], [1, 0]]), np.array([4.0, 1.0])) == pytest.approx(expected)
