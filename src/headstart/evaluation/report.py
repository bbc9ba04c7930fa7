"""The numbers and pictures of a run -> metrics.json and report.html, one page that needs nothing else."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from PIL import Image

from headstart.classifier.classifier import Classifier
from headstart.concurrency import cpu_budget
from headstart.data.dataset import Unreadable
from headstart.data.splits import SPLITS, TRAIN, VALIDATION
from headstart.evaluation.advice import advice
from headstart.evaluation.cleaning import Cleaning
from headstart.evaluation.guarantees import measure_guarantees
from headstart.evaluation.learning_curve import LearningCurve
from headstart.evaluation.metrics import Evaluation
from headstart.inspection.page import sections
from headstart.inspection.report import Inspection
from headstart.pages.rendering import as_webp, render
from headstart.statistics import Interval, percent, wilson
from headstart.training.config import TrainingConfig

SCHEMA = 1

QUALITY = 85  # of the pictures: their letters stay sharp
FINDINGS = 6  # of each kind, with pictures; the rest is for `headstart inspect`

# file in plots/ -> what it shows, for those who cannot see it too
PICTURES = {
    "samples.png": "Some of the training images, each under its class name.",
    "augmentation.png": "One training image in the views that it was trained in.",
    "learning_curves.png": "Accuracy and loss over the epochs, for training and validation.",
    "confusion_matrix.png": "Confusion matrix: how often each class (row) was answered as each class (column).",
    "curves.png": "ROC curve and precision-recall curve of each class against all others, over all thresholds.",
    "reliability.png": "Share of right answers over their probability, before and after calibration; on the dotted "
    "line both agree.",
    "mistakes.png": "The wrong answers that were given with the most certainty.",
    "explanations.png": "Mistakes (or the least certain answers), where on each photo the answer comes from, and the "
    "training images that resemble it most.",
    "predictions.png": "Some held-out images, drawn at random, with the classifier's answers, right and wrong.",
    "outlook.png": "Accuracy over the number of training images, and what to expect of twice as many.",
}


@dataclass(frozen=True)
class Results:
    """What a run found out.

    evaluations: of each split that has images.
    outlook: what more images would bring. cleaning: what fewer doubtful labels would.
    familiar: the share of held-out images that are like what was trained on.
    findings: what is odd about the collection.
    """

    evaluations: Mapping[str, Evaluation]
    outlook: LearningCurve | None = None
    cleaning: Cleaning | None = None
    familiar: Interval | None = None
    findings: Inspection | None = None


def metrics(
    classifier: Classifier,
    results: Results,
    *,
    data: str,
    settings: TrainingConfig,
    notes: Sequence[str],
    unreadable: int,
    seconds: Mapping[str, float],
) -> dict:
    """The content of metrics.json.

    data: name of the collection. notes: what its owner should know. unreadable: how many files were left out.
    """
    evaluations, found = results.evaluations, results.findings
    return {
        "schema": SCHEMA,
        "class_names": list(classifier.class_names),
        "backbone": classifier.backbone,
        "image_size": classifier.image_size,
        "recipe": classifier.recipe,
        "seed": settings.seed,
        **{name: _measured(name, evaluations) for name in SPLITS},
        "data": data,
        "resizing": classifier.resizing,
        "balanced": settings.recipe.balanced,
        "weights": Path(settings.weights).name,  # that the base began with: "pretrained", "random", or a file
        "notes": list(notes),
        "unreadable": unreadable,
        "familiar": _json(results.familiar),
        "certainty": classifier.calibration.to_json(),
        "outlook": _json(results.outlook),
        "cleaning": _json(results.cleaning),
        "phases": [_with_interval(phase, evaluations) for phase in classifier.phases],
        "findings": {"verdict": found.verdict, "counts": found.counts} if found else None,
        "seconds": dict(seconds),
        "versions": {"headstart": version("headstart")},
        "date": date.today().isoformat(),
    }


def _json(part: Interval | LearningCurve | Cleaning | None) -> dict | None:
    return part.to_json() if part else None


def _measured(name: str, evaluations: Mapping[str, Evaluation]) -> dict | None:
    if name not in evaluations:
        return None
    numbers = evaluations[name].to_json()
    return numbers if name == TRAIN else numbers | {"promises": measure_guarantees(evaluations[name])}


def _with_interval(phase: dict, evaluations: Mapping[str, Evaluation]) -> dict:
    """A phase's validation accuracy is logged as a share; with the count of images it gets its interval."""
    count = evaluations[VALIDATION].accuracy.count
    accuracy = wilson(round(phase["validation"]["accuracy"] * count), count)
    return phase | {"validation": {"loss": phase["validation"]["loss"], "accuracy": accuracy.to_json()}}


def write_metrics(file: Path, numbers: dict) -> None:
    file.write_text(json.dumps(numbers, indent=2, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def write_page(
    file: Path,
    *,
    title: str,
    numbers: dict,
    plots: Path,
    unreadable: Sequence[Unreadable],
    found: Inspection | None = None,
) -> None:
    """Write report.html, with the pictures of the folder `plots` inside."""
    names = [name for name in PICTURES if (plots / name).is_file()]
    with ThreadPoolExecutor(cpu_budget()) as pool:
        pictures = dict(zip(names, pool.map(lambda name: _embedded(plots / name), names), strict=True))
    page = render(
        "evaluation",
        "report.html.j2",
        title=title,
        percent=percent,
        numbers=numbers,
        pictures=pictures,
        unreadable=unreadable,
        notes=numbers["notes"],
        verdict=verdict(numbers),
        advice=advice(numbers),
        findings=sections(found, FINDINGS) if found else [],
    )
    file.write_text(page, "utf-8")


def _embedded(picture: Path) -> dict:
    """A PNG as it stands in the page, and its words."""
    with Image.open(picture) as image:
        data = as_webp(image.convert("RGB"), QUALITY)
        return {"data": data, "alt": PICTURES[picture.name], "width": image.width, "height": image.height}


def verdict(numbers: dict) -> str:
    """One plain sentence with its interval."""
    name = "test" if numbers["test"] else "validation"
    accuracy = numbers[name]["accuracy"]
    words = (
        f"Of {accuracy['count']:,} {name} images, {accuracy['correct']:,} are answered rightly: "
        f"{percent(accuracy['value'])}. On new photos of the same kind, expect between {percent(accuracy['low'])} and "
        f"{percent(accuracy['high'])}."
    )
    if name == VALIDATION:
        words += (
            " Choices were made by these images too (what to keep, when to be sure), so expect a little less; hold out "
            "a test split to know."
        )
    return words
