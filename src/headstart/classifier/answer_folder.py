"""The place where parts of answers lie, a folder or a prefix of an object store: which photos have an answer there.

    ANSWERS/
      _answers.json             what the answers are of: the classifier's digest, and what was asked
      part-DIGEST.parquet ...   some thousands of photos each; readers of Parquet take the folder as one table

A photo that has an answer there gets no second one, whether it was listed again, or the work was stopped in between.
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import numpy as np

from headstart.classifier.answer_parts import NAME, PART, AnswerTask, write
from headstart.classifier.answer_table import text_of
from headstart.classifier.answers import Question
from headstart.concurrency import prefetch
from headstart.errors import RunError
from headstart.storage import locations
from headstart.storage.hashing import sha256

CARD = "_answers.json"  # readers of Parquet pass over names that begin so
SCHEMA = 1
AT_ONCE = 16  # parts that are read at a time, to learn which photos they answer


class AnswerFolder:
    """Where the answers of one classifier to one question lie, or will lie."""

    def __init__(self, place: str, question: Question, facts: dict[str, Any]) -> None:
        """Look what is there, and begin where there is nothing.

        facts: what the answers follow from besides; see `AnswerTask`.

        Raises:
            RunError: something else is there, or answers of another classifier, or to another question.
            HeadstartError: the place cannot be read or written.
        """
        self.place, self.question, self.facts = place.rstrip("/") or place, question, facts
        names = [listed.place.rpartition("/")[2] for listed in self._listed()]
        self._parts = sorted(name for name in names if NAME.fullmatch(name))
        card = {"schema": SCHEMA, **facts, **asdict(question)}
        if CARD in names:
            self._compare(json.loads(locations.read(self._at(CARD))), card)
        elif names:
            raise RunError(
                f"'{self.place}' holds something else, such as '{names[0]}'. Answers are written into a new folder, or "
                f"into one with answers of the same classifier: choose another."
            )
        else:
            write(self._at(CARD), json.dumps(card, indent=2, ensure_ascii=False).encode())
        self.answered, self.unreadable, self._known = 0, 0, np.zeros(0, np.uint64)
        self._look()

    def tasks(self, paths: Sequence[str], **settings: bool) -> Iterator[AnswerTask]:
        """Those photos that have no answer, in tasks of up to PART.

        Tasks are cut before the answered ones are left out. So whoever starts again cuts the same ones, and gets the
        same files where somebody of an earlier start is still at work.
        """
        for start in range(0, len(paths), PART):
            left = self._unanswered(paths[start : start + PART])
            if left:
                yield AnswerTask(left, self.question, self.facts, self.place, **settings)

    def _listed(self) -> Iterator[locations.Listed]:
        try:
            yield from locations.list_files(self.place)
        except FileNotFoundError:
            return

    def _at(self, name: str) -> str:
        return f"{self.place}/{name}"

    def _compare(self, found: dict[str, Any], wanted: dict[str, Any]) -> None:
        other = [name for name in wanted if found.get(name) != json.loads(json.dumps(wanted[name]))]
        if other:
            raise RunError(
                f"'{self.place}' holds answers of another kind: they differ in {', '.join(other)}. Answers are added "
                f"only to those of the same classifier to the same question: choose another place."
            )

    def _look(self) -> None:
        """Read which photos have an answer: eight bytes of memory for each."""
        keys = []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for paths, unreadable in prefetch(pool, self._paths_of, self._parts, 2 * AT_ONCE):
                keys.append(np.fromiter(map(_key, paths), np.uint64, len(paths)))
                self.answered, self.unreadable = self.answered + len(paths), self.unreadable + unreadable
        if keys:
            self._known = np.sort(np.concatenate(keys))

    def _paths_of(self, name: str) -> tuple[list[str], int]:
        """The photos of a part, and how many of them cannot be read.

        Raises:
            RunError: it is no part.
        """
        import pyarrow as pa
        from pyarrow import parquet as pq

        try:
            content = pa.BufferReader(locations.read(self._at(name)))
            table = pq.read_table(content, columns=["path", "error"])
        except (OSError, pa.ArrowException, KeyError) as error:
            raise RunError(
                f"'{self._at(name)}' cannot be read: {error}. Remove it: it will be written again."
            ) from error
        return table["path"].to_pylist(), len(table) - table["error"].null_count

    def _unanswered(self, paths: Sequence[str]) -> tuple[str, ...]:
        if not len(self._known):
            return tuple(paths)
        keys = np.array([_key(text_of(path)) for path in paths], np.uint64)
        nearest = self._known[np.searchsorted(self._known, keys).clip(max=len(self._known) - 1)]
        return tuple(path for path, is_new in zip(paths, nearest != keys, strict=True) if is_new)


def _key(path: str) -> int:
    """64 bits of a digest: of ten million photos, two have the same with a chance of one in 370,000."""
    return int(sha256(path.encode())[:16], 16)
