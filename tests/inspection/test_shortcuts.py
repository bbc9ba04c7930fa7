"""Shortcuts: technical properties that are planted in one class of real photos are named; those of no class are not."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

import headstart as hs
from headstart.data.folder import list_images
from headstart.data.images import read_thumbnail
from headstart.data.loading import read_collection
from headstart.inspection.borders import SIDE, border
from headstart.inspection.collection import shortcuts_of
from headstart.inspection.headers import Header
from headstart.inspection.properties import PROPERTIES, Technical, values_of
from headstart.inspection.shortcuts import (
    Shortcut,
    find_shortcuts,
    mutual_information,
    permutation_test,
    said_in_a_line,
    told_apart,
)
from support.planted import tiles

Save = Callable[[Image.Image, Path], None]


def with_exif(tag: int, value: str) -> Save:
    def save(image: Image.Image, path: Path) -> None:
        tags = Image.Exif()
        tags[tag] = value
        image.save(path.with_suffix(".jpg"), exif=tags)

    return save


def jpeg(change: Callable[[Image.Image], Image.Image], *, quality: int = 75) -> Save:
    return lambda image, path: change(image).save(path.with_suffix(".jpg"), quality=quality)


# property -> how one class is saved where all others are plain JPEGs, and what else differs then
PLANTED: dict[str, tuple[Save, set[str]]] = {
    "file format": (lambda image, path: image.save(path.with_suffix(".png")), {"compression quality"}),
    "width": (jpeg(lambda image: image.resize((120, 160))), {"aspect ratio"}),
    "height": (jpeg(lambda image: image.resize((160, 120))), {"aspect ratio"}),
    "colour mode": (jpeg(lambda image: image.convert("L")), set()),
    "compression quality": (jpeg(lambda image: image, quality=40), set()),
    "border": (jpeg(lambda image: ImageOps.expand(image.resize((140, 140)), 10, (0, 0, 0))), set()),
    "date": (with_exif(ExifTags.Base.DateTime, "2021:03:04 05:06:07"), set()),
    "camera": (with_exif(ExifTags.Base.Model, "EOS 5D"), set()),
    "beginning of the file name": (
        lambda image, path: image.save(path.with_name(f"scan_{path.stem}.jpg")),
        set(),
    ),
}


def saved(root: Path, save: Save, *, odd: Callable[[int], bool]) -> Path:
    """56 real photos in two classes; `save` writes the odd ones."""
    for number, image in enumerate(tiles()[:56]):
        path = root / "ab"[number % 2] / f"{number:02}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        (save if odd(number) else jpeg(lambda image: image))(image, path)
    return root


def found(data: Path) -> tuple[Shortcut, ...]:
    return shortcuts_of(read_collection(list_images(data), hs.Quiet()), seed=0)


@pytest.mark.parametrize("name", PLANTED)
def test_what_tells_the_classes_apart_is_named(tmp_path, name):
    save, others = PLANTED[name]
    shortcuts = {each.name: each for each in found(saved(tmp_path, save, odd=lambda number: number % 2 == 0))}
    assert shortcuts.keys() == {name} | others
    shortcut = shortcuts[name]
    assert (shortcut.accuracy, shortcut.chance) == (1.0, 0.5)
    assert shortcut.p < 0.05
    assert "28 of 28 photos of 'a' and in 0 of 28 others" in shortcut.values


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_spread_over_the_classes_is_not(tmp_path, name):
    """The same in every other photo of each class."""
    assert found(saved(tmp_path, PLANTED[name][0], odd=lambda number: number % 4 < 2)) == ()


def test_bit_depth(tmp_path):
    def save(image: Image.Image, path: Path) -> None:
        Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257).save(path.with_suffix(".png"))

    for number, image in enumerate(tiles()[:56]):
        path = tmp_path / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        save(image, path) if number % 2 else image.convert("L").save(path)
    (only,) = found(tmp_path)
    assert only.name == "bit depth"
    assert "8 in 28 of 28 photos of 'a'" in only.values


def numbered(values: np.ndarray, labels: np.ndarray, seed: int = 0) -> list[str]:
    """The shortcuts among photos of which only the width differs."""
    with_border = Path(__file__)  # never read: no photo is, where borders are known
    names = tuple(f"{number}.jpg" for number in range(len(values)))
    images = hs.Split(
        tuple(map(str, [with_border] * len(values))), labels, names, tuple("abcdefghij"[: labels.max() + 1])
    )
    headers = [Header("JPEG", "RGB", int(value), 1000, False, False) for value in values]
    return [each.name for each in find_shortcuts(images, names, headers, seed=seed)]


@pytest.fixture
def without_borders(monkeypatch):
    monkeypatch.setattr("headstart.inspection.shortcuts._borders", lambda *_: {})


def test_by_chance_nothing_is_named(without_borders):
    """200 small collections in which sizes say nothing of the class: as many false alarms as one test has, at most."""
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(200):
        classes, count = rng.integers(2, 6), int(rng.integers(8, 120))
        labels = np.concatenate([np.arange(classes), rng.integers(0, classes, count)])
        values = rng.choice([rng.integers(100, 105, len(labels)), rng.integers(100, 4000, len(labels))])
        alarms += bool(numbered(values, labels))
    assert alarms <= 6


@pytest.mark.parametrize("count", [8, 40, 400])
def test_a_rare_class_and_one_of_many(without_borders, count):
    """All photos of one class are larger, of different sizes: the class is rare, or one of ten."""
    rng = np.random.default_rng(count)
    labels = np.repeat([0, 1], [20 * count, count])
    sizes = np.where(labels == 1, rng.integers(700, 800, len(labels)), rng.integers(300, 400, len(labels)))
    assert "width" in numbered(sizes, labels)
    labels = np.repeat(np.arange(10), count)
    sizes = np.where(labels == 7, rng.integers(700, 800, len(labels)), rng.integers(300, 400, len(labels)))
    assert "width" in numbered(sizes, labels)


def test_what_is_sure_but_too_weak_to_matter_is_not_named(without_borders):
    labels = np.repeat([0, 1], 5000)
    odd = np.random.default_rng(0).random(10_000)
    weak = np.where(odd < np.where(labels, 0.05, 0.15), 100, 200)
    table = np.array([[(weak[labels == label] == size).sum() for label in (0, 1)] for size in (100, 200)])
    assert permutation_test(table, np.random.default_rng(0)) < 0.01
    assert numbered(weak, labels) == []


def test_cross_validation_and_information():
    perfect = np.array([[[6, 0], [0, 6]]] * 5)
    assert [each.tolist() for each in told_apart(perfect)] == [[1, 1], [0, 0]]
    constant = np.array([[[6, 6]]] * 5)
    recall, mistaken = told_apart(constant)
    assert recall.tolist() == mistaken.tolist() == [1, 0], "one answer for all"
    every_photo_its_own = np.eye(10, dtype=int).reshape(5, 2, 10).transpose(0, 2, 1)
    assert told_apart(every_photo_its_own)[0].tolist() == [0, 0], "a value that was never seen tells nothing"
    sure, half, no = mutual_information(np.array([[[6, 0], [0, 6]], [[5, 1], [1, 5]], [[3, 3], [3, 3]]]))
    assert sure > half > no
    assert permutation_test(np.array([[3, 3], [3, 3]]), np.random.default_rng(0)) == 1.0


NAMES = st.lists(st.tuples(st.text(min_size=1, max_size=12), st.sampled_from("abc"), st.integers(1, 5000)), max_size=90)


@given(NAMES)
def test_any_values_are_coded(rows):
    photos = [
        Technical(name.replace("/", ""), label, Header("JPEG", "RGB", width, 7, False, False), None)
        for name, label, width in rows
    ]
    for name in PROPERTIES:
        values = values_of(name, photos)
        assert len(values.photos) == len(values.codes) == (0 if name == "border" else len(photos))
        assert set(values.codes.tolist()) == set(range(len(values.words)))
        assert len(values.words) <= 33
    widths, codes = [width for _, _, width in rows], values_of("width", photos).codes.tolist()
    assert all(codes[i] == codes[j] for i in range(len(rows)) for j in range(i) if widths[i] == widths[j])


def test_dates_are_said_as_dates():
    """Also where there are so many that they are ranges."""
    days = [datetime(2020, 1, 1) + timedelta(days) for days in range(80)]
    photos = [Technical("a.jpg", "a", Header("JPEG", "RGB", 9, 9, False, False, taken=day)) for day in days]
    assert values_of("date", photos[:2]).words == ("2020-01-01", "2020-01-02")
    words = values_of("date", [*photos, Technical("a.jpg", "a", Header("JPEG", "RGB", 9, 9, False, False))]).words
    assert words[:2] == ("2020-01-01 to 2020-01-10", "2020-01-11 to 2020-01-20")
    assert words[-1] == "none"
    assert len(words) == 9


@pytest.mark.parametrize(
    ("names", "tells"),
    [
        ({"cats": "cat.{}.jpg", "dogs": "dog.{}.jpg"}, False),  # the class
        ({"gatos": "cat_{}.jpg", "perros": "dog_{}.jpg"}, False),  # in other words
        ({"NORMAL": "IM-{}-0001.jpeg", "PNEUMONIA": "person{}_bacteria_2.jpeg"}, True),
        ({"well": "IMG_{}.jpg", "ill": "scan{}.jpg"}, True),
        ({"well": "{}.jpg", "ill": "{}.jpg"}, False),
        ({"cats": "cat{}.jpg", "dogs": "DSC_{}.jpg"}, True),
    ],
)
def test_the_beginning_of_names(names, tells):
    header = Header("JPEG", "RGB", 9, 9, False, False)
    photos = [Technical(f"{label}/{name.format(i)}", label, header) for label, name in names.items() for i in range(20)]
    assert (len(values_of("beginning of the file name", photos).words) > 1) == tells


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (40, 90, 160)])
@pytest.mark.parametrize("edges", [(6, 6, 6, 6), (0, 20, 0, 20), (20, 0, 20, 0)])
def test_borders(tmp_path, colour, edges):
    """Frames and bars, after compression."""
    name = {(0, 0, 0): "black", (255, 255, 255): "white"}.get(colour, "coloured")
    for image in tiles()[:20]:
        assert border(np.asarray(image)) == "none"
        ImageOps.expand(image, edges, colour).save(tmp_path / "a.jpg", quality=75)
        assert border(read_thumbnail(tmp_path / "a.jpg", SIDE)) == name
        one_side = ImageOps.expand(image, (0, 20, 0, 0), colour)
        assert border(np.asarray(one_side)) == "none", "as a plain sky is"


def test_the_line_of_a_training():
    shortcuts = [Shortcut(name, 0.9, 0.5, 0.01, "") for name in ("width", "height", "date")]
    assert said_in_a_line(shortcuts[:1]).startswith(
        "Note: the width alone tells the class of 90.0% of the photos (guess"
    )
    assert "; so does height. The accuracy may come from that" in said_in_a_line(shortcuts[:2])
    assert "; so do height and date. The" in said_in_a_line(shortcuts)


def test_a_training_says_it_whatever_is_looked_at(tmp_path, tiny):
    """Also where there is no inspection, as photos are cropped."""
    data = saved(tmp_path / "data", PLANTED["colour mode"][0], odd=lambda number: number % 2 == 0)
    recipe = hs.RECIPES["fast"].without_fine_tuning()
    lines: list[str] = []

    class Told(hs.Quiet):
        def emit(self, event):
            lines.append(str(getattr(event, "text", "")))

    for resizing in ("stretch", "crop"):
        lines.clear()
        run = hs.make_run(data, tmp_path / resizing, recipe=recipe, backbone=tiny, image_size=32, resizing=resizing,
                          views="original", listener=Told())  # fmt: skip
        assert [line for line in lines if "shortcut" in line or "alone tells" in line] == [
            "Note: the colour mode alone tells the class of 100.0% of the photos (guessing: 50.0%). The accuracy may "
            "come from that rather than from what the photos show."
        ]
        assert [each["name"] for each in run.metrics["shortcuts"]] == ["colour mode"]
        page = (run.folder / "report.html").read_text("utf-8")
        assert "colour mode alone tells the class of 100.0%" in page
        assert "Remove the shortcuts: the classes differ in what is technical (colour mode)" in page
        shutil.rmtree(run.folder)
