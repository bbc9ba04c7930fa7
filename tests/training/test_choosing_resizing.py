"""Which resizing `--resize auto` chooses, where it is known which shows what tells the classes apart."""

import json

import numpy as np
import pytest
from PIL import Image

import headstart as hs
from headstart.data.images import read_image
from headstart.data.resizing import CROP, PAD, RESIZE_CROP, RESIZINGS, STRETCH
from headstart.training.resizing import choose_resizing
from support.recording import Recorder

LABELS = np.arange(200) % 2


def split(count: int) -> hs.Split:
    names = tuple(map(str, range(count)))
    return hs.Split(names, LABELS[:count].astype(np.int32), names, ("a", "b"))


def chosen(said: dict[str, float], count: int = 200) -> str:
    """The choice where features say so much of the label, by the name of the resizing; what else they say is noise."""
    noise = {name: np.random.default_rng(number).normal(size=(200, 6)) for number, name in enumerate(RESIZINGS)}

    def features(images: hs.Split, name: str) -> np.ndarray:
        rows = [int(path) for path in images.paths]
        signal = said.get(name, 0.5) * (2 * LABELS[rows] - 1)
        return np.column_stack([noise[name][rows], signal + noise[STRETCH][rows, 0]]).astype(np.float32)

    return choose_resizing(features, split(count), seed=0)


@pytest.mark.parametrize("best", RESIZINGS)
def test_the_one_that_tells_the_classes_apart(best):
    assert chosen({best: 3.0}) == best


def test_where_all_say_the_same_photos_are_stretched():
    assert chosen({}) == STRETCH
    assert chosen({CROP: 0.55, PAD: 0.55, RESIZE_CROP: 0.55}) == STRETCH


@pytest.mark.parametrize("count", [4, 20])
def test_a_handful_of_images_tells_nothing(count):
    assert chosen({CROP: 9.0}, count) == STRETCH


def test_a_run_whose_photos_tell_it(tiny, cells, tmp_path):
    """Photos with cells of the other class on each side are cropped, and so is what is predicted."""
    rows = ["path,label,split"]
    names = ("defective", "functional")
    for number in range(140):
        own, other = (
            np.asarray(Image.open(cells[names[(number + which) % 2]][number % 100]).convert("RGB").resize((60, 60)))
            for which in (0, 1)
        )
        bright = np.clip(own.astype(int) + 60 * (number % 2), 0, 255).astype(np.uint8)
        Image.fromarray(np.hstack([other, bright, other])).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{names[number % 2]},{'validation' if number >= 100 else 'train'}")
    (tmp_path / "list.csv").write_text("\n".join(rows))
    listener = Recorder()
    run = hs.make_run(
        tmp_path / "list.csv",
        tmp_path / "run",
        recipe=hs.RECIPES["fast"].without_fine_tuning(),
        backbone=tiny,
        image_size=32,
        resizing="auto",
        test_fraction=0,
        listener=listener,
    )
    (line,) = (line for line in listener.lines if line.startswith("Photos become squares by"))
    resizing = json.loads((run.folder / "classifier.json").read_text("utf-8"))["resizing"]
    assert resizing in (CROP, RESIZE_CROP)
    assert line == f"Photos become squares by: {resizing} (the training images are answered better by it)."
    assert run.metrics["resizing"] == resizing
    file = tmp_path / "0.png"
    assert hs.load(run.folder).predict([file])[0].probabilities == pytest.approx(
        hs.load(run.folder).predict([read_image(file, 32, resizing)])[0].probabilities, abs=1e-5
    )


def test_training_in_python_chooses_too(tiny, photos):
    dataset = hs.load_dataset(photos, listener=hs.Quiet())
    listener = Recorder()
    recipe = hs.RECIPES["fast"].without_fine_tuning()
    found = hs.train(dataset, recipe=recipe, backbone=tiny, image_size=32, resizing="auto", listener=listener)
    assert found.resizing in RESIZINGS
    assert any(line.startswith(f"Photos become squares by: {found.resizing}") for line in listener.lines)
