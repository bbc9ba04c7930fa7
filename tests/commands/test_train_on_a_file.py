"""A run whose base is the network of an ONNX file: trained, used, exported and passed on, without Keras."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import headstart as hs
from headstart import cli, commands
from headstart.classifier.packed import PackedClassifier
from headstart.data.images import read_image
from headstart.engines.openvino import read_network
from headstart.errors import ExportError, HeadstartError, ModelError, RunError
from headstart.models.network_files.base import FileBase
from headstart.storage.hashing import sha256_of_file
from headstart.training.config import TrainingConfig
from support.onnx_files import residual_network, vision_transformer
from support.recording import Recorder
from support.sharing import finished, made_once

SIDE = 32
NETWORK = "residual.onnx"
# Arguments: the photos, the file, and a folder for the run
WITHOUT_KERAS = """
import json, sys
sys.modules["keras"] = sys.modules["tensorflow"] = sys.modules["onnx"] = None   # importing them fails from here on
import headstart as hs
photos, file, out = sys.argv[1:]
run = hs.make_run(photos, out, backbone=file, image_size=32, seed=3, listener=hs.Quiet())
photo = sorted(str(path) for path in __import__("pathlib").Path(photos).rglob("*.png"))[0]
found = [hs.load(out).predict(photo), hs.Predictor(out).predict(photo)]
print(json.dumps([each.probabilities for each in found]))
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory, photos: Path) -> hs.Run:
    """With what was said meanwhile beside it."""

    def make(root: Path) -> None:
        listener, file = Recorder(), residual_network(root / NETWORK)
        hs.make_run(photos, root / "run", backbone=str(file), image_size=SIDE, seed=3, listener=listener)
        (root / "said.txt").write_text("\n".join(listener.lines), "utf-8")

    return finished(made_once(tmp_path_factory, "trained-on-a-file", make) / "run")


@pytest.fixture(scope="module")
def images(photos: Path) -> list[Path]:
    return sorted(photos.rglob("*.png"))[:6]


def test_it_says_what_it_reads_and_what_it_leaves_out(trained):
    said = (trained.folder.parent / "said.txt").read_text("utf-8")
    assert f"{NETWORK}: an ONNX file, frozen; images of 224 x 224 or others, NCHW" in said
    assert "(assumed, as most networks are trained so); 3 depths, the last 'block2.relu'" in said
    assert f"No fine-tuning: '{NETWORK}' is the network of a file, which stays as it is." in said


def test_what_it_leaves(trained):
    card = json.loads((trained.folder / "classifier.json").read_text("utf-8"))
    assert (card["backbone"], card["base_file"]) == (NETWORK, f"base/{NETWORK}")
    assert not (trained.folder / "model.keras").exists()
    assert {f"base/{NETWORK}", f"base/{NETWORK}.json", "engine/network.xml"} <= card["hashes"].keys()
    report = (trained.folder / "report.html").read_text("utf-8")
    assert f"base/{NETWORK}" in report
    assert "is a plain Keras model" not in report
    assert f"started from the weights in <code>{NETWORK}</code>" in report
    model_card = (trained.folder / "README.md").read_text("utf-8")
    assert f"`base/{NETWORK}`, so there is no Keras model" in model_card
    assert '"keras"' not in model_card
    assert "block1.relu" in (trained.folder / "summary.txt").read_text("utf-8")
    assert trained.metrics["weights"] == NETWORK
    where = str(trained.folder.parent)
    assert where not in json.dumps(card) + json.dumps(trained.metrics), "a run does not tell where its base lay"


def test_all_that_answers_answers_alike(trained, images, tmp_path):
    classifier = hs.load(trained.folder)
    expected = [each.probabilities for each in classifier.predict(images)]
    classifier.save(tmp_path / "saved")
    PackedClassifier.of(trained.folder).open()
    for other in (
        hs.Predictor(trained.folder),
        hs.load(tmp_path / "saved"),
        PackedClassifier.of(trained.folder).open(),
    ):
        for found, right in zip(other.predict(images), expected, strict=True):
            assert found.probabilities == pytest.approx(right, abs=1e-5)
    places = hs.Predictor(trained.folder).explain(images[0]).places
    assert places.shape == (8, 8)
    with pytest.raises(ModelError, match=f"'{NETWORK}' is an ONNX file.*no model.keras"):
        classifier.model  # noqa: B018


@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_its_exports_are_proved(trained, images, tmp_path, format):
    out = tmp_path / ("out.onnx" if format == "onnx" else "out")
    found = commands.export(trained.folder, out, format=format, listener=hs.Quiet())
    assert found.proof.farthest <= 1e-4
    assert found.card["backbone"] == NETWORK
    if format == "onnx":
        pixels = np.stack([read_image(image, SIDE) for image in images])
        session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
        (shares,) = session.run(["probabilities"], {"pixels": pixels})
        names = found.card["class_names"]
        answers = hs.Predictor(trained.folder).predict(images)
        expected = [[each.probabilities[name] for name in names] for each in answers]
        np.testing.assert_allclose(shares, expected, atol=1e-4)


def test_a_web_page_of_it_is_proved(trained, tmp_path):
    found = commands.export(trained.folder, tmp_path / "page", format="web", listener=hs.Quiet())
    assert found.proof.farthest <= 1e-4
    assert (tmp_path / "page" / "index.html").is_file()


