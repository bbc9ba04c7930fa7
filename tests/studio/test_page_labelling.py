"""Labels on the page: select, move, name, merge, exclude, undo, answer the queue; the server keeps what is shown."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.pages import show, studio_page
from support.studio import StudioServer

pytestmark = [pytest.mark.browser, pytest.mark.process]

FIRST, SECOND = "defective", "functional"


@pytest.fixture(scope="module")
def server(studio: StudioServer) -> StudioServer:
    """The shared studio: what a test changes is undone."""
    studio.wait_for(lambda answers: answers["accuracy"], "/api/answers")
    return studio


@pytest.fixture
def page(browser: Browser, server: StudioServer) -> Iterator[Page]:
    """The photos by name. Afterwards all labels are as they were."""
    with studio_page(browser, server) as opened:
        show(opened, server, "photos?sort=name")
        expect(opened.locator(".heading:not(.stuck)")).to_have_count(0)  # as by class, which is shown first
        expect(opened.locator(".cell.loaded").first).to_be_visible()
        yield opened
        while server.ask("/api/collection")["labels"]["undo"]:
            assert server.client.post("/api/labels/undo").status_code == 200


def cell(page: Page, index: int):
    return page.locator(f".cell[data-index='{index}']")


def sizes(server: StudioServer) -> dict[str, int]:
    return {each["name"]: each["photos"] for each in server.ask("/api/collection")["classes"]}


def expect_selected(page: Page, wanted: list[int]) -> None:
    expect(page.locator(".cell.selected")).to_have_count(len(wanted))
    assert selected(page) == wanted


def selected(page: Page) -> list[int]:
    return sorted(page.eval_on_selector_all(".cell.selected", "cells => cells.map(c => Number(c.dataset.index))"))


def test_photos_are_selected_by_mouse(page):
    cell(page, 2).click()
    expect_selected(page, [2])
    cell(page, 5).click(modifiers=["Shift"])
    expect_selected(page, [2, 3, 4, 5])
    cell(page, 3).click(modifiers=["Control"])
    expect_selected(page, [2, 4, 5])
    cell(page, 7).locator(".tick").click()
    expect_selected(page, [2, 4, 5, 7])
    grid = page.locator(".grid").bounding_box()
    assert grid is not None
    page.mouse.click(grid["x"] + 4, grid["y"] + 4)  # between the photos
    expect_selected(page, [])


def test_a_lasso_selects_rows_and_columns(page):
    first, last = cell(page, 0).bounding_box(), cell(page, 1).bounding_box()
    assert first is not None
    assert last is not None
    page.mouse.move(first["x"] - 6, first["y"] - 6)
    page.mouse.down()
    page.mouse.move(last["x"] + 20, last["y"] + last["height"] + 30, steps=4)
    expect(page.locator(".lasso")).to_be_visible()
    page.mouse.up()
    expect(page.locator(".lasso")).to_have_count(0)
    columns = page.evaluate("getComputedStyle(document.querySelector('.grid')).getPropertyValue('--cell')")
    assert columns
    assert selected(page)[:2] == [0, 1]
    assert len(selected(page)) == 4  # two rows of two


def test_a_key_moves_the_selection_and_undo_brings_it_back(page, server):
    grid = page.locator(".grid")
    grid.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect_selected(page, [1, 2])
    page.keyboard.press("2")
    expect(page.locator(".toast")).to_contain_text(f"2 photos are now “{SECOND}”")
    assert sizes(server) == {FIRST: 38, SECOND: 42}
    expect(page.locator(f"[data-drop='class:{SECOND}'] .count")).to_have_text("42")
    page.keyboard.press("Control+z")
    expect(page.locator(f"[data-drop='class:{SECOND}'] .count")).to_have_text("40")
    assert sizes(server) == {FIRST: 40, SECOND: 40}
    page.keyboard.press("Control+Shift+z")
    expect(page.locator(f"[data-drop='class:{SECOND}'] .count")).to_have_text("42")
    assert len(server.ids(changed=True)) == 2


def test_photos_are_dropped_on_a_class(page, server):
    cell(page, 0).click()
    cell(page, 2).click(modifiers=["Shift"])
    start = cell(page, 1).locator("img").bounding_box()
    target = page.locator(f"[data-drop='class:{SECOND}']").bounding_box()
    assert start is not None
    assert target is not None
    page.mouse.move(start["x"] + 30, start["y"] + 30)
    page.mouse.down()
    page.mouse.move(target["x"] + 60, target["y"] + 12, steps=6)
    expect(page.locator(".hand span")).to_have_text("3")
    expect(page.locator(".aimed")).to_have_count(1)
    page.mouse.up()
    expect(page.locator(".toast")).to_contain_text("3 photos")
    assert sizes(server) == {FIRST: 37, SECOND: 43}


def test_escape_puts_back_what_is_dragged(page, server):
    start = cell(page, 1).locator("img").bounding_box()
    target = page.locator(f"[data-drop='class:{SECOND}']").bounding_box()
    assert start is not None
    assert target is not None
    page.mouse.move(start["x"] + 30, start["y"] + 30)
    page.mouse.down()
    page.mouse.move(target["x"] + 60, target["y"] + 12, steps=6)
    page.keyboard.press("Escape")
    expect(page.locator(".hand")).to_have_count(0)
    page.mouse.up()
    assert sizes(server) == {FIRST: 40, SECOND: 40}


def test_a_new_class_is_made_where_photos_go(page, server):
    cell(page, 0).click()
    page.keyboard.press("l")
    expect(page.get_by_role("combobox", name="Name of the class")).to_be_focused()
    page.keyboard.type("<i>cracked")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("1 photo is now “<i>cracked”")
    assert sizes(server) == {"<i>cracked": 1, FIRST: 39, SECOND: 40}


def test_classes_are_renamed_and_merged(page, server):
    def choose(name: str, entry: str) -> None:
        page.locator(f"[data-drop='class:{name}']").hover()
        page.get_by_role("button", name=f"Class {name}").click()
        page.get_by_role("menuitem", name=entry).click()

    choose(FIRST, "Rename class")
    page.get_by_label("Name of the class").fill(SECOND)
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("There is a class")
    page.get_by_label("Name of the class").fill("broken")
    page.keyboard.press("Enter")
    expect(page.locator("[data-drop='class:broken'] .count")).to_have_text("40")
    assert sizes(server) == {"broken": 40, SECOND: 40}
    choose("broken", "Merge into")
    expect(page.get_by_role("combobox", name="Name of the class")).to_be_focused()
    page.keyboard.press("Enter")  # the only other class
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator(f"[data-drop='class:{SECOND}'] .count")).to_have_text("80")
    assert sizes(server)[SECOND] == 80


def test_photos_are_excluded_and_included_again(page, server):
    cell(page, 0).click()
    page.keyboard.press("x")
    expect(page.locator(".total")).to_have_text("79 photos")
    assert len(server.ids(excluded=True)) == 1
    page.get_by_role("link", name="Excluded").click()
    expect(page.locator(".total")).to_have_text("1 photo")
    page.locator(".grid").press("Enter")
    page.get_by_role("button", name="Include again").click()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="All photos 80").click()
    expect(page.locator(".total")).to_have_text("80 photos")


def test_another_tab_follows(browser, page, server):
    with studio_page(browser, server) as other:
        show(other, server, "photos?changed=true")
        expect(other.get_by_role("heading", name="No photo matches")).to_be_visible()
        cell(page, 3).click()
        page.keyboard.press("2")
        expect(other.locator(".total")).to_have_text("1 photo")
        other.keyboard.press("Control+z")
        expect(page.locator(f"[data-drop='class:{SECOND}'] .count")).to_have_text("40")


def test_the_queue_is_answered_by_single_keys(page, server):
    queue = server.wait_for(lambda queue: len(queue["items"]) > 2, "/api/queue")
    first = queue["items"][0]
    show(page, server, "queue")
    expect(page.locator(".question h1")).to_contain_text(str(first["suggested"]))
    page.keyboard.press("y")
    expect(page.locator(".queue-side")).to_contain_text("1 answered in this session")
    page.keyboard.press("s")
    expect(page.locator(".queue-side")).to_contain_text("2 answered in this session")
    server.wait_for(lambda queue: first["key"] not in {each["key"] for each in queue["items"]}, "/api/queue")
    details = server.ask("/api/photos/details", ids=first["ids"])["photos"]
    assert [photo["label"] for photo in details] == [first["suggested"]] * len(details)


def test_an_answer_that_is_undone_is_asked_again(page, server):
    server.wait_for(lambda queue: len(queue["items"]) > 1, "/api/queue")
    show(page, server, "queue")
    caption = page.locator(".question figcaption").first
    expect(caption).to_contain_text(".png")
    name = caption.inner_text()
    page.keyboard.press("y")
    expect(caption).not_to_have_text(name)
    expect(page.locator(".steps button").first).to_be_enabled()
    page.keyboard.press("Control+z")
    expect(caption).to_have_text(name)


def test_what_was_answered_counts_though_the_queue_was_made_anew(page, server):
    """The answer to a question that is not asked any more is the label of its photos."""
    server.wait_for(
        lambda queue: queue["items"] and "neighbours" not in server.ask("/api/collection")["computing"], "/api/queue"
    )
    show(page, server, "queue")
    expect(page.locator(".question figcaption").first).to_contain_text(".png")
    gone = {"status": 404, "json": {"code": "not-found", "reason": "not-asked", "detail": "It is not asked any more."}}
    page.route("**/api/queue/answer", lambda route: route.fulfill(**gone), times=1)
    with page.expect_request("**/api/labels") as asked:
        page.keyboard.press("y")
    label, ids = asked.value.post_data_json["label"], asked.value.post_data_json["ids"]
    expect(page.locator(".toast")).to_have_count(1)
    expect(page.locator(".toast.bad")).to_have_count(0)
    assert [photo["label"] for photo in server.ask("/api/photos/details", ids=ids)["photos"]] == [label] * len(ids)


def test_what_was_refused_is_asked_again(page, server):
    server.wait_for(lambda queue: len(queue["items"]) > 1, "/api/queue")
    show(page, server, "queue")
    caption = page.locator(".question figcaption").first
    expect(caption).to_contain_text(".png")
    name = caption.inner_text()
    refusal = {"status": 409, "json": {"code": "busy", "detail": "The disk is busy."}}
    page.route("**/api/queue/answer", lambda route: route.fulfill(**refusal), times=1)
    page.keyboard.press("y")
    expect(page.locator(".toast.bad")).to_contain_text("The disk is busy.")
    expect(caption).to_have_text(name)
    expect(page.locator(".queue-side")).not_to_contain_text("answered in this session")


def test_undo_is_offered_for_the_last_step_alone(page):
    for photo in (1, 3):
        cell(page, photo).click()
        page.keyboard.press("2")
        expect(page.locator(".toast")).to_have_count(1)
    expect(page.locator(".toast").get_by_role("button", name="Undo")).to_have_count(1)


def test_a_finger_opens_and_a_tick_selects(browser, server):
    how = {"viewport": {"width": 820, "height": 1180}, "has_touch": True}
    with studio_page(browser, server, **how) as page:
        show(page, server, "photos?sort=name")
        expect(page.locator(".heading:not(.stuck)")).to_have_count(0)
        expect(page.locator(".cell.loaded").first).to_be_visible()
        cell(page, 1).locator("img").tap()
        expect(page.locator("dialog.viewer .place")).to_have_text("2 / 80")
        page.get_by_role("button", name="Close").tap()
        cell(page, 1).locator(".tick").tap()
        cell(page, 2).locator("img").tap()  # as one is selected, taps select
        expect(page.locator(".selection-bar strong")).to_have_text("2 selected")
