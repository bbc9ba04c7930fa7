"""JobFolder: the files of a job. Its process writes them, every studio reads them. Knows no commands.

*.headstart.db  the labels that a training learns from, as they were when it was asked for
job.json      kind, settings, arguments of the command line, ...: written before the process starts
lock          locked by the process, as long as it runs the command
events-1.jsonl, events-2.jsonl, ...   what happened; each time that the job is started gives one more
output.json   what the command printed      log.txt    what it wrote to standard error
wish          what a user wishes: "stop" or "keep"
ended.json    exit status and time: the job is over
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

STOP, KEEP = "stop", "keep"


@dataclass(frozen=True)
class JobFolder:
    """path: of the folder; its name is the job's id."""

    path: Path

    @property
    def output(self) -> Path:
        return self.path / "output.json"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def events(self) -> list[Path]:
        """In the order of their time."""
        return sorted(self.path.glob("events-*.jsonl"), key=lambda file: int(file.stem.partition("-")[2]))

    def new_events(self) -> Path:
        return self.path / f"events-{len(self.events) + 1}.jsonl"

    def document(self) -> dict[str, Any]:
        """job.json."""
        return json.loads((self.path / "job.json").read_text("utf-8"))

    def rewrite(self, document: dict[str, Any]) -> None:
        self._write("job.json", json.dumps(document))

    def wish(self) -> str | None:
        with suppress(OSError):
            text = (self.path / "wish").read_text("ascii")
            return text if text in (STOP, KEEP) else None
        return None

    def set_wish(self, wish: str | None) -> None:
        """
        Raises:
            OSError: the disk refuses.
        """
        if wish is None:
            (self.path / "wish").unlink(missing_ok=True)
        else:
            self._write("wish", wish)

    def ended(self) -> dict[str, Any] | None:
        with suppress(OSError, ValueError):
            return json.loads((self.path / "ended.json").read_text("utf-8"))
        return None

    def end(self, status: int) -> None:
        self._write("ended.json", json.dumps({"status": status, "at": now()}))

    def not_ended(self) -> None:
        """It is to be started once more."""
        (self.path / "ended.json").unlink(missing_ok=True)
        self.set_wish(None)

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Whether the lock is this process's, until the block ends or the process does; else it is another's."""
        import portalocker  # takes a moment, and most collections have no job that is not over

        with (self.path / "lock").open("a+") as file:
            try:
                portalocker.lock(file, portalocker.LOCK_EX | portalocker.LOCK_NB)
            except portalocker.LockException:
                yield False
                return
            yield True

    def is_running(self) -> bool:
        """Whether its process lives."""
        with suppress(OSError), self.locked() as is_free:
            return not is_free
        return False

    def _write(self, name: str, text: str) -> None:
        """Whole or not at all."""
        temporary = self.path / f".{name}.{os.getpid()}"
        temporary.write_text(text, "utf-8")
        temporary.replace(self.path / name)


def new_folder(
    parent: Path, id: str, document: dict[str, Any], fill: Callable[[Path], None] = lambda folder: None
) -> JobFolder:
    """A folder that appears whole. fill: writes more into it.

    Raises:
        OSError: the disk refuses; or what `fill` raises.
    """
    beside = parent / f".{id}"
    beside.mkdir(parents=True)
    try:
        fill(beside)
        (beside / "job.json").write_text(json.dumps(document), "utf-8")
        beside.rename(parent / id)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return JobFolder(parent / id)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
