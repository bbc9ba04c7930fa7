"""The folder of a job: it runs once, and looks as it is, whoever writes it and is killed meanwhile."""

import subprocess
import sys
from pathlib import Path

from headstart.studio.job_files import JobFolder, new_folder

HOLDS = """
import sys
from pathlib import Path
from headstart.studio.job_files import JobFolder
with JobFolder(Path(sys.argv[1])).locked() as lock:
    print(lock is not None, flush=True)
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
        with folder.locked() as lock:
            assert lock is None, "it runs once"
        process.kill()
        process.wait(30)
        assert not folder.is_running()
    with folder.locked() as lock:
        assert lock is not None
