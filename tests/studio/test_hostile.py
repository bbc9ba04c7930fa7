"""Broken and hostile input: junk, odd names, folders without rights, a full disk, bodies that are no JSON."""

import os
import random
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headstart.errors import DatasetError
from headstart.studio import places
from support.studio import StudioServer

JUNK = 10_000
ODD_NAMES = (
    "<img src=x onerror=alert(1)>.png", "a&b'\"c.png", "%2e%2e%2f.png", "\u202egnp.png", "ñ日本\U0001f41e.png",
    " .png", "-rf.png", "#?.png",
)  # fmt: skip


def test_ten_thousand_files_of_junk(open_studio, photos: Path, tmp_path: Path):
    folder, generator = shutil.copytree(photos, tmp_path / "cells"), random.Random(0)
    for number in range(JUNK):
        content = generator.randbytes(generator.randint(0, 60))
        start = generator.choice([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"<html>"])
        suffix = generator.choice(["jpg", "png", "gif", "tif", "bmp", "webp"])
        (folder / "defective" / f"junk {number}.{suffix}").write_bytes(start + content)
    server = open_studio(folder)
    collection = server.wait_for(lambda collection: collection["reading"] is None and collection["unreadable_count"])
    assert (collection["unreadable_count"], len(collection["unreadable"])) == (JUNK, 100)
    assert all(row["reason"] for row in collection["unreadable"])
    assert {row["name"]: row["photos"] for row in collection["classes"]} == {"defective": 40, "functional": 40}
    assert len(server.ids()) == 80
    broken = server.ids(unreadable=True)
    assert len(broken) == JUNK
    assert server.client.get(f"/thumbnails/{collection['generation']}/{broken[0]}.webp").status_code == 422
    assert server.client.get(f"/photos/{collection['generation']}/{broken[0]}").status_code == 422
    assert server.client.post("/api/labels", json={"ids": broken[:5], "label": "x"}).status_code == 422
    assert server.ask("/api/labels", ids=[broken[0], server.ids()[0]], label="x")["changed"] == 1
    assert server.wait_for(lambda answers: answers["accuracy"], "/api/answers")["accuracy"]["count"] <= 80
    assert server.memory() < 1_000


def test_odd_names(open_studio, photos: Path, tmp_path: Path):
    folder = tmp_path / "cells"
    files = sorted((photos / "functional").iterdir())
    for number, name in enumerate(("<b>one", "two & 'three'")):
        (folder / name).mkdir(parents=True)
        for file, odd in zip(files[number * 10 :], ODD_NAMES, strict=False):
            shutil.copy(file, folder / name / odd)
    (folder / "two & 'three'" / os.fsdecode(b"latin-\xe9.png")).write_bytes(files[0].read_bytes())
    server = open_studio(folder)
    collection = server.wait_for(lambda collection: collection["reading"] is None and collection["unreadable_count"])
    assert [row["name"] for row in collection["classes"]] == ["<b>one", "two & 'three'"]
    assert collection["unreadable"] == [
        {"path": "two & 'three'/latin-\\udce9.png", "reason": "has a name that is not Unicode text; rename it"}
    ]
    rows = server.ask("/api/photos/details", ids=server.ids())["photos"]
    assert {Path(row["path"]).name for row in rows} == set(ODD_NAMES)
    for row in rows:
        assert server.client.get(f"/thumbnails/{collection['generation']}/{row['id']}.webp").status_code == 200
    assert len(server.ids(text="ONERROR")) == 2


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """Meanwhile this process may not look into a folder; the superuser, who may do all, is somebody else."""
    user = os.geteuid()
    folder.chmod(0)
    if user == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o700)


def test_a_folder_without_rights(tmp_path: Path):
    locked = tmp_path / "locked"
    locked.mkdir()
    with without_rights(locked), pytest.raises(DatasetError, match="Permission denied"):
        places.look(str(locked))
    assert places.look(str(tmp_path))["folders"] == [{"name": "locked", "path": str(locked)}]


