"""Labels over HTTP: set, undone, renamed, merged; two tabs; the queue; what the page is told."""

import json
import shutil
from pathlib import Path

import pytest

from support.studio import StudioServer


@pytest.fixture
def own(open_studio, photos: Path, tmp_path: Path) -> StudioServer:
    """A studio whose labels a test may change."""
    server = open_studio(shutil.copytree(photos, tmp_path / "cells"))
    server.wait_for(lambda collection: collection["reading"] is None)
    return server


def label_of(server: StudioServer, id: int) -> tuple[str | None, bool]:
    [row] = server.ask("/api/photos/details", ids=[id])["photos"]
    return row["label"], row["excluded"]


def sizes(server: StudioServer) -> dict[str, int]:
    return {row["name"]: row["photos"] for row in server.ask("/api/collection")["classes"]}


def test_a_label_is_set_undone_and_set_again(own: StudioServer):
    before = {path: path.read_bytes() for path in Path(own.ask("/api/collection")["path"]).rglob("*.png")}
    first, second, *_ = own.ids(classes=["defective"])
    labels = own.ask("/api/labels", ids=[first, second], label="functional")
    assert (labels["changed"], labels["step"], labels["undo"]["photos"]) == (2, 1, 2)
    assert len(labels["state"]) == 12
    assert sizes(own) == {"defective": 38, "functional": 42}
    assert own.ids(changed=True) == [first, second]
    assert own.client.post("/api/labels/undo").json()["state"] == ""
    assert sizes(own) == {"defective": 40, "functional": 40}
    assert own.client.post("/api/labels/redo").json()["state"] == labels["state"]
    own.ask("/api/labels", ids=[second], label=None)
    assert label_of(own, second)[1]
    assert second not in own.ids()
    assert own.ids(excluded=True) == [second]
    target = Path(own.ask("/api/collection")["path"]).parent
    job = own.ask("/api/labels/export", to=str(target), form="csv")
    own.wait_for(lambda jobs: jobs[0]["state"] == "done", "/api/jobs")
    rows = Path(job["result"]["path"]).read_text().splitlines()
    assert (len(rows) - 1, sum(",functional" in row for row in rows)) == (79, 41)
    assert own.client.post("/api/labels/export", json={"to": "relative"}).status_code == 422
    assert before == {path: path.read_bytes() for path in before}, "photos were touched"
    journal = Path(own.ask("/api/collection")["journal"])
    assert journal.name == "cells.headstart.db"
    own.stop()
    with StudioServer(journal.with_name("cells")) as again:
        assert label_of(again, first) == ("functional", False)
        assert again.ask("/api/collection")["labels"]["changed"] == 2


def test_classes_are_made_renamed_and_merged(own: StudioServer):
    own.ask("/api/classes", name="cracked")
    assert sizes(own) == {"cracked": 0, "defective": 40, "functional": 40}
    own.ask("/api/classes", name="defective", rename="broken <b>&amp;</b>")
    assert sizes(own) == {"broken <b>&amp;</b>": 40, "cracked": 0, "functional": 40}
    refused = own.client.post("/api/classes", json={"name": "functional"})
    assert refused.status_code == 422
    assert "already" in refused.json()["detail"]
    own.ask("/api/classes", merge=["broken <b>&amp;</b>", "functional"], into="cell")
    assert {name: count for name, count in sizes(own).items() if count} == {"cell": 80}
    states = [own.client.post("/api/labels/undo").json()["state"] for _ in range(3)]
    assert states[-1] == ""
    assert sizes(own) == {"defective": 40, "functional": 40}


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 1_001, "\x00"])
def test_impossible_names_are_refused(studio: StudioServer, name):
    for body in ({"ids": [0], "label": name},):
        answer = studio.client.post("/api/labels", json=body)
        assert answer.status_code == 422
        assert answer.json()["detail"]


def test_two_tabs_see_each_other(own: StudioServer):
    one, other = own.client, own.new_client()
    ids = own.ids()
    with other, other.stream("GET", "/api/events") as stream:
        lines = stream.iter_lines()
        with own.new_client() as third:
            for number in range(10):
                tab = (one, third)[number % 2]
                assert tab.post("/api/labels", json={"ids": [ids[number]], "label": "new"}).status_code == 200
        events = (json.loads(line[6:]) for line in lines if line.startswith("data: "))
        assert next(event for event in events if event["type"] == "labels" and event["changed"] == 10)
    assert own.ids(classes=["new"]) == ids[:10]


def test_ids_of_another_collection_are_refused(own: StudioServer, tmp_path: Path, photos: Path):
    generation = own.ask("/api/collection")["generation"]
    other = shutil.copytree(photos / "defective", tmp_path / "loose")
    own.ask("/api/collection", path=str(other))
    stale = own.client.post("/api/labels", json={"ids": [0], "label": "x"}, headers={"X-Generation": str(generation)})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale")
    assert own.client.get(f"/thumbnails/{generation}/0.webp").status_code == 409


@pytest.fixture
def loose(photos: Path, tmp_path: Path) -> Path:
    """Photos without class folders: 20 of each class, by name."""
    folder = tmp_path / "loose"
    folder.mkdir()
    for name in ("defective", "functional"):
        for file in sorted((photos / name).iterdir())[:20]:
            shutil.copy(file, folder / f"{name}-{file.name}")
    return folder


