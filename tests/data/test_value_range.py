"""12 bits in files of 16: the range is found for the collection, kept, and used wherever a classifier reads photos."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import headstart as hs
from headstart.classifier.metadata import read_card
from headstart.commands.inspect import inspect
from headstart.commands.predict import predict
from headstart.data.images import from_pillow, read_image
from headstart.data.value_range import (
    FULL,
    KnownValues,
    ValueRange,
    parse_value_range,
    range_of,
    remark_on_photo,
    remarks_on_values,
    to_shades,
)
from headstart.errors import ModelError, RunError
from headstart.features.spec import FeatureSpec
from headstart.inspection.writing import write_inspection
from support import tiny
from support.sizes import SMALL

HEAD = {"recipe": hs.RECIPES["fast"].without_fine_tuning(), "views": "original", "image_size": SMALL}
OF_EACH = 24  # photos
TWELVE = ValueRange(0, 4095)


@settings(max_examples=100, derandomize=True)
@given(st.lists(st.integers(0, 65535), min_size=1), st.integers(0, 65534), st.integers(1, 65535))
def test_shades_are_rounded_and_clipped(values, low, width):
    value_range = ValueRange(low, min(low + width, 65535))
    shades = to_shades(np.array(values, np.uint16), value_range)
    exact = (np.array(values, float) - low) / (value_range.high - low) * 255
    assert np.abs(shades - np.clip(exact, 0, 255)).max() <= 0.5 + 1e-9


@pytest.mark.parametrize(("text", "expected"), [("0:4095", TWELVE), ("100:200", (100, 200)), (" 0 : 65535 ", FULL)])
def test_a_range_that_is_said(text, expected):
    assert parse_value_range(text) == expected
    assert parse_value_range(str(parse_value_range(text))) == expected


@pytest.mark.parametrize("text", ["", "4095", "0:", "a:b", "5:5", "9:3", "-1:5", "0:65536", "0:1:2"])
def test_what_is_no_range(text):
    with pytest.raises(ModelError, match=r"no range of (16-bit )?values.*0:4095"):
        parse_value_range(text)


@pytest.mark.parametrize(("highest", "high"), [
    ([4000, 4095, 1200], 4095), ([1023, 900], 1023), ([16000, 9000], 16383), ([200], 255), ([65535, 300], 65535),
    ([], 65535), ([4095] * 95 + [65535] * 5, 4095), ([4095] * 50 + [65535] * 50, 65535),
])  # fmt: skip
def test_the_range_is_that_of_the_collection(highest, high):
    assert range_of(highest) == (0, high)


def test_mixed_ranges_are_told_with_their_classes_and_dark_photos_are_none():
    (mixed,) = remarks_on_values([4095, 4090, 65535, 60000, 30000], ["a", "a", "b", "b", "b"])
    assert "2 photos hold at most 4,095 (2 of 'a'), 3 up to 65,535 (3 of 'b')" in mixed
    (twelve,) = remarks_on_values([4095, 3000], ["a", "b"])
    assert "2 photos have 16 bits a value but none above 4,095: they are read as 12 bits" in twelve
    assert "--value-range" in twelve
    assert remarks_on_values([], []) == []
    overexposed = [1023] * 8 + list(range(300, 4000, 60))
    assert "8 photos hold" not in str(remarks_on_values(overexposed, ["a"] * len(overexposed)))
    (mixed,) = remarks_on_values([1023] * 8 + list(range(1160, 4000, 60)), ["a"] * 56)
    assert "8 photos hold at most 1,023" in mixed, "others are above it, but none just above"
    assert remarks_on_values(list(range(900, 65535, 700)), ["a"] * 93) == [], "one camera, brighter and darker photos"


def saved(root: Path, factor: int, cells: dict[str, list[Path]], *, format: str = "tif") -> Path:
    """Photos of each class in 16 bits, their 8 bits times `factor`; with 257 all bits are used."""
    for label, paths in cells.items():
        (root / label).mkdir(parents=True)
        for number, path in enumerate(paths[:OF_EACH]):
            grey = np.asarray(Image.open(path).convert("L").resize((48, 48)), np.uint16)
            grey = np.clip(grey + np.uint16(number), 0, 255)
            grey[0, 0] = 255  # some pixel is as bright as can be
            Image.fromarray((grey * factor).astype(np.uint16)).save(root / label / f"{number}.{format}")
    return root


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory, cells) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("deep")
    return {
        "twelve": saved(root / "twelve", 16, cells),
        "ten": saved(root / "ten", 4, cells, format="png"),
        "sixteen": saved(root / "sixteen", 257, cells),
    }


@pytest.fixture(scope="module")
def base(tiny_weights: Path):
    with pytest.MonkeyPatch.context() as patch:
        yield tiny.register(patch, tiny_weights)


@pytest.fixture(scope="module")
def run(collections, base, tmp_path_factory: pytest.TempPathFactory) -> hs.Run:
    out, quiet = tmp_path_factory.mktemp("runs") / "twelve", hs.Quiet()
    return hs.make_run(collections["twelve"], out, backbone=base, **HEAD, listener=quiet)


def test_few_bits_are_learned_from_like_all_bits(run, collections, base):
    heads = []
    for name in ("twelve", "ten", "sixteen"):
        dataset = hs.load_dataset(collections[name], listener=hs.Quiet())
        assert dataset.value_range == (0, {"twelve": 4095, "ten": 1023, "sixteen": 65535}[name])
        trained = hs.train(dataset, backbone=base, **HEAD, listener=hs.Quiet())
        heads.append(trained.network.head[0])
        assert bool(dataset.notes) == (name != "sixteen")
    again = hs.load_dataset(collections["twelve"], listener=hs.Quiet())  # no file is decoded again
    assert again.value_range == TWELVE
    for head in heads:
        assert head.shape == heads[0].shape
    said = hs.load_dataset(collections["twelve"], listener=hs.Quiet())
    dark = hs.train(said, backbone=base, **HEAD, value_range="0:65535", listener=hs.Quiet())
    assert dark.value_range == FULL
    assert np.abs(dark.network.head[0] - heads[0]).max() > 1e-3


def test_the_same_photos_are_the_same_pixels(collections):
    for file in sorted(collections["sixteen"].rglob("*.tif")):
        name = file.relative_to(collections["sixteen"])
        expected = read_image(file).astype(int)
        twelve = read_image(collections["twelve"] / name, value_range=TWELVE)
        ten = read_image(collections["ten"] / name.with_suffix(".png"), value_range=ValueRange(0, 1023))
        assert np.abs(twelve - expected).max() <= 1, "4080 of 4095 is nearly white"
        assert np.abs(ten - expected).max() <= 1


def test_the_range_travels_with_the_classifier(run, collections, tmp_path):
    assert read_card(run.folder)["value_range"] == [0, 4095]
    classifier, predictor = hs.load(run.folder), hs.Predictor(run.folder)
    assert classifier.value_range == predictor.value_range == TWELVE
    files = sorted(collections["twelve"].rglob("*.tif"))[:5]
    expected = [answer.probability for answer in predictor.predict(files)]
    pixels = [read_image(file, value_range=TWELVE) for file in files]
    assert [answer.probability for answer in predictor.predict(pixels)] == expected
    assert [answer.probability for answer in predictor.predict([Image.open(file) for file in files])] == expected
    np.testing.assert_allclose([answer.probability for answer in classifier.predict(files)], expected, atol=1e-5)
    np.testing.assert_array_equal(from_pillow(Image.open(files[0]), value_range=TWELVE).pixels, pixels[0])
    test = hs.load_dataset(run.folder / "splits.csv", listener=hs.Quiet()).test
    expected_loss = run.metrics["test"]["loss"]
    assert hs.evaluate(classifier, test).loss == pytest.approx(expected_loss, rel=0.02)
    assert hs.evaluate(replace(classifier, value_range=FULL), test).loss != pytest.approx(expected_loss, rel=0.1)
    classifier.save(tmp_path / "saved")
    assert hs.Predictor(tmp_path / "saved").value_range == TWELVE


@pytest.mark.parametrize(("highest", "value_range", "known", "expected"), [
    (None, FULL, KnownValues(False, 9000, 65535), None),  # the usual 8 bits of a photo of 16
    (None, TWELVE, KnownValues(False, 900, 4095), "has 8 bits a value.*with 0 as black and 4,095 as white"),
    (None, TWELVE, KnownValues(True, 900, 4095), None), (None, TWELVE, None, None),
    (60000, TWELVE, KnownValues(False, 900, 4095), "has values up to 60,000.*takes 4,095 for white"),
    (60000, TWELVE, None, "has values up to 60,000"), (60000, FULL, KnownValues(True, 0, 0), None),
    (4095, FULL, KnownValues(True, 0, 0), "has no value above 4,095.*takes 65,535 for white"),
    (4095, FULL, KnownValues(False, 6000, 65535), None),  # a dark photo of a collection with dark ones
    (2500, FULL, KnownValues(False, 6000, 65535), "has no value above 2,500"),
    (900, TWELVE, KnownValues(False, 1500, 4095), None), (3000, ValueRange(100, 3000), None, None),
    (65535, TWELVE, KnownValues(False, 900, 65535), None),  # it learned from such photos, white as they were
])  # fmt: skip
def test_a_photo_of_another_range_is_remarked_on(highest, value_range, known, expected):
    remark = remark_on_photo(highest, value_range, known)
    assert re.search(expected, remark) if expected and remark else remark == expected


def test_photos_of_another_range_are_never_sure(run, collections, cells, tmp_path):
    assert read_card(run.folder)["known_values"] == {"has_8_bits": False, "dimmest": 4080, "brightest": 4080}
    deep, eight = tmp_path / "deep.png", tmp_path / "eight.png"
    Image.open(sorted(collections["sixteen"].rglob("*.tif"))[0]).save(deep)
    Image.open(cells["functional"][0]).convert("L").save(eight)
    twelve = sorted(collections["twelve"].rglob("*.tif"))[0]
    for classifier in (hs.Predictor(run.folder), hs.load(run.folder)):
        usual, bright, flat = classifier.predict([twelve, deep, eight])
        assert usual.remark is None
        assert bright.remark
        assert "values up to 65,535" in bright.remark
        assert flat.remark
        assert "8 bits" in flat.remark
        assert not bright.sure
        assert not flat.sure
        with Image.open(deep) as picture:
            assert classifier.predict(picture).remark == bright.remark
        assert classifier.predict(read_image(deep)).remark is None, "pixels are what they are"
        assert classifier.explain(deep).prediction.remark == bright.remark
    for format, expected in (("text", "not sure: .*the photo has values"), ("json", '"remark": "has values up to')):
        out = tmp_path / f"answers.{format}"
        predict(run.folder, [deep, twelve], listener=hs.Quiet()).write(out, format=format)
        assert re.search(expected, out.read_text())
        assert out.read_text().count("has values") == 1
    labelled = tmp_path / "labelled.csv"
    labelled.write_text("path,label\n" + "".join(f"{path},functional\n" for path in (deep, eight)))
    said = hs.commands.evaluate(run.folder, labelled, listener=hs.Quiet()).images
    assert "; one has values up to 65,535" in said
    assert "and 1 more are like it" in said
    of_sixteen = replace(hs.load(run.folder), value_range=FULL, known_values=KnownValues(False, 60000, 65535))
    assert "no value above 4,080" in str(of_sixteen.predict(twelve).remark)


def test_a_card_of_before_means_all_bits_and_a_damaged_one_is_refused(run, tmp_path):
    card = json.loads((run.folder / "classifier.json").read_text())
    del card["value_range"]
    (tmp_path / "classifier.json").write_text(json.dumps(card))
    assert read_card(tmp_path)["value_range"] == list(FULL)
    for wrong in ([5, 5], [0], "0:5", None, [0, 1 << 16], ["a", "b"]):
        (tmp_path / "classifier.json").write_text(json.dumps(card | {"value_range": wrong}))
        with pytest.raises(RunError, match="its value_range is"):
            read_card(tmp_path)


def test_the_range_is_part_of_the_key_of_features_where_it_is_not_the_usual_one():
    usual = FeatureSpec(hs.RECIPES["fast"].usual_backbone, 96, depths=True)
    folders = [
        str(FeatureSpec(usual.backbone, 96, depths=True, value_range=value_range).folder("x"))
        for value_range in (FULL, TWELVE, ValueRange(100, 4095))
    ]
    assert folders[0] == str(usual.folder("x"))
    assert folders[0].endswith("stretch-original")
    assert folders[1].endswith("stretch-original-0-4095")
    assert len(set(folders)) == 3


def test_inspect_tells_the_range_and_shows_photos_in_it(collections, base, cells, tmp_path):
    found = inspect(collections["twelve"], backbone=base, image_size=SMALL, listener=hs.Quiet())
    assert found.value_range == TWELVE
    assert any("none above 4,080: they are read as 12 bits" in remark for remark in found.remarks)
    said = inspect(collections["twelve"], backbone=base, image_size=SMALL, value_range="0:65535", listener=hs.Quiet())
    assert said.value_range == FULL
    write_inspection(tmp_path / "page", found)
    mixed = tmp_path / "mixed"
    for label, name in (("functional", "twelve"), ("defective", "sixteen")):
        (mixed / label).mkdir(parents=True)
        for file in (collections[name] / label).iterdir():
            (mixed / label / file.name).write_bytes(file.read_bytes())
    found = inspect(mixed, backbone=base, image_size=SMALL, listener=hs.Quiet())
    (remark,) = [remark for remark in found.remarks if "mixed ranges" in remark]
    assert f"({OF_EACH} of 'functional')" in remark
    assert f"({OF_EACH} of 'defective')" in remark
