"""A photo of any shape becomes a square in one of three ways: the same one in training, evaluation and prediction."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import headstart as hs
from headstart.commands.run_splits import copy_groups
from headstart.data import batches
from headstart.data.images import read_again, read_image
from headstart.data.resizing import CROP, PAD, PADDING, RESIZE_CROP, RESIZINGS, STRETCH, resize
from headstart.errors import ModelError
from headstart.evaluation import gallery
from headstart.features.extractor import FeatureExtractor
from headstart.features.spec import FeatureSpec
from headstart.inspection.duplicate_cache import cached_duplicates
from headstart.training.config import TrainingConfig
from support.planted import copies as copies_of
from support.planted import jpeg, tiles
from support.tiny import register

SMALL = 32
ALL = pytest.mark.parametrize("resizing", RESIZINGS)
sides, sizes = st.integers(1, 90) | st.sampled_from([1, 1000, 3001]), st.integers(1, 40)
any_of_them = st.sampled_from(sorted(RESIZINGS))


def noise(height: int, width: int) -> np.ndarray:
    """uint8 (height, width, 3), and no pixel of it is the filling."""
    pixels = np.random.default_rng([height, width]).integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels[..., 0] = np.where(pixels[..., 0] < 128, pixels[..., 0] // 4, 224 + pixels[..., 0] // 8)
    return pixels


def png(pixels: np.ndarray) -> bytes:
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue()


def settings_of(resizing: str) -> TrainingConfig:
    return TrainingConfig.of(
        recipe="fast", backbone="mobilenet_v2", image_size=64, resizing=resizing, weights="pretrained", seed=0,
        execution="cached", precision="float32",
    )  # fmt: skip


# Pixels


@settings(max_examples=150, derandomize=True)
@given(sides, sides, sizes, any_of_them)
def test_any_shape_becomes_a_square_and_a_file_is_what_is_in_memory(height, width, size, resizing):
    pixels = noise(height, width)
    square = resize(pixels, size, resizing)
    assert (square.shape, square.dtype) == ((size, size, 3), np.uint8)
    if height * width < 10_000:
        np.testing.assert_array_equal(read_image(png(pixels), size, resizing), square)


@settings(max_examples=60, derandomize=True)
@given(sides, sizes, any_of_them)
def test_of_squares_all_make_the_same(side, size, resizing):
    square = noise(side, side)
    if resizing == RESIZE_CROP:
        left = (side - max(1, round(side * 7 / 8))) // 2
        square = square[left : left + max(1, round(side * 7 / 8)), left : left + max(1, round(side * 7 / 8))]
    np.testing.assert_array_equal(resize(noise(side, side), size, resizing), resize(square, size))


@settings(max_examples=60, derandomize=True)
@given(st.integers(8, 60), st.integers(0, 60), st.booleans())
def test_resize_crop_is_the_middle_of_the_crop(side, more, wide):
    """Of a photo whose shorter side is 8, what 7 pixels show; in the proportion that networks are tested with."""
    height, width = (8 * side, 8 * side + more) if wide else (8 * side + more, 8 * side)
    pixels = noise(height, width)
    top, left = (height - 7 * side) // 2, (width - 7 * side) // 2
    middle = pixels[top : top + 7 * side, left : left + 7 * side]
    np.testing.assert_array_equal(resize(pixels, 7 * side, RESIZE_CROP), middle)


@settings(max_examples=60, derandomize=True)
@given(st.integers(1, 60), st.integers(0, 60), st.booleans(), sizes)
def test_crop_is_the_square_in_the_middle(side, more, wide, size):
    pixels = noise(side, side + more) if wide else noise(side + more, side)
    start = more // 2
    middle = pixels[:, start : start + side] if wide else pixels[start : start + side]
    np.testing.assert_array_equal(resize(pixels, size, CROP), resize(middle, size))


@settings(max_examples=100, derandomize=True)
@given(sides, sides, sizes)
def test_pad_keeps_the_shape_and_fills_the_rest(height, width, size):
    square = resize(np.full((height, width, 3), (9, 100, 250), np.uint8), size, PAD)
    shown = (square == (9, 100, 250)).all(axis=2)
    assert (square[~shown] == PADDING).all()
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    assert shown.sum() == len(rows) * len(columns), "one rectangle"
    longer = max(height, width)
    for found, side in ((rows, height), (columns, width)):
        assert abs(len(found) - size * side / longer) <= 0.5 or len(found) == 1
        assert abs(found[0] - (size - 1 - found[-1])) <= 1, "in the middle"
    assert max(len(rows), len(columns)) == size


def test_pad_shows_all_of_the_photo():
    """A different colour in each corner, at the corners of what is shown."""
    y, x = np.mgrid[0:60, 0:120]
    photo = np.stack([x * 2, y * 4, np.full_like(x, 7)], axis=2).astype(np.uint8)
    square = resize(photo, 40, PAD)
    for of_photo, of_square in (((0, 0), (10, 0)), ((0, -1), (10, -1)), ((-1, 0), (29, 0)), ((-1, -1), (29, -1))):
        assert np.abs(square[of_square].astype(int) - photo[of_photo]).max() < 8
    assert (square[9] == PADDING).all()
    assert (square[30] == PADDING).all()


def test_an_unknown_name_is_one_message():
    with pytest.raises(
        ModelError, match=r"There is no resizing 'squash'. Choose one of: stretch, crop, pad, resize-crop\."
    ):
        resize(noise(4, 4), 4, "squash")


# of a photo of 1600 x 400 at 100 pixels: (height, width) that is decoded
DECODED = {STRETCH: (100, 400), CROP: (100, 400), PAD: (50, 200), RESIZE_CROP: (200, 800)}


@ALL
def test_of_a_jpeg_is_decoded_what_is_needed_and_not_more(cells, resizing, monkeypatch):
    decode, seen = simplejpeg.decode_jpeg, []

    def spy(*arguments: Any, **options: Any) -> np.ndarray:
        image = decode(*arguments, **options)
        seen.append(image.shape[:2])
        return image

    monkeypatch.setattr(simplejpeg, "decode_jpeg", spy)
    parts = [Image.open(path).convert("RGB").resize((400, 400)) for path in cells["defective"][:4]]
    strip = np.hstack([np.asarray(part) for part in parts])
    for pixels in (strip, np.ascontiguousarray(strip.transpose(1, 0, 2))):
        with io.BytesIO() as file:
            Image.fromarray(pixels).save(file, "JPEG", quality=95)
            square = read_image(file.getvalue(), 100, resizing)
            whole = read_image(file.getvalue())
        assert sorted(seen[0]) == sorted(DECODED[resizing])
        assert np.abs(square.astype(int) - resize(whole, 100, resizing)).mean() < 2
        seen.clear()


# Classifiers


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory, cells) -> tuple[Path, Path]:
    """Two CSVs: wide photos with a cell of the other class on each side, and their middles alone."""
    root = tmp_path_factory.mktemp("oblong")
    names = ("defective", "functional")
    rows = ["path,label,split"]
    for number in range(60):
        own, other = (
            np.asarray(Image.open(cells[names[(number + which) % 2]][number]).convert("RGB").resize((60, 60)))
            for which in (0, 1)
        )
        for folder, pixels in (("wide", np.hstack([other, own, other])), ("middle", own)):
            (root / folder).mkdir(exist_ok=True)
            (root / folder / f"{number}.png").write_bytes(png(pixels))
        rows.append(f"{number}.png,{names[number % 2]},{'validation' if number >= 40 else 'train'}")
    for folder in ("wide", "middle"):
        (root / folder / "list.csv").write_text("\n".join(rows))
    return root / "wide" / "list.csv", root / "middle" / "list.csv"


HEAD = hs.RECIPES["fast"].without_fine_tuning()


@pytest.fixture(scope="module")
def base(tiny_weights: Path) -> Iterator[str]:
    """The tiny base, for all of this module."""
    with pytest.MonkeyPatch.context() as patch:
        yield register(patch, tiny_weights)


@pytest.fixture(scope="module")
def cropped(collections, base: str, tmp_path_factory: pytest.TempPathFactory) -> hs.Run:
    out, quiet = tmp_path_factory.mktemp("runs") / "cropped", hs.Quiet()
    return hs.make_run(
        collections[0],
        out,
        recipe=HEAD,
        backbone=base,
        image_size=SMALL,
        views="original",
        resizing=CROP,
        test_fraction=0,
        listener=quiet,
    )


def test_a_head_on_cropped_photos_is_the_head_on_their_middles(cropped, collections, base):
    heads = [hs.load(cropped.folder).network.head[0]]
    for data in collections:
        dataset = hs.load_dataset(data, test_fraction=0, listener=hs.Quiet())
        settings = {"recipe": HEAD, "backbone": base, "image_size": SMALL, "views": "original"}
        heads.append(hs.train(dataset, listener=hs.Quiet(), **settings).network.head[0])
    ours, of_stretched, of_middles = heads
    np.testing.assert_array_equal(ours, of_middles)
    assert np.abs(ours - of_stretched).max() > 1e-3
    assert json.loads((cropped.folder / "classifier.json").read_text())["resizing"] == CROP
    assert cropped.metrics["resizing"] == CROP
    assert "resizing: <code>crop</code>" in (cropped.folder / "report.html").read_text("utf-8")


def test_a_saved_classifier_crops_whatever_it_is_given(cropped, collections, tmp_path):
    classifier = hs.load(cropped.folder)
    paths = [collections[0].with_name(f"{number}.png") for number in (40, 41, 42)]
    expected = [answer.probability for answer in classifier.predict([path.read_bytes() for path in paths])]
    images = [Image.open(path) for path in paths]
    middles = [np.asarray(image)[:, 60:120] for image in images]
    forms: list[Sequence] = [paths, [*map(str, paths)], images, [np.asarray(image) for image in images], middles]
    for form in forms:
        assert [answer.probability for answer in classifier.predict(form)] == expected
    stacked = np.stack([np.asarray(image) for image in images])
    assert [getattr(answer, "probability", None) for answer in classifier.predict_each(stacked)] == expected
    classifier.save(tmp_path / "saved")
    command = [sys.executable, "-m", "headstart", "predict", str(tmp_path / "saved"), *map(str, paths), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    fresh = [row["probability"] for row in json.loads(result.stdout)["predictions"]]
    np.testing.assert_allclose(fresh, expected, atol=1e-6)
    stretching = replace(classifier, resizing=STRETCH)
    assert [answer.probability for answer in stretching.predict(paths)] != expected


def test_evaluation_is_that_of_the_training(cropped, collections):
    dataset = hs.load_dataset(collections[0], test_fraction=0, listener=hs.Quiet())
    classifier = hs.load(cropped.folder)
    evaluation = hs.evaluate(classifier, dataset.validation)
    assert evaluation.loss == pytest.approx(cropped.metrics["validation"]["loss"], rel=1e-3)
    stretching = hs.evaluate(replace(classifier, resizing=STRETCH), dataset.validation)
    assert abs(stretching.loss - evaluation.loss) > 0.01


def test_a_card_of_before_means_stretch(cropped, tmp_path):
    card = json.loads((cropped.folder / "classifier.json").read_text())
    assert card.pop("resizing") == CROP
    card["hashes"] = {"model.keras": card["hashes"]["model.keras"]}  # nor was there an engine
    (tmp_path / "classifier.json").write_text(json.dumps(card))
    for name in ("model.keras", "known.npy"):
        (tmp_path / name).write_bytes((cropped.folder / name).read_bytes())
    assert hs.load(tmp_path).resizing == STRETCH


def test_the_whole_model_is_trained_on_cropped_photos(collections, base, monkeypatch):
    """Every image that its batches read, in training, in validation and in the end."""
    read = []

    def spy(path: str, size: int, resizing: str, **more: Any) -> np.ndarray:
        read.append((Path(path).name, resizing))
        return read_again(path, size, resizing, **more)

    monkeypatch.setattr(batches, "read_again", spy)
    dataset = hs.load_dataset(collections[0], test_fraction=0, listener=hs.Quiet())
    recipe = hs.RECIPES["tutorial"].with_epochs(1).without_fine_tuning()
    classifier = hs.train(
        dataset,
        recipe=recipe,
        backbone=base,
        image_size=SMALL,
        resizing=CROP,
        execution="end_to_end",
        listener=hs.Quiet(),
    )
    assert set(read) == {(Path(path).name, CROP) for path, *_ in dataset.rows()}
    loss = classifier.history[-1]["val_loss"]
    assert hs.evaluate(classifier, dataset.validation).loss == pytest.approx(loss, rel=1e-4)


def test_the_picture_of_views_shows_what_was_seen(collections):
    dataset = hs.load_dataset(collections[0], test_fraction=0, listener=hs.Quiet())
    drawn = {}
    gallery.draw_views(
        lambda name, views, names: drawn.update({name: views}),
        dataset,
        ["original"],
        hs.Augmentation(),
        image_size=SMALL,
        resizing=PAD,
        seed=0,
    )
    (view,) = drawn["augmentation"]
    assert (view[0] == PADDING).all()
    assert not (view[len(view) // 2] == PADDING).all()


def test_the_splits_are_the_same_for_each_resizing(tmp_path):
    """Copies of a photo in another shape are found, of which the crops have less in common."""
    for number, image in enumerate(tiles()[:12]):
        folder = tmp_path / "ab"[number % 2]
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.jpg").write_bytes(jpeg(image))
        (folder / f"{number}-squeezed.jpg").write_bytes(copies_of(image)["stretched"])
    images, _ = hs.load_images(tmp_path, listener=hs.Quiet())
    named = [
        list(copy_groups(images, np.arange(len(images)), settings_of(resizing), hs.Quiet()))
        for resizing in (CROP, PAD, STRETCH)
    ]
    assert named[0] == named[1] == named[2]
    assert len(set(named[0])) <= 13, "12 pairs; one may be missed"


def test_copies_are_kept_for_each_resizing(collections, monkeypatch, tmp_path):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    images, _ = hs.load_images(collections[0], listener=hs.Quiet())
    asked = []

    class Extractor(FeatureExtractor):
        """Remembers which resizings it was asked for."""

        def features(self, images: hs.Split, *, view: str | None = None) -> Any:
            asked.append(self.spec.resizing)
            return np.eye(len(images), dtype=np.float32)

    for resizing in (STRETCH, CROP, STRETCH, CROP):
        extractor = Extractor(FeatureSpec("mobilenet_v2", 64, resizing), listener=hs.Quiet())
        cached_duplicates(images, extractor, listener=hs.Quiet())
    assert asked == [STRETCH, CROP]
