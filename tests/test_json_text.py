"""JSON that people read: the same document, with each row of numbers on one line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from headstart.json_text import json_text

documents = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
)


@given(documents)
def test_the_document_stays_the_same(document):
    assert json.loads(json_text(document)) == document


@given(some.lists(some.lists(some.integers() | some.floats(-1e9, 1e9), min_size=1, max_size=5), min_size=1, max_size=5))
def test_a_row_of_numbers_is_a_line(rows):
    assert len(json_text({"confusion": rows}).splitlines()) == len(rows) + 4


def test_what_looks_like_rows_in_a_text_stays():
    text = "[\n  1,\n  2\n]"
    assert json.loads(json_text([text, [text]])) == [text, [text]]


def test_no_number_is_no_json():
    with pytest.raises(ValueError, match="JSON"):
        json_text({"loss": float("nan")})
