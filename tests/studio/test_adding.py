"""Photos that are dropped or shot, and a folder that changes on disk while the studio is open."""

import json
import shutil
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from support.studio import StudioServer


@pytest.fixture
def own(open_studio, photos: Path, tmp_path: Path) -> StudioServer:
    server = open_studio(shutil.copytree(photos, tmp_path / "cells"))
    server.wait_for(lambda collection: collection["reading"] is None)
    return server


def folder_of(server: StudioServer) -> Path:
    return Path(server.ask("/api/collection")["path"])


def drop(server: StudioServer, *files: tuple[str, bytes], to: str | None = None) -> dict:
    parts = [("files", (name, content, "application/octet-stream")) for name, content in files]
    answer = server.client.post("/api/photos/add", files=parts, params={} if to is None else {"class": to})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_dropped_photos_get_the_folder_of_their_class(own: StudioServer, cells):
    photos = [path.read_bytes() for path in cells["functional"][100:104]]
    taken = next((folder_of(own) / "functional").iterdir())
    before = taken.read_bytes()
    found = drop(own, (taken.name, photos[0]), ("a/../../../evil.png", photos[1]), to="functional")
    assert found["added"] == 2
    assert taken.read_bytes() == before, "a photo was overwritten"
    rows = own.ask("/api/photos/details", ids=found["ids"])["photos"]
    assert [row["label"] for row in rows] == ["functional"] * 2
    assert sorted(path.name for path in folder_of(own).rglob("*evil*")) == ["evil.png"]
    assert all(path.parent.parent == folder_of(own) for path in folder_of(own).rglob("*.png"))
    again = drop(own, ("once more.png", photos[0]), to="defective")
    assert (again["added"], again["skipped"][0]["reason"][:16]) == (0, "is there already")
    with_folder = drop(own, ("dropped/new <class>/x.png", photos[2]))
    assert own.ids(classes=["new <class>"]) == with_folder["ids"]
    assert own.ask("/api/collection")["photos"] == 83


NAMES = ["", "..", "/etc/passwd", "C:\\x\\y.png", "CON", "a" * 400 + ".png", "\u202e.png", "x.png\r\nSet-Cookie: a"]


def test_names_of_files_do_no_harm(own: StudioServer, cells):
    folder = folder_of(own)
    outside = {path for path in folder.parent.rglob("*") if not path.is_relative_to(folder)}
    for number, name in enumerate(NAMES):
        content = cells["functional"][110 + number].read_bytes()
        parts = [("files", (name, content, "image/png"))]
        found = own.client.post("/api/photos/add?class=functional", files=parts)
        assert found.status_code in (200, 400), name
    assert {path for path in folder.parent.rglob("*") if not path.is_relative_to(folder)} == outside
    assert {path.name for path in folder.iterdir()} == {"defective", "functional"}
    added = {path.name for path in (folder / "functional").iterdir()}
    assert len(added) > 40
    assert all(name.isprintable() and len(name) < 140 and "/" not in name for name in added)


def test_what_is_no_photo_is_left_out_and_said(own: StudioServer):
    found = drop(own, ("x.png", b"no photo"), ("y.jpg", b""), ("<img src=x onerror=alert(1)>.png", b"\x89PNG"))
    assert found["added"] == 0
    assert [each["name"] for each in found["skipped"]] == ["x.png", "y.jpg", "<img src=x onerror=alert(1)>.png"]
    assert all(each["reason"] for each in found["skipped"])


def test_uploads_are_bounded(own: StudioServer):
    large = own.client.post("/api/photos/add", files=[("files", ("x.jpg", bytes(50_000_000), "image/jpeg"))])
    assert (large.status_code, large.json()["code"]) == (413, "too-many-bytes")
    body = own.client.post("/api/photos/shot", content=bytes(50_000_000), headers={"Content-Type": "image/jpeg"})
    assert body.status_code == 413
    tried = own.client.post("/api/try", content=bytes(50_000_000), headers={"Content-Type": "image/jpeg"})
    assert tried.status_code == 413
    assert own.memory() < 1_000
    assert own.ask("/api/state")["collection"]["photos"] == 80


