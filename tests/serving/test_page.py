"""The service's page in a real browser: on a phone and on a desktop, with mouse, keyboard and clipboard."""

import base64
import io
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from support.browsing import contrast
from support.serving import Service

PHONE, DESK = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=900)
Photo = tuple[str, bytes]  # its name, its content

GIVE = """([photos, event]) => {
    const carried = new DataTransfer();
    for (const [name, content] of photos) {
        const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
        carried.items.add(new File([bytes], name, {type: "image/png"}));
    }
    const made = event === "paste"
        ? new ClipboardEvent("paste", {clipboardData: carried, bubbles: true})
        : new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true});
    document.body.dispatchEvent(made);
}"""


@pytest.fixture
def page(browser: Browser, service: Service) -> Iterator[Page]:
    """The page on a desktop. A request to another host, an error or a warning fails the test."""
    opened = browser.new_page(viewport=DESK)
    faults: list[str] = []
    opened.on("console", lambda line: faults.append(line.text) if line.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "request",
        lambda request: None if request.url.startswith((service.url, "blob:", "data:")) else faults.append(request.url),
    )
    opened.goto(service.url)
    expect(opened.locator("#about")).to_contain_text("This model recognises 2 classes: defective, functional.")
    yield opened
    opened.close()
    # Chromium itself reports each answer that is not a success
    assert [fault for fault in faults if "the server responded with a status of 4" not in fault] == []


@pytest.fixture(scope="module")
def cells_of(photos) -> list[Photo]:
    return [(path.name, path.read_bytes()) for path in sorted(photos.rglob("*.png"))[::8]]


def give(page: Page, photos: Sequence[Photo], event: str = "drop") -> None:
    page.evaluate(GIVE, [[(name, base64.b64encode(content).decode()) for name, content in photos], event])


def png(pixels: np.ndarray) -> bytes:
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue()


def shown(classifier, content: bytes) -> str:
    """The title of the result for a photo."""
    found = classifier.predict(content)
    if not found.familiar:
        return "Unlike the training photos"
    return found.label if found.sure else "Not sure"


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_photo_is_answered(page, classifier, cells_of, event):
    name, content = cells_of[0]
    give(page, [(name, content)], event)
    card = page.locator(".card")
    expect(card.locator(".answer")).to_have_text(shown(classifier, content))
    expect(card.locator(".name")).to_have_text(name)
    expect(card.locator(".probabilities li")).to_have_count(2)
    best = classifier.predict(content)
    expect(card.locator(".probabilities li").first).to_contain_text(best.label)
    assert card.locator("progress").first.evaluate("bar => bar.value") == pytest.approx(best.probability, abs=1e-4)
    expect(page.locator("[role=log]")).to_contain_text(shown(classifier, content))


def test_where_the_answer_comes_from_is_laid_over_the_photo(page, cells_of):
    give(page, cells_of[:1])
    canvas, image, button = (page.locator(f".card {name}") for name in ("canvas", "img", ".highlight"))
    expect(canvas).to_be_visible()
    assert canvas.bounding_box() == pytest.approx(image.first.bounding_box(), abs=1)
    darkness = canvas.evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"
        ".filter((_, at) => at % 4 === 3)"
    )
    assert min(darkness) == 0
    assert max(darkness) > 100
    button.click()
    expect(canvas).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize(
    ("resizing", "across", "down"),
    [("crop", 2 / 3, 1), ("pad", 1, 3 / 2), ("stretch", 1, 1), ("resize-crop", 7 / 12, 7 / 8)],
)
def test_the_map_lies_where_the_network_looked(page, resizing, across, down):
    """On a photo of 300 x 200. Only the resizing in the service's answer is changed here."""

    def resized(route):
        answer = route.fetch()
        said = answer.json()
        said["predictions"][0]["places"]["resizing"] = resizing
        route.fulfill(response=answer, json=said)

    page.route("**/v1/predict?*", resized)
    give(page, [("wide.png", png(np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)))])
    expect(page.locator(".card canvas")).to_be_visible()
    photo, laid = (page.locator(f".card {name}").first.bounding_box() for name in ("img", "canvas"))
    assert photo
    assert laid
    assert laid["width"] == pytest.approx(across * photo["width"], abs=1)
    assert laid["height"] == pytest.approx(down * photo["height"], abs=1)
    for start, length in (("x", "width"), ("y", "height")):
        assert laid[start] + laid[length] / 2 == pytest.approx(photo[start] + photo[length] / 2, abs=1)