def test_a_run_is_resumed_on_the_same_network_wherever_it_lies(trained, tmp_path):
    elsewhere = Path(shutil.copytree(trained.folder / "base", tmp_path / "base"))

    def settings() -> dict:
        return TrainingConfig.of(backbone=str(elsewhere / NETWORK), image_size=SIDE).to_json()

    own = TrainingConfig.of(backbone=str(trained.folder / "base" / NETWORK), image_size=SIDE).to_json()
    assert settings() == own
    (elsewhere / f"{NETWORK}.json").write_text('{"preprocessing": "half"}', "utf-8")
    assert settings()["backbone"] != own["backbone"], "it sees other pixels"


@pytest.mark.parametrize("format", ["litert", "saved-model"])
def test_exports_that_need_keras_are_refused(trained, tmp_path, format):
    out = tmp_path / ("out.tflite" if format == "litert" else "out")
    with pytest.raises(ModelError, match="exports are to onnx, openvino and web"):
        commands.export(trained.folder, out, format=format, listener=hs.Quiet())
    assert not list(tmp_path.iterdir())


def test_the_base_of_a_run_is_as_good_as_the_file(trained):
    kept, first = (FileBase.read(folder / NETWORK) for folder in (trained.folder / "base", trained.folder.parent))
    assert kept.maps == first.maps
    assert kept.input.to_json() == first.input.to_json()


def test_other_commands_work_with_it(trained, photos: Path, capsys, monkeypatch):
    file = trained.folder / "base" / NETWORK
    found = commands.evaluate(trained.folder, photos, listener=hs.Quiet()).evaluation.accuracy
    assert found.count > 0
    assert hs.inspect(photos, backbone=str(file), image_size=SIDE, listener=hs.Quiet()).images == 80
    compared = hs.backbones(photos, backbones=[str(file)], image_size=SIDE, listener=hs.Quiet())
    assert [each.backbone for each in compared.candidates] == [NETWORK]
    monkeypatch.setattr(sys, "argv", ["headstart", "predict", str(trained.folder), str(photos), "--format", "csv"])
    with pytest.raises(SystemExit):
        cli.main()
    assert len(capsys.readouterr().out.splitlines()) == 81


def test_a_transformer_in_an_openvino_file(photos, tmp_path):
    import openvino

    network = read_network(vision_transformer(tmp_path / "vit.onnx", side=SIDE, prefix=1))
    openvino.save_model(network, tmp_path / "vit.xml", compress_to_fp16=False)
    run = hs.make_run(photos, tmp_path / "run", backbone=str(tmp_path / "vit.xml"), seed=3, listener=hs.Quiet())
    assert run.metrics["image_size"] == SIDE
    assert hs.Predictor(run.folder).explain(next(photos.rglob("*.png"))).places.shape == (4, 4)
    assert {"base/vit.xml", "base/vit.bin"} <= json.loads((run.folder / "classifier.json").read_text())["hashes"].keys()
    assert commands.export(run.folder, tmp_path / "out", format="openvino", listener=hs.Quiet()).proof.changed == 0
    with pytest.raises(ExportError, match=r"'vit\.xml' is an OpenVINO file, of which no ONNX can be made"):
        commands.export(run.folder, tmp_path / "out.onnx", format="onnx", listener=hs.Quiet())


def test_it_needs_neither_keras_nor_onnx(trained, photos, tmp_path):
    command = [sys.executable, "-c", WITHOUT_KERAS, photos, trained.folder.parent / NETWORK, tmp_path / "run"]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    one, other = json.loads(result.stdout.splitlines()[-1])
    assert one == pytest.approx(other, abs=1e-5)


REFUSED: dict[str, tuple[dict, str]] = {
    "fine-tuning": ({"fine_tune": "always"}, "no fine-tuning.*leave --fine-tune always out"),
    "the tutorial": ({"recipe": "tutorial"}, "The recipe 'tutorial'.* trains layers in any case"),
    "weights": ({"weights": "other.h5"}, "holds its weights itself, and 'other.h5' was given as well"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_needs_layers_is_refused_at_once(trained, photos, tmp_path, what):
    settings, message = REFUSED[what]
    file = str(trained.folder / "base" / NETWORK)
    with pytest.raises(ModelError, match=message):
        commands.train(photos, tmp_path / "run", backbone=file, image_size=SIDE, listener=hs.Quiet(), **settings)
    assert not list(tmp_path.iterdir())


def test_a_gpu_is_refused(trained):
    with pytest.raises(ModelError, match=r"no model\.keras and no GPU.* Leave --device out"):
        TrainingConfig.of(backbone=str(trained.folder / "base" / NETWORK), device="gpu")
    with pytest.raises(ModelError, match=r"no model\.keras and no GPU.* Leave --device out"):
        hs.Predictor(trained.folder, device="gpu")


def _without_engine(run: Path) -> None:
    card = json.loads((run / "classifier.json").read_text("utf-8"))
    (run / "engine" / "network.xml").write_text("<net/>", "utf-8")
    card["hashes"]["engine/network.xml"] = sha256_of_file(run / "engine" / "network.xml")
    (run / "classifier.json").write_text(json.dumps(card), "utf-8")


DAMAGED: dict[str, tuple[Callable[[Path], object], type[HeadstartError], str]] = {
    "a base that is gone": (
        lambda run: (run / "base" / NETWORK).unlink(),
        RunError,
        "is missing. Copy the whole folder",
    ),
    "an engine that is none": (_without_engine, ModelError, "no model.keras"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_run(trained, tmp_path, images, what):
    damage, kind, message = DAMAGED[what]
    run = shutil.copytree(trained.folder, tmp_path / "run")
    damage(run)
    opened = hs.load if "base" in what else hs.Predictor
    with pytest.raises(kind, match=message):
        opened(run)
