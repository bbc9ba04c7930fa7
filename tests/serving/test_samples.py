"""Photos that a service keeps, where its operator says so; and what it tells of all photos without keeping them."""

import asyncio
import csv
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

import headstart as hs
from headstart.data.answers_file import COLUMNS, TABLE, read_answers
from headstart.data.folder import list_images
from headstart.errors import DatasetError, ServiceError
from headstart.serving import drift
from headstart.serving.app import create_app
from headstart.serving.config import ServiceConfig
from headstart.serving.drift import DriftMonitor, Reference, monitor_of
from headstart.serving.samples import SampleKeeper, SampleSettings
from headstart.storage.hashing import sha256
from support.small_collections import png

ANSWER = {"label": "a, b", "probability": 0.75, "sure": True, "familiar": False}


@pytest.fixture(scope="module")
def files(photos) -> list[Path]:
    return sorted(photos.rglob("*.png"))[::4]


def ask(run: hs.Run, config: ServiceConfig, talk: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def start_talk_end() -> None:
        app = create_app({"cells": run.folder}, config)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://cells") as client,
        ):
            await talk(client)

    asyncio.run(start_talk_end())


def kept_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()} - {TABLE}


def test_kept_photos_have_their_answers_beside_them(run, files, tmp_path):
    folder = tmp_path / "samples"
    answers = {}

    async def talk(client: httpx.AsyncClient) -> None:
        assert (await client.get("/v1/model")).json()["keeps_samples"] == 1.0
        for path in [*files, files[0]]:
            found = (await client.post("/v1/predict", content=path.read_bytes(), headers=OCTETS)).json()
            answers[f"{sha256(path.read_bytes())}.png"] = found["predictions"][0]
        refused = await client.post("/v1/predict?keep=false", content=png(1), headers=OCTETS)
        assert refused.status_code == 200
        assert (await client.post("/v1/predict", content=b"no image", headers=OCTETS)).status_code == 415
        assert f"headstart_samples {len(files)}.0" in (await client.get("/metrics")).text

    ask(run, ServiceConfig(samples=SampleSettings(folder, rate=1.0)), talk)
    assert kept_in(folder) == set(answers)
    table = read_answers(folder)
    assert {name: each.answer for name, each in table.items()} == {name: row["label"] for name, row in answers.items()}
    for name, row in answers.items():
        assert table[name].probability == pytest.approx(row["probability"], abs=1e-6)
    with pytest.raises(DatasetError, match="no class folders"):  # answers are no labels
        list_images(folder)


OCTETS = {"Content-Type": "application/octet-stream"}


def test_nothing_is_kept_unless_it_is_said(run, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def talk(client: httpx.AsyncClient) -> None:
        assert (await client.get("/v1/model")).json()["keeps_samples"] == 0.0
        assert (await client.post("/v1/predict", content=files[0].read_bytes(), headers=OCTETS)).status_code == 200

    ask(run, ServiceConfig(), talk)
    assert list(tmp_path.iterdir()) == []


def test_the_rate_is_that_of_photos_and_the_same_for_a_photo(tmp_path):
    contents = [str(number).encode() for number in range(4_000)]
    keeper = SampleKeeper(SampleSettings(tmp_path / "one", rate=0.05))
    wanted = [content for content in contents if keeper.wants(content)]
    assert 150 <= len(wanted) <= 250  # 200, with a standard deviation of 14
    other = SampleKeeper(SampleSettings(tmp_path / "other", rate=0.5))
    assert all(other.wants(content) for content in wanted)


def test_the_folder_is_bounded_and_goes_on_after_a_restart(tmp_path, monkeypatch):
    settings = SampleSettings(tmp_path, rate=1.0, most=3)
    keeper = SampleKeeper(settings)
    assert [keeper.keep(png(number), ANSWER, "m", "d") for number in (0, 0, 1)] == [True, False, True]
    with (tmp_path / TABLE).open("ab") as file:
        file.write(b"torn,li")  # as a power cut leaves it
    again = SampleKeeper(settings)
    assert (again.kept, again.bytes) == (2, len(png(0)) + len(png(1)))
    assert [again.keep(png(number), ANSWER, "m", "d") for number in (1, 2, 3)] == [False, True, False]
    assert again.is_full
    assert set(read_answers(tmp_path)) == {f"{sha256(png(number))}.png" for number in range(3)} == kept_in(tmp_path)
    with (tmp_path / TABLE).open(newline="") as file:
        assert next(csv.reader(file)) == list(COLUMNS)
    monkeypatch.setattr("headstart.serving.samples.MOST_BYTES", again.bytes + 1)
    assert not SampleKeeper(SampleSettings(tmp_path, rate=1.0)).keep(png(4), ANSWER, "m", "d")


def test_what_cannot_be_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceError, match=r"Samples cannot be kept in '.*file': .*Choose another folder"):
        SampleKeeper(SampleSettings(tmp_path / "file"))
    for rate in (0, -1, 1.5, float("nan")):
        with pytest.raises(ServiceError, match="expected a share above 0, at most 1"):
            SampleSettings(tmp_path, rate=rate)


