"""Fine-tuning whose features and gradients the machines of a cluster compute is that of this machine."""

import re
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import headstart as hs
from headstart.errors import ClusterError
from headstart.features.executors.ray import RayExecutor
from headstart.models.weights import load_base
from headstart.training import steps_on_cluster as module
from headstart.training.callbacks import Callbacks
from headstart.training.config import TrainingConfig
from headstart.training.steps_on_cluster import ClusterSteps, steps_on_cluster
from headstart.training.trainer import train_classifier
from support.cluster import add_node
from support.recording import Recorder

PHASE = hs.Phase("fine_tuning", 2, "adamw", 3e-4, unfreeze=True, warm_up=0.1, ema_decay=0.9)
RECIPE = hs.Recipe("fast", hs.RECIPES["fast"].head, PHASE, batch_size=8, dropout=0.3, balanced=True)


@pytest.fixture
def dataset(photos: Path) -> hs.Dataset:
    found = hs.load_dataset(photos, seed=3, listener=hs.Quiet())
    return replace(found, train=found.train.take(range(43)))  # the last batch is a small one


def trained(dataset: hs.Dataset, executor: RayExecutor | None, *callbacks: keras.callbacks.Callback):
    config = TrainingConfig.of(
        recipe=RECIPE, backbone="mobilenet_v2", image_size=32, seed=5, views="original", executor=executor
    )
    return train_classifier(dataset, config, callbacks=Callbacks(callbacks), listener=hs.Quiet())


class LosesAMachine(keras.callbacks.Callback):
    def __init__(self, cluster, node) -> None:
        super().__init__()
        self.cluster, self.node, self.batches = cluster, node, 0

    def on_train_batch_end(self, batch, logs=None) -> None:
        self.batches += 1
        if self.batches == 8:
            self.cluster.remove_node(self.node, allow_graceful=False)


def test_a_cluster_fine_tunes_as_this_machine_does(cluster, dataset, tmp_path, monkeypatch):
    """Also where a machine is lost in the midst of it."""
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "MANY", 0)
    monkeypatch.setattr(module, "TRIALS", 3)
    monkeypatch.setattr(ClusterSteps, "_choose", lambda *_: None)  # it goes on, whoever is faster
    node, all_of_them = add_node(cluster), module.machines
    # two machines are asked, of which one is lost
    monkeypatch.setattr(
        module, "machines", lambda ray: sorted(all_of_them(ray), key=lambda each: each["NodeID"] != node.node_id)
    )
    losing = LosesAMachine(cluster, node)
    there = trained(dataset, RayExecutor(), losing)
    assert losing.batches == 12
    monkeypatch.setattr("headstart.features.extractor.compute_shard", None)  # those of the cluster are there
    here = trained(dataset, None)
    first, ours, theirs = (
        np.concatenate([weights.ravel() for weights in base.get_weights()])
        for base in (load_base("mobilenet_v2", 32), *(each.classifier.network.base for each in (here, there)))
    )
    assert np.linalg.norm(theirs - ours) < 0.01 * np.linalg.norm(ours - first)
    for our, their in zip(here.classifier.history, there.classifier.history, strict=True):
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            assert their[name] == pytest.approx(our[name], abs=1e-4)


@pytest.mark.parametrize(
    ("images", "gpu", "lack", "reason"),
    [
        (100, False, None, "800 images in all its epochs are few"),
        (10_000, True, None, "--device gpu was given"),
        (10_000, False, "a machine has no keras", "a machine has no keras"),
    ],
)
def test_where_this_machine_does_it_alone_is_said(cluster, monkeypatch, images, gpu, lack, reason):
    def check(address, packages):
        if lack:
            raise ClusterError(lack)

    monkeypatch.setattr(module, "check_machines", check)
    listener, config = Recorder(), SimpleNamespace(executor=RayExecutor(gpu=gpu), execution="cached")
    dataset = SimpleNamespace(train=range(images))
    context = SimpleNamespace(config=config, dataset=dataset, listener=listener)
    with steps_on_cluster(context, replace(PHASE, epochs=8)) as steps:  # pyright: ignore[reportArgumentType]
        assert steps is None
    assert reason in listener.lines[-1]


@pytest.mark.parametrize(("there", "spread"), [(0.0, True), (0.2, False)])
def test_the_faster_way_is_taken(monkeypatch, there, spread):
    ray = SimpleNamespace(remote=lambda **_: lambda function: function)
    calls, listener = [], Recorder()
    steps = ClusterSteps(ray, [None, None], listener)
    monkeypatch.setattr(steps, "_on_cluster", lambda *_: (calls.append("there"), time.sleep(there)))
    model = SimpleNamespace(step=lambda *_: (calls.append("here"), time.sleep(0.05)))
    for _ in range(2 * module.TRIALS + 2):
        steps.step(model, np.zeros(1), np.zeros(1), np.ones(1))  # pyright: ignore[reportArgumentType]
    last = "there" if spread else "here"
    assert calls == ["there"] * module.TRIALS + ["here"] * module.TRIALS + [last] * 2
    assert re.match(r"A step takes \d+ ms on 2 machines, and \d+ ms here: ", listener.lines[-1])
    assert ("alone" in listener.lines[-1]) is not spread
