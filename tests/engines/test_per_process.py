"""What each process makes for itself: a forked child neither uses nor closes what its parent made."""

import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from headstart.engines.base import CompileError
from headstart.engines.openvino import OpenVINOEngine
from headstart.engines.per_process import PerProcess

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked on Windows")

FORK = """
import gc, multiprocessing, os, signal, sys
import headstart as hs

run, photo = sys.argv[1:]
predictor = hs.Predictor(run)
expected, places = predictor.predict(photo), predictor.explain(photo).places

def use():
    assert predictor.predict(photo) == expected
    assert (predictor.explain(photo).places == places).all()

def close():
    global predictor
    del predictor
    gc.collect()

for work in (use, close, lambda: (use(), close()), lambda: None):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        work()
        sys.exit(0)  # with all that Python does at its end
    assert os.waitpid(child, 0)[1] == 0
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(predictor.predict, [photo] * 3) == [expected] * 3
use()
print("done")
"""

KERAS = """
import os, signal, sys
import headstart as hs

classifier = hs.load(sys.argv[1])
classifier.predict(sys.argv[2])
if os.fork() == 0:
    signal.alarm(60)
    try:
        classifier.predict(sys.argv[2])
    except hs.HeadstartError as error:
        print(error)
    os._exit(0)
assert os.wait()[1] == 0
"""


def in_another_process(code: str, *arguments: object) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.process
def test_a_forked_process_may_use_its_parents_predictor_or_not(run, cells):
    assert in_another_process(FORK, run.folder, cells["functional"][0]) == "done\n"


@pytest.mark.process
def test_keras_in_a_forked_process_is_one_message(run, cells):
    assert "Keras cannot compute in a process that was forked" in in_another_process(
        KERAS, run.folder, cells["functional"][0]
    )


def in_a_child(work) -> int:
    """The exit status of a forked process that does this: 0, or 1 for an exception."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_value_is_made_once_in_each_process():
    made = []
    holder = PerProcess(lambda: made.append(os.getpid()) or len(made))
    assert [holder.get(), holder.get()] == [1, 1]

    def in_child():
        assert [holder.get(), holder.get()] == [2, 2]
        assert made == [os.getppid(), os.getpid()]

    assert in_a_child(in_child) == 0
    assert made == [os.getpid()]


def test_a_child_does_not_wait_for_a_thread_of_its_parent_that_is_making_one():
    started, go_on = threading.Event(), threading.Event()

    def make() -> int:
        started.set()
        if os.getpid() == parent:
            go_on.wait(60)
        return os.getpid()

    parent, holder = os.getpid(), PerProcess(make)
    thread = threading.Thread(target=holder.get)
    thread.start()
    started.wait(60)
    status = in_a_child(holder.get)
    go_on.set()
    thread.join()
    assert status == 0
    assert holder.get() == parent


def test_an_engine_whose_file_was_replaced_is_not_opened_by_a_child(run, tmp_path):
    file = shutil.copytree(run.folder / "engine", tmp_path / "engine") / "network.xml"
    engine = OpenVINOEngine(file)
    file.touch()

    def in_child():
        with pytest.raises(CompileError, match="changed or removed after it was opened"):
            list(engine.run([]))

    assert in_a_child(in_child) == 0
    assert list(engine.run([])) == []
