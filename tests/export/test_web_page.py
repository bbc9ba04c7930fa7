"""The page of a web export in a real browser: photos and the camera, offline, in two languages, and what goes wrong."""

import base64
import io
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

import headstart as hs
from support.browsing import contrast
from support.npm import npm_package
from support.pages import CAMERA, CHROMIUM, axe_findings
from support.web_export import StaticHost, web_page

PHONE, DESK = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=900)
NOISE = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
Photo = tuple[str, bytes]  # its name, its content


def png(pixels: np.ndarray) -> bytes:
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue()


def give(page: Page, *photos: Photo) -> None:
    files = [{"name": name, "mimeType": "image/png", "buffer": content} for name, content in photos]
    page.locator("#files").set_input_files(files)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def host(web: Path) -> Iterator[StaticHost]:
    with StaticHost(web) as started:
        yield started


@pytest.fixture(scope="module")
def page(browser: Browser, host: StaticHost) -> Iterator[Page]:
    with web_page(browser, host.url) as opened:
        yield opened


@pytest.fixture(scope="module")
def packaged_classifier(packaged) -> hs.Classifier:
    return hs.load(packaged.folder)


@pytest.fixture(scope="module")
def cells_of(photos: Path) -> list[Photo]:
    return [(path.name, path.read_bytes()) for path in sorted(photos.rglob("*.png"))[::16]]


def shown(classifier: hs.Classifier, content: bytes) -> str:
    """The title of the result for a photo."""
    found = classifier.predict(content)
    if not found.familiar:
        return "Unlike the training photos"
    return found.label if found.sure else "Not sure"


def test_photos_are_answered_as_by_the_classifier(page, packaged_classifier, cells_of):
    """PNGs, which every decoder reads alike."""
    give(page, *cells_of, ("noise.png", png(NOISE)))
    for name, content in [*cells_of, ("noise.png", png(NOISE))]:
        card = page.locator(".card", has=page.get_by_text(name, exact=True))
        best = packaged_classifier.predict(content)
        expect(card.locator(".answer")).to_have_text(shown(packaged_classifier, content))
        expect(card.locator(".probabilities li").first).to_contain_text(best.label)
        assert card.locator("progress").first.evaluate("bar => bar.value") == pytest.approx(best.probability, abs=1e-4)
        expect(card.locator("canvas")).to_be_visible()
        assert card.locator("canvas").bounding_box() == pytest.approx(card.locator("img").bounding_box(), abs=1)
    expect(page.locator("[role=log]")).to_contain_text("noise.png: Unlike the training photos")
    page.locator(".card .highlight").first.click()
    expect(page.locator(".card canvas").first).to_be_hidden()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".card")).to_have_count(0)


def test_what_it_says_of_the_model(page, packaged_classifier):
    expect(page.locator("#about")).to_contain_text("This model recognises 2 classes: defective, functional.")
    expect(page.locator("#about")).to_contain_text("Its accuracy on")
    expect(page.get_by_label("Sure answers are right")).to_have_value(
        f"{packaged_classifier.calibration.usual_accuracy:g}"
    )


def test_another_promise_is_kept_at_once(page, packaged_classifier, cells_of):
    """Also for photos that were answered before."""
    give(page, *cells_of)
    expect(page.locator(".card .probabilities")).to_have_count(len(cells_of))
    levels = page.locator("#level option").evaluate_all("each => each.map(option => option.value)")
    for level in levels:
        page.locator("#level").select_option(level)
        for name, content in cells_of:
            sure = packaged_classifier.predict(content, accuracy=float(level)).sure
            card = page.locator(".card", has=page.get_by_text(name, exact=True))
            expect(card).to_have_class("card" if sure else "card unsure")
    page.locator("#level").select_option(f"{packaged_classifier.calibration.usual_accuracy:g}")
    page.get_by_role("button", name="Clear").click()


