"""Units with several labels -> parts in which each label has its share: iterative stratification.

K. Sechidis, G. Tsoumakas, I. Vlahavas, On the stratification of multi-label data, ECML PKDD 2011: again and again the
label with the fewest units left is looked at, and each of its units goes to the part that lacks that label most. Here a
unit is a group of images that stay together, such as copies of one photo. Knows numbers only.
"""

from __future__ import annotations

import numpy as np

from headstart.array_types import Bool, Float, Int, Int64


def stratified(
    counts: Int[np.ndarray, "units labels"],
    sizes: Int[np.ndarray, " units"],
    wanted: Float[np.ndarray, "parts labels"],
    room: Float[np.ndarray, " parts"],
    seed: int,
) -> Int64[np.ndarray, " units"]:
    """The part of each unit.

    counts: how many images of each label a unit has. sizes: how many images in all.
    wanted: how many images of each label each part is to have. room: how many images in all.
    """
    rng = np.random.default_rng(seed)
    part, lacking, space = np.full(len(counts), -1, np.int64), wanted.astype(float).copy(), room.astype(float).copy()
    order = rng.permutation(len(counts))
    order = order[np.argsort(-sizes[order], kind="stable")]  # large units first, as small ones even out the rest

    def place(unit: int, lack: np.ndarray) -> None:
        best = np.flatnonzero(lack == lack.max())
        best = best[space[best] == space[best].max()]
        chosen = int(best[0] if len(best) == 1 else rng.choice(best))
        part[unit] = chosen
        lacking[chosen] -= counts[unit]
        space[chosen] -= sizes[unit]

    while True:
        left = (counts[part < 0] > 0).sum(axis=0)
        if not left.any():
            break
        label = int(np.argmin(np.where(left > 0, left, len(counts) + 1)))
        for unit in order[(part[order] < 0) & (counts[order, label] > 0)]:
            place(unit, lacking[:, label])
    for unit in order[part[order] < 0]:  # without any label
        place(unit, space)
    return part


def draw_share(
    targets: Bool[np.ndarray, "n labels"], groups: Int[np.ndarray, " n"], fraction: float, seed: int
) -> Bool[np.ndarray, " n"]:
    """Which images are drawn: of each label about a fraction, but at least one, and always leaving one.

    groups: images with the same number stay together.
    """
    if not fraction or not len(targets):
        return np.zeros(len(targets), bool)
    unit, counts, sizes = _units(targets, groups)
    totals = targets.sum(axis=0)
    drawn = np.clip(np.round(totals * fraction), np.minimum(1, totals), np.maximum(totals - 1, 0))
    wanted = np.stack([totals - drawn, drawn])
    room = len(targets) * np.array([1 - fraction, fraction])
    return stratified(counts, sizes, wanted, room, seed)[unit] == 1


def folds(
    targets: Bool[np.ndarray, "n labels"], groups: Int[np.ndarray, " n"], count: int, seed: int
) -> list[tuple[Int64[np.ndarray, " train"], Int64[np.ndarray, " held_out"]]]:
    """Training and validation indices of each fold. groups: as above."""
    unit, counts, sizes = _units(targets, groups)
    wanted = np.repeat(targets.sum(axis=0)[None] / count, count, axis=0)
    fold = stratified(counts, sizes, wanted, np.full(count, len(targets) / count), seed)[unit]
    parts = [(np.flatnonzero(fold != part), np.flatnonzero(fold == part)) for part in range(count)]
    return [(train, out) for train, out in parts if len(train) and len(out)]


def _units(targets: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The unit of each image, and of each unit how many images of each label it has, and how many in all."""
    _, unit = np.unique(groups, return_inverse=True)
    sizes = np.bincount(unit)
    counts = np.zeros((len(sizes), targets.shape[1]), np.int64)
    np.add.at(counts, unit, targets.astype(np.int64))
    return unit, counts, sizes
