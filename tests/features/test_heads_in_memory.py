"""Heads that are solved together: each is scikit-learn's, whatever its rows count."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from headstart.features import heads_in_memory
from headstart.features.heads_in_memory import solve_side_by_side
from headstart.numerics import cross_entropies, log_probabilities, num_logits


def made(classes: int, rows: int = 150, width: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features that overlap, some of which vary a hundred times less than others."""
    rng = np.random.default_rng(seed)
    labels, centres = np.arange(rows) % classes, rng.normal(size=(classes, width))
    features = (0.3 * centres[labels] + rng.normal(size=(rows, width))) * np.geomspace(2, 0.02, width)
    return features.astype(np.float32), labels


def counted(rows: int) -> np.ndarray:
    """Of five heads: all rows alike, without a fifth, without another, each three times, and drawn weights."""
    counts = np.ones((rows, 5))
    counts[: rows // 5, 1] = counts[-rows // 5 :, 2] = 0
    counts[:, 3], counts[:, 4] = 3, np.random.default_rng(1).uniform(0, 2, rows)
    return counts


def objective(features: np.ndarray, labels: np.ndarray, counts: np.ndarray, C: float, head: np.ndarray) -> float:
    """scikit-learn's, divided by C, in float64."""
    logits = features.astype(np.float64) @ head[:-1] + head[-1]
    return float(cross_entropies(log_probabilities(logits), labels) @ counts + (head[:-1] ** 2).sum() / (2 * C))


def by_scikit_learn(features: np.ndarray, labels: np.ndarray, counts: np.ndarray, C: float) -> np.ndarray:
    model = LogisticRegression(C=C, tol=1e-9, max_iter=1000, solver="newton-cholesky")
    model.fit(features.astype(np.float64), labels, sample_weight=counts)
    return np.concatenate([model.coef_, model.intercept_[:, None]], axis=1).T


def started(features: np.ndarray, heads: int, classes: int) -> np.ndarray:
    return np.zeros((features.shape[1] + 1, heads, num_logits(classes)))


@pytest.mark.parametrize("C", [1e-3, 1e-1, 1.0, 10.0])
@pytest.mark.parametrize("classes", [2, 5])
def test_each_is_as_good_as_scikit_learns(classes, C):
    """To a millionth of the objective, or a hundred thousandth where several are solved together, from any start."""
    features, labels = made(classes)
    counts = counted(len(labels))
    found = solve_side_by_side(features, labels, counts, C, started(features, 5, classes))
    again = solve_side_by_side(features, labels, counts, C, np.random.default_rng(2).normal(size=found.shape))
    for number, own in enumerate(counts.T):
        best = objective(features, labels, own, C, by_scikit_learn(features, labels, own, C))
        alone = solve_side_by_side(features, labels, own[:, None], C, started(features, 1, classes))
        assert objective(features, labels, own, C, alone[:, 0]) == pytest.approx(best, rel=1e-6)
        for together in (found, again):
            assert objective(features, labels, own, C, together[:, number]) == pytest.approx(best, rel=1e-5)


def test_pieces_of_the_rows_change_nothing(monkeypatch):
    features, labels = made(3)
    counts = counted(len(labels))
    whole = solve_side_by_side(features, labels, counts, 0.1, started(features, 5, 3))
    monkeypatch.setattr(heads_in_memory, "PIECE", 40)
    pieces = solve_side_by_side(features, labels, counts, 0.1, started(features, 5, 3))
    np.testing.assert_allclose(pieces, whole, atol=1e-3 * np.abs(whole).max())


@pytest.mark.parametrize("classes", [2, 3])
def test_a_class_that_a_head_does_not_see_is_hardly_ever_its_answer(classes):
    """As in a fold whose photos are all that there are of a class."""
    features, labels = made(classes)
    counts = np.stack([np.ones(len(labels)), labels != 0], axis=1).astype(float)
    found = solve_side_by_side(features, labels, counts, 0.1, started(features, 2, classes))
    assert np.isfinite(found).all()
    shares = np.exp(log_probabilities(features @ found[:-1, 1] + found[-1, 1]))
    assert shares[:, 0].max() < 0.01
    own = counts[:, 0]
    best = objective(features, labels, own, 0.1, by_scikit_learn(features, labels, own, 0.1))
    assert objective(features, labels, own, 0.1, found[:, 0]) == pytest.approx(best, rel=1e-6)