def test_a_folder_is_dropped(page, photos, classifier, tmp_path):
    """As from a desktop, by the browser's own protocol: the photos in it are classified, and nothing else is sent."""
    first, second = sorted(photos.rglob("*.png"))[:2]
    (tmp_path / "photos" / "deeper").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    shutil.copy(first, tmp_path / "photos")
    shutil.copy(second, tmp_path / "photos" / "deeper")
    (tmp_path / "photos" / "notes.txt").write_text("no photo")
    (tmp_path / "photos" / "._left_by_a_mac.png").write_text("no photo")
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(tmp_path / "photos"), str(tmp_path / "empty")], "dragOperationsMask": 1}
    for event in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": event, "x": 400, "y": 300, "data": data})
    expect(page.locator(".card")).to_have_count(3)
    expect(page.locator(".bad .note")).to_have_text("This folder contains no photos.")
    for path in (first, second):
        card = page.locator(".card", has=page.get_by_text(path.name, exact=True))
        expect(card.locator(".answer")).to_have_text(shown(classifier, path.read_bytes()))


def test_a_photo_is_taken(browser, service, photos):
    """On a phone: the page opens the rear camera, and classifies its photo."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(service.url)
    assert page.locator("#camera").get_attribute("capture") == "environment"
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Take a photo").tap()
    chooser.value.set_files(next(photos.rglob("*.png")))
    expect(page.locator(".card .probabilities li")).to_have_count(2)
    context.close()


def test_a_broken_and_a_huge_file(page, cells_of):
    name, content = cells_of[0]
    give(page, [("broken.png", content[: len(content) // 2]), ("huge.png", bytes(1_500_000)), (name, content)])
    cards = {text: page.locator(".card", has_text=text) for text in ("broken.png", "huge.png", name)}
    expect(cards["broken.png"].locator(".note")).to_contain_text("damaged or cut short")
    expect(cards["huge.png"].locator(".note")).to_have_text("This file has 1.5 MB; the limit is 1 MB. Make it smaller.")
    expect(cards[name].locator(".probabilities li")).to_have_count(2)
    expect(page.locator(".bad")).to_have_count(2)


def test_an_image_unlike_the_training_photos(page, classifier):
    rng = np.random.default_rng(0)
    content = png(rng.integers(0, 256, (200, 300, 3), dtype=np.uint8))
    assert not classifier.predict(content).familiar
    give(page, [("noise.png", content)])
    expect(page.locator(".card.unsure .answer")).to_have_text("Unlike the training photos")


def test_ten_at_once(page, classifier, cells_of):
    give(page, cells_of)
    expect(page.locator(".card .highlight:visible")).to_have_count(10)
    for name, content in cells_of:
        card = page.locator(".card", has=page.get_by_text(name, exact=True))
        expect(card.locator(".answer")).to_have_text(shown(classifier, content))
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".card")).to_have_count(0)
    expect(page.get_by_role("button", name="Choose photos")).to_be_focused()


def test_with_the_keyboard_alone(page, photos, tmp_path):
    path = next(photos.rglob("*.png"))
    with page.expect_file_chooser() as chooser:  # early: the browser must know that the file chooser is awaited
        for _ in range(10):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "choose":
                break
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
    chooser.value.set_files(path)
    expect(page.locator(".card .highlight")).to_be_visible()
    for _ in range(5):
        page.keyboard.press("Tab")
        if "highlight" in page.evaluate("document.activeElement.className"):
            break
    page.keyboard.press("Space")
    expect(page.locator(".card canvas")).to_be_hidden()


def test_another_model_is_asked(page, cells_of):
    page.get_by_label("Model").select_option("other")
    with page.expect_request("**/v1/predict?*") as asked:
        give(page, cells_of[:1])
    assert "model=other" in asked.value.url
    expect(page.locator(".card .probabilities li").first).to_contain_text(re.compile("broken|whole"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("touch", [True, False], ids=["phone", "desk"])
def test_it_can_be_read_on_a_phone_and_on_a_desk(browser, service, cells_of, scheme, touch, tmp_path):
    context = browser.new_context(viewport=PHONE if touch else DESK, color_scheme=scheme, has_touch=touch,
                                  is_mobile=touch)  # fmt: skip
    page = context.new_page()
    page.goto(service.url)
    noise = png(np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8))
    expect(page.locator("#about")).to_contain_text("This model recognises")
    give(page, [("a-very-long-name-of-a-photo" * 5 + ".png", noise), *cells_of[:1], ("broken.png", b"broken")])
    expect(page.locator(".card .answer", has_text="Analysing")).to_have_count(0)
    width = (PHONE if touch else DESK)["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for selector in ("#about", "#limits", "#choose", ".name", ".probabilities li", ".unsure .answer", ".bad .answer",
                     ".bad .note", ".highlight", "h1"):  # fmt: skip
        assert contrast(page, selector) >= 4.5, selector
    expect(page.get_by_role("button", name="Take a photo")).to_be_visible(visible=touch)
    low = "[...document.querySelectorAll('button, select')].filter(e => e.checkVisibility() && e.offsetHeight < 24)"
    assert page.evaluate(f"{low}.length") == 0
    unnamed = """[...document.querySelectorAll('img, button, select, input:not([hidden])')].filter(
        e => e.checkVisibility() && !(e.alt || e.textContent.trim() || e.labels?.length)).length"""
    assert page.evaluate(unnamed) == 0
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    context.close()


def test_a_key_is_required(browser, guarded, cells_of):
    page = browser.new_page()
    page.goto(guarded.url)
    expect(page.locator("#about")).to_contain_text("requires its API key")
    page.get_by_label("Enter the API key of this service").fill("schlüssel€")
    page.keyboard.press("Enter")
    expect(page.locator("#about")).to_contain_text("ASCII letters, digits and symbols only")
    page.get_by_label("Enter the API key of this service").fill("another-key-of-26-characters")
    page.keyboard.press("Enter")
    expect(page.locator("#about")).to_contain_text("This is not the API key")
    page.get_by_label("Enter the API key of this service").fill("a-key-of-24-characters-x")
    page.keyboard.press("Enter")
    expect(page.locator("#about")).to_contain_text("This model recognises")
    give(page, cells_of[:1])
    expect(page.locator(".card .probabilities li")).to_have_count(2)
    page.close()


def test_training_images_are_shown_where_it_is_allowed(browser, showing, cells_of):
    page = browser.new_page()
    page.goto(showing.url)
    give(page, cells_of[:1])
    expect(page.locator(".similar img")).to_have_count(3)
    assert page.evaluate("[...document.querySelectorAll('.similar img')].every(i => i.naturalWidth > 20)")
    page.close()


def test_it_says_that_photos_are_kept_and_takes_a_no(browser, run, page, cells_of, tmp_path):
    """Where none is kept, it says that."""
    expect(page.locator("#limits")).to_have_text("Up to 1 MB each. Photos are not stored.")
    expect(page.locator("#consent")).to_be_hidden()
    folder = tmp_path / "samples"
    with Service(run.folder, "--keep-samples", folder, "--rate", 1) as keeping:
        opened = browser.new_page(viewport=DESK)
        opened.goto(keeping.url)
        expect(opened.locator("#limits")).to_contain_text("Every photo is stored as it is, with its answer")
        opened.get_by_label("My photos may be among them").uncheck()
        give(opened, cells_of[:1])
        expect(opened.locator(".probabilities li")).not_to_have_count(0)
        opened.get_by_label("My photos may be among them").check()
        give(opened, cells_of[1:2])
        expect(opened.locator(".card .probabilities li")).to_have_count(4)
        opened.close()
    assert [file.read_bytes() for file in folder.glob("*.png")] == [cells_of[1][1]]


def test_the_page_holds_no_script_or_style_within(service):
    response = service.get("/")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "'unsafe-inline'" not in response.headers["Content-Security-Policy"]
    for text in (" style=", "<style", " onclick", "http://", "https://"):
        assert text not in response.text
    sources = Path(__file__).parents[2] / "src" / "headstart" / "serving" / "page"
    script = (sources / "page.js").read_text("utf-8")
    assert "innerHTML" not in script, "file names and predictions are text, never HTML"
    assert service.get("/page.js").text == script
