"""What a correction of labels has changed is measured on the photos that it does not touch."""

import numpy as np
import pytest

from headstart.studio.answers import Answers
from headstart.studio.change import change
from headstart.studio.solving import AnswerSolver
from support.real_features import RealFeatures


@pytest.fixture(scope="module")
def both(real: RealFeatures) -> tuple[Answers, Answers, np.ndarray]:
    """Answers with many wrong labels, answers with the right ones, and which were wrong."""
    wrong = real.labels.copy()
    planted = np.random.default_rng(1).permutation(len(wrong))[:90]
    wrong[planted] = (wrong[planted] + 1) % 3
    solver = AnswerSolver(real.photos, real.groups)
    return solver.answers(wrong, real.names), solver.answers(real.labels, real.names), planted


def test_photos_whose_labels_changed_are_left_out(both, real: RealFeatures):
    before, after, planted = both
    found = change(before, after)
    assert found is not None
    assert found.relabelled == 90
    assert found.to_json()["before"]["count"] == len(real.labels) - 90
    others = np.setdiff1d(np.arange(len(real.labels)), planted)
    assert found.gained - found.lost == after.right[others].sum() - before.right[others].sum()
    assert found.points > 0
    assert found.text.startswith("90 labels changed: +")


def test_nothing_changed_is_not_distinguishable(both):
    _, after, _ = both
    found = change(after, after)
    assert found is not None
    assert (found.gained, found.lost, found.to_json()["p"]) == (0, 0, 1.0)
    assert "not distinguishable" in found.text


def test_nothing_in_common_is_no_change(real: RealFeatures):
    first = np.where(np.arange(len(real.labels)) % 2 == 0, real.labels, -1)
    second = np.where(np.arange(len(real.labels)) % 2 == 1, real.labels, -1)
    solver = AnswerSolver(real.photos, real.groups)
    assert change(solver.first(first, real.names), solver.first(second, real.names)) is None
