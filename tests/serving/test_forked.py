"""A server that makes the application first and then forks its workers, as gunicorn does with `--preload`."""

import os
import subprocess
import sys

import pytest

CODE = """
import os, signal, sys
from pathlib import Path
from fastapi.testclient import TestClient
from headstart.serving.app import create_app

app = create_app({"cells": Path(sys.argv[1])})
content = Path(sys.argv[2]).read_bytes()
for worker in range(2):
    if os.fork() == 0:
        signal.alarm(60)
        with TestClient(app) as client:
            answer = client.post("/v1/predict", content=content)
            assert answer.status_code == 200, answer.text
            print(answer.json()["predictions"][0]["label"], flush=True)
        os._exit(0)
assert [os.wait()[1] for worker in range(2)] == [0, 0]
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked on Windows")
def test_workers_that_are_forked_from_the_application_answer(run, classifier, cells):
    photo = cells["defective"][0]
    command = [sys.executable, "-W", "ignore", "-c", CODE, str(run.folder), str(photo)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [classifier.predict(photo).label] * 2
