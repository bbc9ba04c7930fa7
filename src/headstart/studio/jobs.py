"""Jobs: commands of headstart that run in processes of their own, and what the page is told of them.

They outlive the studio: whoever opens the collection next finds them by their folders. A training that was killed while
no studio was there, as when the power fails, is resumed. One that is killed under the eyes of a studio has failed: what
killed it, such as too little memory, would do so again. One job runs at a time, as each can use the whole machine; but
services are no work.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headstart.data.corrections import Journal
from headstart.studio.job_arguments import DIFF, EXPORT, SERVE, TRAIN, Work
from headstart.studio.job_files import KEEP, STOP, JobFolder, new_folder, now
from headstart.studio.problems import RefusalError

SECONDS_BETWEEN_LOOKS = 0.25
SHOWN_LOG = 2_000  # characters of what a failed command wrote
WAITING, RUNNING, STOPPING, DONE, STOPPED, FAILED = "waiting", "running", "stopping", "done", "stopped", "failed"
OVER = (DONE, STOPPED, FAILED)


@dataclass(eq=False)
class Job:
    """One job, and how far its events were read. happened: its events but for progress, as {n, event}."""

    folder: JobFolder
    document: dict[str, Any]
    state: str = WAITING
    step: str | None = None
    step_name: str | None = None
    progress: dict[str, Any] | None = None
    happened: list[dict[str, Any]] = field(default_factory=list)
    result: dict[str, Any] | None = None
    problem: str | None = None
    problem_more: dict[str, Any] | None = None  # as of `problems.told`
    ended: str | None = None
    process: subprocess.Popen | None = None  # that this studio has started
    file: Path | None = None  # of events, that is being read
    place: int = 0

    @property
    def id(self) -> str:
        return self.folder.path.name

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.document["kind"],
            "settings": self.document["settings"],
            "state": self.state,
            "started": self.document["at"],
            "ended": self.ended,
            "step": self.step,
            "step_name": self.step_name,
            "progress": self.progress,
            "result": self.result or self.document["result"],
            "problem": self.problem,
            "problem_more": self.problem_more,
        }

    def read_events(self) -> list[dict[str, Any]]:
        """The new ones; progress is noted, and not among them."""
        news = []
        for file in self.folder.events:
            if self.file and int(file.stem[7:]) < int(self.file.stem[7:]):
                continue
            if file != self.file:
                self.file, self.place = file, 0
            for event in self._lines(file):
                if event["event"] == "advanced":
                    over = event.pop("is_over", False)
                    self.progress = (
                        None if over else {key: event[key] for key in event if key not in ("event", "seconds")}
                    )
                    continue
                if event["event"] == "step_started":
                    self.step, self.step_name = event["title"], event["step"]
                self.happened.append({"n": len(self.happened) + 1, "event": event})
                news.append(self.happened[-1])
        return news

    def _lines(self, file: Path) -> list[dict[str, Any]]:
        with suppress(OSError), file.open("rb") as opened:
            opened.seek(self.place)
            content = opened.read()
            whole = content[: content.rfind(b"\n") + 1]
            self.place += len(whole)
            return [json.loads(line) for line in whole.splitlines()]
        return []


class Jobs:
    """Of one collection. folder: holds a folder for each. publish: tells the page."""

    def __init__(self, folder: Path, publish: Callable[..., None]) -> None:
        self._folder, self._publish = folder, publish
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._stopped = threading.Event()
        for path in sorted(folder.glob("[!.]*/job.json")):
            with suppress(OSError, ValueError, KeyError):
                found = JobFolder(path.parent)
                self._jobs[found.path.name] = Job(found, found.document())
        self._look()
        self._thread = threading.Thread(target=self._watch, name="jobs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Look no more. The jobs go on."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def all(self) -> list[dict[str, Any]]:
        """The newest first."""
        with self._lock:
            jobs = sorted(self._jobs.values(), key=lambda job: job.document["at"], reverse=True)
            return [job.to_json() for job in jobs]

    def get(self, id: str) -> Job:
        """
        Raises:
            RefusalError: there is no such job.
        """
        if id not in self._jobs:
            raise RefusalError("not-found", f"There is no job '{id}'.", reason="no-such-job")
        return self._jobs[id]

    def begin(
        self, kind: str, settings: dict[str, Any], work: Work, *, labels: Journal | None = None
    ) -> dict[str, Any]:
        """
        Args:
            labels: that the job is to learn from as they are now, whatever they become until it is resumed.

        Raises:
            DatasetError: the labels cannot be copied.
            RefusalError: the disk refuses.
        """
        at = now()
        id = f"{at[:19].replace(':', '')}-{uuid.uuid4().hex[:6]}"
        pinned = labels if labels and labels.state().step else None
        arguments = list(work.arguments)
        if labels:
            arguments = [each for each in arguments if not each.startswith("--corrections=")]
            kept = pinned and f"--corrections={self._folder / id / pinned.file.name}"
            arguments.append(kept or "--no-corrections")
        document = {
            "kind": kind, "settings": settings, "arguments": arguments, "has_events": work.has_events,
            "at_once": work.at_once, "result": work.result, "at": at,
        }  # fmt: skip

        def fill(folder: Path) -> None:
            if pinned:
                pinned.copy_to(folder / pinned.file.name)

        try:
            job = Job(new_folder(self._folder, id, document, fill), document)
        except OSError as error:
            raise RefusalError(
                "disk", f"The job cannot be written down: {error.strerror or error}.", reason="disk"
            ) from None
        with self._lock:
            self._jobs[id] = job
            self._look()
        return job.to_json()

    def stop(self, id: str, *, keep: bool) -> dict[str, Any]:
        """End a job. keep: a training ends as if its time was up, and leaves a run; but not one that still waits.

        Raises:
            RefusalError: there is no such job, or the disk refuses.
        """
        with self._lock:
            job = self.get(id)
            if job.state in OVER:
                return job.to_json()
            try:
                is_kept = keep and job.document["kind"] == TRAIN and job.state != WAITING
                job.folder.set_wish(KEEP if is_kept else STOP)
                if job.state == WAITING:
                    job.folder.end(-1)
            except OSError as error:
                raise RefusalError(
                    "disk", f"The job cannot be stopped: {error.strerror or error}.", reason="disk"
                ) from None
            self._look()
            return job.to_json()

    def resume(self, id: str) -> dict[str, Any]:
        """Start a training once more that was stopped, or failed: from the last epoch that it finished.

        Raises:
            RefusalError: it is none.
        """
        with self._lock:
            job = self.get(id)
            if job.document["kind"] != TRAIN or job.state not in (STOPPED, FAILED):
                raise RefusalError("busy", "Only a training that was stopped can be resumed.", reason="not-resumable")
            job.folder.not_ended()
            job.problem = job.problem_more = job.ended = job.process = None
            self._resume(job)
            self._look()
            return job.to_json()

    def remove(self, id: str) -> None:
        """Forget a job that is over; what it made stays.

        Raises:
            RefusalError: it is not over.
        """
        with self._lock:
            job = self.get(id)
            if job.state not in OVER:
                raise RefusalError("busy", "This job is not over yet. Stop it first.", reason="not-over")
            shutil.rmtree(job.folder.path, ignore_errors=True)
            del self._jobs[id]
        self._publish("jobs")

    def _watch(self) -> None:
        while not self._stopped.wait(SECONDS_BETWEEN_LOOKS):
            with self._lock:
                self._look()

    def _look(self) -> None:
        """See how far each job is, and start the next."""
        for job in self._jobs.values():
            if job.process is not None:
                job.process.poll()  # first: what it wrote before it ended is there then
            if job.state not in OVER:
                before = job.to_json()
                news = job.read_events()
                self._update(job)
                for each in news:
                    self._publish("job-event", id=f"{job.id}/{each['n']}", job=job.id, **each)
                if job.to_json() != before:
                    self._publish("job", id=job.id, job=job.to_json())
        waiting = [job for job in self._jobs.values() if job.state == WAITING]
        is_busy = any(job.state in (RUNNING, STOPPING) and not job.document["at_once"] for job in self._jobs.values())
        for job in sorted(waiting, key=lambda job: job.document["at"]):
            if job.document["at_once"] or not is_busy:
                is_busy |= not job.document["at_once"]
                self._launch(job)

    def _update(self, job: Job) -> None:
        is_starting = job.process is not None and job.process.returncode is None  # until it has its lock
        ended = job.folder.ended()
        if ended is not None:
            _finish(job, ended)
        elif is_starting or job.folder.is_running():
            job.state = STOPPING if job.folder.wish() else RUNNING
            if job.document["kind"] == SERVE and not job.result:
                address = _output(job).get("address")
                job.result = {**job.document["result"], "address": address} if address else None
        elif job.folder.log.exists():
            self._lost(job)

    def _lost(self, job: Job) -> None:
        """Its process was killed, unless the command still came to its end."""
        if _output(job) and "error" not in _output(job):
            job.folder.end(0)
        elif job.state == WAITING and job.document["kind"] == TRAIN and not job.folder.wish():
            self._resume(job)  # no studio was there
        else:
            job.folder.end(-9)

    @staticmethod
    def _resume(job: Job) -> None:
        if "--resume" not in job.document["arguments"]:
            job.document["arguments"].append("--resume")
            job.folder.rewrite(job.document)
        job.state = WAITING

    def _launch(self, job: Job) -> None:
        job.state = RUNNING
        job.folder.log.touch()
        job.process = subprocess.Popen(
            [sys.executable, "-m", "headstart.studio.job", str(job.folder.path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows': of a session of its own there
        )
        self._publish("job", id=job.id, job=job.to_json())


def _finish(job: Job, ended: dict[str, Any]) -> None:
    """What has come of a job that is over."""
    output, wish, kind = _output(job), job.folder.wish(), job.document["kind"]
    job.progress, job.ended = None, ended.get("at")
    if ended["status"] == 0 and not (wish and kind == SERVE):
        job.state, job.result = DONE, job.document["result"] | _summary(kind, output)
    elif wish:
        job.state = STOPPED
    else:
        job.state, error = FAILED, output.get("error", {})
        job.problem = error.get("message") or _end_of_log(job) or "It was killed."
        more = {"error": error["type"], "reason": error.get("reason"), **error.get("facts", {})} if error else None
        job.problem_more = more or {"reason": None if _end_of_log(job) else "killed"}


def _summary(kind: str, output: dict[str, Any]) -> dict[str, Any]:
    """Of what a command printed, what the page shows."""
    if kind == TRAIN:
        metrics = output.get("metrics", {})
        split = metrics.get("test") or metrics.get("validation") or {}
        return {"accuracy": split.get("accuracy"), "seconds": metrics.get("seconds", {}).get("total")}
    return output if kind in (EXPORT, SERVE, DIFF) else {}


def _output(job: Job) -> dict[str, Any]:
    """What the command has printed; empty before it is whole."""
    with suppress(OSError, ValueError):
        found = json.loads(job.folder.output.read_text("utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def _end_of_log(job: Job) -> str:
    with suppress(OSError):
        return job.folder.log.read_text("utf-8", "replace")[-SHOWN_LOG:].strip()
    return ""
