"""The statistics, against scikit-learn and against what can be counted by hand."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from headstart.evaluation.metrics import confusion_matrix, measure, wilson
from headstart.models import outputs


@pytest.mark.parametrize("classes", [2, 3, 20])
def test_against_scikit_learn(classes):
    rng = np.random.default_rng(classes)
    labels = rng.integers(0, classes, 400)
    logits = rng.normal(size=(400, outputs.num_logits(classes)))
    names = [f"class {i}" for i in range(classes)]
    evaluation = measure(logits, labels, names)
    answers, shares = evaluation.predicted, evaluation.probabilities
    assert evaluation.accuracy.value == sklearn.metrics.accuracy_score(labels, answers)
    assert evaluation.loss == pytest.approx(sklearn.metrics.log_loss(labels, shares, labels=range(classes)), rel=1e-9)
    np.testing.assert_array_equal(evaluation.confusion, sklearn.metrics.confusion_matrix(labels, answers))
    precision, recall, f1, support = sklearn.metrics.precision_recall_fscore_support(
        labels, answers, zero_division=np.nan
    )
    rows = evaluation.per_class()
    for key, expected in (("precision", precision), ("recall", recall), ("f1", f1), ("support", support)):
        values = [np.nan if row[key] is None else row[key] for row in rows]
        np.testing.assert_allclose(values, expected, rtol=1e-12, err_msg=key)
    assert all(name in str(evaluation) for name in names)


def test_wilson_against_published_values():
    # R. G. Newcombe, Two-sided confidence intervals for the single proportion (1998), table I, method 3
    for correct, count, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        interval = wilson(correct, count)
        assert interval.low == pytest.approx(low, abs=5e-5)
        assert interval.high == pytest.approx(high, abs=5e-5)
    with pytest.raises(ValueError, match="at least 1"):
        wilson(0, 0)


@given(st.integers(1, 5000), st.data())
def test_wilson_holds_the_share(count, data):
    correct = data.draw(st.integers(0, count))
    interval = wilson(correct, count)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.value == correct / count


def test_one_logit_is_the_second_class():
    logits = np.array([[-3.0], [0.5], [800.0], [-800.0]])
    shares = outputs.probabilities(logits)
    np.testing.assert_allclose(shares[:2, 1], 1 / (1 + np.exp([3.0, -0.5])))
    assert shares[2:].tolist() == [[0, 1], [1, 0]]
    assert np.isfinite(outputs.log_probabilities(logits)).all()
    first, second = outputs.predictions(logits[:2], ["cat", "dog"])
    assert (first.label, second.label) == ("cat", "dog")
    assert first.probability == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert list(first.top(1)) == ["cat"]


@given(st.lists(st.lists(st.floats(-50, 50), min_size=3, max_size=3), min_size=1, max_size=20))
def test_probabilities_add_up(rows):
    shares = outputs.probabilities(np.array(rows))
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (shares >= 0).all()


def test_confusion_matrix_by_hand():
    assert confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 2, 1, 1]), 3).tolist() == [
        [1, 0, 1],
        [0, 1, 0],
        [0, 1, 0],
    ]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 3))
def test_pictures_show_every_class_where_there_is_room(labels, seed):
    from headstart.evaluation.gallery import various

    labels = np.array(labels)
    chosen = various(labels, seed=seed)
    assert len(set(chosen.tolist())) == len(chosen) == min(9, len(labels))
    assert set(labels[chosen]) == set(labels)