def test_a_parent_is_answered_where_the_class_is_not_sure(browser, web, cells_of, tmp_path):
    """The facts are those of a classifier of two classes in one, whose answers are sure from 100% on, or never."""
    folder = shutil.copytree(web, tmp_path / "page")
    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    facts |= {"class_names": ["cells/defective", "cells/functional"], "promises": {"0.8": None, "0.9": 1.01}}
    hierarchy = {"parents": [["cells"], ["cells"]], "accuracy": {"0.8": [0.9], "0.9": [None]}}
    (folder / "facts.json").write_text(json.dumps(facts | {"promise": "0.8", "hierarchy": hierarchy}), "utf-8")
    with StaticHost(folder) as host, web_page(browser, host.url) as page:
        give(page, cells_of[0], ("noise.png", png(NOISE)))
        card, noise = (
            page.locator(".card", has=page.get_by_text(name, exact=True)) for name in (cells_of[0][0], "noise.png")
        )
        expect(card.locator(".answer")).to_have_text("cells")
        expect(card.locator(".note")).to_contain_text("It is not sure which one: the most likely class is cells/")
        expect(card).to_have_class("card")
        expect(noise.locator(".answer")).to_have_text("Unlike the training photos")
        page.locator("#level").select_option("0.9")
        expect(card.locator(".answer")).to_have_text("Not sure")


def test_what_is_no_photo(page):
    """A broken one, and kinds that browsers do not decode: each says what to do."""
    give(page, ("broken.png", png(NOISE)[:2000]), ("phone.HEIC", b"ftypheic"), ("scan.tif", b"II*\0"))
    notes = {"broken.png": "it is damaged", "phone.HEIC": "cannot decode HEIC. Save", "scan.tif": "cannot decode TIFF"}
    for name, note in notes.items():
        card = page.locator(".card.bad", has=page.get_by_text(name, exact=True))
        expect(card.locator(".answer")).to_have_text("No result")
        expect(card.locator(".note")).to_contain_text(note)
    page.get_by_role("button", name="Clear").click()


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_photo_is_dropped_or_pasted(page, cells_of, event):
    name, content = cells_of[0]
    page.evaluate(
        """([name, content, event]) => {
            const carried = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            carried.items.add(new File([bytes], name, { type: "image/png" }));
            document.body.dispatchEvent(event === "paste"
                ? new ClipboardEvent("paste", { clipboardData: carried, bubbles: true })
                : new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
        }""",
        [name, base64.b64encode(content).decode(), event],
    )
    expect(page.locator(".card .probabilities li")).to_have_count(2)
    page.get_by_role("button", name="Clear").click()


def test_the_language_changes_all_words(browser, host, cells_of):
    with web_page(browser, host.url, locale="pt-BR") as page:
        expect(page.locator("h1")).to_have_text("O que há na sua foto?")
        give(page, *cells_of[:1], ("noise.png", png(NOISE)))
        noise = page.locator(".card", has=page.get_by_text("noise.png", exact=True))
        expect(noise.locator(".answer")).to_have_text("Diferente das fotos de treino")
        page.get_by_label("Idioma").select_option("en")
        expect(noise.locator(".answer")).to_have_text("Unlike the training photos")
        expect(page.locator("#about")).to_contain_text("Its accuracy on")
        assert page.evaluate("document.documentElement.lang") == "en"
        page.reload()
        expect(page.locator("h1")).to_have_text("What is in your photo?")


def test_it_needs_its_host_only_once(browser, web, cells_of):
    """After the first visit it opens and answers without it, and threads are allowed; a new export replaces it."""
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    with StaticHost(web) as host:
        page.goto(host.url)
        expect(page.locator("#offline")).to_be_visible()
        assert not page.evaluate("crossOriginIsolated")
    page.reload()
    expect(page.locator("#choose")).to_be_visible()
    assert page.evaluate("crossOriginIsolated")
    give(page, *cells_of[:1])
    expect(page.locator(".card .probabilities li")).to_have_count(2)
    context.close()


