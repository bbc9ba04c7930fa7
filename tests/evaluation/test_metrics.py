"""The statistics, against scikit-learn and against what can be counted by hand."""

import json

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from headstart import numerics
from headstart.classifier.calibration import Calibration
from headstart.classifier.prediction import predictions
from headstart.errors import ModelError
from headstart.evaluation.curves import curves
from headstart.evaluation.metrics import Evaluation, confusion_matrix, measure
from headstart.evaluation.reliability import reliability
from headstart.statistics import percent, wilson


@pytest.mark.parametrize("classes", [2, 3, 20])
def test_against_scikit_learn(classes):
    rng = np.random.default_rng(classes)
    labels = rng.integers(0, classes, 400)
    logits = rng.normal(size=(400, numerics.num_logits(classes)))
    names = [f"class {i}" for i in range(classes)]
    evaluation = measure(logits, labels, names)
    answers, probabilities = evaluation.predicted, evaluation.probabilities
    assert evaluation.accuracy.value == sklearn.metrics.accuracy_score(labels, answers)
    assert evaluation.loss == pytest.approx(
        sklearn.metrics.log_loss(labels, probabilities, labels=range(classes)), rel=1e-9
    )
    np.testing.assert_array_equal(evaluation.confusion, sklearn.metrics.confusion_matrix(labels, answers))
    precision, recall, f1, support = sklearn.metrics.precision_recall_fscore_support(
        labels, answers, zero_division=np.nan
    )
    rows = evaluation.per_class
    for key, expected in (("precision", precision), ("recall", recall), ("f1", f1), ("support", support)):
        values = [np.nan if row[key] is None else row[key] for row in rows]
        np.testing.assert_allclose(values, expected, rtol=1e-12, err_msg=key)
    assert all(name in str(evaluation) for name in names)
    for average in ("macro", "weighted"):
        found = evaluation.averages()[average]
        expected = sklearn.metrics.precision_recall_fscore_support(
            labels, answers, average=average, labels=np.unique(labels), zero_division=0
        )
        assert [found[key] for key in ("precision", "recall", "f1")] == pytest.approx(expected[:3])
        scores, one_hot = (probabilities[:, 1], labels) if classes == 2 else (probabilities, np.eye(classes)[labels])
        area = sklearn.metrics.roc_auc_score(one_hot, scores, average=average)
        assert found["roc_area"] == pytest.approx(area)
        of_each = np.eye(classes)[labels]
        precision = sklearn.metrics.average_precision_score(of_each, probabilities, average=average)
        assert found["average_precision"] == pytest.approx(precision)
    for count in (3, 5):
        if count < classes:
            expected = sklearn.metrics.top_k_accuracy_score(labels, probabilities, k=count)
            assert evaluation.to_json()["top"][str(count)]["value"] == expected


def test_calibration_is_measured_before_and_after():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (2_000, 3))
    labels = (numerics.probabilities(logits).cumsum(axis=1) > rng.random((2_000, 1))).argmax(axis=1)
    evaluation = measure(4 * logits, labels, ["a", "b", "c"], Calibration(4.0))
    found = evaluation.to_json()["calibration"]
    assert found["before"]["log_loss"] == evaluation.loss > found["log_loss"]
    assert found["before"]["expected_calibration_error"] > 0.1 > 0.03 > found["expected_calibration_error"]
    probabilities = evaluation.probabilities
    assert found["log_loss"] == pytest.approx(sklearn.metrics.log_loss(labels, probabilities, labels=range(3)))
    # the error by its definition, bin by bin
    most, right, total = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels, 0.0
    for low in range(15):
        chosen = (most > low / 15) & (most <= (low + 1) / 15)
        if chosen.any():
            total += chosen.mean() * abs(most[chosen].mean() - right[chosen].mean())
    assert found["expected_calibration_error"] == pytest.approx(total)
    assert sum(row["count"] for row in found["bins"]) == 2_000


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=1, max_size=40))
def test_curves_are_scikit_learns(answers):
    """Also where several images have the same probability."""
    belongs, scores = np.array([own for own, _ in answers]), np.array([score / 12 for _, score in answers])
    found = curves(np.stack([1 - scores, scores], axis=1), belongs.astype(int), 1)
    if belongs.all() or not belongs.any():
        assert found is None
        return
    assert found is not None
    false_positives, true_positives, _ = sklearn.metrics.roc_curve(belongs, scores)
    precision, recall, _ = sklearn.metrics.precision_recall_curve(belongs, scores)
    for ours, theirs in (
        (found.false_positives, false_positives), (found.true_positives, true_positives),
        (found.precision, precision), (found.recall, recall),
        (found.roc_area, sklearn.metrics.roc_auc_score(belongs, scores)),
        (found.average_precision, sklearn.metrics.average_precision_score(belongs, scores)),
    ):  # fmt: skip
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("count", [1, 30, 200])
def test_true_probabilities_of_few_images_are_off_by_chance_alone(count):
    """In 95% of cases by no more than `by_chance`, which is much for few images."""
    rng = np.random.default_rng(count)
    probabilities = rng.dirichlet((1, 1, 1), size=(300, count))
    labels = (probabilities.cumsum(axis=2) > rng.random((300, count, 1))).argmax(axis=2)
    found = [reliability(*each) for each in zip(probabilities, labels, strict=True)]
    beyond = np.mean([each.error > each.by_chance for each in found])
    assert beyond <= 0.08
    assert np.mean([each.error for each in found]) > 0.03


