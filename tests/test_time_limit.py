"""How long a work may take: what people write and read, and what is left."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import headstart as hs
from headstart.time_limit import NO_LIMIT, TimeLimit, duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1h", 3600), ("1h30m", 5400), ("1.5h", 5400), (" 2H0.5S ", 7200.5)],
)
def test_times_that_people_write(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-5m", "10 minutes", "m", "30s10m", "1e5", "inf", "nan", "10mx"])
def test_what_is_no_time_is_said(text):
    with pytest.raises(hs.HeadstartError, match=r"The time limit '.*' is no time above 0; expected such as 90s, 10m"):
        parse_duration(text)


@given(st.text(alphabet="0123456789.hms ", max_size=12))
def test_any_text_is_a_time_above_0_or_refused(text):
    with contextlib.suppress(hs.HeadstartError):
        assert 0 < parse_duration(text) < math.inf


@given(st.integers(1, 10**6))
def test_times_for_people_are_read_again(seconds):
    said = duration(seconds).replace(" min", "m").replace(" ", "")
    read = parse_duration(said)
    assert read == seconds if seconds < 3600 else abs(read - seconds) < 60


def test_what_is_left(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("headstart.time_limit.time.monotonic", lambda: now[0])
    limit = TimeLimit(200.0, now[0])
    assert (limit.left, str(limit)) == (180.0, "3 min 20 s of 3 min 20 s are left")
    now[0] = 250.0
    assert limit.left == pytest.approx(30.0)
    assert limit.allows(30.0)
    assert not limit.allows(31.0)
    now[0] = 301.0
    assert limit.left < 0
    assert str(limit) == "0 s of 3 min 20 s are left"
    assert NO_LIMIT.allows(1e9)
    assert not TimeLimit.of(None).is_set
    with pytest.raises(hs.HeadstartError, match=r"The time limit is -1 s; expected a time above 0"):
        TimeLimit.of(-1)
