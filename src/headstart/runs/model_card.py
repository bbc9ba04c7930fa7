"""RunMetrics -> README.md of the run: a model card, with the metadata that Hugging Face's hub reads at its top.

What it was trained on, how good it is, where its limits are, how to use it. It names no file, no path and nobody: who
uploads the folder publishes it. No licence either: that of the photos and of the result is for their owner to say.

The metadata: https://huggingface.co/docs/hub/model-cards. JSON is YAML, so `json.dumps` writes its texts.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from headstart.classifier.calibration import FEW_PHOTOS
from headstart.data.splits import SPLITS, TRAIN
from headstart.evaluation.document import RunMetrics
from headstart.evaluation.label_metrics import LabelMetrics
from headstart.evaluation.report import verdict
from headstart.evaluation.split_metrics import ClassMetrics, SplitMetrics
from headstart.inspection.findings import LEAK
from headstart.inspection.shortcuts import said_in_a_line
from headstart.statistics import percent

TAGS = ("image-classification", "transfer-learning", "keras", "openvino", "headstart")
FILE_TAGS = tuple(tag for tag in TAGS if tag != "keras")  # of a base that is the network of a file
DIGITS = 4  # of the numbers in the metadata
MOST_CLASSES = 30  # that get a line each
PHASES = {"feature_extraction": "a new head", "fine_tuning": "fine-tuning"}

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|])")


def model_card(metrics: RunMetrics, title: str) -> str:
    """The text of README.md. title: the name of the run."""
    parts = [
        _metadata(metrics, title),
        f"# {_plain(title)}",
        f"An image classifier for {_named(metrics.class_names)}. {verdict(metrics)}",
        _use(metrics),
        _training(metrics),
        label_numbers(found) if isinstance(found := metrics.held_out, LabelMetrics) else _numbers(metrics, found),
        "\n".join(["## Limits", "", *(f"- {limit}" for limit in _limits(metrics))]),
    ]
    return "\n\n".join(parts) + "\n"


def _metadata(metrics: RunMetrics, title: str) -> str:
    held_out, name = metrics.held_out, metrics.held_out_name
    accuracy = held_out.accuracy
    interval = f"Accuracy, 95% interval {percent(accuracy.low)} to {percent(accuracy.high)}"
    f1 = held_out.f1_macro.value if isinstance(held_out, LabelMetrics) else held_out.macro.f1
    values = [("accuracy", interval, accuracy.value), ("f1", "F1, mean of the classes", f1)]
    if isinstance(held_out, LabelMetrics) and (mean := held_out.mean_average_precision):
        values.append(("mean_average_precision", f"Mean average precision, 95% interval {mean}", mean.value))
    lines = [
        "---",
        "library_name: headstart",
        "pipeline_tag: image-classification",
        f"tags: {json.dumps(TAGS if metrics.has_keras_model else FILE_TAGS)}",
        f"metrics: {json.dumps([kind for kind, *_ in values])}",
        "model-index:",
        f"- name: {json.dumps(title)}",
        "  results:",
        "  - task: {type: image-classification, name: Image classification}",
        f"    dataset: {{type: imagefolder, name: {json.dumps(metrics.data)}, split: {name}}}",
        "    metrics:",
        *(
            f"    - {{type: {kind}, name: {json.dumps(words)}, value: {round(value, DIGITS)}}}"
            for kind, words, value in values
        ),
        "---",
    ]
    return "\n".join(lines)


def _use(metrics: RunMetrics) -> str:
    network = (
        f"`model.keras` is a plain Keras model: RGB pixels from 0 to 255, {metrics.image_size} x {metrics.image_size}, "
        f"to logits, with the preprocessing inside."
        if metrics.has_keras_model
        else f"The base is the network of a file, `base/{metrics.backbone}`, so there is no Keras model: `headstart "
        f"export` writes the classifier as ONNX or for OpenVINO."
    )
    return f"""## Use it

```python
import headstart as hs  # pip install headstart

predictor = hs.Predictor("FOLDER")  # this folder, or huggingface_hub.snapshot_download("OWNER/NAME")
print(predictor.predict("photo.jpg"))  # label, probability, whether it is sure, whether the photo is familiar
```

