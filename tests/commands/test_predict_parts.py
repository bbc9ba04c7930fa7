"""`headstart predict --out ANSWERS/`: here, killed and started again, at URLs, and on a cluster that loses machines."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pyarrow import parquet as pq

import headstart as hs
from headstart import cli, commands
from headstart.classifier import answer_folder
from headstart.errors import ClusterError, DatasetError, LocationError, RunError
from support.cluster import add_node, wait_until
from support.recording import Recorder

PART = 5  # photos
COUNT = 40  # photos that are asked about
SLOW = 0.4  # seconds, that a photo takes to arrive


class SlowPhotos(ThreadingHTTPServer):
    """Serves a folder on this machine; each photo takes a while. asked: how often each was asked for."""

    def __init__(self, folder: Path) -> None:
        self.asked: Counter[str] = Counter()
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.server_address[1]}/defective"


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.endswith(".png") and isinstance(self.server, SlowPhotos):
            self.server.asked[self.path] += 1
            time.sleep(SLOW)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def slow(photos: Path) -> Iterator[SlowPhotos]:
    with SlowPhotos(photos) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_folder, "PART", PART)


def rows_in(out: Path) -> dict[str, dict]:
    """Photo -> its row; fails if it has two."""
    rows = [row for part in parts_of(out) for row in pq.read_table(part).to_pylist()]
    assert len({row["path"] for row in rows}) == len(rows)
    return {row["path"].rpartition("/")[2]: row | {"path": ""} for row in rows}


def parts_of(out: Path) -> list[Path]:
    return list(out.glob("part-*.parquet"))


@pytest.fixture(scope="module")
def expected(run: hs.Run, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """The rows that this machine writes."""
    out = tmp_path_factory.mktemp("expected") / "answers"
    commands.predict_parts(run.folder, photos / "defective", out)
    return rows_in(out)


def call(*arguments: object) -> int:
    """The exit status of the command line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["headstart", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    return int(stopped.value.code or 0)


def test_parts_hold_what_the_other_formats_hold(run, photos, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert call("predict", run.folder, photos, "--out", "answers/") == 0
    assert f"80 answers in {tmp_path / 'answers'}." in capfd.readouterr().out
    assert call("predict", run.folder, photos, "--out", "answers.parquet") == 0
    assert call("predict", run.folder, photos, "--out", "answers.jsonl") == 0
    lines = [json.loads(line) for line in Path("answers.jsonl").read_text("utf-8").splitlines()]
    whole = pq.read_table("answers.parquet").to_pylist()
    [part] = parts_of(Path("answers"))
    assert pq.read_table(part).to_pylist() == whole
    for row, line in zip(whole, lines, strict=True):
        assert row["probabilities"] == list(line["probabilities"].items())
        assert {name: row[name] for name in ("path", "label", "probability", "sure", "familiar")} == {
            name: line[name] for name in ("path", "label", "probability", "sure", "familiar")
        }
    facts = json.loads(pq.read_schema(part).metadata[b"headstart"])
    assert facts["class_names"] == ["defective", "functional"]


def test_the_same_command_goes_on_and_new_photos_get_their_answers(run, make_folder, tmp_path, small_parts, capfd):
    make_folder(tmp_path / "photos", {"a": 12})
    out = tmp_path / "answers"
    commands.predict_parts(run.folder, tmp_path / "photos", out)
    before = {part.name: part.stat().st_mtime_ns for part in parts_of(out)}
    make_folder(tmp_path / "photos", {"b": 3}, skip=20)
    (tmp_path / "photos" / "words.jpg").write_text("words")
    listener = Recorder()
    found = commands.predict_parts(run.folder, tmp_path / "photos", out, listener=listener)
    assert (found.photos, found.before, found.answers, found.unreadable) == (16, 12, 16, 1)
    assert listener.progress[-1].total == 4
    assert len(rows_in(out)) == 16
    assert before.items() <= {part.name: part.stat().st_mtime_ns for part in parts_of(out)}.items()
    assert call("predict", run.folder, tmp_path / "photos", out / "nothing.jpg", "--out", f"{out}/") == 2
    said = capfd.readouterr()
    assert "nothing.jpg' cannot be opened: No such file" in said.err
    assert "17 answers" in said.out
    assert "16 of them from before. 2 photos cannot be read" in said.out


def test_a_process_that_is_killed_leaves_whole_parts_and_the_next_goes_on(run, slow, expected, tmp_path, small_parts):
    out = tmp_path / "answers"
    killed_after(2, driver(run, slow.url, out), out)
    there = len(parts_of(out))
    found = commands.predict_parts(run.folder, slow.url, out)
    assert (found.before, found.answers) == (PART * there, COUNT)
    assert rows_in(out) == expected
    assert sum(slow.asked.values()) <= COUNT + PART, "at most one part's work is done twice"


def driver(run: hs.Run, images: str, out: Path, **settings: str) -> subprocess.Popen:
    code = (
        "import sys; from headstart import commands; from headstart.classifier import answer_folder\n"
        f"answer_folder.PART = {PART}\n"
        f"commands.predict_parts({str(run.folder)!r}, {images!r}, {str(out)!r}, **{settings!r})"
    )
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, env=os.environ)


def killed_after(parts: int, process: subprocess.Popen, out: Path) -> None:
    try:
        wait_until(lambda: len(parts_of(out)) >= parts or process.poll() is not None)
        assert process.poll() is None, process.communicate()[1]
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def test_answers_of_a_cluster_are_those_of_this_machine(run, photos, expected, cluster, tmp_path, small_parts):
    listener = Recorder()
    out = tmp_path / "answers"
    found = commands.predict_parts(run.folder, photos / "defective", out, on="ray", listener=listener)
    assert (found.answers, listener.progress[-1].done, len(parts_of(out))) == (COUNT, COUNT, COUNT // PART)
    assert rows_in(out) == expected


def test_from_an_object_store_into_it(run, photos, expected, object_store, tmp_path, small_parts):
    new = object_store.put_folder(photos / "defective", "cells/new")
    out = f"{object_store.url}/cells/answers/"
    found = commands.predict_parts(run.folder, f"{new}/**/*.png", out)
    assert (found.out, found.answers) == (out.rstrip("/"), COUNT)
    one_by_one = list(commands.predict(run.folder, new))
    assert [Path(answer.path).name for answer in one_by_one] == sorted(expected)
    labels = [answer.found.label for answer in one_by_one if isinstance(answer.found, hs.Prediction)]
    assert labels == [expected[name]["label"] for name in sorted(expected)]
    first, *rest = sorted(name for name in object_store.names("cells/answers/") if name.startswith("part-"))
    object_store.client.delete_object(Bucket="bucket", Key=f"cells/answers/{first}")
    again = commands.predict_parts(run.folder, new, out)
    assert (again.before, again.answers) == (COUNT - PART, COUNT)
    for name in [first, *rest]:
        object_store.client.download_file("bucket", f"cells/answers/{name}", str(tmp_path / name))
    assert rows_in(tmp_path) == expected


def test_broken_photos_on_an_object_store_are_rows_with_an_error(run, photos, object_store, tmp_path):
    """A hundredth of them, one that is gone since it was listed, and one in a shard."""
    url = object_store.put_folder(photos, "spoilt")
    object_store.client.put_object(Bucket="bucket", Key="spoilt/defective/words.png", Body=b"words")
    given = [url, f"{url}/gone.png", f"{url}/none.tar#a.png"]
    found = commands.predict_parts(run.folder, given, tmp_path / "answers")
    assert (found.answers, found.unreadable) == (83, 3)
    errors = {name: row["error"] for name, row in rows_in(tmp_path / "answers").items() if row["error"]}
    assert sorted(errors) == ["gone.png", "none.tar#a.png", "words.png"]
    assert "words.png' is not an image" in errors["words.png"]
    assert "gone.png' cannot be opened: there is no such object" in errors["gone.png"]


def test_an_object_store_that_does_not_know_the_bucket(run, photos, object_store):
    with pytest.raises(LocationError, match=r"there is no such bucket"):
        commands.predict_parts(run.folder, photos, "s3://nowhere/answers")
    with pytest.raises(LocationError, match=r"there is no such bucket"):
        commands.predict_parts(run.folder, "s3://nowhere/**/*.jpg", f"{object_store.url}/no-answers")
    with pytest.raises(DatasetError, match=r"No image matches 's3://bucket/none/\*.jpg'"):
        commands.predict_parts(run.folder, f"{object_store.url}/none/*.jpg", f"{object_store.url}/no-answers")
    assert object_store.names("no-answers") == []


def test_a_cluster_answers_from_an_object_store(run, photos, expected, object_store, cluster, tmp_path, small_parts):
    new = object_store.put_folder(photos / "defective", "many")
    found = commands.predict_parts(run.folder, new, f"{object_store.url}/theirs", on="ray")
    assert found.answers == COUNT
    for name in object_store.names("theirs/"):
        object_store.client.download_file("bucket", f"theirs/{name}", str(tmp_path / name))
    assert rows_in(tmp_path) == expected


def test_a_node_that_is_killed_costs_its_tasks_alone(run, slow, expected, cluster, tmp_path, small_parts):
    out, found = tmp_path / "answers", []
    node = add_node(cluster)
    work = Thread(target=lambda: found.append(commands.predict_parts(run.folder, slow.url, out, on="ray")))
    work.start()
    wait_until(lambda: len(parts_of(out)) >= 2)
    cluster.remove_node(node, allow_graceful=False)
    work.join()
    assert found[0].answers == COUNT
    assert rows_in(out) == expected
    assert sum(slow.asked.values()) <= COUNT + PART


def test_a_driver_that_is_killed_is_followed_by_another(
    run, slow, expected, cluster, tmp_path, small_parts, monkeypatch
):
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    out = tmp_path / "answers"
    killed_after(2, driver(run, slow.url, out, on="ray"), out)
    found = commands.predict_parts(run.folder, slow.url, out, on="ray")
    assert found.answers == COUNT
    assert found.before >= 2 * PART
    assert rows_in(out) == expected
    assert sum(slow.asked.values()) <= COUNT + 2 * PART, "at most the part that each of two cores was at"


def test_mistakes_on_the_command_line(run, photos, tmp_path, capfd):
    assert call("predict", run.folder, photos, "--on", "ray") == 2
    assert call("predict", run.folder, photos, "--out", tmp_path / "a.parquet", "--explain", tmp_path / "why") == 2
    assert capfd.readouterr().err.count("give --out FOLDER/ or a URL") == 2
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_done_is_said_before_anything_is_written(run, photos, tmp_path):
    with pytest.raises(DatasetError, match=r"no image below 'memory://nowhere'"):
        commands.predict_parts(run.folder, "memory://nowhere", tmp_path / "answers")
    (tmp_path / "there.parquet").touch()
    with pytest.raises(RunError, match="exists already"):
        commands.predict_parts(run.folder, photos, tmp_path / "there.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["there.parquet"]


def test_a_cluster_that_cannot_be_reached_is_said(run, photos, tmp_path, monkeypatch):
    from headstart import cluster

    monkeypatch.setattr(cluster.import_ray(), "is_initialized", lambda: False)
    with pytest.raises(ClusterError, match=r"nothing answers there"):
        commands.predict_parts(run.folder, photos, tmp_path / "answers", on="ray://127.0.0.1:1")
