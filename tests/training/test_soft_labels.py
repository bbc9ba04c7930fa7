"""A run on labels that are probabilities, and on ranks: numbers, answers, fine-tuning, and what else is made of it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import headstart as hs
from headstart import commands
from headstart.errors import ModelError, RunError
from headstart.evaluation.document import RunMetrics
from headstart.evaluation.metrics import Evaluation
from headstart.evaluation.split_metrics import SplitMetrics
from headstart.runs.folder import Run
from headstart.runs.partial import CHECKPOINTS
from headstart.runs.writing import keep_splits
from headstart.training.recipes import RECIPES, adjusted
from support import tiny
from support.recording import Recorder

RANKS = ("none", "some", "much", "all")  # of the probability of a defect: 0, 1/3, 2/3, 1
EACH = 30


@pytest.fixture(scope="module")
def cells_by_rank(solar_cells) -> list[tuple[Path, float]]:
    """Real cells and what experts think of them, as many of each value."""
    with solar_cells.open() as file:
        paths = [Path(row["path"]) for row in csv.DictReader(file)]
    values = [float(line.split()[1]) for line in (paths[0].parent.parent / "labels.csv").read_text().splitlines()]
    found: dict[float, list[tuple[Path, float]]] = {}
    for path, value in zip(paths, values, strict=True):
        found.setdefault(value, []).append((path, value))
    return [row for value in sorted(found) for row in found[value][:EACH]]


@pytest.fixture(scope="module")
def tables(cells_by_rank, tmp_path_factory) -> dict[str, Path]:
    """Votes of three experts, a line for each class; the probability of the label; and ranks."""
    folder = tmp_path_factory.mktemp("tables")
    votes, probabilities, ranks = [], [], []
    for path, value in cells_by_rank:
        for_it = round(3 * value)
        votes += [(path, "defective", for_it), (path, "ok", 3 - for_it)]
        probabilities.append((path, "defective", value) if value > 0.5 else (path, "ok", 1 - value))
        ranks.append((path, RANKS[for_it]))
    made = {"votes": votes, "probability": probabilities, "ranks": ranks}
    for name, rows in made.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("path", "label", name)[: len(rows[0])], *rows])
    return {name: folder / f"{name}.csv" for name in made}


@pytest.fixture(scope="module")
def settings(tiny_weights):
    with pytest.MonkeyPatch.context() as patch:
        yield {"backbone": tiny.register(patch, tiny_weights), "image_size": 32}


@pytest.fixture(scope="module")
def soft(tables, settings, tmp_path_factory) -> tuple[Run, Recorder]:
    listener, out = Recorder(), tmp_path_factory.mktemp("soft") / "run"
    return commands.train(tables["votes"], out, fine_tune="never", listener=listener, **settings), listener


@pytest.fixture(scope="module")
def ranked(tables, settings, tmp_path_factory) -> tuple[Run, Recorder]:
    listener, out = Recorder(), tmp_path_factory.mktemp("ranked") / "run"
    return commands.train(
        tables["ranks"], out, fine_tune="never", ordinal=RANKS, listener=listener, **settings
    ), listener


def test_numbers_are_against_the_probabilities(soft, tables):
    run, listener = soft
    metrics = RunMetrics.read(run.folder / "metrics.json")
    assert metrics.to_json() == run.metrics
    assert isinstance(metrics.held_out, SplitMetrics)
    found = metrics.held_out.soft
    assert found is not None
    assert 0 < found.shared < metrics.held_out.accuracy.count
    assert found.least < found.log_loss.value < found.log_loss.high
    assert found.log_loss.value == pytest.approx(metrics.held_out.calibration.log_loss)
    assert any("60 of 120 photos are probabilities" in line for line in listener.lines)
    assert any("against the probabilities of the labels: log loss" in line for line in listener.lines)
    assert "Labels that are probabilities" in (run.folder / "report.html").read_text("utf-8")
    measured = commands.evaluate(run.folder, tables["votes"], split="test", listener=hs.Quiet()).evaluation
    assert isinstance(measured, Evaluation)
    assert measured.soft is not None
    assert measured.soft.log_loss.value == pytest.approx(found.log_loss.value, abs=1e-4)
    assert "Brier score" in str(measured)


def test_both_forms_of_a_table_are_the_same_collection(tables):
    by_votes, by_probability = (hs.load_dataset(tables[name], listener=hs.Quiet()) for name in ("votes", "probability"))
    assert by_votes.rows() == by_probability.rows()
    assert_allclose(by_votes.train.truth, by_probability.train.truth, atol=1e-6)


def test_the_head_is_that_of_the_probabilities(soft, tables, settings):
    """It is another one than of the most probable classes; and it is the same again."""
    run, _ = soft
    dataset = hs.load_dataset(tables["votes"], listener=hs.Quiet())
    recipe = adjusted("fast", fine_tune="never")
    heads = [
        hs.train(data, recipe=recipe, views="original", listener=hs.Quiet(), **settings).head[0]
        for data in (dataset, dataset, _hard(dataset))
    ]
    assert_allclose(heads[0], heads[1], atol=1e-6)
    assert np.abs(heads[0] - heads[2]).max() > 1e-3
    assert np.isfinite(hs.Predictor(run.folder).head[0]).all()


def _hard(dataset: hs.Dataset) -> hs.Dataset:
    from dataclasses import replace

    return replace(dataset, **{name: replace(s, given_targets=None) for name, s in dataset.splits().items()})


@pytest.mark.parametrize("classes", [2, 4])
def test_fine_tuning_steps_towards_the_probabilities(tables, settings, classes, tmp_path):
    """Its losses are cross-entropies against the shares, and fall below that of shares that are forgotten."""
    dataset = hs.load_dataset(tables["votes"], listener=hs.Quiet())
    if classes == 4:
        dataset = _spread(hs.load_dataset(tables["ranks"], listener=hs.Quiet()))
    recipe = adjusted("fast", fine_tune="always", epochs=2)
    found = hs.train(dataset, recipe=recipe, listener=hs.Quiet(), **settings)
    rows = [row for row in found.history if row["phase"] == "fine_tuning"]
    assert len(rows) == 2
    evaluation = hs.evaluate(found, dataset.validation)
    assert evaluation.loss == pytest.approx(rows[-1]["val_loss"], rel=0.02)
    assert evaluation.accuracy.value == pytest.approx(rows[-1]["val_accuracy"])
    assert all(0 < row["loss"] < 2 and 0 < row["accuracy"] <= 1 for row in rows)


def _spread(dataset: hs.Dataset) -> hs.Dataset:
    """Labels of which a fifth is spread over all classes."""
    from dataclasses import replace

    from headstart.data.targets import Targets

    def spread(split: hs.Split) -> hs.Split:
        values = 0.8 * split.targets.values + 0.2 / len(split.class_names)
        return replace(split, given_targets=Targets(values.astype(np.float32)))

    return replace(dataset, **{name: spread(split) for name, split in dataset.splits().items()})


def test_a_recipe_that_steps_takes_them_too(tables, settings):
    recipe = RECIPES["tutorial"].with_epochs(1)
    found = hs.train(
        hs.load_dataset(tables["votes"], listener=hs.Quiet()), recipe=recipe, listener=hs.Quiet(), **settings
    )
    assert len(found.history) == 2
    assert all(np.isfinite(row["val_loss"]) for row in found.history)


def test_balanced_classes_count_alike_in_parts(tables, settings):
    recipe = adjusted("fast", fine_tune="never", balanced=True)
    dataset = hs.load_dataset(tables["votes"], listener=hs.Quiet())
    assert hs.train(dataset, recipe=recipe, listener=hs.Quiet(), **settings).class_names == ("defective", "ok")


def test_answers_about_ranks(ranked, tables):
    run, listener = ranked
    assert "Ranks, from the lowest: none, some, much, all." in listener.lines
    metrics = RunMetrics.read(run.folder / "metrics.json")
    assert metrics.to_json() == run.metrics
    assert isinstance(metrics.held_out, SplitMetrics)
    stakes = metrics.held_out.stakes
    assert stakes is not None
    assert stakes.ranks is not None
    assert stakes.ranks.order == RANKS
    assert any("quadratic weighted kappa" in line for line in listener.lines)
    predictor = hs.Predictor(run.folder)
    with tables["ranks"].open() as file:
        files = [row["path"] for row in csv.DictReader(file)]
    for found in map(predictor.predict, files[::5]):
        chances = np.array([found.probabilities[name] for name in RANKS])
        expected = [(chances * np.abs(np.arange(4) - rank)).sum() for rank in range(4)]
        assert found.label == RANKS[int(np.argmin(expected))]
        assert found.cost == pytest.approx(min(expected), abs=1e-6)
    assert "quadratic weighted kappa" in (run.folder / "report.html").read_text("utf-8")
    assert json.loads((run.folder / "classifier.json").read_text("utf-8"))["certainty"]["decision"]["ranks"]


def test_an_export_answers_as_the_run(soft, tables, tmp_path):
    found = hs.export(soft[0].folder, tmp_path / "cells.onnx", format="onnx", data=tables["votes"], listener=hs.Quiet())
    assert found.proof.changed == 0


def test_a_run_is_not_resumed_with_other_probabilities(tables, tmp_path):
    data = hs.load_dataset(tables["votes"], listener=hs.Quiet())
    keep_splits(tmp_path, data)
    (tmp_path / CHECKPOINTS / "epoch-1").mkdir(parents=True)
    keep_splits(tmp_path, data)
    with pytest.raises(RunError, match="images or their labels have changed"):
        keep_splits(tmp_path, _hard(data))


def test_an_order_that_lacks_a_class_ends_before_the_features(tables, settings, tmp_path):
    with pytest.raises(ModelError, match=r"is none, all; expected each class of the photos.*all, much, none, some"):
        commands.train(tables["ranks"], tmp_path / "run", ordinal=("none", "all"), listener=hs.Quiet(), **settings)
    assert not (tmp_path / "run").exists()
