"""The folder of a job: it runs once, and looks as it is, whoever writes it and is killed meanwhile."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headstart.studio.job import interrupt
from headstart.studio.job_files import JobFolder, new_folder
from headstart.time_limit import TIME_IS_UP

pytestmark = pytest.mark.process

HOLDS = """
import sys
from pathlib import Path
from headstart.studio.job_files import JobFolder
with JobFolder(Path(sys.argv[1])).locked() as is_mine:
    print(is_mine, flush=True)
    sys.stdin.read()
"""


def held(folder: JobFolder) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline().strip() == "True"
    return process


def test_a_job_is_running_as_long_as_its_process_lives(tmp_path: Path):
    folder = new_folder(tmp_path, "job", {"kind": "train"})
    assert not folder.is_running()
    with held(folder) as process:
        assert folder.is_running()
        with folder.locked() as is_mine:
            assert not is_mine, "it runs once"
        process.kill()
        process.wait(30)
        assert not folder.is_running()
    with folder.locked() as is_mine:
        assert is_mine


@pytest.mark.parametrize(("arguments", "status"), [(["cache"], 0), (["labels", "/no/such/folder"], 2)])
def test_a_command_leaves_what_it_said_and_how_it_ended(tmp_path: Path, arguments: list[str], status: int):
    folder = new_folder(tmp_path, "job", {"kind": "any", "arguments": arguments, "has_events": False})
    command = [sys.executable, "-m", "headstart.studio.job", str(folder.path)]
    ended = subprocess.run(command, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, b"", b"")
    assert (folder.ended() or {})["status"] == status
    assert ("error" in json.loads(folder.output.read_text("utf-8"))) == bool(status)
    assert bool(folder.log.read_text("utf-8")) == bool(status)


def test_a_command_is_told_nothing_before_it_listens():
    heard = []
    assert signal.getsignal(TIME_IS_UP) == signal.SIG_DFL
    assert not interrupt(TIME_IS_UP), "it would be killed"
    signal.signal(TIME_IS_UP, lambda number, frame: heard.append(number))
    try:
        assert interrupt(TIME_IS_UP)
        time.sleep(0)
    finally:
        signal.signal(TIME_IS_UP, signal.SIG_DFL)
    assert heard == [TIME_IS_UP]
