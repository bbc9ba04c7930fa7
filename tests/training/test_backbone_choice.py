"""`--backbone auto`: of the bases at hand, the one that the training images are answered best by."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from scipy.stats import binomtest

import headstart as hs
from headstart import commands
from headstart.errors import ModelError, WeightsError
from headstart.models import at_hand
from headstart.models.at_hand import bases_at_hand
from headstart.models.weights import PRETRAINED
from headstart.runs.partial import CHOSEN
from headstart.statistics import Disagreement, wilson
from headstart.training import config as of_config
from headstart.training.backbone_choice import MeasuredBackbone, best_of, why_best
from headstart.training.config import TrainingConfig
from support.onnx_files import residual_network
from support.recording import Recorder

SIDE = 32


def measured(name: str, correct: int, against: tuple[int, int] | None = None) -> MeasuredBackbone:
    """against: images that only the first answers correctly, and only this one."""
    found = against and Disagreement(*against, p=binomtest(against[0], sum(against)).pvalue)
    return MeasuredBackbone(name, 224, wilson(correct, 100), 10.0, None, found)


def test_the_first_stays_unless_another_is_better_and_not_by_chance():
    first, by_chance, better, best = (
        measured("first", 80), measured("by chance", 82, (5, 7)), measured("better", 90, (1, 11)),
        measured("best", 92, (1, 13)),
    )  # fmt: skip
    assert best_of([first]) is first
    assert best_of([first, by_chance]) is first
    assert best_of([first, better, by_chance, best]) is best
    assert why_best([first]) == "no other at hand is fast enough"
    assert why_best([first, by_chance]) == "no other at hand is better than by chance"
    assert why_best([first, best]).startswith("better than first, and not by chance (p = 0.0")


def test_what_is_at_hand(tmp_path):
    own = bases_at_hand()
    assert {"mobilenet_v2", "efficientnet_lite0"} <= own.keys()
    assert set(own.values()) == {PRETRAINED}
    for name in ("efficientnet_lite1_no_top.weights.h5", "mobilenet_v3_large.h5", "notes.txt", "other.h5", "a.onnx"):
        (tmp_path / name).write_bytes(b"")
    found = bases_at_hand(tmp_path)
    assert found["efficientnet_lite1"] == str(tmp_path / "efficientnet_lite1_no_top.weights.h5")
    assert found["mobilenet_v3_large"].endswith("mobilenet_v3_large.h5"), "not those of mobilenet"
    assert found[str(tmp_path / "a.onnx")] == PRETRAINED
    assert found.keys() == own.keys() | {"efficientnet_lite1", "mobilenet_v3_large", str(tmp_path / "a.onnx")}
    with pytest.raises(WeightsError, match=r"Nothing tells which backbone '.*other\.h5' is for"):
        bases_at_hand(tmp_path / "other.h5")
    with pytest.raises(WeightsError, match="is not there"):
        bases_at_hand(tmp_path / "nowhere")


@pytest.fixture
def two(tmp_path, monkeypatch) -> str:
    """The default base, and the network of a file, are all that is at hand."""
    file = str(residual_network(tmp_path / "residual.onnx"))
    monkeypatch.setattr(of_config, "bases_at_hand", lambda given: {"efficientnet_lite0": PRETRAINED, file: PRETRAINED})
    return file


def test_a_base_is_chosen_and_said(two, photos: Path, tmp_path):
    listener = Recorder()
    settings = {"fine_tune": "never", "views": "original", "image_size": SIDE, "seed": 3}
    run = commands.train(photos, tmp_path / "run", backbone="auto", listener=listener, **settings)
    (said,) = [line for line in listener.lines if line.startswith("The base is ")]
    assert run.metrics["backbone"] in said
    lines = "\n".join(listener.lines)
    assert "  efficientnet_lite0: " in lines
    assert "  residual.onnx: " in lines
    assert "images/s" in lines
    assert not (run.folder / CHOSEN).exists()


def test_none_is_fast_enough(two, photos, tmp_path):
    with pytest.raises(ModelError, match=r"No base at hand.*efficientnet_lite0: .* images/s, slower than the 1e\+09"):
        commands.train(photos, tmp_path / "run", backbone="auto", at_least=1e9, image_size=SIDE, listener=hs.Quiet())
    assert not (tmp_path / "run.partial").exists()


def test_from_python_it_is_chosen_as_in_a_run(two, photos):
    dataset, listener = hs.load_dataset(photos, seed=3, listener=hs.Quiet()), Recorder()
    head_alone = replace(hs.RECIPES["fast"], fine_tuning=None)
    classifier = hs.train(
        dataset, recipe=head_alone, backbone="auto", at_least=0.001, image_size=SIDE, listener=listener
    )
    assert any(line.startswith(f"The base is {classifier.backbone}: ") for line in listener.lines)
    with pytest.raises(ModelError, match=r"No base at hand.* images/s, slower than the 1e\+09"):
        hs.train(dataset, backbone="auto", at_least=1e9, image_size=SIDE, listener=hs.Quiet())
    with pytest.raises(ModelError, match="give --backbone auto, too"):
        hs.train(dataset, at_least=20, listener=hs.Quiet())


def test_a_run_that_is_resumed_keeps_its_base(two, photos, tmp_path):
    from headstart.commands.run_choices import decide

    config = TrainingConfig.of(backbone="auto", image_size=SIDE, seed=3)
    assert (config.backbone, [name for name, _ in config.candidates]) == (
        "efficientnet_lite0",
        ["efficientnet_lite0", two],
    )
    (tmp_path / CHOSEN).write_text(json.dumps([two, PRETRAINED]), "utf-8")
    dataset = hs.load_dataset(photos, seed=3, listener=hs.Quiet())
    decided = decide(config, dataset, tmp_path, hs.Quiet())
    assert (decided.backbone, decided.candidates) == (two, ())


def test_a_speed_or_a_recipe_that_does_not_go_with_it():
    with pytest.raises(ModelError, match="give --backbone auto, too"):
        TrainingConfig.of(backbone="mobilenet_v2", at_least=20)
    with pytest.raises(ModelError, match="The recipe 'tutorial' is made for 'mobilenet_v2'"):
        TrainingConfig.of(recipe="tutorial", backbone="auto")
    kept = TrainingConfig.of(backbone="auto").with_base("mobilenet_v2", PRETRAINED)
    assert (kept.image_size, kept.backbone) == (224, "mobilenet_v2")


def test_who_looks_at_more_than_the_table(monkeypatch):
    monkeypatch.setattr(at_hand, "files_at_hand", lambda name: [])
    assert bases_at_hand() == {}
