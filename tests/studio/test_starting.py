"""Before the first photos are shown: what is imported, what waits, what a browser need not ask for again."""

import subprocess
import sys
import threading
import time

import pytest

from headstart.studio import calm
from headstart.studio.calm import Calm
from support.studio import StudioServer

TOLD = """
import sys
from headstart.commands.studio import studio
def tell(address):
    assert "/?token=" in address
    heavy = {"fastapi", "numpy", "cv2", "scipy", "sklearn", "openvino"} & sys.modules.keys()
    sys.exit(f"imported before the address is told: {heavy}" if heavy else 0)
studio(browser=False, tell=tell)
"""
OPENED = """
import sys
from headstart.studio.app import create_app
from headstart.studio.studio import Studio
create_app(Studio())
heavy = {"cv2", "scipy", "sklearn", "openvino", "matplotlib", "h5py"} & sys.modules.keys()
sys.exit(f"imported before any photo is shown: {heavy}" if heavy else 0)
"""


@pytest.mark.parametrize("code", [TOLD, OPENED], ids=["told", "opened"])
def test_what_is_not_needed_yet_is_not_imported(code: str):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_file_of_the_page_is_sent_once(studio: StudioServer):
    for path in ("/", "/app.js", "/css/tokens.css"):
        first = studio.client.get(path)
        assert first.status_code == 200
        assert first.headers["Cache-Control"] == "no-cache"
        again = studio.client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert "default-src 'none'" in again.headers["Content-Security-Policy"]
        assert studio.client.get(path, headers={"Authorization": ""}).status_code == 401


def test_thumbnails_of_others_and_of_no_photo_are_refused(studio: StudioServer):
    generation = studio.ask("/api/collection")["generation"]
    for path, status in ((f"{generation}/80", 404), ("1/0", 409), (f"{generation}/0x", 422), (f"{generation}/-1", 404)):
        assert studio.client.get(f"/thumbnails/{path}.webp").status_code == status


def test_heavy_work_waits_until_photos_are_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(calm, "SECONDS", 0.1)
    monkeypatch.setattr(calm, "AT_MOST", 5.0)
    opened, began = Calm(), threading.Event()
    thread = threading.Thread(target=lambda: (opened.wait(threading.Event()), began.set()))
    thread.start()
    for _ in range(4):
        time.sleep(0.04)
        opened.disturb()
        assert not began.is_set()
    assert began.wait(2.0), "nobody has asked for anything since"
    thread.join()
    closed = threading.Event()
    closed.set()
    Calm().wait(closed)  # at once
