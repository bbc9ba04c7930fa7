"""The collection on the page: its grid, filters, the viewer, the map, and opening one; by mouse and by keyboard."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.npm import npm_package
from support.pages import axe_findings, show, studio_page
from support.studio import StudioServer

pytestmark = [pytest.mark.browser, pytest.mark.process]

AXE = "4.14.1"
SIZES = {"desk": (1280, 860), "tablet": (820, 1180), "phone": (390, 844)}
SCREENS = ("photos", "photos?sort=doubt", "queue", "map", "open")
LAYOUT = """async () => {
    const { Layout } = await import("/grid/layout.js");
    const wrong = [];
    for (let seed = 1; seed < 60; seed++) {
        const count = n => (seed * 37 * (n + 1)) % 50;
        const some = Array.from({length: seed % 7 + 1}, (_, n) => ({name: `${n}`, count: count(n)}));
        const sections = seed % 3 ? some : null;
        const total = sections ? sections.reduce((sum, each) => sum + each.count, 0) : seed * 31;
        const width = 300 + 41 * seed;
        const captions = seed % 2 === 0;
        const layout = new Layout({total, sections, width, cell: 60 + seed, gap: 8, pad: 20, captions});
        const shown = layout.rows.filter(row => row.section < 0);
        if (shown.reduce((sum, row) => sum + row.count, 0) !== total) wrong.push([seed, "total"]);
        for (let index = 0; index < total; index++) {
            const {x, y} = layout.place(index);
            const found = layout.within(x + 1, y + 1, x + 2, y + 2);
            if (found.length !== 1 || found[0] !== index) wrong.push([seed, index, "within", found]);
            if (x + layout.size > width || y + layout.rowHeight > layout.height) wrong.push([seed, index, "outside"]);
            const below = layout.beside(index, 1);
            if (below < index || below >= total) wrong.push([seed, index, "below", below]);
        }
    }
    return wrong;
}"""
MANY = """async () => {
    const { Grid } = await import("/grid/grid.js");
    const element = document.createElement("div");
    element.className = "grid";
    element.style.height = "700px";
    document.querySelector(".stage").append(element);
    const none = () => {};
    const grid = new Grid(element, {
        url: () => "icon.svg", detail: none, want: none, name: none, caption: none, heading: none, label: "",
        selected: () => new Set(), select: none, open: none,
    });
    grid.show(Int32Array.from({length: 100000}, (_, n) => n), null);
    const found = {};
    const first = () => element.querySelector(".cell:not([hidden])");
    const frames = async () => { for (let n = 0; n < 3; n++) await new Promise(requestAnimationFrame); };
    const haveAll = () => [...grid.cells.values()].every(cell => cell.firstElementChild.hasAttribute("src"));
    grid.settle = none;  // as if it was scrolled on and on
    for (let turn = 0; turn < 20; turn++) { element.scrollTop += 120; await frames(); }
    found.byWheel = haveAll();
    for (let turn = 0; turn < 5; turn++) { element.scrollTop += 3000; await frames(); }
    element.scrollTop += 3000;
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    found.byBar = haveAll();
    delete grid.settle;
    element.scrollTop = 1e6;
    while (grid.isFlying || !haveAll()) await new Promise(done => setTimeout(done, 20));
    found.settled = true;
    found.cells = element.querySelectorAll(".cell").length;
    found.middle = Number(first().dataset.index);
    grid.moveTo(99999);
    found.last = Number(element.querySelector(".cell.active").dataset.index);
    grid.end();
    element.remove();
    return found;
}"""
IS_DRAWN = """() => {
    const canvas = document.querySelector("canvas");
    return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(value => value);
}"""


@pytest.fixture(scope="module")
def answered(studio: StudioServer) -> StudioServer:
    """The shared studio, once the classifier has answered and photos have places on the map."""
    studio.wait_for(lambda answers: answers["accuracy"], "/api/answers")
    return studio


@pytest.fixture
def page(browser: Browser, answered: StudioServer) -> Iterator[Page]:
    with studio_page(browser, answered) as opened:
        yield opened


def ids_shown(page: Page) -> list[int]:
    """The photos that are in view, in order."""
    return page.eval_on_selector_all(
        ".cell:not([hidden])",
        "cells => cells.sort((a, b) => a.dataset.index - b.dataset.index).map(c => Number(c.id.slice(6)))",
    )


def expect_photos(page: Page, order: list[int]) -> None:
    """Those in view are the first of an order, soon."""
    tries = 0
    while (found := ids_shown(page)) != order[: len(found)] or not found:
        assert tries < 50, found
        page.wait_for_timeout(100)
        tries += 1


def test_photos_stand_under_their_classes(page, answered):
    show(page, answered, "photos")
    expect(page.locator(".total")).to_have_text("80 photos")
    expect(page.locator(".heading:not(.stuck)").first).to_have_text("defective40")
    expect(page.locator(".cell.loaded").first).to_be_visible()
    page.locator(".grid").press("End")
    expect(page.locator(".cell.active")).to_have_attribute("aria-posinset", "80")
    expect(page.locator(".heading.stuck")).to_have_text("functional40")


def test_a_grid_of_many_photos_has_few_elements(page, answered):
    show(page, answered, "photos")
    expect(page.locator(".cell.loaded").first).to_be_visible()
    found = page.evaluate(MANY)
    assert found["cells"] < 300
    assert found["middle"] > 10_000
    assert found["last"] == 99_999
    assert found["byWheel"]  # pictures come while the wheel scrolls
    assert not found["byBar"]  # and wait while its bar is dragged
    assert found["settled"]


def test_every_photo_has_one_place_in_the_grid(page):
    assert page.evaluate(LAYOUT) == []


def test_the_side_filters_and_the_address_says_so(page, answered):
    show(page, answered, "photos")
    page.get_by_role("link", name=re.compile("^functional")).click()
    expect(page.locator(".total")).to_have_text("40 photos")
    expect(page).to_have_url(re.compile("class=functional"))
    assert set(ids_shown(page)) <= set(answered.ids(classes=["functional"]))
    page.get_by_role("button", name="Remove the filter functional").click()
    expect(page.locator(".total")).to_have_text("80 photos")
    page.go_back()
    expect(page.locator(".total")).to_have_text("40 photos")


def test_names_are_searched(page, answered):
    (name,) = [answered.ask("/api/photos/details", ids=[7])["photos"][0]["path"].rpartition("/")[2]]
    show(page, answered, "photos")
    page.locator("body").press("/")
    page.keyboard.type(name)
    expect(page.locator(".total")).to_have_text("1 photo")
    expect_photos(page, [7])
    page.keyboard.press("Escape")
    expect(page.locator(".total")).to_have_text("80 photos")


@pytest.mark.parametrize(
    ("sort", "query"), [("doubt", {"sort": "doubt", "descending": True}), ("unsure", {"sort": "confidence"})]
)
def test_photos_are_ordered_by_what_the_classifier_says(page, answered, sort, query):
    show(page, answered, "photos")
    page.get_by_role("combobox", name="Order").select_option(sort)
    expect_photos(page, answered.ids(**query))


def test_more_like_this_begins_with_the_photo(page, answered):
    show(page, answered, "photos?sort=name")
    page.locator(".grid").press("ArrowRight")
    page.keyboard.press("m")
    expect(page.locator(".chip.like")).to_be_visible()
    expect_photos(page, answered.ids(sort="likeness", like=1))


def test_a_photo_opens_and_the_next_ones_follow(page, answered):
    show(page, answered, "photos?sort=name")
    order = answered.ids(sort="name")
    page.locator(".grid").press("Enter")
    viewer = page.locator("dialog.viewer")
    expect(viewer.locator("img.full")).to_have_attribute("src", re.compile(f"/{order[0]}$"))
    expect(viewer.locator(".place")).to_have_text("1 / 80")
    page.keyboard.press("ArrowRight")
    expect(viewer.locator(".place")).to_have_text("2 / 80")
    details = answered.ask("/api/photos/details", ids=[order[1]])["photos"][0]
    expect(viewer.locator(".facts")).to_contain_text(details["path"])
    expect(viewer.locator(".facts")).to_contain_text(f"{details['width']} × {details['height']}")
    expect(viewer.locator(".nearest img")).not_to_have_count(0)
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(page.locator(".grid")).to_be_focused()
    expect(page.locator(".cell.active")).to_have_id(f"photo-{order[1]}")


def test_a_lasso_on_the_map_selects_what_is_inside(page, answered):
    show(page, answered, "map")
    expect(page.locator(".legend button")).to_have_count(2)
    canvas = page.locator("canvas").bounding_box()
    assert canvas is not None
    expect(page.locator(".map-hint")).to_be_visible()
    page.wait_for_function(IS_DRAWN)
    edges = [(0.01, 0.02), (0.99, 0.02), (0.99, 0.98), (0.01, 0.98)]
    page.get_by_role("button", name=re.compile("^Lasso")).click()
    for number, (across, down) in enumerate(edges):
        page.mouse.move(canvas["x"] + across * canvas["width"], canvas["y"] + down * canvas["height"], steps=4)
        if number == 0:
            page.mouse.down()
    page.mouse.up()
    expect(page.locator(".selection-bar strong")).to_have_text("80 selected")
    page.keyboard.press("Escape")
    expect(page.locator(".selection-bar")).to_have_count(0)


@pytest.fixture(scope="module")
def empty() -> Iterator[StudioServer]:
    """A studio that has nothing open."""
    with StudioServer() as server:
        yield server


def test_a_folder_is_opened_by_keyboard(browser, empty, photos, tmp_path):
    here = Path(shutil.copytree(photos, tmp_path / "<b>my photos"))
    server = empty
    with studio_page(browser, server) as page:
        page.get_by_role("button", name=re.compile("^Choose a folder")).press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        field = page.get_by_label("Or type its path")
        field.fill(str(tmp_path / "nothing"))
        field.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("nothing")
        field.fill(str(here))
        field.press("Enter")
        expect(page.locator(".total")).to_have_text("80 photos")
        expect(page.locator(".collection-name .name")).to_have_text("<b>my photos")  # text, not an element


def test_a_folder_without_labels_leads_to_questions(browser, empty, photos, tmp_path):
    (tmp_path / "new").mkdir()
    for place, photo in enumerate(sorted(photos.rglob("*.png"))[::2]):
        shutil.copy(photo, tmp_path / "new" / f"{place}.png")
    empty.client.post("/api/collection", json={"path": str(tmp_path / "new")})
    empty.wait_for(lambda queue: queue["items"], "/api/queue")
    with studio_page(browser, empty) as page:
        show(page, empty, "try")
        expect(page.get_by_role("link", name="Label photos")).to_have_attribute("href", "#/queue")
        show(page, empty, "train")
        expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()
        expect(page.locator("#main").get_by_role("link", name="Label photos")).to_be_visible()
        show(page, empty, "photos")
        page.get_by_role("link", name="Label them").click()
        expect(page.locator(".question h1")).to_have_text(re.compile("^What do these \\d+ photos show"))
        expect(page.locator(".queue-side")).to_contain_text(re.compile("label about \\d+ photos"))
        page.keyboard.press("y")
        page.keyboard.type("cells")
        page.keyboard.press("Enter")
        expect(page.locator(".queue-side")).to_contain_text("1 answered in this session")
        expect(page.locator(".toast")).to_contain_text("cells")


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [("desk", "light", "en-US"), ("desk", "dark", "pt-BR"), ("tablet", "dark", "en-US"), ("phone", "light", "pt-BR")],
)
def test_screens_fit_and_serve_everybody(browser, answered, pytestconfig, size, scheme, language):
    axe = npm_package(pytestconfig, "axe-core", AXE)
    width, height = SIZES[size]
    how = {"viewport": {"width": width, "height": height}, "color_scheme": scheme, "locale": language}
    with studio_page(browser, answered, **how) as page:
        for screen in SCREENS:
            show(page, answered, screen)
            page.wait_for_selector(".cell.loaded, .question, .done-asking, .legend, .welcome")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, screen
            assert page.evaluate("document.querySelector('main').scrollWidth") <= width, screen
            assert axe_findings(page, axe) == [], screen
            if screen == "map" and size != "desk":  # there is no room beside it
                legend, canvas = (page.locator(each).bounding_box() for each in (".legend", ".map-screen canvas"))
                assert legend is not None
                assert canvas is not None
                assert legend["y"] >= canvas["y"] + canvas["height"] - 1


def test_escape_closes_the_drawer_of_classes(browser, answered):
    width, height = SIZES["tablet"]
    with studio_page(browser, answered, viewport={"width": width, "height": height}) as page:
        show(page, answered, "photos")
        sidebar = page.locator(".sidebar")
        expect(sidebar).to_be_hidden()
        page.get_by_role("button", name="Classes and filters").click()
        expect(sidebar).to_be_visible()
        page.keyboard.press("Escape")
        expect(sidebar).to_be_hidden()
