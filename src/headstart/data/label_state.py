"""Own labels and corrections -> the labels that count, and the id of that state. Reads no file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def state_id(differing: Iterable[tuple[str, str | None]]) -> str:
    """The name of a state of labels: 12 hexadecimal digits, "" where nothing differs.

    differing: digest and label (None: excluded) of each photo whose label is not the collection's own; in any order,
        and any number of times.
    """


def differing(
    labels: Mapping[str, str | None], digests: Sequence[str], own: Sequence[str]
) -> set[tuple[str, str | None]]:
    """What `state_id` wants. labels: of the journal. digests, own: of the photos of the collection; "" for no label."""
