"""The report page in a real browser: on a phone, a tablet and a desk, at 2 and at 100 classes; and what it says."""

import html
import re

import numpy as np
import pytest

from headstart.classifier.calibration import fit_calibration
from headstart.classifier.classifier import Classifier
from headstart.data.dataset import Unreadable
from headstart.evaluation import plots, report
from headstart.evaluation.advice import advice
from headstart.evaluation.curves import curves
from headstart.evaluation.metrics import measure
from headstart.models.network import Network
from headstart.statistics import wilson
from headstart.training.config import TrainingConfig
from support.browsing import WIDTHS, check_layout, contrast, opened

PAPER = (703, 1016)  # pixels of an A4 page within its margins
SECTIONS = ("trained", "right", "sure", "mistakes", "data", "next", "use")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A page of 100 classes with long names, from numbers that are drawn."""
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(0)
    names = tuple(f"{'Passer domesticus balearoibericus ' * (i % 3)}no. {i}" for i in range(100))
    labels = rng.integers(0, 100, 1_500)
    logits = rng.normal(size=(1_500, 100)) + 4 * np.eye(100)[labels]
    certainty = fit_calibration(logits, labels)
    found = measure(logits, labels, names, certainty)
    phase = {"name": "feature_extraction", "epochs": 1, "kept": True, "judgement": None, "parameters": 9,
             "trainable_parameters": 9, "trainable_variables": 2, "seconds": 1.0,
             "validation": {"loss": 1.0, "accuracy": 0.5}}  # fmt: skip
    network = Network(lambda: pytest.fail("the page needs no network"))
    classifier = Classifier(
        network=network,
        class_names=names,
        backbone="mobilenet_v2",
        image_size=224,
        recipe="fast",
        certainty=certainty,
        phases=(phase,),
    )
    (folder / "plots").mkdir()
    drawn = {name: curves(found.probabilities, labels, i) for i, name in enumerate(names)}
    plots.save(plots.confusion_matrix(found.confusion, found.class_names), folder / "plots" / "confusion_matrix.png")
    plots.save(plots.curves({name: each for name, each in drawn.items() if each}), folder / "plots" / "curves.png")
    plots.save(plots.reliability(found.reliability_before, found.reliability), folder / "plots" / "reliability.png")
    splits = {"train": found, "validation": found, "test": found}
    numbers = report.metrics(
        classifier,
        report.Results(splits, familiar=wilson(95, 100)),
        data="tiles",
        settings=TrainingConfig.of(
            recipe="fast", backbone="mobilenet_v2", image_size=None, resizing="stretch", weights="pretrained", seed=0,
            execution="split", precision="float32",
        ),
        notes=["a" * 300],
        unreadable=30,
        seconds={"epochs": 1.0},
    )  # fmt: skip
    unreadable = [Unreadable(f"photos/{'very-long-name-' * 20}{i}.jpg", "is empty (0 bytes)") for i in range(30)]
    page = folder / "report.html"
    report.write_page(page, title="birds", numbers=numbers, plots=folder / "plots", unreadable=unreadable)
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["two classes", "a hundred classes"])
def test_the_page_on_paper(browser, run, many, which, scheme):
    """A4: nothing is cut off or needs scrolling, what is not to be split fits on a page, the paper is white."""
    path = many if which == "a hundred classes" else run.folder / "report.html"
    page, _ = opened(browser, path, PAPER[0], scheme)
    page.emulate_media(media="print", color_scheme=scheme)
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
    assert f"Of {accuracy['count']:,} test images, {accuracy['correct']:,} are answered rightly" in page
    for line in advice(run.metrics):
        assert line in html.unescape(page)
    assert "Model card" in page
    assert len(page) < 5_000_000
    assert page.count("alt=") == page.count("<img")
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_leaks_and_conflicts_come_before_all_else(run):
    found = {
        **run.metrics,
        "findings": {"verdict": "", "counts": {"leak": 2, "doubtful label": 1, "conflicting labels": 1}},
    }
    first, second, third, *_ = advice(found)
    assert first.startswith("An honest split: 2 held-out photos are also among the photos that were learned from")
    assert second == "One label for one photo: 1 copy is of a photo of another class."
    assert third.startswith("Cleaner labels: 1 label is doubtful.")


def test_what_may_be_chance_is_no_advice(run):
    """One mistake in five images of a class, and probabilities that are off as true ones would be on so few images."""
    found = run.metrics["test"]
    rows = [{**row, "support": 5, "recall": 0.8 if place == 0 else 1.0} for place, row in enumerate(found["per_class"])]
    off = {**found["calibration"], "expected_calibration_error": 0.08, "error_by_chance": 0.1}
    accuracy = wilson(49, 50).to_json()
    quiet = {**run.metrics, "outlook": None, "cleaning": None, "findings": {"verdict": "", "counts": {}}}
    numbers = {**quiet, "test": {**found, "per_class": rows, "calibration": off, "accuracy": accuracy}}
    assert not [line for line in advice(numbers) if "is found least" in line or "at their word" in line]
    rows[0] |= {"support": 50}
    numbers["test"]["calibration"] = off | {"error_by_chance": 0.05}
    said = " ".join(advice(numbers))
    assert f"'{rows[0]['class']}' is found least: 80% of its 50 test images" in said
    assert "--balanced" in said
    assert "off by 8% on average" in said
    assert "--balanced" not in " ".join(advice({**numbers, "balanced": True}))


def test_what_was_not_looked_for_is_said(run):
    sure = {**run.metrics["test"], "accuracy": wilson(5_000, 5_000).to_json(), "per_class": []}
    numbers = {**run.metrics, "test": sure, "outlook": None, "cleaning": None}
    assert advice({**numbers, "findings": {"verdict": "", "counts": {}}})[0].startswith("Nothing stands out")
    (line,) = advice({**numbers, "findings": None})
    assert line.startswith("A look at the data: near copies, leaks and doubtful labels were not looked for")


def test_a_verdict_by_the_validation_images_says_so(run):
    assert "hold out a test split" not in report.verdict(run.metrics)
    assert "hold out a test split" in report.verdict({**run.metrics, "test": None})


def test_a_class_whose_name_begins_with_an_underscore_has_its_place_in_the_legend():
    labels = np.array([0, 1] * 20)
    found = measure(np.linspace(-1, 1, 40)[:, None], labels, ("_other", "cats"))
    named = {name: each for name, each in zip(found.class_names, found.curves, strict=True) if each}
    (legend,) = plots.curves(named).legends
    assert [text.get_text().split(":")[0].strip() for text in legend.get_texts()] == ["_other", "cats"]


def test_promises_of_the_metrics_are_counted_rightly():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(900, 3)) * 2
    from headstart.evaluation.guarantees import measure_guarantees
    from headstart.numerics import probabilities

    labels = (probabilities(logits).cumsum(axis=1) > rng.random((900, 1))).argmax(axis=1)
    certainty = fit_calibration(logits[:600], labels[:600])
    found = measure_guarantees(measure(logits[600:], labels[600:], ("a", "b", "c"), certainty))
    shares = certainty.probabilities(logits[600:])
    row = found["coverage"]["0.9"]
    least = certainty.least_in_set(0.9)
    assert row["covered"]["correct"] == sum(shares[i, labels[600 + i]] >= least for i in range(300))
    assert row["mean_size"] == pytest.approx(np.mean([(share >= least).sum() for share in shares]))
    row = found["accuracy"]["0.8"]
    given = [i for i in range(300) if shares[i].max() >= certainty.least_probability(0.8)]
    assert row["answered"]["correct"] == row["accuracy"]["count"] == len(given)
    assert row["accuracy"]["correct"] == sum(shares[i].argmax() == labels[600 + i] for i in given)
    assert found["accuracy"]["0.999"] is None
