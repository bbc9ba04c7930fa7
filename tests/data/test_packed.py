"""Collections of millions of photos are kept in few bytes, and look like those in tuples."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headstart as hs
from headstart.data import digest_splits, loading, packed, readable
from headstart.data.items import Item, Items, column, drawn_as, paths_of
from headstart.data.packed import Digests, Texts, chosen, numbered
from headstart.storage.hashing import sha256
from headstart.storage.url_path import Url

TEXT = st.text(st.characters(exclude_characters="\0\r\n"), max_size=8)
PATH = st.one_of(
    st.builds(Url, st.just("s3://bucket/photos"), TEXT.map(lambda text: f"a/{text}"), stamp=st.integers(0, 2**56)),
    st.builds(Url, st.just("https://example.org/one.jpg")),
    TEXT.map(lambda text: Path("photos", text.replace("/", "_") or "x")),
)
ITEM = st.builds(
    lambda path, odd, label, split, group, own: Item(path, odd or path.name, label, split, group, own),
    PATH,
    st.one_of(st.none(), TEXT),
    TEXT,
    st.sampled_from([None, "train", "test"]),
    st.one_of(st.none(), TEXT),
    st.one_of(st.none(), TEXT),
)


@given(st.lists(TEXT, max_size=20), st.data())
def test_texts_are_those_that_were_given(texts, data):
    found = Texts.of(texts)
    assert found == tuple(texts)
    assert list(found) == texts
    indices = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=5)) if texts else []
    assert list(chosen(found, indices)) == [texts[index] for index in indices]
    assert found[1:3] == texts[1:3]
    assert all(found[index] == text for index, text in enumerate(texts))


def test_a_name_of_an_old_disk_stays_as_it_is():
    assert Texts.of(["caf\udce9.jpg"])[0] == "caf\udce9.jpg"


@given(st.lists(st.binary(max_size=3).map(lambda text: sha256(text)), max_size=20))
def test_digests_are_those_that_were_given(digests):
    found = Digests.of(digests)
    assert found == tuple(digests)
    assert found != (*digests, sha256(b"another"))
    assert [found[index] for index in range(len(digests))] == digests
    assert [key.hex().ljust(64, "0") for key in found.keys.tolist()] == digests
    numbers = numbered(found)
    assert len(set(numbers.tolist())) == len(set(digests))
    assert [digests[index] for index in np.argsort(numbers, kind="stable")] == sorted(digests)


@given(st.lists(ITEM, max_size=12), st.data())
def test_items_are_those_that_were_given(items, data):
    found = Items.of(items)
    assert list(found) == items
    assert [found[index] for index in range(len(items))] == items
    assert [(item.path.stamp if isinstance(item.path, Url) else 0) for item in found] == [
        item.path.stamp if isinstance(item.path, Url) else 0 for item in items
    ]
    assert list(drawn_as(found)) == [item.drawn_as for item in items]
    for name in ("label", "split", "group", "own"):
        assert list(column(found, name)) == list(column(items, name))
    assert list(paths_of(found)) == list(paths_of(items))
    indices = data.draw(st.lists(st.integers(0, len(items) - 1), max_size=5)) if items else []
    assert list(chosen(found, indices)) == [items[index] for index in indices]
    assert list(found[2:5]) == items[2:5]


@given(st.dictionaries(st.binary(min_size=32, max_size=32), st.integers(0, 65535), max_size=8), st.booleans())
def test_many_known_photos_are_found_as_few_are(images, ends_in_zeros):
    if ends_in_zeros:
        images |= {b"a" + bytes(31): 7, bytes(32): 8}
    added = b"".join(key + value.to_bytes(2, "little") for key, value in images.items())
    known = readable.Known(readable._merged([np.frombuffer(added, readable._type(2))], 2), readable._number)
    assert dict(known) == images
    assert all(known[key] == value for key, value in images.items())
    assert known.get(b"\xff" * 31 + b"?") is None


@pytest.mark.parametrize("drawn_by_digest", [False, True])
def test_a_large_collection_is_read_and_split_as_a_small_one(photos, tmp_path, monkeypatch, drawn_by_digest):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    if drawn_by_digest:
        monkeypatch.setattr(digest_splits, "LARGE", 1)

    def load(many: int) -> hs.Dataset:
        for module in (packed, loading, readable):
            monkeypatch.setattr(module, "MANY", many)
        return hs.load_dataset(photos, listener=hs.Quiet())

    small, large = load(10**6), load(1)
    assert isinstance(large.train.digests, Digests)
    assert isinstance(large.train.paths, Texts)
    assert large.rows() == small.rows()
    assert large.notes == small.notes
    for one, other in zip(small.splits().values(), large.splits().values(), strict=True):
        ours, theirs = (np.equal.outer(numbers, numbers) for numbers in (one.photos, other.photos))
        np.testing.assert_array_equal(ours, theirs)
