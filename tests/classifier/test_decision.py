"""Answers by what mistakes cost, and promised recall that is kept on new images as often as it says."""

from pathlib import Path

import numpy as np
import pytest

from headstart.classifier.calibration import LEVELS, Calibration, fit_calibration
from headstart.classifier.decision import NEVER, Decision, RecallPromise, fit_decision, promise_recall
from headstart.classifier.stakes import Stakes, read_costs
from headstart.errors import ModelError
from headstart.statistics import least_share, mean

NAMES = ("a", "b", "c")
COSTS = ((0.0, 1.0, 8.0), (20.0, 0.0, 8.0), (8.0, 5.0, 0.0))


def drawn(count: int, seed: int, heat: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """True probabilities of three classes, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2 * heat, (count, 3))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return shares, (shares.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)


def promise(label: str, threshold: float) -> RecallPromise:
    return RecallPromise(label, 0.9, threshold, 100, 0.97)


def test_the_answer_is_that_of_the_least_expected_cost():
    """As a loop over all answers finds it, and with true probabilities it costs least of all rules that are tried."""
    shares, labels = drawn(5_000, 1)
    found = Decision(NAMES, COSTS).answers(shares)
    for row, answer in zip(shares[:200], found[:200], strict=True):
        expected = [sum(row[right] * COSTS[right][each] for right in range(3)) for each in range(3)]
        assert expected[answer] == pytest.approx(min(expected))
    costs = np.array(COSTS)
    assert costs[labels, found].mean() < costs[labels, shares.argmax(axis=1)].mean()


@pytest.mark.parametrize("seed", range(20))
def test_a_promised_class_is_answered_from_its_threshold_on_and_the_first_goes_first(seed):
    shares, _ = drawn(50, seed)
    rng = np.random.default_rng(seed)
    order, (first, second) = rng.permutation(NAMES).tolist(), rng.random(2)
    found = Decision(NAMES, COSTS, (promise(order[0], first), promise(order[1], second))).answers(shares)
    above = [shares[:, NAMES.index(name)] >= least for name, least in zip(order, (first, second), strict=False)]
    rest = Decision(NAMES, COSTS).answers(shares)
    expected = np.where(above[0], NAMES.index(order[0]), np.where(above[1], NAMES.index(order[1]), rest))
    np.testing.assert_array_equal(found, expected)


def test_without_stakes_that_matter_the_answer_is_the_most_probable_class():
    shares, _ = drawn(300, 2)
    alike = Decision(NAMES, tuple(map(tuple, (1 - np.eye(3)).tolist())), (promise("a", NEVER),))
    np.testing.assert_array_equal(alike.answers(shares), shares.argmax(axis=1))


@pytest.mark.parametrize("share", [0.8, 0.95])
def test_a_promised_recall_holds_for_new_images(share):
    """Of two classes in 200 repetitions: at least 90% of the times, and not by answering nothing else."""
    kept, answered = [], []
    for seed in range(200):
        shares, labels = drawn(600, seed)
        decision = fit_decision(Stakes(None, {"b": share, "c": share - 0.1}), NAMES, shares[:300], labels[:300])
        shares, labels = drawn(6_000, seed + 1_000)
        answers = decision.answers(shares)
        for number, promised in ((1, share), (2, share - 0.1)):
            if decision.recall[number - 1].is_given:
                kept.append((answers == number)[labels == number].mean() >= promised)
        answered.append((answers == 1).mean())
    assert np.mean(kept) >= 0.9 - 0.03  # 200 have their own chance
    assert np.mean(answered) < 0.8


def test_photos_of_a_group_are_no_independent_witnesses():
    """Three hundred photos of ten groups promise less than as many photos, and no more than ten."""
    shares, apart = np.linspace(0.2, 1, 300), [str(i) for i in range(300)]
    groups = [str(i // 30) for i in range(300)]
    none = np.zeros(300, bool)
    alone = promise_recall("a", 0.95, shares, none)
    assert alone.is_given
    assert promise_recall("a", 0.95, shares, none, apart).threshold <= alone.threshold
    grouped = promise_recall("a", 0.95, shares, none, groups)
    assert not grouped.is_given
    assert grouped.possible == pytest.approx(0.1 ** (1 / 10), abs=1e-6)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.99])
def test_a_promise_is_given_from_exactly_as_many_photos_as_it_says(share):
    needed = RecallPromise("a", share, NEVER, 0, 0.0).needed
    enough, too_few = np.linspace(0.3, 0.9, needed), np.linspace(0.3, 0.9, needed - 1)
    assert promise_recall("a", share, enough, np.zeros(needed, bool)).threshold == 0.3
    refused = promise_recall("a", share, too_few, np.zeros(needed - 1, bool))
    assert refused.threshold == NEVER
    assert f"takes {needed:,} held-out photos of it, and there are {needed - 1:,}" in refused.sentence
    offered = float(refused.sentence.partition("--recall 'a=")[2].partition("'")[0])
    assert promise_recall("a", offered, too_few, np.zeros(needed - 1, bool)).is_given, "what is offered can be given"


def test_a_class_without_photos_gets_no_promise():
    refused = promise_recall("a", 0.9, np.zeros(0), np.zeros(0, bool))
    assert (refused.threshold, refused.possible) == (NEVER, 0)
    assert "No recall can be promised" in refused.sentence


def test_photos_that_an_earlier_promise_has_are_missed():
    """However low the threshold of the second; the message says why."""
    shares, taken = np.linspace(0.1, 0.9, 300), np.arange(300) < 60
    found = promise_recall("b", 0.95, shares, taken)
    assert not found.is_given
    assert found.possible < 0.8
    assert "promised before" in found.sentence
    assert promise_recall("b", 0.75, shares, taken).threshold <= shares[80]


def test_predictions_say_what_they_follow_from():
    decision = Decision(NAMES, COSTS, (promise("c", 0.19),))
    calibration = Calibration(1.0, {0.95: 0.5}, {0.9: 0.5}, decision=decision)
    logits = np.log([[0.9, 0.05, 0.05], [0.6, 0.2, 0.2], [0.98, 0.01, 0.01], [0.1, 0.2, 0.7]])
    found = calibration.to_predictions(NAMES)(logits)
    assert [(each.label, each.rule, each.sure) for each in found] == [
        ("b", "cost", False), ("c", "recall", False), ("a", None, True), ("c", None, True),
    ]  # fmt: skip
    for each, row in zip(found, np.exp(logits), strict=True):
        assert next(iter(each.probabilities)) == each.label
        assert sorted(each.probabilities.values()) == pytest.approx(sorted(row))
        assert each.cost == pytest.approx(row @ np.array(COSTS)[:, NAMES.index(each.label)])
        assert each.top(1) == {each.label: each.probability}
    assert "c" in calibration.to_predictions(NAMES, coverage=0.9)(logits)[1].candidates
    plain = Calibration(1.0).to_predictions(NAMES)(logits)
    assert {(each.rule, each.cost) for each in plain} == {(None, None)}


def test_guaranteed_accuracy_is_that_of_the_answers_that_are_given():
    """Where a costly mistake has answers follow from costs, most are wrong, and so few are sure."""
    shares, labels = drawn(4_000, 3, heat=0.3)
    names: list[str] = list(NAMES)
    costs = {name: dict(zip(names, row, strict=True)) for name, row in zip(names, COSTS, strict=True)}

    def decide(found: np.ndarray) -> Decision:
        return fit_decision(Stakes(costs), NAMES, found, labels)

    calibration = fit_calibration(np.log(shares), labels, decide=decide)
    for level in LEVELS:
        new, right = drawn(20_000, 4, heat=0.3)
        found = calibration.probabilities(np.log(new))
        answers = calibration.answers(found)
        sure = found[np.arange(len(new)), answers] >= calibration.accuracy[level]
        if sure.any():
            assert (answers == right)[sure].mean() >= level - 0.02


def test_json_and_back():
    decision = Decision(NAMES, COSTS, (promise("b", 0.25), promise("a", NEVER)))
    calibration = Calibration(1.5, {0.9: 0.5}, {0.9: 0.1}, decision=decision)
    assert Calibration.from_json(calibration.to_json()) == calibration
    assert "decision" not in Calibration(1.5).to_json(), "as headstart 0.1 wrote it"
    content = decision.to_json()
    for damaged in (content | {"costs": [[0, 1]]}, content | {"class_names": ["a"]}, {"recall": []}):
        with pytest.raises((ValueError, KeyError, TypeError)):
            Decision.from_json(damaged)


@pytest.mark.parametrize(
    ("count", "missed"), [(1, 0), (1, 1), (7, 2), (50, 0), (50, 49), (200, 200), (230, 0), (388, 1)]
)
def test_the_bound_is_that_of_clopper_and_pearson(count, missed):
    """Of the shares at the bound, what was found, or more, is seen with a probability of 10%."""
    from scipy.stats import binom

    least = least_share(np.arange(count) >= missed, 0.9)
    if missed == count:
        assert least == 0
    else:
        assert binom.sf(count - missed - 1, count, least) == pytest.approx(0.1, abs=1e-6)


def test_a_mean_cost_has_an_interval_that_holds_rare_costly_mistakes():
    """Costs of 0, 1 and 50, of which the last is too rare to be seen in most draws."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(300):
        costs = rng.choice([0.0, 1.0, 50.0], 200, p=[0.9, 0.097, 0.003])
        found = mean(costs, 50.0)
        held += found.low <= 0.097 + 0.15 <= found.high
    assert held / 300 >= 0.95
    alike = mean(np.repeat([0.0, 1.0], 100), 1.0, ["x"] * 100 + ["y"] * 100)
    apart = mean(np.repeat([0.0, 1.0], 100), 1.0)
    assert alike.value == apart.value == 0.5
    assert alike.high - alike.low > apart.high - apart.low


def table(folder: Path, text: str) -> Path:
    file = folder / "costs.csv"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("text", [
    "right,ok,bad\nok,0,1\nbad,50,0\n",
    ";ok;bad\n\nok;0;1\nbad;50;0\n",
    "\ufeffright\tbad\tok\nbad\t0\t50\nok\t1\t0\n",
])  # fmt: skip
def test_a_table_of_costs_is_read_however_it_is_separated(tmp_path, text):
    costs = read_costs(table(tmp_path, text))
    assert costs == {"ok": {"ok": 0, "bad": 1}, "bad": {"ok": 50, "bad": 0}}
    Stakes.of(costs, {"bad": 0.9}).check(("bad", "ok"))  # pyright: ignore[reportOptionalMemberAccess]


@pytest.mark.parametrize(("text", "message"), [
    ("", "is empty. Expected, for example:"),
    ("right,ok,bad\n", "is empty"),
    ("right,ok\nok,0\nbad,1\n", "no column for 'bad'"),
    ("right,ok,bad\nok,0,1\n", "no row for 'bad'"),
    ("right,ok,bad,odd\nok,0,1,1\nbad,1,0,1\n", "a column for 'odd', which is no class of the photos: bad, ok"),
    ("right,ok,bad\nok,0,1\nbad,1,0\nodd,1,1\n", "a row for 'odd', which is no class"),
    ("right,ok,bad\nok,0,-1\nbad,1,0\n", "-1.0 where 'ok' is answered as 'bad'. Expected a number, 0 or more"),
    ("right,ok,bad\nok,0,much\nbad,1,0\n", "'much' where 'ok' is answered as 'bad'"),
    ("right,ok,bad\nok,0,nan\nbad,1,0\n", "nan where 'ok'"),
    ("right,ok,bad\nok,0,\nbad,1,0\n", "'' where 'ok' is answered as 'bad'"),
    ("right,ok,bad\nok,0\nbad,1,0\n", "has 1 costs in the row 'ok', and 2 answers in its first line"),
    ("right,ok,ok\nok,0,0\nbad,1,0\n", "several columns for 'ok'"),
    ("right,ok,bad\nok,0,1\nok,1,0\n", "several rows for 'ok'"),
    ("right,ok,bad\nok,0,0\nbad,0,0\n", "All costs in the table of costs are 0"),
])  # fmt: skip
def test_a_table_that_cannot_be_used_says_why(tmp_path, text, message):
    file = table(tmp_path, text)
    with pytest.raises(ModelError, match=message):
        Stakes.of(file, None).check(("bad", "ok"))  # pyright: ignore[reportOptionalMemberAccess]


def test_a_promise_that_makes_no_sense_says_why(tmp_path):
    for share in (0, 1, 99, -0.5, "much"):
        with pytest.raises(ModelError, match="expected a share between 0 and 1"):
            Stakes.of(None, {"ok": share})
    with pytest.raises(ModelError, match="'odd', which is no class of the photos: bad, ok"):
        Stakes(None, {"odd": 0.9}).check(("bad", "ok"))
    with pytest.raises(ModelError, match="cannot be opened"):
        Stakes.of(tmp_path / "none.csv", None)
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="no CSV in UTF-8"):
        Stakes.of(tmp_path / "binary.csv", None)
    assert Stakes.of(None, {}) is None
