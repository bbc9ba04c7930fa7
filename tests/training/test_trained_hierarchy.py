"""A run whose classes are in classes: the parent in each answer, in files of answers, and in the report."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

import headstart as hs
from headstart import commands
from headstart.data.source import DataSource
from headstart.errors import DatasetError, RunError
from headstart.evaluation.document import RunMetrics
from headstart.evaluation.split_metrics import SplitMetrics
from headstart.runs.folder import Run
from headstart.serving.config import ServiceConfig
from headstart.serving.routers import api_router
from headstart.serving.service import Service
from support import tiny
from support.recording import Recorder

NAMES = ("bright/one", "bright/two", "dark/one", "dark/two", "grey")


@pytest.fixture(scope="module")
def cells_by_light(cells, tmp_path_factory) -> Path:
    """Real photos as they are, halved or doubled in brightness: light tells the parents apart, nothing the classes."""
    root = tmp_path_factory.mktemp("tree") / "cells"
    for number, name in enumerate(NAMES):
        (root / name).mkdir(parents=True)
        factor = {"bright": 2.5, "dark": 0.3, "grey": 1.0}[name.split("/")[0]]
        for path in cells["functional"][40 * number : 40 * number + 40]:
            pixels = np.asarray(Image.open(path).convert("RGB"), np.float32) * factor
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / name / path.name)
    return root


@pytest.fixture(scope="module")
def trained(cells_by_light, tiny_weights, tmp_path_factory) -> tuple[Run, Recorder]:
    listener = Recorder()
    with pytest.MonkeyPatch.context() as patch:
        settings = {"backbone": tiny.register(patch, tiny_weights), "image_size": 32, "fine_tune": "never"}
        source, folder = DataSource(cells_by_light, hierarchy=True), tmp_path_factory.mktemp("hierarchy")
        run = commands.train(source, folder / "run", listener=listener, **settings)
    return run, listener


def accuracy_of_parents(run: Run) -> float:
    """The strictest that can be guaranteed for them."""
    tree = hs.Predictor(run.folder).calibration.hierarchy
    assert tree is not None
    return tree.guaranteed(1)[-1]


def test_parents_are_answered_where_classes_cannot_be_told(trained, cells_by_light):
    run, listener = trained
    assert run.metrics["class_names"] == list(NAMES)
    predictor = hs.Predictor(run.folder)
    accuracy = accuracy_of_parents(run)
    told = [line for line in listener.lines if "a parent at level 1 (bright, dark)" in line]
    assert len(told) == 1
    files = sorted(cells_by_light.rglob("*.*"))
    found = predictor.predict([path for path in files if path.is_file()], accuracy=accuracy)
    parents = [each for each in found if each.parent]
    assert len(parents) > len(found) / 3
    for each in parents:
        assert each.parent == each.answer == each.label.split("/")[0]
        inside = [share for name, share in each.probabilities.items() if name.startswith(f"{each.parent}/")]
        assert each.parent_probability == pytest.approx(sum(inside))
    right = [each.parent == path.parent.parent.name for each, path in zip(found, files, strict=False) if each.parent]
    assert np.mean(right) >= accuracy


def test_the_numbers_are_in_the_metrics_and_the_report(trained):
    run, _ = trained
    metrics = RunMetrics.read(run.folder / "metrics.json")
    assert metrics.to_json() == run.metrics
    held_out = metrics.held_out
    assert isinstance(held_out, SplitMetrics)
    found = held_out.hierarchy
    assert found is not None
    assert found.levels[0].parents == ("bright", "dark")
    assert found.levels[0].accuracy.value > held_out.accuracy.value
    assert any(row.parents[0] for row in found.answers.values())
    page = (run.folder / "report.html").read_text("utf-8")
    for text in ("Hierarchy of classes", "answered by a parent at level 1", "bright, dark"):
        assert text in page


def test_evaluate_knows_that_folders_are_a_hierarchy(trained, cells_by_light):
    """By the run: the option need not be given again."""
    run, _ = trained
    found = commands.evaluate(run.folder, cells_by_light, split="all", listener=hs.Quiet())
    assert "accuracy at level 1 (bright, dark)" in str(found)
    assert found.to_json()["hierarchy"]["levels"][0]["parents"] == ["bright", "dark"]
    assert found.evaluation.accuracy.count == 200


def test_an_export_is_proved_on_the_same_classes_where_the_photos_lie_elsewhere(trained, cells_by_light, tmp_path):
    run, _ = trained
    found = hs.export(run.folder, tmp_path / "cells.onnx", format="onnx", data=cells_by_light, listener=hs.Quiet())
    assert found.proof.changed == 0


def test_files_of_answers_have_the_parent(trained, cells_by_light, tmp_path):
    run, _ = trained
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    accuracy = accuracy_of_parents(run)
    commands.predict(run.folder, cells_by_light, accuracy=accuracy).write(tmp_path / "answers.csv")
    commands.predict(run.folder, cells_by_light, accuracy=accuracy).write(tmp_path / "answers.json")
    commands.predict_parts(run.folder, cells_by_light, tmp_path / "answers.parquet", accuracy=accuracy)
    with (tmp_path / "answers.csv").open() as file:
        rows = list(csv.DictReader(file))
    document = json.loads((tmp_path / "answers.json").read_text())["predictions"]
    table = parquet.read_table(tmp_path / "answers.parquet").to_pylist()
    assert len(rows) == len(document) == len(table) == 200
    for row, each, line in zip(rows, document, table, strict=True):
        assert (row["parent"] or None) == each.get("parent") == line["parent"]
        if line["parent"]:
            assert float(row["parent_probability"]) == pytest.approx(each["parent_probability"], abs=1e-6)
            assert line["parent_probability"] == each["parent_probability"]
    assert any(line["parent"] for line in table)


def test_a_card_with_a_tree_of_other_classes_is_damaged(trained, tmp_path):
    run, _ = trained
    card = json.loads((run.folder / "classifier.json").read_text())
    card["certainty"]["hierarchy"]["class_names"] = ["a/b", "a/c", "d/e", "d/f", "g"]
    (tmp_path / "classifier.json").write_text(json.dumps(card))
    with pytest.raises(RunError, match="its certainty is unreadable"):
        hs.Predictor(tmp_path)


@pytest.mark.usefixtures("tiny")
def test_what_is_no_tree_is_refused_before_anything_is_read(photos, cells_by_light, tmp_path):
    with pytest.raises(DatasetError, match="none is in another"):
        commands.train(DataSource(photos, hierarchy=True), tmp_path / "run", backbone=tiny.NAME)
    with pytest.raises(DatasetError, match="holds the classes 'one' and 'two', and none is in another"):
        commands.train(DataSource(cells_by_light / "dark", hierarchy=True), tmp_path / "run", backbone=tiny.NAME)
    assert not list(tmp_path.iterdir())


@pytest.mark.service
def test_the_service_and_its_client_say_the_parent(trained, cells_by_light, monkeypatch):
    """In this process, without a port: what the client makes of an answer is what the predictor says."""
    run, _ = trained
    app = FastAPI()
    app.include_router(api_router(Service({"cells": run.folder}, ServiceConfig())))
    accuracy = accuracy_of_parents(run)
    photos = sorted((cells_by_light / "dark").rglob("*.png"))[:4]
    expected = hs.Predictor(run.folder).predict(photos, accuracy=accuracy)
    with TestClient(app) as service:
        assert service.get("/v1/model").json()["parents"] == ["bright", "dark"]

        def ask(client: hs.Client, path: str, options: dict, content: bytes) -> dict:
            answer = service.post(
                path,
                params={"accuracy": options["accuracy"]},
                content=content,
                headers={"Content-Type": "application/octet-stream"},
            )
            assert answer.status_code == 200, answer.text
            return answer.json()

        monkeypatch.setattr(hs.Client, "_ask", ask)
        found = hs.Client("http://in-this-process").predict(photos, accuracy=accuracy)
    assert [each.answer for each in found] == [each.answer for each in expected]
    assert "dark" in [each.parent for each in found]
    for each, other in zip(found, expected, strict=True):
        assert each.parent_probability == (other.parent_probability and pytest.approx(other.parent_probability))