{network} `classifier.json` has the class names and the temperature of probabilities."""


def _training(metrics: RunMetrics) -> str:
    sizes = {name: found.accuracy.count for name in SPLITS if (found := metrics.split(name))}
    photos = ", ".join(f"{count:,} for {'training' if name == TRAIN else name}" for name, count in sizes.items())
    weights = "pretrained on ImageNet" if metrics.weights == "pretrained" else f"weights: {_plain(metrics.weights)}"
    kept = [PHASES.get(phase.name, phase.name) for phase in metrics.phases if phase.kept]
    lines = [
        "## What it was trained on",
        "",
        f'The collection "{_plain(metrics.data)}": {sum(sizes.values()):,} photos ({photos}).',
        f"The base is `{metrics.backbone}`, {weights}, at {metrics.image_size} pixels (photos of another shape: "
        f"{metrics.resizing}). Trained by the recipe `{metrics.recipe}` ({' and '.join(kept)}), seed {metrics.seed}, "
        f"with headstart {metrics.versions.get('headstart', '')}, on {metrics.date}.",
    ]
    labels = metrics.labels
    changes = [(labels.changed, "changed"), (labels.labelled, "given"), (labels.excluded, "taken away")]
    if any(count for count, _ in changes):
        said = ", ".join(f"{count:,} {what}" for count, what in changes if count)
        lines.append(f"Labels of photos were corrected by hand: {said}.")
    return "\n".join(lines)


def label_numbers(held_out: LabelMetrics) -> str:
    """Of several labels per photo."""
    rows = [
        (
            _plain(row.name),
            f"{row.support:,}",
            *("-" if share is None else str(share) for share in (row.precision, row.recall)),
            "-" if row.f1 is None else f"{row.f1:.3f}",
        )
        for row in held_out.per_class[:MOST_CLASSES]
    ]
    lines = ["## How good it is", "", *(f"- {sentence}" for sentence in held_out.sentences), ""]
    return "\n".join([*lines, *_table(("label", "photos", "precision", "recall", "F1"), rows)])


def _numbers(metrics: RunMetrics, held_out: SplitMetrics) -> str:
    name = metrics.held_out_name
    splits = {split: found for split in SPLITS if (found := metrics.split(split))}
    rows = [(split, str(found.accuracy), f"{found.loss:.4f}") for split, found in splits.items()]
    worst_first = sorted(held_out.per_class, key=lambda row: (row.recall is None, row.recall))
    shown = held_out.per_class if len(held_out.per_class) <= MOST_CLASSES else worst_first[:MOST_CLASSES]
    lines = [
        "## How good it is",
        "",
        *_table(("split", "accuracy (95% interval)", "cross-entropy"), rows),
        "",
        f"Of the {name} photos, class by class"
        + (f" (the {MOST_CLASSES} that are found least)" if len(shown) < len(held_out.per_class) else "")
        + ":",
        "",
        *_table(("class", "photos", "precision", "recall", "F1"), map(_of_class, shown)),
        "",
        f"Probabilities are calibrated: on average they are off by {percent(held_out.calibration.error)} (expected "
        f"calibration error on {name} photos; {percent(held_out.calibration.error_by_chance)} would be chance).",
    ]
    level = metrics.calibration.usual_accuracy
    found = held_out.guarantees and level is not None and held_out.guarantees.accuracy.get(f"{level:g}")
    if found and found.accuracy:
        lines.append(
            f"Answers that are called sure are meant to be right in {level:.0%} of cases: {found.answered} of the "
            f"{name} photos get one, and {found.accuracy} of these are right."
        )
    return "\n".join(lines)


def _of_class(row: ClassMetrics) -> tuple[str, ...]:
    shares = (row.precision, row.recall, row.f1)
    return (_plain(row.name), f"{row.support:,}", *("-" if share is None else percent(share) for share in shares))


def _limits(metrics: RunMetrics) -> Iterator[str]:
    yield (
        "The numbers are of photos from the same collection. Photos of another camera, place, season or people may be "
        "answered worse: measure it on yours (`headstart evaluate`)."
    )
    if metrics.familiar:
        yield (
            "It knows these classes and nothing else. A photo unlike all that it was trained on is marked as not "
            f"familiar; of held-out photos, {metrics.familiar} are familiar. A photo of something else may still pass."
        )
    else:
        yield "It knows these classes and nothing else: a photo of anything else is given one of their names."
    if metrics.shortcuts:
        yield said_in_a_line(metrics.shortcuts).removeprefix("Note: ").capitalize()
    if metrics.findings and (leaks := metrics.findings.counts.get(LEAK)):
        yield f"{leaks:,} held-out photos have copies among those that it was trained on: the accuracy is too high."
    rare = [row.name for row in metrics.train.per_class if row.support < FEW_PHOTOS] if metrics.train else []
    if rare:
        yield f"Fewer than {FEW_PHOTOS} training photos show {_named(rare)}: what is said of these is mostly chance."
    yield (
        "Where the photos come from, whom they show, and under which licence they and this classifier may be used, is "
        "for whoever publishes it to say: headstart does not know."
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(map(_plain, names[:MOST_CLASSES]))
    more = f" and {len(names) - MOST_CLASSES:,} more" if len(names) > MOST_CLASSES else ""
    return f"{len(names):,} classes ({shown}{more})" if len(names) > 1 else shown


def _plain(text: str) -> str:
    """A text of the user's, which is no Markdown, in one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
