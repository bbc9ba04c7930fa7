"""A running studio over HTTP: what it serves of a collection, and whom it answers."""

import httpx
import pytest

from support.studio import StudioServer


def test_a_refusal_says_what_is_wrong_in_a_code_too(studio: StudioServer):
    answer = studio.client.get("/api/runs/nothing")
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (404, "not-found", "no-such-run")
    answer = studio.client.post("/api/labels/export", json={"to": "/no/such/folder"})
    assert (answer.json()["reason"], answer.json()["path"]) == ("no-folder", "/no/such/folder")


def test_a_collection_is_shown(studio: StudioServer):
    collection = studio.ask("/api/collection")
    assert {row["name"]: row["photos"] for row in collection["classes"]} == {"defective": 40, "functional": 40}
    ids = studio.ids(classes=["functional"])
    assert len(ids) == 40
    rows = studio.ask("/api/photos/details", ids=ids)["photos"]
    assert [row["label"] for row in rows] == ["functional"] * 40
    assert [row["path"] for row in rows] == sorted(row["path"] for row in rows)
    thumbnail = studio.client.get(f"/thumbnails/{collection['generation']}/{ids[0]}.webp")
    assert thumbnail.content[8:12] == b"WEBP"
    assert "immutable" in thumbnail.headers["Cache-Control"]
    photo = studio.client.get(f"/photos/{collection['generation']}/{ids[0]}")
    assert photo.headers["Content-Type"].startswith("image/")


def test_the_address_opens_the_door_once_it_is_followed(studio: StudioServer):
    with httpx.Client() as browser:
        assert browser.get(f"{studio.url}/api/state").status_code == 401
        welcome = browser.get(studio.address)
        assert (welcome.status_code, welcome.headers["Location"]) == (303, "/")
        cookie = welcome.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert studio.token not in cookie
        assert browser.get(f"{studio.url}/api/state").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:80"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
        ({"Host": "localhost:9"}, 200),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "", "Cookie": "headstart-1=wrong; =;;"}, 401),
    ],
)
def test_strangers_are_refused(studio: StudioServer, headers, status):
    for path in ("/api/state", "/api/events", "/"):
        with studio.client.stream("GET", path, headers=headers) as answer:
            if path != "/" or status != 200:
                assert answer.status_code == status
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/../studio.py",
        "/..%2f..%2fapp.py",
        "/%2e%2e/app.py",
        "/%2Fetc%2Fpasswd",
        "/app.py",
        "/a%00b.js",
        "/..%5capp.py",
    ],
)
def test_only_files_of_the_page_are_served(studio: StudioServer, path):
    assert studio.client.get(path).status_code == 404
