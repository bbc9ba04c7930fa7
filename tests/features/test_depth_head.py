"""The head that reads every depth: scikit-learn's solution on weighed features, whichever way it is found."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from headstart.features import depth_head, head_in_pieces, heads_in_memory, linear_head
from headstart.features.depth_head import USUAL_WEIGHT, Blocks, solve_depths
from headstart.features.heads_in_memory import solve_side_by_side
from headstart.features.linear_head import solve
from headstart.features.rows import Joined, pieces
from headstart.features.store import find_shards, records, write_shard

SIZES = (40, 10, 10, 30, 30)  # the last layer; mean and deviation of two depths


def made(classes: int, rows: int, seed: int = 0, deep: float = 0.6, last: float = 0.2):
    """Features of which the depths before the last tell the classes apart better; their blocks differ in size."""
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    centres = rng.normal(size=(classes, sum(SIZES)))
    apart = np.repeat([last, deep, deep, deep, deep], SIZES)
    units = np.repeat([1.0, 30.0, 0.01, 5.0, 1e-3], SIZES)
    features = (rng.normal(size=(rows, sum(SIZES))) + apart * centres[labels]) * units + 3 * units
    return features.astype(np.float32), labels


def by_scikit_learn(views, labels, weight: float, C: float):
    """Kernel and bias for features as they come."""
    both = np.concatenate(views).astype(np.float64)
    parts = np.split(both - both.mean(axis=0), np.cumsum(SIZES)[:-1], axis=1)
    scaled = [part / np.sqrt((part**2).sum() / len(part)) for part in parts]
    shares = [1 - weight, *[weight / (len(SIZES) - 1)] * (len(SIZES) - 1)]
    weighed = np.concatenate([np.sqrt(SIZES[0] * share) * part for share, part in zip(shares, scaled, strict=True)], 1)
    model = LogisticRegression(C=C, tol=1e-8, max_iter=10_000).fit(weighed, np.tile(labels, len(views)))
    return model.decision_function(weighed)


@pytest.fixture
def exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads are solved until rounding ends it, so that logits are near, and not only the loss is."""
    monkeypatch.setattr(heads_in_memory, "FLAT", 0.0)
    monkeypatch.setattr(linear_head, "solve_side_by_side", partial(solve_side_by_side, tolerance=1e-7))
    monkeypatch.setattr(head_in_pieces, "TOLERANCE", 1e-6)


@pytest.mark.usefixtures("exactly")
@pytest.mark.parametrize("weight", [0.0, 0.6, 1.0])
@pytest.mark.parametrize(("classes", "rows", "views"), [(2, 60, 1), (4, 60, 2), (3, 400, 1)])
def test_the_solution_is_scikit_learns(classes, rows, views, weight):
    """In the space of the images, of fewer rows than numbers and of more: the same problem, so the same solution."""
    features, labels = made(classes, rows)
    both = [features, features + np.float32(0.001)][:views]
    head = solve_depths(both, SIZES, labels, classes, seed=0, weight=weight)
    expected = by_scikit_learn(both, labels, weight, head.C)[:rows]
    found = head.logits(features)
    found = found[:, 0] if classes == 2 else found - found.mean(axis=1, keepdims=True)
    expected = expected if classes == 2 else expected - expected.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())


def on_disk(features: np.ndarray, folder: Path) -> Joined:
    """The same rows, in shards of which each holds some of the whole collection, the last layer as a tensor of its
    own."""
    digests = [f"{number:064x}" for number in range(len(features))]
    order = np.random.default_rng(1).permutation(len(features))
    for rows in np.array_split(order, 7):
        tensors = features[rows, : SIZES[0]], features[rows, SIZES[0] :]
        write_shard(records([digests[row] for row in rows], tensors), folder)
    return Joined(find_shards(folder, digests, None).of(digests))


