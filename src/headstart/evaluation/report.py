"""The numbers and pictures of a run -> metrics.json and report.html, one page that needs nothing else."""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2
from PIL import Image

from headstart.data.dataset import Unreadable
from headstart.data.splits import SPLITS, VALIDATION
from headstart.evaluation.metrics import Evaluation, wilson
from headstart.models.classifier import Classifier

SCHEMA = 1

# file in plots/ -> (heading, what it shows, for those who cannot see it)
PICTURES = {
    "samples.png": ("Training images", "Some of the training images, each under its class name."),
    "augmentation.png": ("Augmentation", "One training image in the views that it was trained in."),
    "learning_curves.png": ("Learning curves", "Accuracy and loss over the epochs, for training and validation."),
    "confusion_matrix.png": ("Confusion matrix", "How often each class was answered as each class."),
    "predictions.png": ("Predictions", "Held-out images with the classifier's answers, right and wrong."),
    "mistakes.png": ("Mistakes", "The wrong answers that were given with the most certainty."),
}


def metrics(
    classifier: Classifier, evaluations: Mapping[str, Evaluation], *, seconds: Mapping[str, float], seed: int
) -> dict:
    """The content of metrics.json.

    evaluations: of each split that has images; the others become null.
    """
    return {
        "schema": SCHEMA,
        "class_names": list(classifier.class_names),
        "backbone": classifier.backbone,
        "image_size": classifier.image_size,
        "recipe": classifier.recipe,
        "seed": seed,
        **{name: evaluations[name].to_json() if name in evaluations else None for name in SPLITS},
        "resizing": classifier.resizing,
        "phases": [_with_interval(phase, evaluations) for phase in classifier.phases],
        "seconds": dict(seconds),
    }


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
    notes: Sequence[str],
) -> None:
    """Write report.html, with the pictures of the folder `plots` inside."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("headstart.evaluation", "."), autoescape=True, undefined=jinja2.StrictUndefined
    )
    pictures = [
        {"heading": heading, "alt": alt, "data": _as_webp(plots / name)}
        for name, (heading, alt) in PICTURES.items()
        if (plots / name).is_file()
    ]
    page = environment.get_template("report.html.j2").render(
        title=title, numbers=numbers, pictures=pictures, unreadable=unreadable, notes=notes, verdict=verdict(numbers)
    )
    file.write_text(page, "utf-8")


def _as_webp(picture: Path) -> str:
    """A PNG as WebP in base64: a tenth of the size, so that the page can be sent by mail."""
    with Image.open(picture) as image, io.BytesIO() as file:
        image.convert("RGB").save(file, "WEBP", quality=85)
        return base64.b64encode(file.getvalue()).decode()


def verdict(numbers: dict) -> str:
    """One plain sentence with its interval."""
    name = "test" if numbers["test"] else "validation"
    accuracy = numbers[name]["accuracy"]
    return (
        f"Of {accuracy['count']:,} {name} images, {accuracy['correct']:,} are answered rightly: "
        f"{accuracy['value']:.1%}. On new photos of the same kind, expect between {accuracy['low']:.1%} and "
        f"{accuracy['high']:.1%}."
    )
