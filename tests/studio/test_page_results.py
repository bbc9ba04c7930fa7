"""The screens that make results understood, in a real browser: what they show is what the server has measured."""

import itertools
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browsing import WIDTHS
from support.npm import npm_package
from support.pages import axe_findings, show, studio_page
from support.studio import StudioServer

pytestmark = [pytest.mark.browser, pytest.mark.process]

AXE = "4.14.1"
TOO_WIDE = """() => [document.documentElement, document.getElementById('main')]
    .filter(frame => frame.scrollWidth > innerWidth)
    .flatMap(() => [...document.querySelectorAll('#main *')].filter(
        each => each.getBoundingClientRect().right > innerWidth + 1 && !each.parentElement.closest(
        '.table-frame, .matrix-frame, .filmstrip, .contents, .segments, pre')))
    .map(each => `${each.tagName}.${each.className}`)"""
SCREENS = ("train", "understand", "try", "try/camera", "try/ship", "add", "add/camera")


@pytest.fixture(scope="module")
def measured(studio: StudioServer) -> dict:
    """What the server answers, once weight and C are chosen."""
    return studio.wait_for(lambda said: said["accuracy"] and said["final"] and not said["stale"], "/api/answers")


@pytest.fixture
def page(browser: Browser, studio: StudioServer, measured: dict) -> Iterator[Page]:
    with studio_page(browser, studio) as opened:
        yield opened


def percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def test_the_verdict_has_interval_and_baseline(page, studio, measured):
    show(page, studio, "understand")
    accuracy, baseline = measured["accuracy"], measured["baseline"]
    verdict = page.locator("#understand-verdict")
    expect(verdict.locator(".huge")).to_have_text(percent(accuracy["value"]))
    for number in (accuracy["value"], accuracy["low"], accuracy["high"], baseline["value"]):
        expect(verdict.get_by_role("heading", level=2)).to_contain_text(percent(number))
    expect(verdict).to_contain_text(f"{accuracy['count']} training photos")


def test_a_cell_of_the_matrix_opens_its_photos(page, studio, measured):
    show(page, studio, "understand")
    names, counts = measured["class_names"], measured["confusion"]
    cells = page.locator(".matrix tbody td")
    expect(cells).to_have_count(len(names) ** 2)
    assert [int(text) if text != "·" else 0 for text in cells.all_inner_texts()] == [n for row in counts for n in row]
    with page.expect_response(lambda each: '"cell"' in (each.request.post_data or "")) as answer:
        cells.nth(1).click()
    assert answer.value.request.post_data_json["cell"] == names[:2]
    assert int(answer.value.headers["x-total"]) == counts[0][1]


def test_arrows_move_in_the_matrix(page, studio):
    show(page, studio, "understand")
    links = page.locator(".matrix tbody a")
    links.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(links.nth(3)).to_be_focused()
    assert page.locator(".matrix tbody a[tabindex='0']").count() == 1


