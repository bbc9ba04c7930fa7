"""What is far away is read once by a command that needs it several times."""

from collections import Counter

import pytest

from headstart.storage import copies
from headstart.storage.copies import Copies, keeping_copies
from headstart.storage.locations import filesystem, read, read_ahead


@pytest.fixture
def asked(monkeypatch):
    """The files of memory:// that were read."""
    opened, _ = filesystem("memory://copies/x")
    opened.pipe({f"/copies/{number}": b"%d" % number * 10 for number in range(9)})
    found, original = [], type(opened).cat_file
    monkeypatch.setattr(
        type(opened), "cat_file", lambda self, path, **options: found.append(path) or original(self, path, **options)
    )
    yield found
    opened.rm("/copies", recursive=True)


PLACES = [f"memory://copies/{number}" for number in range(9)]
CONTENTS = [b"%d" % number * 10 for number in range(9)]


def test_each_place_is_fetched_once_while_copies_are_kept(asked):
    with keeping_copies():
        assert list(read_ahead(PLACES)) == CONTENTS
        assert [read(place) for place in PLACES] == CONTENTS
        with keeping_copies():  # a command that is a part of another
            assert list(read_ahead(PLACES)) == CONTENTS
        assert list(read_ahead(PLACES)) == CONTENTS
    assert sorted(Counter(asked).values()) == [1] * 9
    assert read(PLACES[0]) == CONTENTS[0]
    assert len(asked) == 10


def test_what_has_no_room_is_fetched_again(asked, monkeypatch):
    monkeypatch.setattr(copies, "MOST_BYTES", 45)
    with keeping_copies():
        for _ in range(2):
            assert list(read_ahead(PLACES)) == CONTENTS
    assert len(asked) == 9 + 5


def test_a_full_disk_is_no_end_of_the_work(asked, monkeypatch, tmp_path):
    kept = Copies(tmp_path, 10**6)
    kept.close()  # each write fails
    monkeypatch.setattr(copies, "_copies", kept)
    assert list(read_ahead(PLACES)) == CONTENTS
    assert len(asked) == 9


def test_nothing_is_left_on_the_disk(asked, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    with keeping_copies():
        read(PLACES[0])
    assert not list(tmp_path.iterdir())


def test_a_missing_file_stays_missing(asked):
    with keeping_copies():
        for _ in range(2):
            with pytest.raises(FileNotFoundError):
                read("memory://copies/none")
