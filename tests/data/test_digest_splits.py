"""Splits of large collections: by digest, so that any machine knows them, and photos that are added move no others."""

import random
from collections import Counter
from pathlib import Path

import pytest

from headstart.data import digest_splits
from headstart.data.assignment import draw_splits
from headstart.data.digest_splits import draw_by_digest, names_by_digest
from headstart.data.items import Item
from headstart.data.splits import SPLITS
from headstart.storage.hashing import sha256

COUNT = 4_000


@pytest.fixture
def drawn(monkeypatch):
    """name -> split, of photos in an order; of each the digest is known, and two of three belong together."""
    monkeypatch.setattr(digest_splits, "LARGE", 100)

    def draw(numbers: list[int], seed: int = 1) -> dict[str, str | None]:
        digests = [sha256(f"{number}".encode()) for number in numbers]
        groups = names_by_digest([f"group {number // 3}" if number % 3 else number for number in numbers], digests)
        items = [Item(Path(f"{number}.jpg"), f"{number}.jpg", "ab"[number % 5 == 0], None) for number in numbers]
        return {item.name: split for item, split in zip(items, draw_splits(items, groups, seed), strict=True)}

    return draw


def test_shares_groups_and_order(drawn):
    numbers = list(range(COUNT))
    found = drawn(numbers)
    shares = Counter(found.values())
    assert set(shares) == set(SPLITS)
    for name, share in (("train", 0.7), ("validation", 0.15), ("test", 0.15)):
        assert abs(shares[name] / COUNT - share) < 0.03
    assert all(found[f"{number}.jpg"] == found[f"{number + 1}.jpg"] for number in range(1, COUNT - 1, 3))
    random.Random(0).shuffle(numbers)
    assert drawn(numbers) == found
    assert drawn(numbers, seed=2) != found


def test_photos_that_are_added_move_no_others(drawn):
    before, after = drawn(list(range(3_000))), drawn(list(range(COUNT)))
    assert {name: after[name] for name in before} == before


def test_a_rare_class_keeps_a_group_to_train_on():
    groups = [sha256(f"{number}".encode()) for number in range(400)]
    labels = ["common"] * 398 + ["rare"] * 2
    for seed in range(20):
        moved = draw_by_digest(groups, labels, "validation", 0.9, seed)
        assert not moved[398:].all()