def test_who_sends_too_much_slowly_is_told_so_and_may_ask_again(own: StudioServer):
    """On the same connection: the rest of a body that is refused is not taken for the next request."""
    connection = HTTPConnection(own.url.removeprefix("http://"), timeout=20)
    headers = {"Authorization": f"Bearer {own.token}", "Content-Type": "image/jpeg"}
    connection.putrequest("POST", "/api/photos/shot")
    for name, value in {**headers, "Content-Length": str(50_000_000)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    for _ in range(50):
        connection.send(bytes(1_000_000))
        time.sleep(0.01)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["code"]) == (413, "too-many-bytes")
    connection.request("GET", "/api/state", headers=headers)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["collection"]["photos"]) == (200, 80)
    connection.close()


def test_a_burst_of_the_camera_fills_a_new_collection(open_studio, cells, tmp_path: Path):
    server = open_studio()
    assert server.ask("/api/state")["collection"] is None
    assert server.client.get("/api/collection").json()["code"] == "no-collection"
    made = server.ask("/api/collection/new", folder=str(tmp_path / "mine"), classes=["left", "right hand"])
    assert [row["name"] for row in made["classes"]] == ["left", "right hand"]
    ids = []
    for number, path in enumerate(cells["functional"][:6]):
        shot = server.client.post(
            "/api/photos/shot",
            params={"class": ("left", "right hand")[number % 2]},
            content=path.read_bytes(),
            headers={"Content-Type": "image/png"},
        )
        assert shot.status_code == 200, shot.text
        ids.append(shot.json()["id"])
    assert ids == list(range(6))
    assert server.ids(classes=["right hand"]) == [1, 3, 5]
    assert len(list((tmp_path / "mine" / "right hand").iterdir())) == 3
    server.wait_for(lambda answers: answers["class_names"] == ["left", "right hand"], "/api/answers", 60)
    refused = server.client.post("/api/collection/new", json={"folder": str(tmp_path / "mine")})
    assert refused.status_code == 422
    assert "not empty" in refused.json()["detail"]


def test_the_folder_changes_meanwhile(own: StudioServer, cells):
    """Ids mean what they meant; new photos come, lost ones go, labels stay."""
    folder, generation = folder_of(own), own.ask("/api/collection")["generation"]
    ids = own.ids()
    names = {row["id"]: row["path"] for row in own.ask("/api/photos/details", ids=ids)["photos"]}
    own.ask("/api/labels", ids=ids[:3], label="marked")
    gone = folder / names[ids[10]]
    gone.unlink()
    shutil.copy(cells["functional"][200], folder / "functional" / "0-first.png")
    (folder / names[ids[0]]).rename(folder / "functional" / "moved.png")
    changed = own.wait_for(lambda collection: collection["generation"] > generation, seconds=30)
    assert changed["generation"] > generation
    own.wait_for(lambda collection: collection["reading"] is None and collection["photos"] == 80)
    now = {row["id"]: row["path"] for row in own.ask("/api/photos/details", ids=own.ids())["photos"]}
    assert {id: name for id, name in now.items() if id in names} == {
        id: name for id, name in names.items() if id not in (ids[0], ids[10])
    }
    assert ids[10] not in now
    moved = next(id for id, name in now.items() if name.endswith("moved.png"))
    assert set(own.ids(classes=["marked"])) == {moved, *ids[1:3]}, "a label belongs to the photo, not to its name"


def test_a_photo_is_overwritten(own: StudioServer, cells):
    """Its thumbnail, digest and answers are those of the new one, without anybody asking."""
    own.wait_for(lambda answers: answers["final"], "/api/answers", 120)
    [row] = own.ask("/api/photos/details", ids=own.ids()[:1])["photos"]
    file, generation = folder_of(own) / row["path"], own.ask("/api/collection")["generation"]
    shutil.copy(cells["functional"][300], file.with_name("other.png"))
    file.with_name("other.png").replace(file)
    own.wait_for(lambda collection: collection["generation"] > generation and collection["reading"] is None, seconds=30)
    [now] = own.ask("/api/photos/details", ids=[row["id"]])["photos"]
    assert (now["path"], now["bytes"]) == (row["path"], file.stat().st_size)
    assert (
        own.client.get(f"/photos/{own.ask('/api/collection')['generation']}/{row['id']}").content == file.read_bytes()
    )
