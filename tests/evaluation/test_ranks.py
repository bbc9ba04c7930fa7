"""Answers about ranks: the class of the least expected distance, and how far answers are off."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score

from headstart.classifier.calibration import Calibration
from headstart.classifier.decision import Decision, fit_decision
from headstart.classifier.stakes import Stakes, in_order
from headstart.errors import ModelError
from headstart.evaluation.metrics import measure
from headstart.evaluation.ranks import quadratic_kappa
from headstart.evaluation.split_metrics import SplitMetrics
from headstart.json_text import json_text

NAMES = ("high", "low", "middle", "none")
ORDER = ("none", "low", "middle", "high")


def ordinal(names: tuple[str, ...] = NAMES, order: tuple[str, ...] | bool = ORDER) -> Decision:
    return fit_decision(Stakes(ordinal=order), names, np.zeros((0, len(names))), np.zeros(0, np.int64))


@given(arrays(np.float64, (3, 4), elements=st.floats(0.001, 1)))
def test_the_answer_is_the_median(weights):
    """At least half of the probability is at it or below, and at it or above."""
    shares = weights / weights.sum(axis=1, keepdims=True)
    decision = ordinal()
    place = [NAMES.index(name) for name in ORDER]
    for row, answer in zip(shares, decision.answers(shares), strict=True):
        rank = ORDER.index(NAMES[answer])
        by_rank = row[place]
        assert by_rank[: rank + 1].sum() >= 0.5 - 1e-9
        assert by_rank[rank:].sum() >= 0.5 - 1e-9


@pytest.mark.parametrize(("names", "order"), [
    (["10", "2", "0.5", "-1"], ("-1", "0.5", "2", "10")),
    (["grade 10", "grade 9"], ("grade 9", "grade 10")),
    (["b", "a"], ("a", "b")),
])  # fmt: skip
def test_the_order_of_names(names, order):
    assert in_order(names) == order
    Stakes(ordinal=True).check(names)
    assert Stakes(ordinal=True).ranks(names) == order


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_kappa_is_scikit_learns(pairs):
    labels, answers = np.array(pairs).T
    confusion = np.zeros((4, 4))
    np.add.at(confusion, (labels, answers), 1)
    found = quadratic_kappa(confusion)
    if len({*labels, *answers}) == 1:
        assert found == 0
    else:
        wanted = cohen_kappa_score(labels, answers, labels=range(4), weights="quadratic")
        assert found == pytest.approx(wanted, abs=1e-12)


def measured(groups: tuple[str, ...] = (), rows: int = 300):
    rng = np.random.default_rng(0)
    ranks = rng.integers(0, 4, rows)
    place = np.array([NAMES.index(name) for name in ORDER])
    logits = -np.abs(np.arange(4)[None] - (ranks + rng.normal(0, 0.9, rows))[:, None])[:, np.argsort(place)]
    return measure(logits, place[ranks], NAMES, Calibration(decision=ordinal()), groups=groups)


def test_numbers_of_ranks():
    found = measured()
    assert found.stakes is not None
    ranks = found.stakes.ranks
    assert ranks is not None
    assert found.stakes.cost is None
    place = np.array([ORDER.index(name) for name in NAMES])
    off = np.abs(place[found.predicted] - place[found.labels])
    assert ranks.distance.value == pytest.approx(off.mean())
    assert ranks.distance.low < off.mean() < ranks.distance.high
    assert ranks.within_one.value == pytest.approx((off <= 1).mean())
    wanted = cohen_kappa_score(place[found.labels], place[found.predicted], weights="quadratic")
    assert ranks.kappa.value == pytest.approx(wanted)
    assert -1 < ranks.kappa.low < wanted < ranks.kappa.high < 1
    assert ranks.kappa.high - ranks.kappa.low < 0.15
    assert ranks.distance_of_constant > ranks.distance.value
    content = json.loads(json_text(found.to_json()))
    assert SplitMetrics.from_json(content).to_json() == found.to_json()
    assert "quadratic weighted kappa" in str(found)


def test_groups_make_intervals_wider():
    alone, together = measured().stakes, measured(tuple(str(n // 10) for n in range(300))).stakes
    one = measured(("the same",) * 300).stakes
    assert alone is not None
    assert together is not None
    assert one is not None
    assert alone.ranks is not None
    assert together.ranks is not None
    assert one.ranks is not None
    assert one.ranks.kappa.high - one.ranks.kappa.low == 2
    assert one.ranks.kappa.value == alone.ranks.kappa.value


def test_a_decision_about_ranks_survives_its_file():
    decision = ordinal()
    assert Decision.from_json(json.loads(json_text(decision.to_json()))) == decision
    assert "ranks" not in Decision(NAMES).to_json()
    with pytest.raises(ValueError, match="expected each class once"):
        Decision.from_json({**decision.to_json(), "ranks": ["none"]})


@pytest.mark.parametrize(("order", "message"), [
    (("none", "low"), "is none, low; expected each class of the photos in it, and no others: high, low, middle, none"),
    ((*ORDER, "extreme"), "none, low, middle, high, extreme; expected each class"),
])  # fmt: skip
def test_an_order_of_other_classes(order, message):
    with pytest.raises(ModelError, match=message):
        Stakes(ordinal=order).check(NAMES)


@pytest.mark.parametrize("order", ["none,low", ["none"], [], ["none", "low", "none"]])
def test_what_is_no_order(order):
    with pytest.raises(ModelError, match="expected the names of all classes, each once"):
        Stakes.of(None, None, order)


def test_costs_and_ranks_are_two_answers_to_one_question():
    with pytest.raises(ModelError, match="expected one of them"):
        Stakes.of({"a": {"a": 0, "b": 1}, "b": {"a": 1, "b": 0}}, None, True)
