"""The numbers and pictures of a run -> RunMetrics (metrics.json) and report.html, one self-contained page.

    metrics = run_metrics(classifier, results, data=..., seed=..., balanced=..., weights=..., notes=..., ...)
    metrics.write(folder / "metrics.json")
    write_page(folder / "report.html", title=..., metrics=metrics, plots=folder / "plots", ...)

Knows numbers and a classifier, not the training, the run folder or the command that call it.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from PIL import Image

from headstart import __version__
from headstart.classifier.classifier import Classifier
from headstart.concurrency import cpu_budget
from headstart.data.dataset import Unreadable
from headstart.data.label_state import OWN_LABELS, LabelSummary
from headstart.data.splits import SPLITS, TRAIN, VALIDATION
from headstart.evaluation.advice import advice
from headstart.evaluation.averaging import Averaging
from headstart.evaluation.cleaning import Cleaning
from headstart.evaluation.document import AnyMetrics, Findings, FineTuningVerdict, PhaseSummary, RunMetrics, Seconds
from headstart.evaluation.guarantees import measure_guarantees
from headstart.evaluation.label_advice import label_advice, label_verdict
from headstart.evaluation.label_evaluation import LabelEvaluation
from headstart.evaluation.label_metrics import LabelMetrics
from headstart.evaluation.learning_curve import LearningCurve
from headstart.evaluation.metrics import Evaluation
from headstart.evaluation.others import OthersMetrics
from headstart.inspection.page import sections
from headstart.inspection.report import Inspection
from headstart.inspection.shortcuts import Shortcut, said_in_a_line
from headstart.models.backbones import SIDE_BY_SIDE, is_file
from headstart.pages.rendering import as_webp, render
from headstart.statistics import Interval, percent, share_of_groups

QUALITY = 85  # of the pictures as WebP: their letters stay sharp
FINDINGS = 6  # of each kind, with thumbnails; `headstart inspect` shows the rest

# file in plots/ -> what it shows, also for those who cannot see it
PICTURES = {
    "samples.png": "Some of the training images, each under its class name.",
    "augmentation.png": "One training image in the views that the classifier was trained on.",
    "learning_curves.png": "Accuracy and loss of each epoch, on training and validation images.",
    "confusion_matrix.png": "Confusion matrix: how often each true class (row) was predicted as each class (column).",
    "curves.png": "ROC and precision-recall curves of each class against all others.",
    "reliability.png": "Reliability diagram: accuracy over the probability of the answers, before and after "
    "calibration. With perfect calibration, the line follows the diagonal.",
    "mistakes.png": "The most confident wrong predictions.",
    "explanations.png": "The most confident mistakes (or else the least confident answers), the part of each photo "
    "that is the evidence for the answer, and the most similar training images.",
    "predictions.png": "Predictions for randomly chosen held-out images, correct and wrong.",
    "outlook.png": "Accuracy over the number of training images, and what to expect from twice as many.",
}


@dataclass(frozen=True)
class Results:
    """What a run measured.

    evaluations: split -> evaluation, of each split that has images.
    learning_curve: what more images would bring. cleaning: what cleaner labels would. averaging: what views would.
    familiar: the share of held-out images that the novelty detector accepts.
    others: how held-out `_other` photos are recognised; None where there are none.
    inspection: of the collection; None where it was not inspected. shortcuts: are looked for in any case.
    cross_validated: how validation and training images were answered by heads that had not seen them; None where the
        validation images were enough to calibrate on.
    """

    evaluations: Mapping[str, Evaluation | LabelEvaluation]
    learning_curve: LearningCurve | None = None
    cleaning: Cleaning | None = None
    averaging: Averaging | None = None
    familiar: Interval | None = None
    others: OthersMetrics | None = None
    inspection: Inspection | None = None
    cross_validated: Interval | None = None
    shortcuts: Sequence[Shortcut] = ()


def run_metrics(
    classifier: Classifier,
    results: Results,
    *,
    data: str,
    seed: int,
    balanced: bool,
    weights: str | Path,
    training_precision: str,
    notes: Sequence[str],
    unreadable: int,
    seconds: Mapping[str, float],
    labels: LabelSummary = OWN_LABELS,
) -> RunMetrics:
    """Everything that metrics.json says.

    Args:
        classifier: as trained, with its phases.
        data: name of the collection.
        seed, balanced: of the training.
        weights: of the base at first: "pretrained", "random", or the path of a file, of which the name is kept.
        training_precision: see `RunMetrics`.
        notes: what the user should know about the collection.
        unreadable: how many files were left out.
        seconds: "total" and "epochs", see `Seconds`.
        labels: which ones it was trained with.
    """
    evaluations, inspection = results.evaluations, results.inspection
    train, validation, test = (_split_metrics(s, evaluations[s]) if s in evaluations else None for s in SPLITS)
    held_out = evaluations[VALIDATION]
    return RunMetrics(
        class_names=tuple(classifier.class_names),
        backbone=classifier.backbone,
        image_size=classifier.image_size,
        recipe=classifier.recipe,
        seed=seed,
        train=train,
        validation=validation,
        test=test,
        data=data,
        resizing=classifier.resizing,
        balanced=balanced,
        weights=classifier.backbone if is_file(classifier.backbone) else _names_of(weights, classifier.backbone),
        precision=classifier.precision,
        training_precision=training_precision,
        labels=labels,
        notes=tuple(notes),
        unreadable=unreadable,
        familiar=results.familiar,
        others=results.others,
        calibration=classifier.calibration,
        cross_validated=results.cross_validated,
        learning_curve=results.learning_curve,
        cleaning=results.cleaning,
        averaging=results.averaging,
        phases=tuple(_phase_summary(phase, held_out) for phase in classifier.phases),
        findings=Findings(inspection.verdict, inspection.counts) if inspection else None,
        shortcuts=tuple(results.shortcuts),
        seconds=Seconds(**seconds),
        versions={"headstart": __version__},
        date=date.today().isoformat(),
    )


def _names_of(weights: str | Path, backbone: str) -> str:
    """Without folders; of bases side by side, those of all."""
    parts = str(weights).split(SIDE_BY_SIDE) if SIDE_BY_SIDE in backbone else [str(weights)]
    return SIDE_BY_SIDE.join(Path(part).name for part in parts)


def _split_metrics(name: str, evaluation: Evaluation | LabelEvaluation) -> AnyMetrics:
    if isinstance(evaluation, LabelEvaluation) or name == TRAIN:
        return evaluation.metrics
    return replace(evaluation.metrics, guarantees=measure_guarantees(evaluation))


def _phase_summary(phase: Mapping, held_out: Evaluation | LabelEvaluation) -> PhaseSummary:
    """A phase as training describes it: its validation accuracy is a share, and gets its interval here.

    held_out: the evaluation on these images.
    """
    share, judgement = phase["validation"]["accuracy"], phase["judgement"]
    as_they_are = ("name", "epochs", "kept", "parameters", "trainable_parameters", "trainable_variables", "seconds")
    return PhaseSummary(
        **{key: phase[key] for key in as_they_are},
        fine_tuning=FineTuningVerdict(**judgement) if judgement else None,
        loss=phase["validation"]["loss"],
        depth_weight=phase.get("depth_weight"),
        accuracy=share_of_groups(share, held_out.accuracy.count, held_out.groups),
    )


def write_page(
    file: Path,
    *,
    title: str,
    metrics: RunMetrics,
    plots: Path,
    unreadable: Sequence[Unreadable],
    inspection: Inspection | None = None,
) -> None:
    """Write report.html, with the pictures of the folder `plots` and thumbnails of the findings inside.

    Raises:
        ImageError: a photo was changed, moved or damaged since it was inspected.
    """
    names = [name for name in PICTURES if (plots / name).is_file()]
    with ThreadPoolExecutor(cpu_budget()) as pool:
        pictures = dict(zip(names, pool.map(lambda name: _embedded(plots / name), names), strict=True))
    page = render(
        "evaluation",
        "labels.html.j2" if isinstance(metrics.held_out, LabelMetrics) else "report.html.j2",
        title=title,
        percent=percent,
        metrics=metrics,
        pictures=pictures,
        unreadable=unreadable,
        verdict=verdict(metrics),
        shortcuts=said_in_a_line(metrics.shortcuts) if metrics.shortcuts else None,
        advice=label_advice(metrics) if isinstance(metrics.held_out, LabelMetrics) else advice(metrics),
        findings=sections(inspection, FINDINGS) if inspection else [],
    )
    file.write_text(page, "utf-8")


def _embedded(picture: Path) -> dict:
    """A PNG as the page needs it, with its description."""
    with Image.open(picture) as image:
        data = as_webp(image.convert("RGB"), QUALITY)
        return {"data": data, "alt": PICTURES[picture.name], "width": image.width, "height": image.height}


def verdict(metrics: RunMetrics) -> str:
    """The result in plain sentences, with its interval."""
    name, found = metrics.held_out_name, metrics.held_out
    if isinstance(found, LabelMetrics):
        return label_verdict(metrics)
    accuracy = found.accuracy
    sentences = (
        f"{accuracy.correct:,} of {accuracy.count:,} {name} images are classified correctly: {percent(accuracy.value)}."
        f" On new photos of the same kind, expect between {percent(accuracy.low)} and {percent(accuracy.high)}."
    )
    sentences += f" {found.against_the_commonest}"
    if metrics.cross_validated:
        sentences += (
            f" As these are few: of all validation and training images, answered by heads that had not seen them, "
            f"{metrics.cross_validated} are classified correctly."
        )
    if name == VALIDATION:
        sentences += (
            " These images also guided choices during training (which weights to keep, when an answer is sure), so "
            "expect a little less; hold out a test split to know."
        )
    return sentences
