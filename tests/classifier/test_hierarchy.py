"""The parent that is answered where a class is not sure: the deepest one that is, and right as often as promised."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.classifier.calibration import Calibration, fit_calibration, with_hierarchy
from headstart.classifier.decision import NEVER
from headstart.classifier.hierarchy import Hierarchy
from headstart.classifier.output_formats import in_words
from headstart.classifier.prediction import not_sure
from headstart.evaluation.hierarchy import HierarchyMetrics
from headstart.evaluation.metrics import measure
from headstart.studio.trying import sure_from

NAMES = ("a/x", "a/y", "b/p/q", "b/p/r", "b/s", "t")  # of unequal depth


def drawn(count: int, seed: int, between: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn from them: the classes of a parent are hard to tell, the parents are not."""
    rng = np.random.default_rng(seed)
    top = rng.normal(0, between, (count, 3))
    low = rng.normal(0, 1.5, (count, 6)) + top[:, [0, 0, 1, 1, 1, 2]]
    return low, (low + rng.gumbel(size=low.shape)).argmax(axis=1)


def fitted(count: int, seed: int, unsure: tuple[str, ...] = ()) -> Calibration:
    logits, labels = drawn(count, seed)
    plain = fit_calibration(logits, labels)
    found = Calibration(plain.temperature, plain.accuracy, plain.coverage, unsure)
    return with_hierarchy(found, NAMES, logits, labels)


def shares_of(probabilities: dict[str, float], parent: str) -> float:
    return sum(share for name, share in probabilities.items() if name.startswith(f"{parent}/"))


def test_parents_and_their_levels():
    tree = Hierarchy(NAMES)
    assert tree.parents == (("a",), ("a",), ("b", "b/p"), ("b", "b/p"), ("b",), ())
    assert tree.levels == 2
    assert tree.names == ["a", "b", "b/p"]
    assert Hierarchy(("cats", "dogs")).levels == 0


def test_a_parent_that_holds_all_classes_says_nothing():
    assert Hierarchy(("animals/birds/robin", "animals/cats")).names == ["animals/birds"]
    calibration = with_hierarchy(
        Calibration(accuracy={0.9: 0.5}), ("all/a", "all/b"), np.zeros((4, 1)), np.zeros(4, int)
    )
    assert calibration.hierarchy is None


@pytest.mark.parametrize("accuracy", [0.8, 0.9, 0.95])
def test_the_answer_is_the_deepest_that_is_sure(accuracy):
    """As a loop over the levels finds it, photo by photo."""
    calibration = fitted(3_000, 0)
    assert calibration.hierarchy is not None
    logits, _ = drawn(500, 1)
    found = calibration.to_predictions(NAMES, accuracy=accuracy)(logits)
    for each in found:
        if each.sure:
            assert each.answer == each.label
            continue
        expected, least = None, calibration.hierarchy.accuracy[accuracy]
        for level, parent in enumerate(calibration.hierarchy.parents[NAMES.index(each.label)]):
            if shares_of(each.probabilities, parent) >= least[level]:
                expected = parent
        assert each.answer == each.parent == expected
        if expected:
            assert each.parent_probability == pytest.approx(shares_of(each.probabilities, expected))
            assert each.parent_probability is not None
            assert each.parent_probability >= each.probability
    assert any(each.parent for each in found)
    assert any(each.sure for each in found)


def test_what_is_promised_holds_for_the_answers_of_each_level_alone():
    """It is broken in at most one of ten repetitions, each with 600 photos to find the thresholds."""
    broken, answered = Counter[tuple[float, int]](), Counter[tuple[float, int]]()
    for seed in range(50):
        calibration = fitted(600, seed)
        logits, labels = drawn(20_000, 1_000 + seed)
        found = calibration.probabilities(logits)
        answers, tree = found.argmax(axis=1), calibration.hierarchy
        assert tree is not None
        for accuracy in (0.8, 0.9, 0.95):
            is_sure = found.max(axis=1) >= calibration.accuracy[accuracy]
            levels = tree.answered(found, answers, is_sure, accuracy)
            for level in range(tree.levels + 1):
                given = levels == level if level else is_sure
                right = tree.is_right(answers, labels, level) if level else answers == labels
                answered[accuracy, level] += int(given.sum())
                broken[accuracy, level] += bool(given.any() and right[given].mean() < accuracy)
    assert max(broken.values()) <= 5 + 2  # 50 have their own chance
    assert answered[0.8, 1] / (50 * 20_000) > 0.2, "parents are answered"
    assert answered[0.95, 1] > answered[0.95, 0], "where classes cannot be told, their parents can"


def test_a_class_that_is_never_sure_may_be_answered_by_its_parent():
    calibration = fitted(3_000, 0, unsure=("a/x", "t"))
    logits, _ = drawn(500, 1)
    found = calibration.to_predictions(NAMES, accuracy=0.9)(logits)
    assert {each.sure for each in found if each.label in ("a/x", "t")} == {False}
    assert any(each.parent == "a" for each in found if each.label == "a/x")
    assert not any(each.parent for each in found if each.label == "t")


def test_without_a_tree_nothing_changes():
    logits, labels = drawn(600, 0)
    calibration = fit_calibration(logits, labels)
    with_tree = with_hierarchy(calibration, NAMES, logits, labels)
    plain, other = calibration.to_predictions(NAMES)(logits), with_tree.to_predictions(NAMES)(logits)
    assert all(each.parent is None for each in plain)
    assert [each.sure for each in plain] == [each.sure for each in other]
    assert "hierarchy" not in calibration.to_json()