def test_what_is_not_all_does_not_look_like_it():
    assert percent(1.0) == "100.0%"
    assert percent(4_998 / 5_000) == "99.96%"
    assert percent(0.99949) == "99.9%"
    assert percent(0.5) == "50.0%"
    assert str(wilson(4_998, 5_000)).startswith("99.96% (")


def test_images_of_one_class_one_image_and_answers_that_are_all_alike():
    alike = measure(np.zeros((4, 3)), np.array([0, 0, 0, 0]), ["a", "b", "c"])
    assert alike.accuracy.value == 1.0  # of equal probabilities the first
    assert alike.averages()["macro"]["roc_area"] is None
    assert [row["roc_area"] for row in alike.per_class] == [None] * 3
    one = measure(np.array([[2.0]]), np.array([0]), ["a", "b"])
    assert (one.accuracy.correct, one.accuracy.count) == (0, 1)
    for evaluation in (alike, one):
        json.dumps(evaluation.to_json(), allow_nan=False)
        assert "accuracy" in str(evaluation)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_logits_that_are_no_numbers(number):
    with pytest.raises(ModelError, match=r"no numbers .* for 1 of 2 images\. Expected"):
        measure(np.array([[number], [1.0]]), np.array([0, 1]), ["a", "b"])
    with pytest.raises(ModelError, match=r"for 5 of 6 images: 'b', 'c', 'd', \.\.\.\. Expected"):
        numerics.check_numbers(np.array([[0.0, 1.0]] + [[1.0, number]] * 5), list("abcdef"))


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
    probabilities = numerics.probabilities(logits)
    np.testing.assert_allclose(probabilities[:2, 1], 1 / (1 + np.exp([3.0, -0.5])))
    assert probabilities[2:].tolist() == [[0, 1], [1, 0]]
    assert np.isfinite(numerics.log_probabilities(logits)).all()
    first, second = predictions(probabilities[:2], ["cat", "dog"])
    assert (first.label, second.label) == ("cat", "dog")
    assert first.probability == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert list(first.top(1)) == ["cat"]


@given(st.lists(st.lists(st.floats(-50, 50), min_size=3, max_size=3), min_size=1, max_size=20))
def test_probabilities_add_up(rows):
    probabilities = numerics.probabilities(np.array(rows))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities >= 0).all()


def test_confusion_matrix_by_hand():
    assert confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 2, 1, 1]), 3).tolist() == [
        [1, 0, 1],
        [0, 1, 0],
        [0, 1, 0],
    ]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 3))
def test_pictures_show_every_class_where_there_is_room(labels, seed):
    from headstart.evaluation.gallery import varied

    labels = np.array(labels)
    chosen = varied(labels, seed=seed)
    assert len(set(chosen.tolist())) == len(chosen) == min(9, len(labels))
    assert set(labels[chosen]) == set(labels)


def answered(labels: np.ndarray, answers: np.ndarray, classes: int) -> Evaluation:
    return measure(4.0 * np.eye(classes)[answers], labels, [f"class {number}" for number in range(classes)])


def test_a_classifier_that_always_gives_the_commonest_answer_is_told_so():
    labels = np.array([0] * 200 + [1] * 6)
    found = answered(labels, np.zeros(206, int), 2)
    assert found.metrics.baseline == found.accuracy.value == 200 / 206
    assert found.metrics.balanced_accuracy == 0.5
    assert found.to_json()["baseline"] == {"class": "class 0", "accuracy": 200 / 206}
    said = str(found)
    assert "Always answering 'class 0' would score 97.1%" in said
    assert "balanced accuracy (the mean recall of the classes): 50.0%" in said
    assert "not shown to be better than that" in said


def test_even_classes_have_their_baseline_too():
    labels = np.arange(300) % 3
    found = answered(labels, labels, 3).metrics
    assert (found.baseline, found.balanced_accuracy) == (1 / 3, 1.0)
    assert found.against_the_commonest == "Always answering 'class 0' would score 33.3%."
    alone = answered(np.zeros(5, int), np.array([0, 0, 0, 1, 1]), 2).metrics
    assert alone.against_the_commonest.endswith("as all of these images are of that class.")
