"""A job's own process: a command of headstart, run to its end, whatever becomes of the studio that started it.

    python -m headstart.studio.job FOLDER

FOLDER holds job.json, and gets what `job_files.py` lists. The process runs the command itself, as `python -m headstart`
would, and holds a lock on FOLDER/lock meanwhile: so each studio knows whether a job is still running, and a job never
runs twice. No child inherits that lock, and no signal goes to another process, so all of it is the same on Windows.
"""

import math
import os
import runpy
import signal
import sys
import threading
import time
import traceback
from _thread import interrupt_main
from pathlib import Path

from headstart.studio.job_files import KEEP, STOP, JobFolder
from headstart.time_limit import TIME_IS_UP

SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_TO_END = 20.0  # after the wish to stop
# What a job is told when it is to stop. KEEP: what was trained is finished, and kept; others just end.
SIGNALS = {STOP: signal.SIGINT, KEEP: TIME_IS_UP}


def run(folder: JobFolder) -> int:
    """The exit status of the command; 0 where another process runs the job already."""
    with folder.locked() as is_mine:
        if not is_mine:
            return 0
        document = folder.document()
        sys.argv = ["headstart", *document["arguments"], "--json"]
        if document["has_events"]:
            sys.argv += ["--events", str(folder.new_events())]
        _write_into(folder)
        threading.Thread(target=_hear, args=(folder,), daemon=True).start()
        status = _run_command()
        folder.end(status)
    return status


def _write_into(folder: JobFolder) -> None:
    """What the command writes goes into the folder, also what libraries write past Python."""
    for number, path, mode in ((1, folder.output, "wb"), (2, folder.log, "ab")):
        with path.open(mode) as file:
            os.dup2(file.fileno(), number)


def _run_command() -> int:
    try:
        runpy.run_module("headstart", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - as at the end of a program: the log says what went wrong
        traceback.print_exc()
        return 1
    return 0


def _hear(folder: JobFolder) -> None:
    """Tell the command what users wish, each wish once. One that does not end then is ended: what is still running is
    known by the lock, and that it was to stop by the wish."""
    told: dict[str, float] = {}
    while time.monotonic() - told.get(STOP, math.inf) < SECONDS_TO_END:
        wish = folder.wish()
        if wish and wish not in told and interrupt(SIGNALS[wish]):
            told[wish] = time.monotonic()
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)


def interrupt(number: int) -> bool:
    """Let the main thread handle a signal. Whether it does: a command that has only begun would be killed by some."""
    if not callable(signal.getsignal(number)):
        return False
    if sys.platform == "win32":
        interrupt_main(number)
    else:  # this ends what the thread waits for, too
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    return True


if __name__ == "__main__":
    if hasattr(signal, "SIGHUP"):  # of a terminal that is closed
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.exit(run(JobFolder(Path(sys.argv[1]))))