def test_what_is_no_collection_is_refused_in_words(studio: StudioServer, tmp_path: Path):
    (tmp_path / "text.txt").write_text("no photo")
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04")
    os.mkfifo(tmp_path / "pipe")
    before = studio.ask("/api/collection")["path"]
    for path in (
        "/no/such/folder",
        str(tmp_path),
        str(tmp_path / "bad.zip"),
        str(tmp_path / "pipe"),
        "\0",
        "a" * 5_000,
    ):
        answer = studio.client.post("/api/collection", json={"path": path})
        assert answer.status_code == 422, path
        assert len(answer.json()["detail"]) > 20
        assert studio.client.get("/api/places", params={"path": path}).status_code in (200, 422)
    assert studio.ask("/api/collection")["path"] == before, "what was open stays open"


def test_bodies_that_are_no_questions(studio: StudioServer):
    for path in (
        "/api/photos/query",
        "/api/photos/details",
        "/api/labels",
        "/api/classes",
        "/api/jobs",
        "/api/queue/answer",
    ):
        for body in (b"", b"{", b"[]", b"null", b'{"ids": "x"}', b'{"ids": [1e99]}', b"\xff", b'{"ids": [99999999]}'):
            answer = studio.client.post(path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (200, 400, 404, 422), (path, body, answer.text)
            assert answer.headers["Content-Type"].startswith("application/")
    for body in ({"sort": "nonsense"}, {"like": 10**12}, {"cell": ["a"]}, {"confidence": ["nan", 1]}, {"ids": [-1]}):
        assert studio.client.post("/api/photos/query", json=body).status_code in (200, 404, 422), body
    for settings in ({"name": "../x"}, {"name": ".x"}, {"backbone": "--out=/tmp/x"}, {"seed": "1 --resume"}, {"x": 1}):
        answer = studio.client.post("/api/jobs", json={"kind": "train", "settings": settings})
        assert answer.status_code == 422, settings
    assert studio.client.post("/api/jobs", json={"kind": "rm", "settings": {}}).status_code == 422
    assert studio.ask("/api/jobs") == []


@pytest.mark.parametrize("place", ["/thumbnails/{g}/x.webp", "/thumbnails/{g}/-1.webp", "/thumbnails/{g}/999999.webp",
                                   "/thumbnails/0/0.webp", "/photos/{g}/..%2f..%2fetc", "/photos/{g}/1e3"])  # fmt: skip
def test_only_photos_of_the_collection_are_shown(studio: StudioServer, place):
    generation = studio.ask("/api/collection")["generation"]
    assert studio.client.get(place.format(g=generation)).status_code in (404, 409, 422)


def test_a_full_disk(open_studio, photos: Path, tmp_path: Path):
    """Nothing can be written: photos are shown all the same, and what is not kept is said not to be."""
    server = open_studio(shutil.copytree(photos, tmp_path / "cells"), HEADSTART_CACHE=str(tmp_path / "cache"))
    server.wait_for(lambda collection: collection["reading"] is None)
    first, *others = server.ids()
    server.ask("/api/labels", ids=[first], label="seen")
    full = (100, 100)  # bytes: no file may grow beyond
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, full)
    refused = server.client.post("/api/labels", json={"ids": others[:3], "label": "lost"})
    assert refused.status_code in (422, 507)
    assert "written" in refused.json()["detail"]
    assert server.ids(classes=["seen"]) == [first]
    assert server.ids(classes=["lost"]) == []
    generation = server.ask("/api/collection")["generation"]
    assert all(server.client.get(f"/thumbnails/{generation}/{id}.webp").status_code == 200 for id in others[:5])
    shot = server.client.post(
        "/api/photos/shot?class=seen", content=_another(photos), headers={"Content-Type": "image/png"}
    )
    assert shot.status_code == 507
    job = server.client.post("/api/jobs", json={"kind": "train", "settings": {}})
    assert job.status_code in (422, 507)
    assert server.process.poll() is None
    assert [path.name for path in (tmp_path / "cells").rglob(".*")] == [], "half a photo was left"
    assert server.stop(signal.SIGTERM) == 0


def _another(photos: Path) -> bytes:
    """A photo that is not among them: of other bytes."""
    return next(photos.rglob("*.png")).read_bytes() + b"\0"
