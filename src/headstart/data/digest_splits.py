"""Splits of collections so large that no draw among all photos is needed for even shares: a group's split is a function
of the digests of its photos and the seed, which any machine knows, and photos that are added move no others.

The share of each class is approximate: of 10,000 photos, 15% are 14.3% to 15.7%. Knows names and labels, opens no file.
"""

from collections.abc import Hashable, Sequence

from headstart.data.steady_splits import number_of

LARGE = 1_000_000  # images, from which on splits are drawn so


def names_by_digest(groups: Sequence[Hashable], digests: Sequence[str]) -> list[str]:
    """For each image the least digest in its group: the group's name, whatever else it was called."""
    least: dict[Hashable, str] = {}
    for group, digest in zip(groups, digests, strict=True):
        least[group] = min(digest, least.get(group, digest))
    return [least[group] for group in groups]


def draw_by_digest(groups: Sequence[str], labels: Sequence[str], target: str, fraction: float, seed: int) -> set[str]:
    """The groups of images that go to the split `target`: about `fraction` of them; of each label one group stays."""
    numbers = {group: number_of(group, target, seed) for group in set(groups)}
    stays: dict[str, str] = {}
    for group, label in zip(groups, labels, strict=True):
        if numbers[group] >= numbers[stays.get(label, group)]:
            stays[label] = group
    kept = set(stays.values())
    return {group for group, number in numbers.items() if number < fraction and group not in kept}