def test_photos_without_classes_are_labelled(open_studio, loose: Path):
    """By the queue: alike ones together, then one by one; what is left is proposed."""
    server = open_studio(loose)
    collection = server.wait_for(lambda collection: collection["reading"] is None)
    assert (collection["photos"], collection["unlabelled"], collection["classes"]) == (40, 40, [])
    server.wait_for(lambda collection: not collection["computing"], seconds=120)
    queue = server.wait_for(lambda queue: queue["left"], "/api/queue?limit=50", 120)
    assert {item["kind"] for item in queue["items"]} <= {"cluster", "unlabelled"}
    assert all(item["text"] and item["ids"] for item in queue["items"])
    first, second, *_ = queue["items"]
    refused = server.client.post("/api/queue/answer", json={"key": first["key"], "answer": "yes"})
    assert refused.status_code == 422, "nothing is suggested before any label"
    server.ask("/api/queue/answer", key=second["key"], answer="skip")
    left = server.ask("/api/queue/answer", key=first["key"], answer="yes", label="cell")
    assert left["unlabelled"] == 40 - len(first["ids"])
    assert server.ids(classes=["cell"]) == sorted(first["ids"])
    keys = {item["key"] for item in server.ask("/api/queue?limit=200")["items"]}
    assert not keys & {first["key"], second["key"]}
    ids = server.ids(text="functional-")
    labels = server.ask("/api/labels", ids=ids, label="good")
    assert server.ids(classes=["good"]) == ids
    server.ask("/api/labels", ids=server.ids(text="defective-")[:12], label="bad")
    server.wait_for(lambda answers: answers["labels_state"] != labels["state"] and answers["final"], "/api/answers", 60)
    waiting = server.ids(unlabelled=True)
    rows = server.ask("/api/photos/details", ids=waiting)["photos"]
    assert {row["answer"] for row in rows} <= {"good", "bad"}, "the others are proposed"
    assert server.client.post("/api/queue/answer", json={"key": "no-such", "answer": "yes"}).status_code == 404


def test_a_question_may_be_answered_in_part(open_studio, loose: Path):
    """Some photos of a cluster are left out, or all: it counts as answered, and is asked again once that is undone."""
    server = open_studio(loose)
    server.wait_for(lambda collection: collection["reading"] is None and not collection["computing"], seconds=120)
    queue = server.wait_for(lambda queue: queue["left"], "/api/queue?limit=50")
    asked = next(item for item in queue["items"] if len(item["ids"]) > 2)
    for answer in ({"answer": "yes", "label": "cell"}, {"answer": "exclude"}):
        some = asked["ids"][:2]
        wrong = server.client.post("/api/queue/answer", json={"key": asked["key"], "ids": [*some, 10_000], **answer})
        assert wrong.status_code == 422
        before = server.ask("/api/collection")["unlabelled"]
        assert server.ask("/api/queue/answer", key=asked["key"], ids=some, **answer)["unlabelled"] == before - 2
        assert asked["key"] not in {item["key"] for item in server.ask("/api/queue?limit=200")["items"]}
        assert server.client.post("/api/labels/undo").json()["unlabelled"] == before
        assert server.ask("/api/queue?limit=1")["items"][0]["key"] == asked["key"], "it is asked again, first"


def test_answers_follow_a_label(own: StudioServer, tmp_path: Path):
    assert set(own.ask("/api/collection")["computing"]) <= {"features", "copies", "answers", "neighbours", "map"}
    own.wait_for(lambda collection: collection["computing"] == [], seconds=120)
    assert own.client.get("/api/map").content
    first = own.ask("/api/answers")
    assert first["final"]
    assert first["accuracy"]["count"] > 0
    assert first["labels_state"] == ""
    assert first["change"] is None
    labels = own.ask("/api/labels", ids=own.ids(classes=["defective"])[:5], label="functional")
    own.wait_for(lambda collection: collection["computing"] == [])
    again = own.ask("/api/answers")
    assert again["labels_state"] == labels["state"]
    assert again["change"]["relabelled"] <= 5
    assert "labels changed" in again["change"]["text"]
    diff = own.ask("/api/labels/diff", a=0, b=labels["step"])
    assert diff["changed"] == 5
    assert 0 <= diff["p"] <= 1
    assert own.client.post("/api/labels/diff", json={"a": 0, "b": 99}).status_code == 422
    confusion = again["confusion"]
    for true in range(2):
        for answer in range(2):
            names = [again["class_names"][true], again["class_names"][answer]]
            assert len(own.ids(cell=names)) == confusion[true][answer]
    doubtful = own.ids(sort="doubt", descending=True)
    rows = own.ask("/api/photos/details", ids=doubtful)["photos"]
    doubts = [row["doubt"] for row in rows if row["doubt"] is not None]
    assert doubts == sorted(doubts, reverse=True)
    assert own.client.get("/api/map").content
    opened = own.client.post("/api/test/open").json()
    assert opened["openings"] == 1
    assert own.ask("/api/test")["openings"] == 1
    with StudioServer(own.ask("/api/collection")["path"], HEADSTART_CACHE=str(tmp_path / "another")) as again:
        assert again.ask("/api/test")["openings"] == 1, "it does not lie in the cache"