def test_rows_on_disk_are_read_as_they_are(tmp_path):
    features = made(3, 200)[0].astype(np.float16).astype(np.float32)
    rows = on_disk(features, tmp_path)
    for wanted in (slice(None), slice(20, 30), np.array([7, 180, 7])):
        np.testing.assert_array_equal(rows[wanted], features[wanted])
    rows.features.release()
    np.testing.assert_array_equal(rows[:2], features[:2])
    for shard in tmp_path.iterdir():
        shard.unlink()
    np.testing.assert_array_equal(rows[:], features)  # what is mapped outlives its file
    places = [np.arange(200)[place] for place, _ in pieces([rows])]
    assert sorted(np.concatenate(places)) == list(range(200))
    assert sorted(map(len, places)) == sorted(map(len, rows.features.shards)), "no piece is of two files"
    assert [place for place, _ in pieces([features[:10]])] == [slice(0, 4096)]


@pytest.mark.usefixtures("exactly")
@pytest.mark.parametrize("where", ["in memory", "on disk"])
def test_pieces_find_the_same_head(where, monkeypatch, tmp_path):
    """Weight and C are chosen on a part of the images, and the rest is solved from that on."""
    features, labels = made(3, 900)
    features = features.astype(np.float16).astype(np.float32)
    whole = solve_depths([features], SIZES, labels, 3, seed=0, weight=0.6)
    monkeypatch.setattr(depth_head, "VALIDATED", 300)
    monkeypatch.setattr(depth_head, "IN_GRAM", 600)
    monkeypatch.setattr(depth_head, "cross_validate", lambda *arguments, **settings: (whole.C, 0.5))
    monkeypatch.setattr("headstart.features.rows.PIECE", 200)
    rows = features
    if where == "on disk":
        monkeypatch.setattr(depth_head, "IN_MEMORY", 0)
        rows = on_disk(features, tmp_path)
    pieces = solve_depths([rows], SIZES, labels, 3, seed=0, weight=0.6)
    np.testing.assert_allclose(
        pieces.logits(features), whole.logits(features), atol=5e-3 * np.abs(whole.logits(features)).max()
    )


def test_at_no_weight_it_is_the_head_on_the_last_layer():
    features, labels = made(3, 300)
    alone = solve([features[:, : SIZES[0]]], labels, 3, seed=0)
    head = solve_depths([features], SIZES, labels, 3, seed=0, weight=0.0)
    assert head.C == alone.C
    assert not head.kernel[SIZES[0] :].any()
    np.testing.assert_allclose(head.logits(features), alone.logits(features[:, : SIZES[0]]), atol=2e-3)


@pytest.mark.parametrize(("last", "deep", "chosen"), [(0.9, 0.0, {0.0, 0.35}), (0.0, 0.5, {0.85, 0.95, 1.0})])
def test_the_weight_is_chosen_where_the_classes_are_told_apart(last, deep, chosen):
    features, labels = made(3, 400, last=last, deep=deep)
    assert solve_depths([features], SIZES, labels, 3, seed=0).weight in chosen


def test_a_depth_that_never_varies_says_nothing():
    features, labels = made(2, 80)
    features[:, 40:60] = 7.0  # mean and deviation of the first depth
    head = solve_depths([features], SIZES, labels, 2, seed=0)
    assert np.isfinite(head.kernel).all()
    assert not head.kernel[40:60].any()
    assert Blocks.of([features], SIZES).weighed(0.5)[60:].all()


def test_images_that_are_all_alike_and_classes_of_one_image():
    """Nothing can be learned, and nothing be validated; there is a head all the same."""
    features, labels = np.full((6, sum(SIZES)), 3, np.float32), np.array([0, 0, 0, 1, 1, 1])
    assert np.isfinite(solve_depths([features], SIZES, labels, 2, seed=0).logits(features)).all()
    features, labels = made(3, 3)
    head = solve_depths([features], SIZES, labels, 3, seed=0)
    assert head.weight == USUAL_WEIGHT
    assert (head.logits(features).argmax(axis=1) == labels).all()


def test_copies_of_a_photo_are_in_one_fold():
    """Labels that are drawn at random are predicted by copies alone: with copies apart, a large C seems good."""
    rng = np.random.default_rng(0)
    once = rng.normal(size=(60, sum(SIZES))).astype(np.float32)
    features, labels = np.concatenate([once, once]), np.tile(rng.integers(0, 2, 60), 2)
    photos = np.tile(np.arange(60), 2)
    together = solve_depths([features], SIZES, labels, 2, seed=0, photos=photos)
    apart = solve_depths([features], SIZES, labels, 2, seed=0)
    assert together.C < apart.C
