"""Like photos lie together on the map."""

import numpy as np
import pytest

from headstart.errors import CancelledError
from headstart.studio import map_of_collection as maps
from headstart.studio.map_of_collection import first_map, map_of_collection
from support.real_features import RealFeatures


def share_of_own_class(places: np.ndarray, labels: np.ndarray) -> float:
    """Of the nearest photo on the map."""
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((labels[distances.argmin(axis=1)] == labels).mean())


@pytest.fixture(scope="module")
def is_scene(real: RealFeatures) -> np.ndarray:
    return (real.labels == real.names.index("scene")).astype(int)


def test_the_map_keeps_neighbours_better_than_two_components(real: RealFeatures, is_scene):
    first, found = first_map(real.photos.directions), map_of_collection(real.photos.directions)
    for places in (first, found):
        assert places.shape == (len(real.labels), 2)
        assert np.abs(places).max() <= 1
        assert np.abs(places).max() > 0.8
    nearest = real.photos.directions @ real.photos.directions.T
    np.fill_diagonal(nearest, -1)
    kept = []
    for places in (first, found):
        distances = np.linalg.norm(places[:, None] - places[None], axis=2)
        np.fill_diagonal(distances, np.inf)
        kept.append(np.mean(distances.argsort(axis=1)[:, :10] == nearest.argmax(axis=1)[:, None]) * 10)
    assert kept[1] > 1.3 * kept[0]
    assert share_of_own_class(found, is_scene) > 0.95


def test_the_map_is_the_same_again(real: RealFeatures):
    some = real.photos.directions[:150]
    np.testing.assert_array_equal(map_of_collection(some, seed=3), map_of_collection(some, seed=3))


def test_photos_that_are_no_landmarks_lie_among_their_like(real: RealFeatures, is_scene, monkeypatch):
    monkeypatch.setattr(maps, "LANDMARKS", 150)
    found = map_of_collection(real.photos.directions)
    assert np.isfinite(found).all()
    assert share_of_own_class(found, is_scene) > 0.9
    with pytest.raises(CancelledError):
        map_of_collection(real.photos.directions, cancelled=lambda: True)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_few_photos_have_a_place(real: RealFeatures, count: int):
    ways = real.photos.directions.copy()
    ways[count:] = np.nan
    found = map_of_collection(ways)
    assert np.isfinite(found[:count]).all()
    assert np.isnan(found[count:]).all()
