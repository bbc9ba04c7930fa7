"""Stakes: what the user says about mistakes before training: costs, an order of classes, promised recall.

What becomes of them, once a classifier is calibrated, is in `decision.py`. Knows no images and no probabilities.
"""

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.errors import ModelError

EXAMPLE = "right,ok,defective\n  ok,0,1\n  defective,50,0"


@dataclass(frozen=True)
class Stakes:
    """costs: right class -> answer -> what it costs, 0 or more, in any unit. recall: class -> the least share, 0 to 1,
    of its photos that are to be answered as it; where two classes want the same photo, it goes to the first. ordinal:
    the classes are ranks, and a mistake costs its distance; True: in the order of their names. precision: with several
    labels per photo, label -> the least share of the photos given this label that really show it."""

    costs: Mapping[str, Mapping[str, float]] | None = None
    recall: Mapping[str, float] | None = None
    ordinal: bool | tuple[str, ...] = False
    precision: Mapping[str, float] | None = None

    @classmethod
    def of(
        cls,
        cost: str | Path | Mapping[str, Mapping[str, float]] | None,
        recall: Any,
        ordinal: bool | Sequence[str] = False,
        precision: Any = None,
    ) -> "Stakes | None":
        """cost: the table, or the file of one, see `read_costs`. recall, precision: mappings, as above. ordinal: as
        above. None: nothing was said.

        Raises:
            ModelError: something is no cost, no share, or no order.
        """
        if cost is None and not recall and ordinal is False and not precision:
            return None
        if ordinal is not False and cost is not None:
            raise ModelError(
                "A table of costs and an order of ranks (ordinal) were given; expected one of them: with ranks, a "
                "mistake costs its distance. Leave the other out."
            )
        costs = read_costs(Path(cost)) if isinstance(cost, str | Path) else cost
        for what, promises, meaning in (("recall", recall, "missed"), ("precision", precision, "wrong")):
            for label, share in (promises or {}).items():
                if not isinstance(share, int | float) or not 0 < share < 1:
                    raise ModelError(
                        f"A {what} of {share!r} is to be promised for '{label}'; expected a share between 0 and 1, "
                        f"such as 0.99: at most 1% are {meaning}."
                    )
        if both := sorted(set(recall or {}) & set(precision or {})):
            raise ModelError(
                f"Both a recall and a precision are to be promised for '{both[0]}', but it has one threshold. Leave "
                f"one of them out."
            )
        if costs is not None:
            _check_costs(costs)
        return cls(
            costs, dict(recall) if recall else None, _checked_order(ordinal), dict(precision) if precision else None
        )

    def check(self, class_names: Sequence[str]) -> None:
        """
        Raises:
            ModelError: they are not about these classes.
        """
        known = ", ".join(class_names)
        for what, promises in (("recall", self.recall), ("precision", self.precision)):
            for label in promises or {}:
                if label not in class_names:
                    raise ModelError(
                        f"A {what} is to be promised for '{label}', which is no class of the photos: {known}."
                    )
        if isinstance(self.ordinal, tuple) and set(self.ordinal) != set(class_names):
            given = ", ".join(self.ordinal)
            raise ModelError(
                f"The order of the ranks is {given}; expected each class of the photos in it, and no others: {known}."
            )
        if self.costs is None:
            return
        answers = {answer for row in self.costs.values() for answer in row}
        for what, given in (("row", set(self.costs)), ("column", answers)):
            if missing := [name for name in class_names if name not in given]:
                raise ModelError(
                    f"The table of costs has no {what} for {', '.join(map(repr, missing))}. Expected a row (the right "
                    f"class) and a column (the answer) for each of: {known}."
                )
            if unknown := sorted(given - set(class_names)):
                raise ModelError(
                    f"The table of costs has a {what} for {', '.join(map(repr, unknown))}, which is no class of the "
                    f"photos: {known}. Remove it, or correct its name."
                )

    def check_exclusive(self) -> None:
        """
        Raises:
            ModelError: they need several labels per photo.
        """
        if self.precision:
            raise ModelError(
                f"A precision is to be promised for '{next(iter(self.precision))}', but that needs several labels per "
                f"photo (--multi-label). With one class per photo, use `headstart predict --accuracy`."
            )

    def ranks(self, class_names: Sequence[str]) -> tuple[str, ...] | None:
        """The classes from the lowest to the highest; None where they are not ranks. class_names: checked."""
        if isinstance(self.ordinal, tuple):
            return self.ordinal
        return in_order(class_names) if self.ordinal else None


