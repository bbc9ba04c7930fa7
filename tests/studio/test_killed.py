"""kill -9 at any moment: whatever was answered as done is there when the studio opens again.

HEADSTART_KILLS=100 for as many moments as the benchmark counts.
"""

import os
import random
import shutil
import signal
import threading
import time
from pathlib import Path

import httpx

from support.studio import StudioServer

KILLS = int(os.environ.get("HEADSTART_KILLS", "3"))


class User:
    """Sets labels as fast as they are answered, and remembers what was."""

    def __init__(self, server: StudioServer, random: random.Random, known: dict[int, str | None]) -> None:
        self.labels, self._server, self._random = dict(known), server, random
        self.pending: tuple[list[int], str | None] | None = None  # asked, and not answered
        self.done = 0
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        with self._server.new_client() as client:
            while True:
                some = self._random.sample(sorted(self.labels), self._random.randint(1, 5))
                label = self._random.choice(["a", "b", "c", None])
                self.pending = some, label
                try:
                    answer = client.post("/api/labels", json={"ids": some, "label": label})
                except httpx.HTTPError:
                    return
                assert answer.status_code == 200, answer.text
                self.labels |= dict.fromkeys(some, label)
                self.pending = None
                self.done += 1


def labels_of(server: StudioServer) -> dict[int, str | None]:
    ids = server.ids() + server.ids(excluded=True)
    rows = server.ask("/api/photos/details", ids=ids)["photos"]
    return {row["id"]: None if row["excluded"] else row["label"] for row in rows}


def test_no_label_is_lost(photos: Path, tmp_path: Path):
    folder, generator = shutil.copytree(photos, tmp_path / "cells"), random.Random(3)
    known: dict[int, str | None] = {}
    total = 0
    for _ in range(KILLS):
        server = StudioServer(folder)
        try:
            server.wait_for(lambda collection: collection["reading"] is None)
            found = labels_of(server)
            assert {id: found[id] for id in known} == known
            user = User(server, generator, found)
            time.sleep(generator.uniform(0.02, 1.5))
            server.process.send_signal(signal.SIGKILL)
            user.join()
        finally:
            server.stop()
        known, total = user.labels, total + user.done
        if user.pending:  # it may have been done without an answer: then all of it
            with StudioServer(folder) as again:
                again.wait_for(lambda collection: collection["reading"] is None)
                now = labels_of(again)
            ids, label = user.pending
            was_done = {now[id] for id in ids} == {label}
            known |= dict.fromkeys(ids, label) if was_done else {}
            assert now == known
    assert total > 5 * KILLS
    assert not list(folder.rglob("*.db*")), "something was written among the photos"


def test_a_training_outlives_the_studio_and_is_resumed_if_it_is_killed(photos: Path, tmp_path: Path):
    folder = shutil.copytree(photos, tmp_path / "cells")
    server = StudioServer(folder)
    try:
        server.wait_for(lambda collection: collection["reading"] is None)
        state = server.ask("/api/labels", ids=server.ids()[:2], label="functional")["state"]
        job = server.ask("/api/jobs", kind="train", settings={"name": "first", "fine_tune": "never"})
        assert job["state"] == "running"
        server.wait_for(lambda jobs: processes_of(job["id"]), "/api/jobs")
        server.process.send_signal(signal.SIGKILL)
    finally:
        server.stop()
    server = StudioServer(folder)
    try:
        [found] = server.ask("/api/jobs")
        assert (found["id"], found["state"]) == (job["id"], "running")
        server.ask("/api/labels", ids=server.ids()[:7], label="other")
        assert len(processes_of(job["id"])) == 1, "it runs once"
        server.process.send_signal(signal.SIGKILL)
    finally:
        server.stop()
    for process in processes_of(job["id"]):  # the power fails
        os.kill(process, signal.SIGKILL)
    with StudioServer(folder) as again:
        done = again.wait_for(lambda jobs: jobs[0]["state"] not in ("running", "waiting"), "/api/jobs", 120)[0]
        assert (done["id"], done["state"]) == (job["id"], "done"), again.log()
        events = again.ask(f"/api/jobs/{job['id']}/events")
        assert [each["n"] for each in events] == list(range(1, len(events) + 1))
        assert "head_solved" in {each["event"]["event"] for each in events}
        assert again.ask("/api/runs")[0]["labels_state"] == state, "it learned from the labels of when it was asked for"
        check_run(again, folder)
        check_killed_one(again)
        assert again.client.delete(f"/api/jobs/{job['id']}").json() == []
        assert (folder.parent / "cells-runs" / "first" / "classifier.json").is_file(), "the run stays"


def check_killed_one(server: StudioServer) -> None:
    """A training that is killed while the studio looks has failed, and can be resumed, or forgotten."""
    id = server.ask("/api/jobs", kind="train", settings={"name": "second", "fine_tune": "never"})["id"]

    def job_in(*states: str) -> dict:
        def is_there(jobs: list[dict]) -> bool:
            return any(job["id"] == id and job["state"] in states for job in jobs)

        return next(job for job in server.wait_for(is_there, "/api/jobs", 120) if job["id"] == id)

    server.wait_for(lambda jobs: processes_of(id), "/api/jobs")
    for process in processes_of(id):
        os.kill(process, signal.SIGKILL)
    failed = job_in("failed")
    assert failed["problem_more"] == {"reason": "killed"}
    server.ask(f"/api/jobs/{id}/resume", any=True)
    assert server.ask(f"/api/jobs/{id}/stop", keep=False)["state"] == "stopping"
    job_in("stopped")
    assert not (server.client.delete(f"/api/jobs/{id}").is_error)


def check_run(server: StudioServer, folder: Path) -> None:
    """The run `first` is shown, tried, and compared; nothing else of its folder is."""
    [run] = server.ask("/api/runs")
    assert (run["name"], run["classes"]) == ("first", ["defective", "functional"])
    assert server.ask("/api/runs/first")["class_names"] == ["defective", "functional"]
    report = server.client.get("/runs/first/report")
    assert report.text.lower().startswith("<!doctype html>")
    assert "sandbox" in report.headers["Content-Security-Policy"]
    assert server.client.get("/runs/first/files/plots/confusion_matrix.png").content[:4] == b"\x89PNG"
    for path in ("classifier.json/..%2f..%2fx", "model.keras", "plots/%2e%2e/metrics.json", "%2fetc%2fpasswd"):
        assert server.client.get(f"/runs/first/files/{path}").status_code == 404
    for name in ("..", "%2e%2e", "no", "first%2f..", "cells"):
        assert server.client.get(f"/api/runs/{name}").status_code in (404, 422)
    photo = next(folder.rglob("*.png")).read_bytes()
    tried = server.client.post("/api/try?run=first", content=photo, headers={"Content-Type": "image/png"}).json()
    assert tried["answer"] in ("defective", "functional")
    assert tried["class_names"] == ["defective", "functional"]
    assert len(tried["map"]["values"]) == tried["map"]["width"] * tried["map"]["height"]
    compared = server.ask("/api/runs/compare", a="first", b="first")
    assert (compared["only_a"], compared["only_b"], compared["p"]) == (0, 0, 1.0)


def processes_of(job: str) -> list[int]:
    """That run the job."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if job.encode() in command:
            found.append(int(entry.name))
    return found
