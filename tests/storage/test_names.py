"""Names of files that every system allows."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.storage.names import is_allowed, portable

DEVICES = ["CON", "nul", "aux.txt", "COM1", "lpt9.tar.gz", "PRN ", "con .txt", "COM\u00b2", "CONIN$"]


@pytest.mark.parametrize("name", [
    *DEVICES, "a:b", "cats.", "cats ", "...", "", "a<b>", 'say "x"', "a|b", "why?", "*", "a\\b", "a\nb",
])  # fmt: skip
def test_what_windows_forbids_is_replaced(name):
    assert not is_allowed(name, windows=True)
    assert is_allowed(name, windows=False)
    assert is_allowed(portable(name), windows=True)


@pytest.mark.parametrize("name", [
    "cats", "Hündchen", "猫", "a b", ".hidden", "console", "COM", "COM10", "nul-1", "a.b.c", "~",
])  # fmt: skip
def test_other_names_stay(name):
    assert portable(name) == name


@settings(max_examples=200, derandomize=True)
@given(st.text(alphabet=st.sampled_from('CONnul.: \\/"?*<>|\x00\x1faé1'), max_size=12))
def test_a_portable_name_is_portable(name):
    found = portable(name)
    assert portable(found) == found
    assert found
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]|[. ]$', found)
