"""Copies: candidates by their features, confirmed by their pixels, put together in groups."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import headstart as hs
from headstart.data.images import read_image
from headstart.data.loading import load_images
from headstart.features import neighbours
from headstart.inspection import duplicates
from headstart.inspection.duplicates import Pair, find_duplicates, grouped
from headstart.inspection.findings import BYTES, NEAR, PIXELS
from headstart.inspection.image_match import SIDE, Structure, match
from support.planted import copies, jpeg, tiles


def picture(source: bytes | Path) -> Structure:
    return Structure.of(read_image(source, SIDE))


# Candidates


@pytest.mark.parametrize("block", [3, 7, 4096])
def test_closest_pairs_are_those_of_all_pairs(block, monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", block)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4, 8))[rng.integers(4, size=20)] + rng.normal(size=(20, 8)) * 0.2
    features[5] = 0
    lengths = np.maximum(np.linalg.norm(features, axis=1), 1e-12)
    cosines = features @ features.T / np.outer(lengths, lengths)
    close = neighbours.closest_pairs(features.astype(np.float16))
    first, second = np.nonzero(np.triu(cosines, 1) >= neighbours.LEAST)
    assert {tuple(pair) for pair in close.pairs.tolist()} == set(zip(first.tolist(), second.tolist(), strict=True))
    assert len(first) > 10
    np.testing.assert_allclose(close.similarities, cosines[tuple(close.pairs.T)], atol=2e-3)
    assert (np.diff(close.similarities) <= 0).all()


def test_where_all_images_are_alike_each_has_its_closest_ones():
    features = np.ones((60, 8)) + np.random.default_rng(0).normal(size=(60, 8)) * 0.05
    features[7] = features[31]
    close = neighbours.closest_pairs(features)
    assert 300 <= len(close.pairs) <= 600
    assert close.pairs[0].tolist() == [7, 31]
    assert close.similarities[-1] > 0.95


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_images(count):
    close = neighbours.closest_pairs(np.ones((count, 4), np.float16))
    assert close.pairs.tolist() == [[0, 1]][: count - 1 if count else 0]


def test_the_index_finds_what_all_with_all_finds():
    """Copies among rows of a few kinds, whose neighbours are closer than the index can tell apart."""
    rng = np.random.default_rng(0)
    kinds = np.abs(rng.normal(size=(12, 300)))
    features = kinds[rng.integers(12, size=3_000)] * rng.gamma(8, 1 / 8, (3_000, 300))
    copied = rng.permutation(2_500)[:500]
    features[2_500:] = features[copied] * rng.normal(1, 0.15, (500, 300))
    exact, found = neighbours.closest_pairs(features), neighbours.probably_closest_pairs(features)
    assert exact.is_exact
    assert not found.is_exact
    planted = {(int(first), second) for second, first in enumerate(copied, 2_500)}
    known = dict(zip(map(tuple, exact.pairs.tolist()), exact.similarities.tolist(), strict=True))
    for pair, cosine in zip(map(tuple, found.pairs.tolist()), found.similarities.tolist(), strict=True):
        assert known.get(pair, cosine) == pytest.approx(cosine, abs=1e-5)
        assert cosine >= neighbours.LEAST
    assert planted <= known.keys()
    assert len(planted & set(map(tuple, found.pairs.tolist()))) >= 0.99 * len(planted)
    again = neighbours.probably_closest_pairs(features)
    assert np.array_equal(found.pairs, again.pairs)
    assert np.array_equal(found.similarities, again.similarities)


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=1, max_size=12))
def test_among_few_rows_the_index_misses_nothing(rows):
    features = np.array(rows, np.float16)
    exact, found = neighbours.closest_pairs(features), neighbours.probably_closest_pairs(features)
    near = exact.similarities > neighbours.LEAST + 1e-5
    assert set(map(tuple, exact.pairs[near].tolist())) <= set(map(tuple, found.pairs.tolist()))


def test_past_some_thousands_of_images_the_index_is_asked(monkeypatch):
    monkeypatch.setattr(neighbours, "EXACT", 10)
    assert neighbours.closest_pairs(np.eye(10)).is_exact
    assert not neighbours.closest_pairs(np.eye(11)).is_exact


# The pixels


def test_copies_of_photos_are_alike_and_other_photos_are_not():
    shown = tiles()[::7]
    originals = [picture(jpeg(image)) for image in shown]
    found = [
        match(original, picture(copy)).similarity > duplicates.MIN_SIMILARITY
        for image, original in zip(shown, originals, strict=True)
        for copy in copies(image).values()
    ]
    assert sum(found) >= 0.95 * len(found)
    for number, one in enumerate(originals):
        assert all(match(one, other).similarity < 0.7 for other in originals[:number])


def test_solar_cells_with_the_same_busbars_are_not_alike(cells):
    """The first is cracked, the second is not; the busbars are the same."""
    folder = cells["functional"][0].parent
    cracked, whole = (picture(folder / f"cell{number}.png") for number in ("0407", "0408"))
    assert match(cracked, whole).similarity < 0.7
    assert match(cracked, picture(jpeg(Image.open(folder / "cell0407.png"), 60))).similarity > duplicates.MIN_SIMILARITY


def test_pictures_without_structure_are_not_alike():
    white, grey = (Structure.of(np.full((SIDE, SIDE, 3), value, np.uint8)) for value in (255, 128))
    assert match(white, grey).similarity == 0.0
    assert match(white, picture(jpeg(tiles()[40]))).similarity == 0.0


# Both together


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """20 tiles in two classes, and copies of some of them."""
    root = tmp_path_factory.mktemp("copies")
    for name in ("a", "b"):
        (root / name).mkdir()
    shown = tiles()[::3][:20]
    for number, image in enumerate(shown):
        (root / "ab"[number % 2] / f"{number:02}.jpg").write_bytes(jpeg(image))
    (root / "a" / "bytes.jpg").write_bytes(jpeg(shown[2]))
    for number, (name, data) in enumerate(copies(shown[4]).items()):
        (root / "ab"[number % 2] / f"near {name}.jpg").write_bytes(data)
    for level in (1, 9):
        shown[7].save(root / "b" / f"pixels{level}.png", compress_level=level)
    return root


def layout(paths) -> np.ndarray:
    """Instead of a network: 4 x 4 grey values, the same for the mirrored picture."""
    small = np.stack([read_image(path, 4).mean(axis=2) for path in paths])
    return (small + small[:, :, ::-1]).reshape(len(small), 16)


def test_every_planted_copy_is_found_and_nothing_else(folder):
    images, _ = load_images(folder, listener=hs.Quiet())
    names = [Path(path).name for path in images.paths]
    found = find_duplicates(images, layout(images.paths), listener=hs.Quiet())
    groups = [{names[index] for index in members} for members in found.members()]
    near = {"04.jpg", *(f"near {name}.jpg" for name in copies(tiles()[0]))}
    for expected in ({"02.jpg", "bytes.jpg"}, near, {"07.jpg", "pixels1.png", "pixels9.png"}):
        assert expected in groups
    assert len(groups) == 3
    kinds = {frozenset((names[pair.first], names[pair.second])): pair.kind for pair in found.pairs}
    assert kinds[frozenset(("02.jpg", "bytes.jpg"))] == BYTES
    assert kinds[frozenset(("pixels1.png", "pixels9.png"))] == PIXELS
    assert sum(kind == NEAR for kind in kinds.values()) == len(near) - 1 + 1
    assert all(pair.similarity >= duplicates.MIN_SIMILARITY for pair in found.pairs)


@pytest.fixture
def few_misses(monkeypatch):
    monkeypatch.setattr(duplicates, "MIN_MISSES", 4)
    monkeypatch.setattr(duplicates, "MAX_MISSES_PER_IMAGE", 0.3)
    monkeypatch.setattr(duplicates, "CHUNK", 8)


def test_of_many_copies_of_each_photo_all_are_found(few_misses, tmp_path):
    """15 photos, each in 8 versions: 420 pairs of versions, of which 36 may be looked at in vain."""
    (tmp_path / "a").mkdir()
    for number, image in enumerate(tiles()[::4]):
        for name, content in {"as it is": jpeg(image), **copies(image)}.items():
            (tmp_path / "a" / f"{number:02} {name}.jpg").write_bytes(content)
    images, _ = load_images(tmp_path, listener=hs.Quiet())
    photos = np.array([int(Path(path).name[:2]) for path in images.paths])
    features = np.eye(15)[photos] + 0.02 * np.random.default_rng(0).normal(size=(len(photos), 15))
    found = find_duplicates(images, features, listener=hs.Quiet())
    assert found.compared == 15 * 28
    assert all(len(np.unique(photos[members])) == 1 for members in found.members())
    assert len(found.pairs) >= 0.95 * 7 * 15


def test_of_many_photos_that_only_look_alike_few_pairs_are_compared(few_misses, tmp_path):
    (tmp_path / "a").mkdir()
    for number, image in enumerate(tiles()):
        (tmp_path / "a" / f"{number:02}.jpg").write_bytes(jpeg(image))
    images, _ = load_images(tmp_path, listener=hs.Quiet())
    alike = 1 + 0.01 * np.random.default_rng(0).random((len(images), 8))
    found = find_duplicates(images, alike, listener=hs.Quiet())
    assert found.pairs == ()
    assert found.compared == round(0.3 * len(images)), "all of them in vain"
    assert found.limit > duplicates.LEAST


@pytest.mark.parametrize(("count", "is_crowd"), [(10, False), (14, True)])
def test_in_a_crowd_of_plain_things_only_real_copies_are_reported(cells, tmp_path, count, is_crowd):
    """Solar cells with nothing on them but busbars, of which one is there twice."""
    by_number = {int(re.sub(r"\D", "", path.stem)): path for paths in cells.values() for path in paths}
    (tmp_path / "a").mkdir()
    plain = [1265, 1266, 1268, 1269, 1270, 1271, 1272, 1273, 1274, 1285, 1286, 1287, 1288, 1289][: count - 1]
    for number in plain:
        shutil.copy(by_number[number], tmp_path / "a")
    Image.open(by_number[1270]).convert("L").resize((280, 280)).save(tmp_path / "a" / "again.png")
    images, _ = load_images(tmp_path, listener=hs.Quiet())
    found = find_duplicates(images, np.ones((count, 3), np.float32), listener=hs.Quiet())
    (crowd,) = found.members()
    assert len(crowd) == count, "they are kept on one side of a split all the same"
    reported = [{Path(images.paths[pair.first]).stem, Path(images.paths[pair.second]).stem} for pair in found.pairs]
    assert {"again", by_number[1270].stem} in reported
    assert len(reported) == (1 if is_crowd else count - 1)


pairs_of = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.sampled_from([BYTES, PIXELS, NEAR])))


@given(pairs_of)
def test_groups_are_what_pairs_connect_and_the_surest_pairs_connect_them_still(drawn):
    pairs = [Pair(min(i, j), max(i, j), kind, 0.9) for i, j, kind in drawn if i != j]
    pairs = list({(pair.first, pair.second): pair for pair in pairs}.values())
    expected = list(range(12))
    for _ in range(12):
        for pair in pairs:
            expected[pair.first] = expected[pair.second] = min(expected[pair.first], expected[pair.second])
    groups = grouped(12, pairs)
    assert len(set(zip(groups.tolist(), expected, strict=True))) == len(set(expected)) == len(set(groups.tolist()))
    surest = duplicates._surest(12, pairs)
    np.testing.assert_array_equal(grouped(12, surest), groups)
    assert len(surest) == 12 - len(set(expected))
    assert sum(pair.kind == BYTES for pair in surest) == 12 - len(
        set(grouped(12, [pair for pair in pairs if pair.kind == BYTES]).tolist())
    )
