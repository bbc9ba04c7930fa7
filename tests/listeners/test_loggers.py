"""The examples that log a training, for TensorBoard and in MLflow: what their viewers find is what headstart told."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import headstart as hs
from headstart.listeners.several import Several

EXAMPLES = Path(__file__).parents[2] / "examples"
SAID = {"loss": 0.5, "accuracy": 0.75, "val_loss": 0.625, "val_accuracy": 0.875}
EVENTS = [
    hs.HeadSolved(C=0.01, weight=0.35, seconds_solving=0.1, seconds=1, **SAID),
    hs.Message("between them"),
    hs.EpochEnded(phase="fine_tuning", epoch=2, epochs=9, seconds=1, learning_rate=3e-4, **SAID | {"loss": 0.25}),
]


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tensorboard_finds_each_epoch(tmp_path):
    listener = example("log_to_tensorboard").TensorBoardLog(str(tmp_path))
    for event in EVENTS:
        Several(hs.Quiet(), listener).emit(event)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(tmp_path))
    found.Reload()
    assert sorted(found.Tags()["tensors"]) == sorted(SAID)
    losses = [(each.step, each.tensor_proto.float_val[0]) for each in found.Tensors("loss")]
    assert losses == [(1, 0.5), (2, 0.25)]


def test_mlflow_finds_each_epoch_and_the_pictures(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # else it asks for a database, which is its reader's choice
    module, picture = example("log_to_mlflow"), tmp_path / "samples.png"
    picture.write_bytes(b"a picture")
    mlflow = module.mlflow
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    with mlflow.start_run() as run:
        for event in [*EVENTS, hs.PictureReady("samples", picture)]:
            module.MLflowLog().emit(event)
    client = mlflow.MlflowClient()
    losses = [(each.step, each.value) for each in client.get_metric_history(run.info.run_id, "loss")]
    assert losses == [(1, 0.5), (2, 0.25)]
    assert [each.path for each in client.list_artifacts(run.info.run_id)] == ["samples.png"]


@pytest.mark.parametrize("name", ["log_to_tensorboard", "log_to_mlflow"])
def test_the_document_shows_them_as_they_are(name):
    text = (EXAMPLES / f"{name}.py").read_text("utf-8")
    listener = text[text.index("class ") : text.index("\n\n\nif __name__")]
    assert len(listener.splitlines()) <= 10
    assert listener in (EXAMPLES.parent / "docs" / "ecosystem.md").read_text("utf-8")
