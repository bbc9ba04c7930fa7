"""Two runs compared: McNemar's test as statsmodels' formula has it, words that say what it means, bad folders."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

import headstart as hs
from headstart.errors import RunError
from headstart.evaluation.comparison import compare
from headstart.runs.folder import PREDICTIONS, RunFolder
from headstart.runs.predictions import compare_runs


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=200))
def test_the_exact_test_by_its_formula(pairs):
    first, second = np.array(pairs).T
    found = compare(first, second)
    fewer, uneven = (
        min(found.between.only_first, found.between.only_second),
        found.between.only_first + found.between.only_second,
    )
    expected = min(1.0, 2 * binom.cdf(fewer, uneven, 0.5)) if uneven else 1.0
    assert found.between.p == pytest.approx(expected, rel=1e-9)
    assert found.first.correct - found.second.correct == found.between.only_first - found.between.only_second
    assert compare(second, first).between.p == pytest.approx(found.between.p)


def test_words():
    alike = np.array([True] * 90 + [False] * 10)
    better = np.array([True] * 100)
    assert compare(alike, alike).verdict.startswith("Not distinguishable")
    assert compare(alike, better).verdict.startswith(
        "The second is better: only the second is correct on 10, only the first on 0 of 100"
    )
    assert compare(better, alike).verdict.startswith("The first is better")
    one_more = alike.copy()
    one_more[-1] = True
    assert compare(alike, one_more).verdict.startswith("Not distinguishable")
    with pytest.raises(Exception, match="(?i)same images|type-check"):  # checked types refuse it first
        compare(alike, better[:-1])


@pytest.fixture(scope="module")
def other(tmp_path_factory, photos) -> hs.Run:
    """Another run on the same photos, split alike, by another recipe."""
    out = tmp_path_factory.mktemp("runs") / "other"
    recipe = hs.RECIPES["fast"].without_fine_tuning()
    return hs.make_run(photos, out, recipe=recipe, image_size=64, seed=3, listener=hs.Quiet())


def test_two_runs_on_the_same_photos(run, other):
    found, split = compare_runs(run.folder, other.folder)
    assert split == "test"
    assert found.first.to_json() == run.metrics["test"]["accuracy"]
    assert found.second.to_json() == other.metrics["test"]["accuracy"]
    assert found.between.only_first - found.between.only_second == found.first.correct - found.second.correct
    itself, _ = compare_runs(run.folder, run.folder)
    assert (itself.between.only_first, itself.between.only_second, itself.between.p) == (0, 0, 1.0)
    assert json.loads(json.dumps(found.to_json()))["distinguishable"] is (found.between.p < 0.05)


def test_predictions_are_those_of_the_metrics(run):
    answers = RunFolder(run.folder).predictions
    for split in ("validation", "test"):
        accuracy = run.metrics[split]["accuracy"]
        assert len(answers[split]) == accuracy["count"]
        assert sum(answer.is_correct for answer in answers[split].values()) == accuracy["correct"]


def test_folders_that_cannot_be_compared(run, tmp_path):
    with pytest.raises(RunError, match="does not exist"):
        compare_runs(run.folder, tmp_path / "missing")
    copy = tmp_path / "copy"
    shutil.copytree(run.folder, copy)
    text = (copy / PREDICTIONS).read_text("utf-8")
    (copy / PREDICTIONS).write_text(text.replace(",defective,", ",broken,"), "utf-8")
    with pytest.raises(RunError, match="The labels of the runs differ"):
        compare_runs(run.folder, copy)
    lines = text.splitlines()
    (copy / PREDICTIONS).write_text("\n".join([lines[0], *(line[:-8] + "00000000" for line in lines[1:])]), "utf-8")
    with pytest.raises(RunError, match="no test or validation image in common"):
        compare_runs(run.folder, copy)
    (copy / PREDICTIONS).write_text("path,answer\n1,2\n", "utf-8")
    with pytest.raises(RunError, match="is damaged"):
        compare_runs(run.folder, copy)
    (copy / PREDICTIONS).unlink()
    with pytest.raises(RunError, match="older headstart"):
        compare_runs(copy, run.folder)
