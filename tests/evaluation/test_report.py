"""The report page in a real browser: on a phone, a tablet and a desk, at 2 and at 100 classes; and what it says."""

import html
import re
from dataclasses import replace

import numpy as np
import pytest

from headstart.classifier.calibration import Calibration, fit_calibration
from headstart.data.dataset import Unreadable
from headstart.evaluation import plots, report
from headstart.evaluation.advice import advice
from headstart.evaluation.document import Findings, RunMetrics
from headstart.evaluation.guarantees import measure_guarantees
from headstart.evaluation.metrics import measure
from headstart.inspection.shortcuts import Shortcut
from headstart.numerics import probabilities
from headstart.statistics import wilson
from support.browsing import WIDTHS, check_layout, contrast, opened
from support.drawn_metrics import drawn_evaluation, drawn_metrics

PAPER = (703, 1016)  # pixels of an A4 page within its margins
SECTIONS = ("trained", "right", "sure", "mistakes", "data", "next", "use")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A page of 100 classes with long names, from numbers that are drawn."""
    folder = tmp_path_factory.mktemp("many")
    names = tuple(f"{'Passer domesticus balearoibericus ' * (i % 3)}no. {i}" for i in range(100))
    found = drawn_evaluation(names, 1_500)
    (folder / "plots").mkdir()
    drawn = {name: each for name, each in zip(names, found.curves, strict=True) if each}
    plots.save(plots.confusion_matrix(found.confusion, found.class_names), folder / "plots" / "confusion_matrix.png")
    plots.save(plots.curves(drawn), folder / "plots" / "curves.png")
    plots.save(plots.reliability(found.reliability_before, found.reliability), folder / "plots" / "reliability.png")
    metrics = drawn_metrics(found, notes=["a" * 300], unreadable=30)
    unreadable = [Unreadable(f"photos/{'very-long-name-' * 20}{i}.jpg", "is empty (0 bytes)") for i in range(30)]
    page = folder / "report.html"
    report.write_page(page, title="birds", metrics=metrics, plots=folder / "plots", unreadable=unreadable)
    return page


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("which", ["two classes", "a hundred classes"])
def test_the_page_in_a_browser(browser, run, many, which, width):
    path = many if which == "a hundred classes" else run.folder / "report.html"
    page, faults = opened(browser, path, width)
    assert faults == []
    check_layout(page, width)
    for name in SECTIONS:
        assert page.locator(f"section#{name} h2").count() == 1
        assert page.locator(f"nav a[href='#{name}']").is_visible()
    images = page.locator("img")
    assert images.count() >= 3
    assert page.evaluate("[...document.images].every(i => i.alt.length > 20)")
    page.close()


@pytest.mark.parametrize("which", ["two classes", "a hundred classes"])
def test_the_page_on_paper(browser, run, many, which):
    """A4: nothing is cut off or needs scrolling, what is not to be split fits on a page, the paper is white."""
    path = many if which == "a hundred classes" else run.folder / "report.html"
    page, _ = opened(browser, path, PAPER[0])
    page.emulate_media(media="print")
    cut = page.evaluate(
        """() => [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
            || (e.matches('.table, pre, th, td, p, li') && e.scrollWidth > e.clientWidth + 1))
            .map(e => e.tagName + ' ' + e.textContent.slice(0, 60))"""
    )
    assert cut == []
    together = page.locator("figure, tr, pre, .verdict")
    heights = together.evaluate_all("all => all.map(e => e.getBoundingClientRect().height)")
    assert max(heights) < PAPER[1]
    assert set(together.evaluate_all("all => all.map(e => getComputedStyle(e).breakInside)")) == {"avoid"}
    see_through = "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).opacity < 1).length"
    assert page.evaluate(see_through) == 0, "Chromium prints it as a picture, whose edge cuts letters"
    for scheme in ("light", "dark"):
        page.emulate_media(media="print", color_scheme=scheme)
        colours = page.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
        assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert not page.locator("nav").is_visible()
    for name in SECTIONS:
        assert page.locator(f"section#{name} h2").is_visible()
    pages = re.findall(rb"/Type /Page\b(?!s)", page.pdf(format="A4"))
    assert 3 <= len(pages) <= (8 if which == "two classes" else 20)
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_told_from_its_background(browser, run, scheme):
    page, _ = opened(browser, run.folder / "report.html", 820, scheme)
    assert contrast(page, "body") >= 7  # level AAA
    page.close()


def test_the_page_says_what_the_numbers_say(run):
    page = (run.folder / "report.html").read_text("utf-8")
    accuracy = run.metrics["test"]["accuracy"]
    assert f"{accuracy['correct']:,} of {accuracy['count']:,} test images are classified correctly" in page
    for line in advice(RunMetrics.from_json(run.metrics)):
        assert line in html.unescape(page)
    assert "Model card" in page
    assert len(page) < 5_000_000
    assert page.count("alt=") == page.count("<img")
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_leaks_and_conflicts_come_before_all_else(numbers):
    counts = {"leak": 2, "doubtful label": 1, "conflicting labels": 1}
    first, second, third, *_ = advice(replace(numbers, findings=Findings("", counts)))
    assert first.startswith(
        "Fix the split: 2 held-out photos have copies among the photos that the classifier was trained"
    )
    assert second == "Give each photo one label: 1 photo is a copy of a photo with another label."
    assert third.startswith("Check the labels: 1 label is doubtful ")


def test_what_makes_the_accuracy_look_better_comes_first(numbers):
    counts = {"leak": 1, "possible grouping": 1, "conflicting labels": 1}
    shortcuts = tuple(Shortcut(name, 1.0, 0.5, 0.01, "") for name in ("width", "camera"))
    lines = advice(replace(numbers, findings=Findings("", counts), shortcuts=shortcuts))
    assert [line.partition(":")[0] for line in lines[:4]] == [
        "Fix the split", "Remove the shortcuts", "Keep groups together", "Give each photo one label",
    ]  # fmt: skip
    assert "(width, camera)" in lines[1]
    assert "(width, camera)" in advice(replace(numbers, findings=None, shortcuts=shortcuts))[0]


def test_what_may_be_chance_is_no_advice(numbers):
    """One mistake in five images of a class, and probabilities that are off as true ones would be on so few images."""
    weak, *others = numbers.test.per_class
    weak = replace(weak, support=5, recall=0.8)
    good = tuple(replace(row, support=5, recall=1.0) for row in others)
    off = replace(numbers.test.calibration, error=0.08, error_by_chance=0.1)
    test = replace(numbers.test, per_class=(weak, *good), calibration=off, accuracy=wilson(49, 50))
    quiet = replace(numbers, findings=Findings("", {}), test=test)
    assert not [line for line in advice(quiet) if line.startswith(("Add photos", "Do not rely"))]
    found = replace(test, per_class=(replace(weak, support=50), *good), calibration=replace(off, error_by_chance=0.05))
    said = " ".join(advice(replace(quiet, test=found)))
    assert f"Add photos of '{weak.name}': only 80% of its 50 test images are recognized" in said
    assert "--balanced" in said
    assert "on 50 images they differ from the actual accuracy by 8% on average" in said
    assert "--balanced" not in " ".join(advice(replace(quiet, test=found, balanced=True)))


def test_what_was_not_looked_for_is_said(numbers):
    calibrated = replace(numbers.test.calibration, error=0.0)
    sure = replace(numbers.test, accuracy=wilson(5_000, 5_000), per_class=(), calibration=calibrated)
    found = replace(numbers, test=sure, calibration=Calibration())
    assert advice(replace(found, findings=Findings("", {})))[0].startswith("Nothing stands out")
    (line,) = advice(found)
    assert line.startswith("Inspect the data: this run did not look for near copies, leaks or doubtful labels")


def test_a_verdict_by_the_validation_images_says_so(numbers):
    assert "hold out a test split" not in report.verdict(numbers)
    assert "hold out a test split" in report.verdict(replace(numbers, test=None))


def test_a_class_whose_name_begins_with_an_underscore_has_its_place_in_the_legend():
    labels = np.array([0, 1] * 20)
    found = measure(np.linspace(-1, 1, 40)[:, None], labels, ("_other", "cats"))
    named = {name: each for name, each in zip(found.class_names, found.curves, strict=True) if each}
    (legend,) = plots.curves(named).legends
    assert [text.get_text().split(":")[0].strip() for text in legend.get_texts()] == ["_other", "cats"]


def test_guarantees_are_counted_correctly():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(900, 3)) * 2
    labels = (probabilities(logits).cumsum(axis=1) > rng.random((900, 1))).argmax(axis=1)
    calibration = fit_calibration(logits[:600], labels[:600])
    found = measure_guarantees(measure(logits[600:], labels[600:], ("a", "b", "c"), calibration))
    of_each = calibration.probabilities(logits[600:])
    row = found.coverage["0.9"]
    least = calibration.least_in_set(0.9)
    assert row.covered.correct == sum(of_each[i, labels[600 + i]] >= least for i in range(300))
    assert row.mean_size == pytest.approx(np.mean([(each >= least).sum() for each in of_each]))
    row = found.accuracy["0.8"]
    assert row is not None
    assert row.accuracy is not None
    given = [i for i in range(300) if of_each[i].max() >= calibration.least_probability(0.8)]
    assert row.answered.correct == row.accuracy.count == len(given)
    assert row.accuracy.correct == sum(of_each[i].argmax() == labels[600 + i] for i in given)
    assert found.accuracy["0.999"] is None
