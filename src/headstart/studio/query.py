"""A question about photos -> their ids, in order: NumPy on columns. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from headstart.array_types import Bool, Float, Float32, Int32
from headstart.data.splits import SPLITS
from headstart.studio.columns import NO_LABEL, Columns

if TYPE_CHECKING:
    from headstart.studio.analysis import Known
    from headstart.studio.answers import Answers

Sort = Literal["name", "class", "confidence", "doubt", "novelty", "size", "likeness"]


class Query(BaseModel):
    """See the fields of POST /api/photos/query. What is not given restricts nothing."""

    model_config = ConfigDict(populate_by_name=True, extra="forbid")

    classes: list[str] | None = Field(None, alias="class")
    split: list[str] | None = None
    finding: str | None = None
    right: bool | None = None
    cell: tuple[str, str] | None = None
    confidence: tuple[float, float] | None = None
    changed: bool | None = None
    unlabelled: bool | None = None
    excluded: bool | None = None
    unreadable: bool | None = None
    text: str | None = Field(None, max_length=500)
    ids: list[int] | None = None
    sort: Sort = "name"
    like: int | None = None
    descending: bool = False


def ids_of(
    query: Query, columns: Columns, known: Known, likeness: Float32[np.ndarray, " n"] | None = None
) -> Int32[np.ndarray, " m"]:
    """The photos that a question asks for. Those that a sort says nothing of come last.

    likeness: to the photo that the query names.
    """
    keep = _kept(query, columns, known)
    ids = np.flatnonzero(keep)
    if query.ids is not None:
        given = np.array([each for each in query.ids if 0 <= each < len(columns)], np.int64)
        ids = given[keep[given]]
        if "sort" not in query.model_fields_set:
            return ids.astype(np.int32)
    values = _values(query, columns, known, likeness)[ids].astype(np.float64)
    unknown = np.isnan(values)
    values = np.where(unknown, 0, -values if query.descending else values)
    return ids[np.lexsort((columns.name_order[ids], values, unknown))].astype(np.int32)


def _kept(query: Query, columns: Columns, known: Known) -> Bool[np.ndarray, " n"]:
    keep = columns.present.copy()
    if query.unreadable is not None:
        keep &= columns.unreadable == query.unreadable
    else:
        keep &= ~columns.unreadable
    excluded = bool(query.excluded) if query.ids is None else query.excluded
    if excluded is not None:
        keep &= columns.excluded == excluded
    if query.classes is not None:
        keep &= np.isin(columns.label, _numbers(query.classes, columns.classes))
    if query.split is not None:
        keep &= np.isin(columns.split, _numbers(query.split, SPLITS))
    if query.changed is not None:
        keep &= columns.changed == query.changed
    if query.unlabelled is not None:
        keep &= (columns.label == NO_LABEL) == query.unlabelled
    if query.finding is not None:
        found = known.flags.get(query.finding, np.zeros(0, np.int64))
        keep &= np.isin(np.arange(len(columns)), found)
    if query.text:
        text = query.text.casefold()
        keep[keep] = [text in columns.names[row].casefold() for row in np.flatnonzero(keep).tolist()]
    return keep & _answered_so(query, columns, known.answers)


def _answered_so(query: Query, columns: Columns, answers: Answers | None) -> Bool[np.ndarray, " n"]:
    """Those that the answers say of what is asked."""
    keep = np.ones(len(columns), bool)
    if query.right is None and query.cell is None and query.confidence is None:
        return keep
    if answers is None:
        return ~keep
    count = len(answers.labels)  # photos that were found since have no answers yet
    found = np.zeros(len(columns), bool)
    part = np.ones(count, bool)
    if query.right is not None:
        part &= answers.cross_validated & (answers.right == query.right)
    if query.cell is not None:
        true, answer = (_numbers([name], answers.class_names) for name in query.cell)
        part &= answers.cross_validated & np.isin(answers.labels, true) & np.isin(answers.answer, answer)
    if query.confidence is not None:
        low, high = query.confidence
        part &= (answers.confidence >= low) & (answers.confidence <= high)
    found[:count] = part
    return found


def _values(
    query: Query, columns: Columns, known: Known, likeness: Float32[np.ndarray, " n"] | None
) -> Float[np.ndarray, " n"]:
    """What is sorted by; NaN: unknown."""
    match query.sort:
        case "name":
            return columns.name_order
        case "class":
            return np.where(columns.label == NO_LABEL, len(columns.classes), columns.label)
        case "size":
            return columns.size
        case "novelty":
            return padded(known.neighbourhood and known.neighbourhood.novelty, len(columns))
        case "likeness":
            return -padded(likeness, len(columns))  # the most similar first
        case "doubt" | "confidence":
            return padded(getattr(known.answers, query.sort, None), len(columns))


def sections(ids: Int32[np.ndarray, " m"], columns: Columns) -> list[tuple[str | None, int]]:
    """Of photos sorted by class: each class, and how many photos in turn are of it; None: without a label."""
    labels = columns.label[ids]
    starts = np.flatnonzero(np.diff(labels, prepend=labels[0] + 1 if len(labels) else 0))
    counts = np.diff(starts, append=len(labels))
    names = (*columns.classes, None)  # the last one for NO_LABEL
    return [(names[labels[start]], count) for start, count in zip(starts.tolist(), counts.tolist(), strict=True)]


def padded(values: Any, count: int) -> Float[np.ndarray, " n"]:
    """For `count` photos; NaN for those that nothing is known of."""
    found = np.full(count, np.nan)
    if values is not None:
        found[: len(values)] = values
    return found


def _numbers(names: Sequence[str], all_names: Sequence[str]) -> list[int]:
    return [number for number, name in enumerate(all_names) if name in set(names)]
