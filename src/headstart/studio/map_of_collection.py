"""Directions of photos -> a map: a place in the plane for each, so that like photos are near to each other. Knows no
labels.

t-SNE (L. van der Maaten and G. Hinton, JMLR 9, 2008; Barnes and Hut's, by scikit-learn), from the two principal
components on, so that what is far apart stays so, too (D. Kobak and P. Berens, Nature Communications 10, 2019). Of many
photos some are placed so, as landmarks, and the others among the landmarks that they are most like.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from headstart.array_types import Float32
from headstart.errors import CancelledError

LANDMARKS = 2_500  # photos: some 8 s on two cores
PERPLEXITY = 30.0  # how many neighbours count, about
STEPS = 750
AROUND = 5  # landmarks that another photo is placed among
SHARPNESS = 20.0  # how much more the more similar of these count
BLOCK = 8_192  # photos that are placed together
BEYOND = 0.995  # share of the photos that is inside [-1, 1] at first; the others are moved to its edge
JITTER = 0.012  # so that photos with the same landmarks do not lie on each other


def first_map(directions: Float32[np.ndarray, "n c"]) -> Float32[np.ndarray, "n 2"]:
    """At once: the two principal components, in [-1, 1]; NaN in the rows of photos without features."""
    known = ~np.isnan(directions[:, 0])
    return _filled(known, _scaled(_principal(directions[known])))


def map_of_collection(
    directions: Float32[np.ndarray, "n c"], *, seed: int = 0, cancelled: Callable[[], bool] = lambda: False
) -> Float32[np.ndarray, "n 2"]:
    """In seconds (2,000 photos: some 7; 100,000: some 20). The same places for the same photos and seed.

    Raises:
        CancelledError: the map is not wanted any more.
    """
    known = ~np.isnan(directions[:, 0])
    rows = directions[known]
    order = np.random.default_rng(seed).permutation(len(rows))
    landmarks = np.sort(order[:LANDMARKS])
    if len(landmarks) <= 3 * PERPLEXITY:
        return first_map(directions)
    placed = _embedded(rows[landmarks], seed)
    places = np.empty((len(rows), 2), np.float32)
    places[landmarks] = placed
    others = np.sort(order[LANDMARKS:])
    rng = np.random.default_rng(seed)
    for start in range(0, len(others), BLOCK):
        if cancelled():
            raise CancelledError("The map is not wanted any more.")
        some = others[start : start + BLOCK]
        places[some] = _among(rows[some], rows[landmarks], placed, rng)
    return _filled(known, _scaled(places))


def _embedded(rows: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE  # takes a moment to import

    start = _principal(rows)
    start *= 1e-4 / max(float(start[:, 0].std()), 1e-12)  # as scikit-learn's own
    # steps are so short that several threads wait for each other: beside other work ten times as long
    with threadpool_limits(1):
        found = TSNE(perplexity=PERPLEXITY, init=start, random_state=seed, max_iter=STEPS).fit_transform(rows)
    return np.asarray(found, np.float32)


def _among(rows: np.ndarray, landmarks: np.ndarray, placed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A place between the most similar landmarks, nearer to the more similar ones."""
    cosines = rows @ landmarks.T
    near = np.argpartition(-cosines, AROUND - 1, axis=1)[:, :AROUND]
    found = np.take_along_axis(cosines, near, axis=1)
    shares = np.exp(SHARPNESS * (found - found.max(axis=1, keepdims=True)))
    shares /= shares.sum(axis=1, keepdims=True)
    extent = np.abs(placed).max()
    # landmarks in different parts of the map: then only those near to the most similar one count
    best = placed[near[np.arange(len(near)), found.argmax(axis=1)]]
    shares[np.linalg.norm(placed[near] - best[:, None], axis=2) > 0.1 * extent] = 0
    shares /= shares.sum(axis=1, keepdims=True)
    middle = np.einsum("nk,nkd->nd", shares, placed[near])
    return middle + JITTER * extent * rng.standard_normal(middle.shape).astype(np.float32)


def _principal(rows: np.ndarray) -> np.ndarray:
    """float32 (n, 2): the two principal components, of which the sign is that of their largest coefficient."""
    if not len(rows):
        return np.zeros((0, 2), np.float32)
    centred = rows - rows.mean(axis=0)
    vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))[1][:, -1:-3:-1]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    places = (centred @ vectors).astype(np.float32)
    return np.pad(places, ((0, 0), (0, 2 - places.shape[1])))


def _scaled(places: np.ndarray) -> np.ndarray:
    """The same shape, in [-1, 1]."""
    if not len(places):
        return places
    places = places - np.median(places, axis=0)
    extent = max(float(np.quantile(np.abs(places).max(axis=1), BEYOND)), 1e-12)
    return np.clip(places / (1.02 * extent), -1, 1).astype(np.float32)


def _filled(known: np.ndarray, places: np.ndarray) -> np.ndarray:
    found = np.full((len(known), 2), np.nan, np.float32)
    found[known] = places
    return found
