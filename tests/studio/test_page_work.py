"""The screens that do things, in a real browser with a fake camera: train, try, export, take pictures, add folders."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from support.pages import browser_with_camera, show, studio_page
from support.studio import StudioServer

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.training]

SECONDS = 120_000


@pytest.fixture(scope="module")
def camera_browser() -> Iterator[Browser]:
    with browser_with_camera() as opened:
        yield opened


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Iterator[StudioServer]:
    """A studio of its own: photos and runs are added to this one."""
    own = Path(shutil.copytree(photos, tmp_path_factory.mktemp("work") / "cells"))
    with StudioServer(own) as started:
        started.wait_for(lambda answers: answers["accuracy"], "/api/answers")
        yield started
        for job in started.ask("/api/jobs"):  # jobs outlive a studio
            if job["state"] == "running":
                assert started.client.post(f"/api/jobs/{job['id']}/stop").status_code < 300


@pytest.fixture
def page(camera_browser: Browser, server: StudioServer) -> Iterator[Page]:
    with studio_page(camera_browser, server, permissions=["camera", "clipboard-read", "clipboard-write"]) as opened:
        yield opened


@pytest.fixture(scope="module")
def trained(camera_browser: Browser, server: StudioServer) -> dict:
    """A run that the page was asked for: its button, with the head alone."""
    with studio_page(camera_browser, server) as page:
        show(page, server, "train")
        page.get_by_text("More settings").click()
        page.get_by_label("Name").fill("cells-1")
        page.get_by_label("Fine-tuning").select_option("never")
        page.get_by_role("button", name="Train", exact=True).click()
        expect(page.get_by_role("heading", name="Training", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="1 job is running")).to_be_visible()
        expect(page.get_by_role("heading", name="The classifier is ready")).to_be_visible(timeout=SECONDS)
        (run,) = server.ask("/api/runs")
        metrics = server.ask(f"/api/runs/{run['name']}")
        part = metrics["test"] or metrics["validation"]
        expect(page.locator(".done .huge")).to_have_text(f"{100 * part['accuracy']['value']:.1f}%")
        row = page.locator(".runs tbody tr")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("as they are now")
    return run


@pytest.fixture(scope="module")
def tuned(camera_browser: Browser, server: StudioServer, trained: dict) -> str:
    """The name of a second run, fine-tuned: its epochs are drawn as they come; it is stopped, resumed, and kept."""
    with studio_page(camera_browser, server) as page:
        show(page, server, "train")
        settings = {"name": "cells-2", "fine_tune": "always", "epochs": 2000, "image_size": 64}
        server.ask("/api/jobs", kind="train", settings=settings)
        epoch = page.locator(".running .curves [role=status]")
        expect(epoch).to_contain_text("Epoch", timeout=SECONDS)
        first = epoch.inner_text()
        expect(epoch).not_to_have_text(first, timeout=SECONDS)  # another one has come
        expect(page.locator(".running .plot canvas")).to_have_count(2)
        page.get_by_role("button", name="Stop, to resume later").click()
        expect(page.locator(".notice.warn")).to_contain_text("can go on", timeout=SECONDS)
        page.get_by_role("button", name="Resume").click()
        page.get_by_role("button", name="Stop and keep").click()  # at once, before the command knows how to be told
        done = page.get_by_role("region", name="The classifier is ready")
        expect(done).to_contain_text("Fine-tuned, as you asked", timeout=SECONDS)
        expect(done).to_contain_text("cells-2")
    return "cells-2"


def _ended(server: StudioServer, started: dict) -> dict:
    def of(jobs: Any) -> dict:
        return next(job for job in jobs if job["id"] == started["id"])

    server.wait_for(lambda jobs: of(jobs)["state"] in ("done", "failed"), "/api/jobs", SECONDS / 1000)
    return of(server.ask("/api/jobs"))


def test_a_training_leaves_an_ordinary_run(trained, server):
    assert trained["name"] == "cells-1"
    run = Path(trained["path"])
    assert (run / "classifier.json").is_file()
    assert run.parent.name == "cells-runs"
    (job,) = [job for job in server.ask("/api/jobs") if job["settings"].get("name") == "cells-1"]
    assert job["state"] == "done"
    assert job["settings"] == {"name": "cells-1", "fine_tune": "never"}


def test_two_runs_are_compared_photo_by_photo(page, server, tuned):
    show(page, server, "train")
    expect(page.locator(".runs tbody input")).to_have_count(2)
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.getElementById('main').scrollWidth") == 400, "the table scrolls, and not the page"
    page.set_viewport_size({"width": 1280, "height": 860})
    for box in page.locator(".runs tbody input").all():
        box.check()
    page.get_by_role("button", name="Compare two").click()
    first, second = (run["name"] for run in server.ask("/api/runs"))
    answer = server.client.post("/api/runs/compare", json={"a": first, "b": second})
    if answer.status_code == 200:
        cells = page.locator(".two-by-two tbody td")
        expect(cells).to_have_count(4)
        expected = [answer.json()[name] for name in ("both_right", "only_a", "only_b", "neither")]
        assert [int(text) for text in cells.all_inner_texts()] == expected
    else:
        expect(page.locator(".notice.bad")).to_contain_text(answer.json()["detail"])


@pytest.mark.parametrize("which", ["head", "run"])
def test_a_photo_is_tried(page, server, trained, photos, which):
    photo = sorted(photos.rglob("*.png"))[0]
    query = "" if which == "head" else f"?run={trained['name']}"
    show(page, server, f"try{query}")
    with page.expect_request(f"**/api/try{query}"):
        page.locator(".drop-zone input").set_input_files(photo)
    said = server.client.post(f"/api/try{query}", content=photo.read_bytes()).json()
    card = page.locator(".try-card")
    expect(card.locator(".probabilities li")).to_have_count(2)
    expect(card.locator(".probabilities li").first).to_contain_text(said["answer"])
    expect(card.locator("h3")).to_have_text(
        said["answer"] if said["sure"] and said["familiar"] else re.compile("Not sure|Unlike the training photos")
    )
    card.get_by_role("button").click()
    expect(card.locator("canvas.map")).to_be_visible()


def test_what_is_no_photo_is_refused_in_words(page, server, trained, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"no photo at all")
    show(page, server, "try")
    page.locator(".drop-zone input").set_input_files(tmp_path / "photo.jpg")
    expect(page.locator(".try-card .problem")).to_contain_text("image")


def test_the_classifier_is_exported_and_proved(page, server, trained):
    show(page, server, "try/ship")
    page.get_by_label("ONNX").check()
    page.get_by_role("button", name="Export", exact=True).click()
    proof = page.locator(".exported .proof")
    expect(proof).to_contain_text("0 answers changed", timeout=SECONDS)
    (job,) = [job for job in server.ask("/api/jobs") if job["kind"] == "export"]
    assert Path(job["result"]["path"]).is_file()


def test_the_classifier_is_served_until_it_is_stopped(page, server, trained):
    show(page, server, "try/ship?run=cells-1")
    page.get_by_role("button", name="Start the service").click()
    link = page.locator(".ship").get_by_role("link", name=re.compile("^http"))
    expect(link).to_be_visible(timeout=SECONDS)
    address = link.get_attribute("href") or ""
    assert "defective" in httpx.get(f"{address}/v1/model").text
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Start the service")).to_be_visible(timeout=SECONDS)
    with pytest.raises(httpx.TransportError):
        httpx.get(address)


def test_labels_are_exported_as_a_table_as_links_and_as_copies(page, server, trained):
    show(page, server, "try/ship")
    folder = Path(server.ask("/api/collection")["path"]).parent
    for form, count in (("csv", 1), ("links", 2), ("copies", 3)):
        page.locator(".card", has_text="The labels as they are now").get_by_role("combobox").select_option(form)
        page.get_by_role("button", name="Choose where").click()
        page.get_by_role("dialog").get_by_role("button", name="Export here").click()
        expect(page.locator(".exported", has_text="cells-labels")).to_have_count(count, timeout=SECONDS)
    lines = (folder / "cells-labels.csv").read_text("utf-8").splitlines()
    photos = sum(each["photos"] for each in server.ask("/api/collection")["classes"])
    assert len(lines) == 1 + photos
    links, copies = (sorted((folder / name).rglob("*.*")) for name in ("cells-labels", "cells-labels-2"))
    assert len(links) == len(copies) == photos
    assert all(path.is_symlink() for path in links)
    assert not any(path.is_symlink() for path in copies)


def test_three_lines_of_python_predict(page, server, trained, photos, capsys):
    show(page, server, "try/ship")
    block = page.locator(".copyable", has_text="import headstart")
    block.get_by_role("button", name="Copy").click()
    lines = page.evaluate("navigator.clipboard.readText()")
    assert len(lines.splitlines()) == 3
    exec(lines.replace("photo.jpg", str(sorted(photos.rglob("*.png"))[0])), {})
    assert "label=" in capsys.readouterr().out


def test_every_camera_frame_is_answered(page, server, trained):
    show(page, server, "try/camera")
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator(".live-answer")).to_be_visible()
    answered = page.locator("[data-answered]")
    before = int(answered.get_attribute("data-answered") or 0)
    page.wait_for_timeout(1500)
    assert int(answered.get_attribute("data-answered") or 0) - before >= 5
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("video")).to_be_hidden()
    assert page.locator("video").evaluate("video => video.srcObject?.active ?? false") is False


def test_pictures_are_taken_into_a_new_class_while_the_button_is_held(page, server, trained):
    show(page, server, "add/camera")
    page.get_by_role("button", name="New class").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("hands")
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    shutter = page.get_by_role("button", name="Hold to shoot “hands”")
    expect(shutter).to_be_enabled()
    box = shutter.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    expect(page.locator(".shots img").nth(1)).to_be_visible()  # a burst: more than one
    page.mouse.up()
    page.wait_for_timeout(600)
    taken = page.locator(".shots img").count()
    expect(page.get_by_role("button", name="Discard")).to_have_count(taken, timeout=20_000)  # all have arrived
    assert 2 <= taken <= 10  # and none came after the button was let go
    server.wait_for(lambda found: {"name": "hands", "photos": taken}.items() <= _class(found, "hands").items())
    page.get_by_role("button", name="Discard").first.click()
    server.wait_for(lambda found: _class(found, "hands")["photos"] == taken - 1)


def _class(collection: dict, name: str) -> dict:
    return next((each for each in collection["classes"] if each["name"] == name), {})


def test_the_space_bar_shoots_too(page, server, trained):
    show(page, server, "add/camera?class=defective")
    expect(page.get_by_role("button", name="Hold to shoot “defective”")).to_be_enabled()
    page.locator("h1").click()
    page.keyboard.down(" ")
    expect(page.locator(".shots img").first).to_be_visible()
    page.keyboard.up(" ")
    expect(page.get_by_text(re.compile("of “defective” taken"))).to_be_visible()


@pytest.fixture
def dropped(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str, seed: int) -> Path:
        path = tmp_path / "new" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            pixels = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)
            cv2.imwrite(str(path), pixels)
        else:
            path.write_text("no photo")
        return path

    return make


def test_a_folder_is_dropped_and_its_subfolders_are_classes(page, server, trained, dropped, tmp_path):
    for seed, name in enumerate(("stars/1.png", "stars/2.png", "moons/1.png", "moons/notes.png.txt")):
        dropped(name, seed)
    show(page, server, "add")
    expect(page.locator(".drop-zone")).to_be_visible()
    session = page.context.new_cdp_session(page)
    point = {"x": 600, "y": 500}
    data = {
        "items": [],
        "files": [str(tmp_path / "new" / name) for name in ("stars", "moons")],
        "dragOperationsMask": 1,
    }
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **point, "data": data})
    expect(page.locator(".adding")).to_contain_text("3 photos added", timeout=30_000)
    expect(page.locator(".skipped")).to_contain_text("notes.png.txt")
    found = server.wait_for(lambda found: _class(found, "stars") and _class(found, "moons"))
    assert (_class(found, "stars")["photos"], _class(found, "moons")["photos"]) == (2, 1)


def test_a_failed_job_says_why(page, server, trained):
    for small in [each["name"] for each in server.ask("/api/collection")["classes"] if each["photos"] == 1]:
        server.ask("/api/labels", ids=server.ids(classes=[small]), label=None)  # it would be refused for these
    started = server.ask("/api/jobs", kind="train", settings={"name": "cells-3", "backbone": "no_such_base"})
    assert _ended(server, started)["state"] == "failed"
    show(page, server, "train")
    expect(page.locator(".notice.bad")).to_contain_text("no_such_base")
    page.evaluate("localStorage.setItem('headstart-language', 'pt')")
    page.reload()
    expect(page.locator(".notice.bad")).to_contain_text(re.compile("Esta configuração não é possível.*no_such_base"))
    page.evaluate("localStorage.setItem('headstart-language', 'en')")
    page.reload()
    page.get_by_role("button", name="Jobs: none is running").click()
    tray = page.get_by_role("region", name="Jobs")
    expect(tray).to_contain_text("no_such_base")
    page.keyboard.press("Escape")
    expect(tray).to_have_count(0)