def test_candidates_have_the_parent_that_holds_all_of_them():
    calibration = fitted(2_000, 0)
    logits, labels = drawn(2_000, 1)
    found = calibration.to_predictions(NAMES, coverage=0.9)(logits)
    held = [
        NAMES[label] in each.candidates or bool(each.parent and NAMES[label].startswith(f"{each.parent}/"))
        for each, label in zip(found, labels, strict=True)
    ]
    for each in found:
        if each.parent:
            assert all(name.startswith(f"{each.parent}/") for name in each.candidates)
            assert len(each.candidates) > 1
            assert each.parent_probability == pytest.approx(shares_of(each.probabilities, each.parent))
    assert np.mean(held) >= 0.88
    assert any(each.parent == "b/p" for each in found)


def test_json_and_back():
    calibration = fitted(600, 0)
    assert Calibration.from_json(calibration.to_json()) == calibration
    tree = Hierarchy(NAMES, {0.9: (0.7, NEVER)})
    content = tree.to_json()
    assert content["accuracy"] == {"0.9": [0.7, None]}
    assert content["parents"][2] == ["b", "b/p"]
    assert Hierarchy.from_json(content) == tree
    for damaged in (content | {"accuracy": {"0.9": [0.7]}}, {"accuracy": {}}, content | {"accuracy": {"much": [1, 1]}}):
        with pytest.raises((ValueError, KeyError, TypeError)):
            Hierarchy.from_json(damaged)


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=2, max_size=3).map("/".join), min_size=2, unique=True))
def test_probabilities_of_parents_are_sums(names):
    names = tuple(name for name in names if not any(other.startswith(f"{name}/") for other in names))
    if len(names) < 2:
        return
    tree, rng = Hierarchy(names), np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(len(names)), 7)
    for level in range(1, tree.levels + 1):
        for answer in range(len(names)):
            found = tree.probabilities(probabilities, np.full(7, answer), level)
            parents = tree.parents[answer]
            if len(parents) < level:
                assert (found == -1).all()
                continue
            inside = [name.startswith(f"{parents[level - 1]}/") for name in names]
            np.testing.assert_allclose(found, probabilities[:, inside].sum(axis=1), atol=1e-12)


def test_the_numbers_are_those_of_the_answers():
    calibration = fitted(3_000, 0)
    logits, labels = drawn(1_000, 1)
    found = measure(logits, labels, NAMES, calibration).hierarchy
    assert found is not None
    for accuracy, row in found.answers.items():
        answers = calibration.to_predictions(NAMES, accuracy=float(accuracy))(logits)
        assert row.unanswered.correct == sum(each.answer is None for each in answers)
        for level, cell in enumerate(row.parents):
            given = [each for each in answers if each.parent and each.parent.count("/") == level]
            assert (0 if cell is None else cell.answered.correct) == len(given)
    assert "0.95" in found.answers
    assert len(found.lines) == 2 + len(found.answers)
    top = {name: name.split("/")[0] for name in NAMES}
    answers = calibration.to_predictions(NAMES)(logits)
    assert found.levels[0].accuracy.correct == sum(
        top[each.label] == top[NAMES[label]] for each, label in zip(answers, labels, strict=True)
    )
    assert HierarchyMetrics.from_json(found.to_json()) == found
    assert measure(logits, labels, NAMES).hierarchy is None


def test_the_usual_accuracy_is_that_of_classes_and_of_parents_only_where_classes_have_none():
    tree = Hierarchy(NAMES, {0.9: (NEVER, NEVER), 0.95: (0.7, NEVER), 0.98: (0.8, NEVER)})
    of_classes = {0.9: 0.5, 0.95: NEVER, 0.98: NEVER}
    assert Calibration(1.0, of_classes).usual_accuracy == 0.9
    assert Calibration(1.0, of_classes, hierarchy=tree).usual_accuracy == 0.9
    nothing = Calibration(1.0, dict.fromkeys(of_classes, NEVER), hierarchy=tree)
    assert nothing.usual_accuracy == 0.95
    assert sure_from(nothing) is None, "infinity is no number of JSON"
    assert Calibration(1.0, of_classes, hierarchy=tree).possible_accuracies == [0.9, 0.95, 0.98]


def test_words():
    calibration = fitted(3_000, 0)
    logits, _ = drawn(200, 1)
    found = next(each for each in calibration.to_predictions(NAMES)(logits) if each.parent)
    assert in_words(found).startswith(f"{found.parent} ")
    assert "it is not sure which one: " in in_words(found)
    assert not_sure(found).answer is None
    assert calibration.hierarchy is not None
    given = calibration.hierarchy.sentences(0.95)
    assert "a parent at level 1 (a, b) is answered from a probability of" in given[0]
    never = Hierarchy(NAMES, {0.9: (0.7, NEVER), 0.95: (NEVER, NEVER)})
    assert "with an accuracy of 0.95; one is answered with --accuracy 0.9." in never.sentences(0.95)[0]
    assert never.sentences(0.95)[1].endswith("a parent at level 2 (b/p).")
    assert never.sentences(None)[0].endswith("a parent at level 1 (a, b).")
