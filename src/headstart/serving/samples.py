"""Samples: a small, random part of the photos that a service answers, kept in a folder with the answers beside them.

Off unless the operator names a folder, and said on the page. Which photos are kept, their digests decide, so a photo
that is sent twice is kept once. The folder is bounded; `headstart studio` opens it as a queue of questions.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from headstart.data.answers_file import COLUMNS, TABLE
from headstart.data.formats import FORMAT_OF_SUFFIX, HEAD, format_of
from headstart.errors import ServiceError
from headstart.serving.limits import MEGABYTE
from headstart.storage.hashing import sha256
from headstart.storage.locations import write

RATE = 0.01  # share of the photos
MOST = 1_000  # photos
MOST_BYTES = 1_000 * MEGABYTE
SUFFIX_OF_FORMAT = {name: suffix for suffix, name in reversed(FORMAT_OF_SUFFIX.items())}


@dataclass(frozen=True)
class SampleSettings:
    """rate: share of the photos that are kept, above 0, at most 1. most: photos in the folder.

    Raises:
        ServiceError: a number is impossible.
    """

    folder: Path
    rate: float = RATE
    most: int = MOST

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise ServiceError(f"The rate {self.rate:g} was given; expected a share above 0, at most 1, such as 0.01.")
        if self.most < 1:
            raise ServiceError(f"At most {self.most} photos are to be kept; expected 1 or more.")


class SampleKeeper:
    """Several threads may use it. kept: photos in the folder; bytes: of them."""

    def __init__(self, settings: SampleSettings) -> None:
        """
        Raises:
            ServiceError: the folder cannot be written.
        """
        self.settings, self._lock = settings, Lock()
        folder = settings.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            photos = [file for file in folder.iterdir() if file.suffix in FORMAT_OF_SUFFIX]
            self.kept, self.bytes = len(photos), sum(file.stat().st_size for file in photos)
            self._table = folder / TABLE
            written = self._table.read_bytes() if self._table.exists() else b""
            if not written:
                self._append(COLUMNS)
            elif not written.endswith(b"\n"):  # the last line was not written to its end
                self._append(())
        except OSError as error:
            raise ServiceError(
                f"Samples cannot be kept in '{folder}': {error.strerror or error}. Choose another folder."
            ) from None

    def wants(self, content: bytes) -> bool:
        """Whether a photo is to be kept, if there is room: the digest is a number that nobody chooses."""
        return int(sha256(content)[:8], 16) < self.settings.rate * 2**32

    @property
    def is_full(self) -> bool:
        return self.kept >= self.settings.most or self.bytes >= MOST_BYTES

    def keep(self, content: bytes, answer: Mapping[str, Any], model: str, digest: str) -> bool:
        """Write a photo, and then its line in the table. Whether it is new.

        answer: its row of `/v1/predict`. model, digest: who answered.

        Raises:
            OSError: it cannot be written.
        """
        name = f"{sha256(content)}{SUFFIX_OF_FORMAT.get(format_of(content[:HEAD]) or '', '.jpg')}"
        place = self.settings.folder / name
        with self._lock:
            if place.exists() or self.is_full or self.bytes + len(content) > MOST_BYTES:
                return False
            write(place, content)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            self._append(
                (name, answer["label"], f"{answer['probability']:.6f}", int(answer["sure"]), int(answer["familiar"]),
                 model, digest, now)
            )  # fmt: skip
            self.kept, self.bytes = self.kept + 1, self.bytes + len(content)
        return True

    def _append(self, cells: tuple) -> None:
        """A whole line, by one write."""
        line = io.StringIO()
        csv.writer(line).writerow(cells)
        with self._table.open("ab") as file:
            file.write(line.getvalue().encode())
