"""Answers -> Parquet: a row for each photo, whether it could be read or not. Writes no files.

path           of the photo, as it was named
digest         SHA-256 of its bytes, hexadecimal; null: they could not be read
label          null: it is no photo that can be read
labels         of a classifier for several labels per photo: those that it has; `label` joins them with |
probability    of that label; of several, that exactly these are right
probabilities  class -> probability, the most probable first: all, or as many as were asked for
sure, familiar as in `Prediction`
other          the probability of none of the classes; only of a classifier that was trained on `_other` photos
parent         of a hierarchy of classes, if the label is not sure: its lowest parent that is; null: none
parent_probability  of that parent
cost           the expected cost of the label; only of a classifier that was given a table of costs
candidates     the classes that the right one is among; only where a coverage was asked for
remark         why the photo may be too dark or too bright to the classifier
error          what is wrong with a photo that cannot be read; null: nothing
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from headstart.classifier.answers import Answer, Question
from headstart.errors import ImageError, MissingExtraError

if TYPE_CHECKING:
    import pyarrow as pa

COMPRESSION = "zstd"  # half the size of snappy, Parquet's usual one; whatever reads Parquet knows it


def need_parquet() -> None:
    """
    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise MissingExtraError("Parquet needs pyarrow, which is not installed: pip install 'headstart[remote]'")


def schema(question: Question, facts: Mapping[str, Any]) -> pa.Schema:
    """The columns. facts: about the classifier, in the file's metadata under `headstart`, as JSON."""
    import pyarrow as pa

    columns = {
        "path": pa.string(),
        "digest": pa.string(),
        "label": pa.string(),
        "labels": pa.list_(pa.string()),
        "probability": pa.float64(),
        "probabilities": pa.map_(pa.string(), pa.float64()),
        "sure": pa.bool_(),
        "familiar": pa.bool_(),
        "parent": pa.string(),
        "parent_probability": pa.float64(),
        "other": pa.float64(),
        "cost": pa.float64(),
        "candidates": pa.list_(pa.string()),
        "remark": pa.string(),
        "error": pa.string(),
    }
    if question.coverage is None:
        del columns["candidates"]
    of_some = {"cost": "costs", "other": "others", "parent": "parents", "parent_probability": "parents"}
    for name, fact in {"labels": "multi_label", **of_some}.items():
        if not facts.get(fact):
            del columns[name]
    return pa.schema(list(columns.items()), metadata={"headstart": json.dumps(facts, sort_keys=True)})


def table(answers: Iterable[Answer], question: Question, facts: Mapping[str, Any]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist([_row(each, question) for each in answers], schema=schema(question, facts))


def parquet(table: pa.Table) -> bytes:
    """The content of a Parquet file. The same rows give the same bytes."""
    from pyarrow import parquet as pq

    content = io.BytesIO()
    pq.write_table(table, content, compression=COMPRESSION)
    return content.getvalue()


def _row(answer: Answer, question: Question) -> dict[str, Any]:
    row: dict[str, Any] = {"path": text_of(answer.path), "digest": answer.digest}
    found = answer.found
    if isinstance(found, ImageError):
        return row | {"error": text_of(str(found))}
    return row | {
        "label": found.label,
        "labels": None if found.labels is None else list(found.labels),
        "probability": found.probability,
        "probabilities": list(found.top(question.top or len(found.probabilities)).items()),
        "sure": found.sure,
        "familiar": found.familiar,
        "parent": found.parent,
        "parent_probability": found.parent_probability,
        "other": found.other,
        "cost": found.cost,
        "candidates": list(found.candidates),
        "remark": found.remark,
    }


def text_of(path: str) -> str:
    """A path may hold bytes that are no text."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
