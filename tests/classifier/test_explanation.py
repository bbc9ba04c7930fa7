"""Where an answer comes from, what it resembles, and what is like nothing that was trained on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_sample_images
from sklearn.neighbors import NearestNeighbors

import headstart as hs
from headstart.classifier import novelty
from headstart.classifier.activation_map import FINEST, class_map, overlay
from headstart.classifier.novelty import FILE, NEIGHBOURS, NoveltyDetector, fit_novelty_detector
from headstart.data.images import read_image
from headstart.errors import RunError
from headstart.features.neighbours import directions, distances, nearest
from headstart.numerics import two_sided
from support.sizes import SMALL


def test_the_map_adds_up_to_the_answer(classifier, cells):
    """Its mean over the image is the logit: nothing is left out and nothing is made up."""
    images = np.stack([read_image(path, classifier.image_size) for path in cells["defective"][:3]])
    found = classifier.network.forward(images, maps=True)
    kernel, bias = classifier.network.head
    np.testing.assert_allclose(found.logits, classifier.logits([images]), atol=1e-4)
    *inner, last = found.maps
    read = [last.mean((1, 2)), *(each for depth in inner for each in (depth.mean((1, 2)), depth.std((1, 2))))]
    np.testing.assert_allclose(found.features, np.concatenate(read, axis=1), rtol=1e-3, atol=1e-4)
    assert len(found.features[0]) == len(kernel)
    for image, logit in enumerate(found.logits[:, 0]):
        maps = [each[image] for each in found.maps]
        for label, sign in ((0, -1), (1, 1)):
            assert class_map(maps, kernel, bias, label).mean() == pytest.approx(sign * logit / 2, abs=1e-3)


@given(st.integers(2, 6), st.lists(st.integers(1, 70), max_size=3), st.integers(1, 7), st.integers(0, 99))
def test_maps_of_several_classes(classes, sides, last, seed):
    """Depths of any number of places: together they say what the head says, and of all classes together nothing."""
    rng = np.random.default_rng(seed)
    maps = [rng.normal(1, 2, (side, side + seed % 2, 3)) for side in (*sides, last)]
    read = [maps[-1].mean((0, 1)), *(each for depth in maps[:-1] for each in (depth.mean((0, 1)), depth.std((0, 1))))]
    logits_of = classes if classes > 2 else 1
    kernel, bias = rng.normal(size=(sum(map(len, read)), logits_of)), rng.normal(size=logits_of)
    logits = two_sided((np.concatenate(read) @ kernel + bias)[None])[0]
    found = np.stack([class_map(maps, kernel, bias, label) for label in range(classes)])
    np.testing.assert_allclose(found.mean(axis=(1, 2)), logits - logits.mean(), atol=1e-9)
    assert np.abs(found.sum(axis=0)).max() < 1e-6
    rows = [side for side in (*sides, last) if side + seed % 2 <= FINEST]
    assert found.shape[1] == max(rows, default=min(last, *sides, 999))


def test_each_depth_speaks_at_its_own_place():
    """A channel that varies in one corner alone, of a depth with many places, is found there, through its deviation."""
    fine, last = np.zeros((28, 28, 2)), np.ones((7, 7, 4))
    fine[2:5, 20:23, 1] = [[1, -1, 1]] * 3
    kernel = np.zeros((4 + 4, 1))
    kernel[-1] = 1.0  # the deviation of that channel
    places = class_map([fine, last], kernel, np.zeros(1), 1)
    assert places.shape == (28, 28)
    assert places[2:5, 20:23].sum() > 0.98 * places.sum()


def test_the_overlay_darkens_what_says_nothing():
    photo = np.full((40, 60, 3), 200, np.uint8)
    places = np.zeros((4, 4))
    places[:, 3] = 1.0
    shown = overlay(photo, places)
    assert shown.shape == photo.shape
    assert shown[20, 58, 0] > 190
    assert shown[20, 2, 0] == 50
    assert (overlay(photo, -np.ones((3, 3))) == 50).all()


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 99))
def test_nearest_as_scikit_learn_finds_them(others, count, seed):
    rng = np.random.default_rng(seed)
    many, few = rng.normal(size=(others, 6)), rng.normal(size=(3, 6))
    found = nearest(few, many, count)
    wanted = NearestNeighbors(n_neighbors=min(count, others), metric="cosine").fit(many).kneighbors(few)[1]
    np.testing.assert_array_equal(found, wanted)


def test_nearest_over_several_pieces(monkeypatch):
    monkeypatch.setattr("headstart.features.neighbours.PIECE", 7)
    rng = np.random.default_rng(0)
    many, few = rng.normal(size=(50, 6)), rng.normal(size=(4, 6))
    np.testing.assert_array_equal(nearest(few, many, 3), np.argsort(-(directions(few) @ directions(many).T))[:, :3])


def test_a_photo_of_something_else_is_flagged(tmp_path_factory, make_folder, cells):
    """The flag knows nothing of what it is shown: a temple and a flower among solar cells."""
    root = make_folder(tmp_path_factory.mktemp("many"), {"defective": 120, "functional": 120})
    settings = {"recipe": hs.RECIPES["fast"].without_fine_tuning(), "image_size": SMALL, "views": "original"}
    classifier = hs.train(hs.load_dataset(root, listener=hs.Quiet()), listener=hs.Quiet(), **settings)
    unseen = classifier.predict([*cells["defective"][200:260], *cells["functional"][200:260]])
    assert np.mean([answer.familiar for answer in unseen]) >= 0.9
    for photo in load_sample_images().images:
        answer = classifier.predict(photo)
        assert not answer.familiar
        assert not answer.sure


def test_kept_and_read_again(classifier, run, tmp_path):
    known = classifier.novelty_detector
    assert len(known.digests) == len(known.known) == run.metrics["train"]["accuracy"]["count"]
    known.write(tmp_path)
    again = NoveltyDetector.read(tmp_path, known.farthest)
    np.testing.assert_array_equal(again.known, known.known)
    assert again.digests == known.digests
    for content in (b"", b"nonsense", (tmp_path / FILE).read_bytes()[:-100]):
        (tmp_path / FILE).write_bytes(content)
        with pytest.raises(RunError, match="is missing or damaged"):
            NoveltyDetector.read(tmp_path, 0.5)
    (tmp_path / FILE).unlink()
    with pytest.raises(RunError, match="is missing or damaged"):
        NoveltyDetector.read(tmp_path, 0.5)


def test_most_images_of_the_same_kind_are_familiar():
    """Of 500 new ones, in 40 repetitions: 95% and more, though the limit was set by 100 others."""
    rng = np.random.default_rng(0)
    split = hs.Split(("",) * 300, np.zeros(300, np.int32), ("00" * 32,) * 300, ("a",))
    shares, features = [], np.empty((0, 16))
    for seed in range(40):
        features = np.abs(rng.normal(size=(900, 16))) + 0.2
        known = fit_novelty_detector(features[:300], split, features[300:400], seed=seed)
        shares.append(known.is_familiar(features[400:]).mean())
    assert np.mean(shares) >= 0.95
    few = fit_novelty_detector(features[: NEIGHBOURS - 2], split.take(range(NEIGHBOURS - 2)), features[10:11], seed=0)
    assert few.is_familiar(features[10:11]).all()


def test_few_validation_images_do_not_make_their_like_strange():
    """With four of them, a fifth of new images would lie further away than the furthest."""
    rng, shares = np.random.default_rng(0), []
    split = hs.Split(("",) * 60, np.zeros(60, np.int32), ("00" * 32,) * 60, ("a",))
    for seed in range(40):
        features = np.abs(rng.normal(size=(564, 16))) + 0.2
        known = fit_novelty_detector(features[:60], split, features[60:64], seed=seed)
        shares.append(known.is_familiar(features[64:]).mean())
    assert np.mean(shares) >= 0.95
    assert np.mean(shares) < 1


@pytest.mark.parametrize("count", [80, 500])
def test_a_training_photo_is_familiar_however_odd(count, monkeypatch):
    """Far from all others, and among more than are usually remembered, too; what is as odd and new is not."""
    monkeypatch.setattr(novelty, "KNOWN", 100)
    rng = np.random.default_rng(0)
    split = hs.Split(("",) * count, np.zeros(count, np.int32), ("00" * 32,) * count, ("a",))
    features = np.abs(rng.normal(size=(count + 50, 64))) + 0.5
    odd = np.eye(64)[:5] * 20 + 0.1
    features[:5] = odd
    known = fit_novelty_detector(features[:count], split, features[count:], seed=0)
    assert known.is_familiar(features[:count]).all()
    assert not known.is_familiar(np.eye(64)[10:15] * 20 + 0.1).any()
    assert len(known.known) <= min(count, 200)


def test_a_copy_of_an_odd_photo_is_familiar_where_photos_differ_much():
    """Saved anew, its features move by 0.06, beside distances of 0.7 between others; a new one as odd is novel."""
    rng = np.random.default_rng(0)
    split = hs.Split(("",) * 80, np.zeros(80, np.int32), ("00" * 32,) * 80, ("a",))
    features = rng.normal(size=(100, 64)) + 0.6
    features[0], strange = -4 * np.eye(64)[0], -4 * np.eye(64)[1]
    known = fit_novelty_detector(features[:80], split, features[80:], seed=0)
    anew = features[:1] + rng.normal(size=(1, 64)) * 0.18
    assert 0.04 < distances(directions(anew), directions(features[:1]), 0)[0] < 0.08
    assert known.farthest > 0.64
    assert known.is_familiar(anew).all()
    assert not known.is_familiar(strange[None]).any()


@pytest.mark.parametrize(("rows", "others"), [(1, 2000), (3, 777), (16, 40), (1, 5), (500, 300)])
def test_of_a_few_images_the_distances_are_those_of_many(rows, others):
    """They are calculated in pieces."""
    rng = np.random.default_rng(0)
    some, rest = (directions(rng.normal(size=(count, 1280))) for count in (rows, others))
    expected = np.sort(1 - some @ rest.T, axis=1)[:, 4]
    np.testing.assert_allclose(distances(some, rest, 4), expected, atol=1e-5)


def test_of_many_images_as_many_of_each_class_are_remembered(monkeypatch):
    monkeypatch.setattr("headstart.classifier.novelty.KNOWN", 20)
    labels = np.array([0] * 100 + [1] * 15, np.int32)
    digests = tuple(f"{number:064x}" for number in range(115))
    split = hs.Split(("",) * 115, labels, digests, ("a", "b"))
    known = fit_novelty_detector(np.random.default_rng(0).random((115, 4)), split, np.ones((5, 4)), seed=0)
    numbers = np.array([int(digest, 16) for digest in known.digests])
    assert np.bincount(labels[numbers]).tolist() == [10, 10]


def test_the_command_says_so(classifier, run, tmp_path, capsys, monkeypatch):
    from headstart import cli

    monkeypatch.setattr("sys.argv", ["headstart", "predict", str(run.folder), str(tmp_path / "temple.png")])
    Image.fromarray(load_sample_images().images[0]).save(tmp_path / "temple.png")
    monkeypatch.setattr(NoveltyDetector, "is_familiar", lambda self, features: np.zeros(len(features), bool))
    with pytest.raises(SystemExit):
        cli.main()
    assert "temple.png  like nothing it was trained on" in capsys.readouterr().out