def test_a_full_disk_costs_a_sample_and_no_answer(run, files, tmp_path, monkeypatch, capsys):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SampleKeeper, "keep", full)

    async def talk(client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/predict", content=files[0].read_bytes(), headers=OCTETS)).status_code == 200

    ask(run, ServiceConfig(samples=SampleSettings(tmp_path, rate=1.0)), talk)
    assert '"event": "sample", "model": "cells", "problem": "No space left on device"' in capsys.readouterr().err


# Drift


def test_the_held_out_photos_of_the_run_are_the_reference(run):
    found = Reference.of(run.folder, tuple(run.metrics["class_names"]))
    assert found is not None
    both = [run.metrics[split] for split in ("validation", "test")]
    np.testing.assert_array_equal(found.confusion, np.sum([split["confusion"] for split in both], axis=0))
    assert found.confusion.sum() == len(found.answered.confidences) == found.answered.answers.sum()
    assert found.answered.checked == run.metrics["familiar"]["count"]


def test_a_run_without_answers_is_served_without_a_reference(run, tmp_path, capsys):
    assert monitor_of(tmp_path, ("a", "b")) is None
    assert monitor_of(run.folder, ("broken", "whole")) is None
    (tmp_path / "predictions.csv").write_text("label,answer,probability\na,a,much\n", "utf-8")
    assert monitor_of(tmp_path, ("a", "b")) is None
    assert "are not compared with held-out ones" in capsys.readouterr().err


def test_metrics_tell_of_the_last_photos(run, files, monkeypatch):
    monkeypatch.setattr(drift, "EVERY", 5)
    monkeypatch.setattr(drift, "SECONDS", 0.0)

    async def talk(client: httpx.AsyncClient) -> None:
        before = (await client.get("/metrics")).text
        assert "headstart_drift_images{" not in before
        for path in files[:10]:
            await client.post("/v1/predict", content=path.read_bytes(), headers=OCTETS)
        text = (await client.get("/metrics")).text
        values = dict(re.findall(r"^(headstart_[^ ]+) ([\d.e+-]+)$", text, re.MULTILINE))
        assert values['headstart_drift_images{model="cells"}'] == "10.0"
        bounds = [float(values[f'headstart_accuracy_estimate{{bound="{bound}",model="cells"}}'])
                  for bound in ("low", "value", "high")]  # fmt: skip
        assert 0 <= bounds[0] <= bounds[1] <= bounds[2] <= 1
        shares = [float(value) for name, value in values.items() if name.startswith("headstart_class_share{")]
        assert sum(shares) == pytest.approx(1)
        assert 'headstart_unfamiliar_share{model="cells",of="expected"}' in values
        assert "headstart_drift_alarm{" not in text  # no window is whole

    ask(run, ServiceConfig(), talk)


def test_an_alarm_comes_with_a_whole_window(run):
    names = tuple(run.metrics["class_names"])
    reference = Reference.of(run.folder, names)
    assert reference is not None
    monitor = DriftMonitor(reference)
    alarms = []
    for number in range(2 * drift.WINDOW):
        if monitor.record(names[0], 0.51, familiar=number < drift.WINDOW):
            found, ended = monitor.look()
            if ended:
                alarms.append(found.alarms)
            assert len(found.now.confidences) <= drift.WINDOW
    assert alarms == [["classes", "confidence"], ["novelty", "classes", "confidence"]]