@contextmanager
def another(browser: Browser, *arguments: str) -> Iterator[Browser]:
    """Chromium, started with these arguments."""
    started = browser.browser_type.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])
    yield started
    started.close()


def test_the_live_camera(browser, host):
    """Frames are answered one after the other; a picture is kept among the photos."""
    with another(browser, *CAMERA) as filming, web_page(filming, host.url, permissions=["camera"]) as page:
        page.get_by_role("button", name="Live camera").click()
        expect(page.locator("#live .probabilities li")).to_have_count(2)
        expect(page.locator("#live .rate")).to_have_text(re.compile(r"^[\d.]+ answers? a second$"))
        page.locator("#live .highlight").click()
        expect(page.locator("#live canvas")).to_be_visible()
        assert page.locator("#live canvas").bounding_box() == pytest.approx(
            page.locator("#live video").bounding_box(), abs=1
        )
        page.get_by_role("button", name="Keep this picture").click()
        expect(page.locator(".card .probabilities li")).to_have_count(2)
        page.get_by_role("button", name="Stop the camera").click()
        expect(page.locator("#live")).to_be_hidden()
        assert page.evaluate("document.querySelector('video').srcObject") is None


def test_a_camera_that_is_refused(browser, host):
    with web_page(browser, host.url) as page:
        refuse = "async () => { throw new DOMException('', 'NotAllowedError'); }"
        page.evaluate(f"() => {{ navigator.mediaDevices.getUserMedia = {refuse}; }}")
        page.get_by_role("button", name="Live camera").click()
        expect(page.locator("#state")).to_contain_text("did not allow the camera. Allow it for this page")
        expect(page.locator("#live")).to_be_hidden()


def test_without_webassembly(browser, host):
    """As in Lockdown Mode of Apple's devices."""
    with web_page(browser, host.url, before="delete globalThis.WebAssembly", is_ready=False) as page:
        expect(page.locator("#state")).to_contain_text("needs WebAssembly, which is switched off here")
        expect(page.locator("#choose")).to_be_hidden()


def test_a_file_is_missing(browser, web, tmp_path):
    folder = shutil.copytree(web, tmp_path / "page")
    (folder / "network.onnx").unlink()
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    with StaticHost(folder) as host:
        page.goto(host.url)
        expect(page.locator("#state")).to_contain_text("A file of this page cannot be loaded: network.onnx: status 404")
    context.close()


def test_from_a_file_it_says_how_to_serve_it(browser, web):
    page = browser.new_page()
    page.goto((web / "index.html").as_uri())
    page.wait_for_timeout(1600)
    expect(page.locator("#unserved")).to_be_visible()
    expect(page.locator("#unserved")).to_contain_text("python -m http.server")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("touch", [True, False], ids=["phone", "desk"])
def test_it_can_be_read_on_a_phone_and_on_a_desk(browser, host, cells_of, scheme, touch):
    size = PHONE if touch else DESK
    with web_page(browser, host.url, viewport=size, color_scheme=scheme, has_touch=touch, is_mobile=touch) as page:
        give(page, ("a-very-long-name-of-a-photo" * 5 + ".png", png(NOISE)), *cells_of[:1], ("broken.png", b"broken"))
        expect(page.locator(".card .answer", has_text="Analysing")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        for selector in ("#about", "#choose", ".name", ".probabilities li", ".unsure .answer", ".bad .note", "footer"):
            assert contrast(page, selector) >= 4.5, selector
        expect(page.get_by_role("button", name="Take a photo")).to_be_visible(visible=touch)


def test_everybody_can_use_it(page, cells_of, pytestconfig):
    axe = npm_package(pytestconfig, "axe-core", "4.14.1")
    give(page, *cells_of[:1])
    expect(page.locator(".card .probabilities li")).to_have_count(2)
    assert axe_findings(page, axe) == []
    page.get_by_role("button", name="Clear").click()
