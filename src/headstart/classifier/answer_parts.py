"""A task, which is plain data: photos -> a part of their answers, one Parquet file that is there whole or not at all.

The file's name is a digest of everything that its content follows from. So whoever does a task twice, as after a
machine was lost, replaces the file by the same one. Knows nothing of who does the tasks.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from headstart.classifier.answer_table import parquet, table
from headstart.classifier.answers import Answer, Question, answers
from headstart.classifier.predictor import Predictor
from headstart.errors import DatasetError, ImageError, RunError
from headstart.events import Advance
from headstart.storage import locations
from headstart.storage.hashing import sha256
from headstart.storage.urls import is_url

# Photos. A core answers some 100 in a second: so much work is lost with a machine, at most, and what a task costs
# besides, milliseconds, is no part of it. Ten million photos are 5,000 files.
PART = 2000
NAME = re.compile(r"part-[0-9a-f]{32}\.parquet")
SHOWN = 10  # sentences about photos that cannot be read, of each part


@dataclass(frozen=True)
class AnswerTask:
    """Photos, what is asked about them, and where the answers are written. All of it can be sent to a process.

    facts: what stands in each file's metadata: the classifier's digest, ... far_away: whether another machine does it,
    which may not see what this one sees.
    """

    paths: tuple[str, ...]
    question: Question
    facts: dict[str, Any]
    out: str
    far_away: bool = False

    @property
    def name(self) -> str:
        content = json.dumps([self.facts, asdict(self.question), self.paths], sort_keys=True)
        return f"part-{sha256(content.encode('utf-8', 'surrogateescape'))[:32]}.parquet"


@dataclass(frozen=True)
class AnsweredPart:
    """What became of a task. place: of its file. unreadable: how many photos cannot be read; problems: what is wrong
    with the first of them."""

    place: str
    photos: int
    unreadable: int
    problems: tuple[str, ...]


def answer_part(opened: Callable[[], Predictor], task: AnswerTask, *, advance: Advance | None = None) -> AnsweredPart:
    """Answer the photos of a task, and put the file into its place.

    opened: gives the classifier. advance: is told of each photo.

    Raises:
        HeadstartError: the file cannot be written, or photos cannot be read for a reason that lies with none of them.
    """
    return write_answers(opened(), task, f"{task.out}/{task.name}", advance=advance)


def write_answers(
    predictor: Predictor, task: AnswerTask, place: str, *, advance: Advance | None = None
) -> AnsweredPart:
    """The same, with a file that is named."""
    rows, problems = [], []
    for answer in answers(predictor, task.paths, task.question):
        rows.append(answer)
        if isinstance(answer.found, ImageError):
            problems.append(str(answer.found))
        if advance:
            advance(1)
    if task.far_away:
        _check_seen(rows)
    write(place, parquet(table(rows, task.question, task.facts)))
    return AnsweredPart(place, len(rows), len(problems), tuple(problems[:SHOWN]))


def write(place: str, content: bytes) -> None:
    """
    Raises:
        HeadstartError: the file cannot be written.
    """
    try:
        locations.write(place, content)
    except OSError as error:
        raise RunError(
            f"'{place}' cannot be written: {error.strerror or error}. The parts that are written stay: make space, or "
            f"get the right to write, and give the same command again."
        ) from error


def _check_seen(rows: Sequence[Answer]) -> None:
    """
    Raises:
        DatasetError: none of the photos is there: this is not the machine that listed them.
    """
    if all(row.digest is None and not is_url(row.path) for row in rows):
        raise DatasetError(
            f"A machine of the cluster cannot read any of {len(rows)} photos: {rows[0].found} Put the photos where all "
            f"machines see them under the same path, or on an object store, and name that."
        )
