"""`headstart backbones DATA`: bases whose weights are at hand, compared on training photos alone."""

import json
import sys
from pathlib import Path

import pytest

import headstart as hs
from headstart import cli
from headstart.errors import DatasetError, WeightsError
from headstart.models import backbones, weights
from headstart.statistics import wilson
from support.recording import Recorder as Listener

SIZE = 32


@pytest.fixture
def second(keras_home):
    """MobileNet, as if it was downloaded once; nothing else is at hand, and nothing can be fetched."""
    (keras_home / "models").mkdir()
    weights.load_base("mobilenet", SIZE, weights.RANDOM).save(keras_home / "models" / weights.DOWNLOADED["mobilenet"])
    return "mobilenet"


@pytest.mark.backbones
def test_what_is_at_hand_is_compared(second, photos: Path, capsys, monkeypatch):
    listener = Listener()
    found = hs.backbones(photos, image_size=SIZE, seed=3, listener=listener)
    assert [each.backbone for each in found.candidates] == ["mobilenet_v2", "efficientnet_lite0", second]
    train = hs.load_dataset(photos, seed=3, listener=hs.Quiet()).train
    for each in found.candidates:
        assert each.accuracy.count == found.images == len(train)
        assert each.seconds > 0
    first, _, other = found.candidates
    assert first.megabytes == pytest.approx(9.4, abs=0.1)
    assert first.against_first is None
    between = other.against_first
    assert between is not None
    assert between.only_second - between.only_first == other.accuracy.correct - first.accuracy.correct
    assert set(found.left_out) == set(backbones.BACKBONES) - {"mobilenet_v2", "efficientnet_lite0", second}
    for word in (
        "mobilenet_v2",
        "the first",
        "p = ",
        "Left out: mobilenet_v2_050, mobilenet_v2_035, mobilenet_v3_small, ",
        "Left out: efficientnet_lite1, efficientnet_lite2: used with a file",
        "vgg16: not downloaded",
    ):
        assert word in str(found)

    monkeypatch.setattr(sys, "argv", ["headstart", "backbones", str(photos), "--image-size", str(SIZE), "--seed", "3",
                                      "--backbone", second, "--backbone", "mobilenet_v2", "--json"])  # fmt: skip
    with pytest.raises(SystemExit):
        cli.main()
    rows = json.loads(capsys.readouterr().out)["candidates"]
    assert [row["backbone"] for row in rows] == [second, "mobilenet_v2"]
    assert [row["accuracy"]["correct"] for row in rows] == [other.accuracy.correct, first.accuracy.correct]


@pytest.mark.backbones
def test_a_file_that_cannot_be_used_is_left_out_and_one_that_was_asked_for_is_a_mistake(
    second, keras_home, photos: Path
):
    file = keras_home / "models" / weights.DOWNLOADED[second]
    file.write_bytes(file.read_bytes()[:1000])
    found = hs.backbones(photos, image_size=64, listener=hs.Quiet())
    assert [each.backbone for each in found.candidates] == ["mobilenet_v2", "efficientnet_lite0"]
    assert "could not be downloaded" in found.left_out[second]
    with pytest.raises(WeightsError, match="could not be downloaded"):
        hs.backbones(photos, backbones=[second], image_size=64, listener=hs.Quiet())


def test_groups_are_kept_together_and_counted(photos, tmp_path):
    for place, file in enumerate(sorted(photos.rglob("*.png"))):
        to = tmp_path / file.parent.name / f"cell{place // 2}-{file.name}"
        to.parent.mkdir(exist_ok=True)
        to.write_bytes(file.read_bytes())
    source = hs.DataSource(tmp_path, group_by=r"cell\d+")
    found = hs.backbones(source, backbones=["mobilenet_v2"], image_size=SIZE, listener=hs.Quiet())
    accuracy = found.candidates[0].accuracy
    of_images = wilson(accuracy.correct, accuracy.count)
    assert accuracy.value == of_images.value
    assert accuracy.high - accuracy.low > of_images.high - of_images.low


def test_too_few_photos(tiny, tmp_path, make_folder):
    folder = make_folder(tmp_path / "few", {"defective": 4, "functional": 4})
    with pytest.raises(DatasetError, match="Fewer than two classes have 5 different training photos each"):
        hs.backbones(folder, backbones=[tiny], image_size=SIZE, listener=hs.Quiet())


def test_every_backbone_has_a_file():
    """In the package, or from Keras; but for those that only a file of the user's has."""
    rows = backbones.BACKBONES.items()
    assert set(weights.DOWNLOADED) == {name for name, row in rows if not row.packaged and row.module == backbones.KERAS}
