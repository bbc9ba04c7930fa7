"""A job's own process: a command of headstart, run to its end, whatever becomes of the studio that started it.

    python -m headstart.studio.job FOLDER

FOLDER holds job.json, and gets what `job_files.py` lists. The process holds a lock on FOLDER/lock as long as it lives:
so each studio knows whether a job is still running, and a job never runs twice.
"""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from headstart.studio import job_files
from headstart.studio.job_files import JobFolder

SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_TO_END = 20.0  # after the wish to stop
# What a job is told when it is to stop. KEEP: what was trained is finished, and kept; others just end.
SIGNALS = {job_files.STOP: signal.SIGINT, job_files.KEEP: getattr(signal, "SIGUSR1", signal.SIGINT)}


def run(folder: JobFolder) -> int:
    """The exit status of the command; 0 where another process runs the job already."""
    with folder.locked() as lock:
        if lock is None:
            return 0
        document = folder.document()
        command = [sys.executable, "-m", "headstart", *document["arguments"], "--json"]
        if document["has_events"]:
            command += ["--events", str(folder.new_events())]
        with folder.output.open("wb") as output, folder.log.open("ab") as log:
            # the command holds the lock, too: should this process be killed, it still runs
            given: dict[str, Any] = {"pass_fds": (lock,)} if os.name == "posix" else {}
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=log, **given)
            _wait(process, folder)
        folder.end(process.returncode)
        return process.returncode


def _wait(process: subprocess.Popen, folder: JobFolder) -> None:
    """Until the process ends. It is told what users wish, each wish once; who does not listen is ended."""
    told: dict[str, float] = {}
    while process.poll() is None:
        wish = folder.wish()
        if wish and wish not in told and (wish == job_files.STOP or _has_begun(folder)):
            told[wish] = time.monotonic()
            process.send_signal(SIGNALS[wish])
        if time.monotonic() - told.get(job_files.STOP, math.inf) > SECONDS_TO_END:
            process.kill()
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _has_begun(folder: JobFolder) -> bool:
    """Whether the command has told anything: before, it does not know the signal of KEEP yet."""
    return any(file.stat().st_size for file in folder.events[-1:])


if __name__ == "__main__":
    if hasattr(signal, "SIGHUP"):  # of a terminal that is closed
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.exit(run(JobFolder(Path(sys.argv[1]))))
