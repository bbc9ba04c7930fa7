"""README.md of a run: what the hub reads in it, and what a person does. Nothing in it is of the user's machine."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard, ModelCardData
from huggingface_hub.repocard import metadata_load

from headstart.evaluation.document import RunMetrics
from headstart.inspection.shortcuts import Shortcut
from headstart.runs.folder import METRICS, MODEL_CARD
from headstart.runs.model_card import model_card


def data_of(text: str) -> ModelCardData:
    """Its metadata, as the hub reads them."""
    data = ModelCard(text).data
    assert isinstance(data, ModelCardData)
    return data


@pytest.fixture(scope="module")
def metrics(run) -> RunMetrics:
    return RunMetrics.read(run.folder / METRICS)


def test_the_hub_reads_its_metadata(run, metrics):
    data = data_of((run.folder / MODEL_CARD).read_text("utf-8"))
    assert metadata_load(run.folder / MODEL_CARD) == data.to_dict()
    assert (data.pipeline_tag, data.library_name) == ("image-classification", "headstart")
    assert data.license is None
    found = {result.metric_type: result for result in data.eval_results or []}
    assert found["accuracy"].metric_value == pytest.approx(metrics.held_out.accuracy.value, abs=1e-4)
    assert found["f1"].metric_value == pytest.approx(metrics.held_out.macro.f1, abs=1e-4)
    assert {result.dataset_split for result in found.values()} == {metrics.held_out_name}
    assert data.model_name == "cells"


def test_it_says_what_the_run_measured(run, metrics):
    text = (run.folder / MODEL_CARD).read_text("utf-8")
    for split in ("train", "validation", "test"):
        assert f"| {split} | {metrics.split(split).accuracy} |" in text
    for row in metrics.held_out.per_class:
        assert f"| {row.name} | {row.support} |" in text
    for part in ("## Use it", "## What it was trained on", "## How good it is", "## Limits", "headstart does not know"):
        assert part in text


def test_it_names_nothing_of_the_machine(run):
    """The splits of the run have the paths; so have its other tables, which the card does not mention."""
    text = (run.folder / MODEL_CARD).read_text("utf-8")
    paths = [line.split(",")[0] for line in (run.folder / "splits.csv").read_text("utf-8").splitlines()[1:]]
    for secret in (str(Path.home()), str(run.folder), *paths, *(Path(path).name for path in paths)):
        assert secret not in text


def test_names_are_text_whatever_is_in_them(metrics):
    wild = ["a|b", "c: [d]", '"e"\n# f', "<script>", "ü" * 9]
    row = metrics.held_out.per_class[0]
    split = replace(metrics.held_out, per_class=tuple(replace(row, name=name) for name in wild))
    text = model_card(replace(metrics, test=split, class_names=tuple(wild), data='x: "y" #z'), "pets: v1 | <b>")
    assert data_of(text).model_name == "pets: v1 | <b>"
    assert [result.dataset_name for result in data_of(text).eval_results or []] == ['x: "y" #z'] * 2
    body = text.partition("\n---\n")[2]
    assert "<script>" not in body.replace("\\<", "")
    assert not re.search(r"^# f", body, re.MULTILINE)
    assert len({line.replace("\\|", "").count("|") for line in body.splitlines() if line.startswith("| ")}) <= 2


def test_limits_are_those_of_the_run(metrics):
    shortcut = Shortcut("format", 0.9, 0.5, 0.001, "cats: PNG, dogs: JPEG")
    few = replace(metrics.train, per_class=tuple(replace(row, support=3) for row in metrics.train.per_class))
    text = model_card(replace(metrics, train=few, familiar=None, shortcuts=(shortcut,)), "pets")
    assert "- The format alone tells the class of 90.0% of the photos" in text
    assert "Fewer than 10 training photos show 2 classes" in text
    assert "a photo of anything else is given one of their names" in text
    many = replace(metrics.held_out, per_class=metrics.held_out.per_class * 40)
    assert "(the 30 that are found least)" in model_card(replace(metrics, test=many), "pets")