def test_the_slider_says_what_is_answered_and_what_of_it_is_right(page, studio, measured):
    show(page, studio, "understand")
    curve, slider = measured["sure_curve"], page.locator("#sureness-range")
    for place in (0, len(curve) // 2, len(curve) - 1):
        slider.fill(str(place))
        point = curve[place]
        right = round(point["right"] * point["count"])
        result = page.locator(".sureness-result")
        expect(result).to_contain_text(f"{round(100 * point['answered'])}% of photos get an answer")
        expect(result).to_contain_text(f"{percent(point['right'])} of these answers are right")
        expect(result).to_contain_text(f"{right} right {point['count'] - right} wrong")
    level = page.get_by_role("button", name="95% right")
    reached = [point for point in curve if point["right"] >= 0.95]
    assert level.is_disabled() == (not reached or curve[-1]["right"] < 0.95)


def test_a_wrong_label_is_corrected_from_the_mistakes_and_undone(page, studio, measured):
    show(page, studio, "understand")
    mistake = page.locator(".mistake")
    button = mistake.get_by_role("button", name=re.compile("^It is "))
    expect(mistake.locator(".map")).to_be_visible()  # where the answer comes from
    expect(mistake.locator(".lookalikes li").first).to_be_visible()
    before = studio.ask("/api/collection")["labels"]["changed"]
    button.click()
    expect(page.locator(".change")).to_contain_text("1 label changed")
    expect(page.locator(".change")).to_contain_text(re.compile("not distinguishable|p = "))
    after = studio.wait_for(lambda answers: answers["final"] and not answers["stale"], "/api/answers")
    assert studio.ask("/api/collection")["labels"]["changed"] == before + 1
    expect(page.locator("#understand-verdict .huge")).to_have_text(percent(after["accuracy"]["value"]))
    page.keyboard.press("Control+z")
    studio.wait_for(lambda collection: collection["labels"]["changed"] == before)
    again = studio.wait_for(lambda answers: answers["final"] and not answers["stale"], "/api/answers")
    assert again["accuracy"]["correct"] == measured["accuracy"]["correct"]


def test_a_label_that_is_right_is_noted_as_such(page, studio):
    """It is no longer asked about; the change of labels is none."""
    show(page, studio, "understand/mistakes")
    mistake = page.locator(".mistake")
    expect(mistake.locator(".lookalikes li").first).to_be_visible()
    before = studio.ask("/api/collection")["labels"]
    mistake.get_by_role("button", name="The label is right").click()
    expect(page.locator(".toast")).to_contain_text("Noted: the label is right")
    after = studio.ask("/api/collection")["labels"]
    assert (after["undo"]["kind"], after["changed"], after["state"]) == ("confirm", before["changed"], before["state"])
    page.locator(".toast").get_by_role("button", name="Undo").click()
    studio.wait_for(lambda collection: collection["labels"]["undo"] == before["undo"])


def test_all_corrections_are_measured_together(page, studio):
    photo = studio.ids()[0]
    label = studio.ask("/api/photos/details", ids=[photo])["photos"][0]["label"]
    names = [each["name"] for each in studio.ask("/api/collection")["classes"]]
    studio.ask("/api/labels", ids=[photo], label=next(name for name in names if name != label))
    show(page, studio, "understand/corrections")
    section = page.locator("#understand-corrections")
    section.get_by_role("button", name="Measure").click()
    result = section.get_by_text(re.compile("1 label changed"))
    expect(result).to_be_visible(timeout=60_000)
    (job,) = [job for job in studio.ask("/api/jobs") if job["kind"] == "diff"]
    expect(section).to_contain_text(f"{job['result']['before']['count']} photos whose label stayed the same")
    studio.client.post("/api/labels/undo")
    expect(section).to_contain_text("No label has been changed")


def test_openings_of_the_test_set_are_counted(page, studio):
    before = studio.ask("/api/test")
    show(page, studio, "understand/test")
    section = page.locator("#understand-test")
    expect(section).to_contain_text(f"{before['photos']} photos are set aside")
    expect(section.locator(".seen")).to_have_count(0)
    section.get_by_role("button").click()
    with page.expect_response("**/api/test/open") as answer:
        page.get_by_role("dialog").get_by_role("button", name="Open the test set").click()
    found = answer.value.json()
    assert found["openings"] == before["openings"] + 1
    expect(section.locator(".seen .huge")).to_have_text(percent(found["accuracy"]["value"]))


def test_nothing_is_opened_when_the_dialog_is_dismissed(page, studio):
    before = studio.ask("/api/test")["openings"]
    show(page, studio, "understand/test")
    page.locator("#understand-test").get_by_role("button").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert studio.ask("/api/test")["openings"] == before


GAINS = """async () => {
    const { tuningText } = await import("./screens/train/running.js");
    const phases = (judgement, kept) => [{name: "feature_extraction", validation: {accuracy: {value: .8}}},
        {name: "fine_tuning", kept, judgement, validation: {accuracy: {value: .9}}}];
    const gain = (p) => [{code: "gain", facts: {count: 176, mended: 3, spoiled: 1, p, before: 0.76, after: 0.749}}];
    const against = [{code: "no-fine-tuning-few", facts: {count: 7}}];
    return [tuningText(phases({mended: 20, spoiled: 2, p: 0.00004}, true), []),
        tuningText(phases({mended: 5, spoiled: 3, p: 0.7266}, false), []), tuningText(phases(null, true), []),
        tuningText(phases(null, true).slice(0, 1), []), tuningText(phases(null, true), gain(0.6)),
        tuningText(phases(null, true).slice(0, 1), gain(0.6)), tuningText(phases(null, true).slice(0, 1), against)];
}"""


def test_the_gain_of_fine_tuning_is_said_as_it_was_tested(page):
    better, same, untested, none, kept, left_out, few = page.evaluate(GAINS)
    assert better.startswith("Fine-tuning made it better. 20 right that were wrong, 2 wrong")
    assert "(p = < 0.001)" not in better
    assert "p < 0.001" in better
    assert "cannot be told from chance" in same
    assert "p = 0.73" in same
    assert same.endswith("It is not kept.")
    assert "90.0%" in untested
    assert "80.0%" in untested
    assert none == ""
    assert kept.startswith("Whether fine-tuning made it better cannot be told from chance. 3 right that were wrong")
    assert kept.endswith(
        "It is kept, as the loss of 176 training photos, answered by cross-validation, went down from 0.76 to 0.749."
    )
    assert "It was left out" in left_out
    assert few == "No fine-tuning: 7 validation photos are too few to tell whether it helps."


def test_both_languages_say_the_same(page):
    """Every key has words in both, with the same values in them; or in English, the command's own sentence."""
    words = page.evaluate(
        """async () => Object.fromEntries(await Promise.all(['en', 'pt'].map(async name =>
            [name, (await import(`./strings/${name}.js`)).default])))"""
    )
    assert words["en"].keys() == words["pt"].keys()
    for key, entry in words["en"].items():
        forms = [entry, words["pt"][key]]
        values = [set(re.findall(r"\{(\w+)\}", form if isinstance(form, str) else form["other"])) for form in forms]
        assert values[0] == values[1] or entry == "{detail}", key


@pytest.mark.parametrize("language", ["en-US", "pt-BR"])
def test_nothing_is_wider_than_the_screen(browser, studio, measured, language):
    with studio_page(browser, studio, locale=language) as page:
        for width, screen in itertools.product(WIDTHS, SCREENS):
            page.set_viewport_size({"width": width, "height": 900})
            show(page, studio, screen)
            expect(page.locator("#main h1").first).to_be_attached()
            page.wait_for_timeout(100)
            wide = page.evaluate(TOO_WIDE)
            assert wide == [], f"{screen} at {width}"
            assert page.locator("html").get_attribute("lang") == language.removesuffix("-US")
            shown = page.locator("#app").inner_text()
            assert not re.search(r"\b(train|understand|try|ship|add|runs|job|said|live)\.\w+", shown), (
                "a key without words"
            )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, studio, measured, pytestconfig, scheme):
    axe = npm_package(pytestconfig, "axe-core", AXE)
    with studio_page(browser, studio, color_scheme=scheme, reduced_motion="reduce") as page:
        found = {}
        for screen in SCREENS:
            show(page, studio, screen)
            expect(page.locator("#main h1").first).to_be_attached()
            if screen == "train":
                page.locator("details.more summary").click()
            page.wait_for_timeout(300)
            found[screen] = axe_findings(page, axe)
    assert found == {screen: [] for screen in SCREENS}
