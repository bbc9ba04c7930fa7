"""The options of `headstart train` that say what mistakes cost, and how they are read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from headstart.cli.helping import about_data

Cost = Annotated[
    Path | None,
    about_data(
        metavar="FILE",
        help="CSV of what each answer (column) costs where each class (row) is right; the answer is then the class of "
        "the least expected cost.",
    ),
]
Recall = Annotated[
    list[str] | None,
    about_data(
        metavar="CLASS=SHARE",
        help="Promise that this share of the class's photos is answered as it, such as defective=0.99: at most 1% are "
        "missed; give it again for others.",
    ),
]
Ordinal = Annotated[
    str | None,
    about_data(
        metavar="CLASS,CLASS,...",
        help="The classes are ordinal: name them from lowest to highest, such as none,mild,severe; or auto: in the "
        "order of their names. The answer is then the class with the least expected distance.",
    ),
]


def read_ordinal(order: str | None) -> bool | tuple[str, ...]:
    """See `Stakes`."""
    if order is None or order.strip().lower() == "auto":
        return order is not None
    return tuple(name.strip() for name in order.split(","))


LabelPrecision = Annotated[
    list[str] | None,
    about_data(
        metavar="LABEL=SHARE",
        help="With --multi-label: promise that this share of the photos given the label really show it, such as "
        "defective=0.95; give it again for others.",
    ),
]


def read_promises(promises: Sequence[str], option: str = "--recall") -> dict[str, float]:
    """CLASS=SHARE of each -> class -> share.

    Raises:
        BadParameter: one is written otherwise, or a class is named twice.
    """
    found: dict[str, float] = {}
    for promise in promises:
        label, _, share = promise.rpartition("=")
        try:
            number = float(share)
        except ValueError:
            label, number = "", 0.0
        if not label:
            raise typer.BadParameter(f"{option} {promise}: expected NAME=SHARE, such as defective=0.99.")
        if label in found:
            raise typer.BadParameter(f"{option} was given twice for '{label}': expected one share for each.")
        found[label] = number
    return found