def in_order(names: Sequence[str]) -> tuple[str, ...]:
    """By their numbers, where all are numbers; else by name, in which "grade 10" comes after "grade 9"."""
    try:
        return tuple(sorted(names, key=float))
    except ValueError:
        return tuple(sorted(names, key=lambda name: [_by_number(part) for part in re.split(r"(\d+)", name)]))


def _by_number(part: str) -> tuple[int, str]:
    return (int(part), "") if part.isdecimal() else (0, part)


def read_costs(file: Path) -> dict[str, dict[str, float]]:
    """A CSV whose first line names the answers, and each other line a right class and what each answer costs.

    Raises:
        ModelError: it cannot be read, or a line is too short or too long, a class stands twice, or a cost is no number.
    """
    try:
        lines = [line for line in file.read_text("utf-8-sig").splitlines() if line.strip(" ,;\t")]
        delimiter = max(",;\t", key=lines[0].count) if lines else ","
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    except OSError as error:
        raise ModelError(f"The table of costs '{file}' cannot be opened: {error.strerror or error}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ModelError(f"The table of costs '{file}' is no CSV in UTF-8 ({error}).") from None
    if len(rows) < 2:
        raise ModelError(f"The table of costs '{file}' is empty. Expected, for example:\n  {EXAMPLE}")
    (_, *answers), *below = rows
    _check_once(answers, "columns", file)
    _check_once([label for label, *_ in below], "rows", file)
    return {label: _costs_of(label, cells, answers, file) for label, *cells in below}


def _costs_of(label: str, cells: Sequence[str], answers: Sequence[str], file: Path) -> dict[str, float]:
    if len(cells) != len(answers):
        raise ModelError(
            f"The table of costs '{file}' has {len(cells)} costs in the row '{label}', and {len(answers)} answers in "
            f"its first line ({', '.join(answers)}). Expected one cost for each."
        )
    costs = {}
    for answer, cell in zip(answers, cells, strict=True):
        try:
            costs[answer] = float(cell)
        except ValueError:
            raise ModelError(
                f"The table of costs '{file}' has {cell!r} where '{label}' is answered as '{answer}'. Expected a "
                f"number, 0 or more."
            ) from None
    return costs


def _check_once(names: Sequence[str], what: str, file: Path) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ModelError(f"The table of costs '{file}' has several {what} for {', '.join(map(repr, twice))}.")


def _checked_order(ordinal: bool | Sequence[str]) -> bool | tuple[str, ...]:
    """
    Raises:
        ModelError: it is no order of several classes.
    """
    if isinstance(ordinal, bool):
        return ordinal
    if isinstance(ordinal, str) or len(ordinal) < 2 or len({*ordinal}) < len(ordinal):
        given = ordinal if isinstance(ordinal, str) else ",".join(ordinal)
        raise ModelError(
            f"The order of the ranks is '{given}'; expected the names of all classes, each once, from the lowest to "
            f"the highest, such as none,mild,severe."
        )
    return tuple(ordinal)


def _check_costs(costs: Mapping[str, Mapping[str, float]]) -> None:
    for label, row in costs.items():
        for answer, cost in row.items():
            if not isinstance(cost, int | float) or not (math.isfinite(cost) and cost >= 0):
                raise ModelError(
                    f"The table of costs says {cost!r} where '{label}' is answered as '{answer}'. Expected a number, 0 "
                    f"or more."
                )
    if not any(cost for row in costs.values() for cost in row.values()):
        raise ModelError("All costs in the table of costs are 0. Expected a cost above 0 for at least one mistake.")
