"""`--on`: a cluster's run and inspection are those of this machine."""

import csv
import json
import os
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import headstart as hs
from headstart import commands
from headstart.cluster import connect
from headstart.errors import ClusterError
from headstart.features.executors.ray import executor_on
from support.recording import Recorder

SETTINGS = {"image_size": 32, "fine_tune": "never", "seed": 3, "listener": hs.Quiet()}


def rows(file: Path) -> list[dict]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def local(photos: Path, tmp_path_factory) -> Path:
    return commands.train(photos, tmp_path_factory.mktemp("local") / "run", **SETTINGS).folder


def test_a_cluster_makes_the_run_that_this_machine_makes(cluster, local, photos, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    run = commands.train(photos, tmp_path / "run", on="ray", store=tmp_path / "store", **SETTINGS)
    assert not list((tmp_path / "cache").glob("features/*/*/*.npy")), "features are in the store alone"
    assert list((tmp_path / "store").glob("features/*/*/*.npy"))
    assert rows(run.folder / "splits.csv") == rows(local / "splits.csv")
    ours, theirs = (rows(folder / "predictions.csv") for folder in (local, run.folder))
    for our, their in zip(ours, theirs, strict=True):
        assert our.keys() == their.keys()
        for name, value in our.items():
            try:
                np.testing.assert_allclose(float(their[name]), float(value), atol=2e-3)
            except ValueError:
                assert their[name] == value
    metrics = [json.loads((folder / "metrics.json").read_text("utf-8")) for folder in (local, run.folder)]
    assert metrics[0]["validation"]["accuracy"] == metrics[1]["validation"]["accuracy"]


def test_an_inspection_by_a_cluster(cluster, photos):
    here = commands.inspect(photos, image_size=32, listener=hs.Quiet())
    there = commands.inspect(photos, image_size=32, on="ray", listener=hs.Quiet())
    assert [(each.kind, each.path, each.other) for each in here.findings] == [
        (each.kind, each.path, each.other) for each in there.findings
    ]
    assert here.classes == there.classes


@pytest.mark.parametrize("address", ["ray://127.0.0.1:9", "127.0.0.1:9", "nonsense"])
def test_a_head_node_that_cannot_be_reached(photos, tmp_path, address, monkeypatch):
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    with pytest.raises(ClusterError, match=r"cannot be used: (nothing answers there|it is no address)"):
        commands.train(photos, tmp_path / "run", on=address, **SETTINGS)
    assert not (tmp_path / "run").exists()


def test_which_cluster_works_is_said(cluster):
    listener = Recorder()
    executor_on("ray", listener=listener)
    assert re.fullmatch(r"Working on the cluster of Ray at [^ ]+:\d+ \(2 machines, 2 cores\)\.", listener.lines[-1])


@pytest.mark.parametrize(("address", "mode"), [("ray://127.0.0.1:9", "token"), ("127.0.0.1:9", None)])
def test_a_cluster_elsewhere_is_given_the_token(tmp_path, monkeypatch, address, mode):
    """As Ray itself does with every other address."""
    (tmp_path / "token").write_text("0123")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    modes, fails = [], SimpleNamespace(is_initialized=lambda: False, shutdown=lambda: None, __version__="2")
    fails.init = lambda *_, **__: modes.append(os.environ.get("RAY_AUTH_MODE")) or int("no answer")
    monkeypatch.setattr("headstart.cluster.import_ray", lambda: fails)
    monkeypatch.setattr("headstart.cluster._is_connected", lambda: False)
    monkeypatch.setattr("headstart.cluster._check_reachable", lambda _: None)
    with pytest.raises(ClusterError, match="cannot be used"):
        connect(address)
    assert modes == [mode]
    assert "RAY_AUTH_MODE" not in os.environ, "it would be in the way of another cluster"


def test_a_store_without_a_cluster(photos, tmp_path):
    with pytest.raises(ClusterError, match="give --on as well"):
        commands.train(photos, tmp_path / "run", store=tmp_path / "store", **SETTINGS)
