"""RunMetrics: everything that `metrics.json` says, as data. Measures nothing, knows no model and no images.

`to_json` and `from_json` are each other's inverse, except that sentences, such as the learning curve's advice, are
written anew. The JSON keys are a file format: some attributes have clearer names.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from headstart.classifier.label_calibration import AnyCalibration, calibration_from_json
from headstart.data.label_state import LabelSummary
from headstart.data.splits import SPLITS, TEST, VALIDATION
from headstart.data.targets import Kind
from headstart.evaluation.answered import interval_from_json
from headstart.evaluation.averaging import Averaging
from headstart.evaluation.cleaning import Cleaning
from headstart.evaluation.label_metrics import LabelMetrics
from headstart.evaluation.learning_curve import LearningCurve
from headstart.evaluation.others import OthersMetrics
from headstart.evaluation.split_metrics import SplitMetrics
from headstart.inspection.shortcuts import Shortcut
from headstart.json_text import json_text
from headstart.models.backbones import is_file
from headstart.statistics import Interval

SCHEMA = 1
AnyMetrics = SplitMetrics | LabelMetrics  # of several labels per photo, LabelMetrics


@dataclass(frozen=True)
class FineTuningVerdict:
    """Whether fine-tuning was better than the head alone; the JSON key of the whole is "judgement".

    epoch: the best one. loss, loss_of_head_alone: calibrated, on the validation images.
    mended, spoiled: validation images that only fine-tuning, or only the head alone, classifies correctly.
    p: of McNemar's test. verdict: in a sentence.
    """

    epoch: int
    loss: float
    loss_of_head_alone: float
    mended: int
    spoiled: int
    p: float
    verdict: str


@dataclass(frozen=True)
class PhaseSummary:
    """One phase of the training.

    epochs: that were trained. seconds: that they took. kept: whether the classifier has the phase's weights.
    fine_tuning: None for a phase that is kept in any case.
    depth_weight: of a head that reads every depth: what share of the variance the depths before the last were given, 0
        to 1; else None.
    parameters, trainable_parameters, trainable_variables: of the network in this phase.
    loss, accuracy: of the validation images, at the end of the phase.
    """

    name: str
    epochs: int
    kept: bool
    fine_tuning: FineTuningVerdict | None
    parameters: int
    trainable_parameters: int
    trainable_variables: int
    seconds: float
    loss: float
    accuracy: Interval
    depth_weight: float | None = None

    def to_json(self) -> dict:
        return {
            "name": self.name,
            "epochs": self.epochs,
            "kept": self.kept,
            "judgement": asdict(self.fine_tuning) if self.fine_tuning else None,
            "depth_weight": self.depth_weight,
            "parameters": self.parameters,
            "trainable_parameters": self.trainable_parameters,
            "trainable_variables": self.trainable_variables,
            "seconds": self.seconds,
            "validation": {"loss": self.loss, "accuracy": self.accuracy.to_json()},
        }

    @classmethod
    def from_json(cls, content: Mapping) -> "PhaseSummary":
        judgement, validation = content["judgement"], content["validation"]
        return cls(
            name=content["name"],
            epochs=content["epochs"],
            kept=content["kept"],
            fine_tuning=FineTuningVerdict(**judgement) if judgement else None,
            parameters=content["parameters"],
            trainable_parameters=content["trainable_parameters"],
            trainable_variables=content["trainable_variables"],
            seconds=content["seconds"],
            loss=validation["loss"],
            accuracy=Interval(**validation["accuracy"]),
            depth_weight=content.get("depth_weight"),  # new
        )


@dataclass(frozen=True)
class Findings:
    """The result of the inspection: in a sentence, and kind -> how many findings."""

    verdict: str
    counts: Mapping[str, int]

    def to_json(self) -> dict:
        return {"verdict": self.verdict, "counts": dict(self.counts)}


@dataclass(frozen=True)
class Seconds:
    """total: of this process; epochs: of all epochs, also those before a run was resumed."""

    total: float
    epochs: float


@dataclass(frozen=True)
class RunMetrics:
    """What a run measured.

    train, validation, test: None for a split without images.
    data: name of the collection. weights: of the base at first: "pretrained", "random", or the name of a file.
    precision: "float32" or "bfloat16", of the classifier as it is measured and as it answers.
    training_precision: of the features of training images.
    labels: which labels it was trained with: those of the collection, or which state of the user's corrections.
    notes: what to know about the files and the splits, in sentences. unreadable: files that were left out.
    familiar: the share of held-out images that the novelty detector accepts.
    others: how the held-out `_other` photos are recognised; None where there are none.
    cross_validated: how validation and training images were answered by heads that had not seen them; None where the
        validation images alone were enough to calibrate on.
    learning_curve: what more photos would bring. cleaning: what cleaner labels would.
    averaging: what averaging over views would; None for a classifier that was trained on one.
    shortcuts: technical properties that tell the classes apart, so that the accuracy may come from them.
    """

    class_names: tuple[str, ...]
    backbone: str
    image_size: int
    recipe: str
    seed: int
    train: AnyMetrics | None
    validation: AnyMetrics | None
    test: AnyMetrics | None
    data: str
    resizing: str
    balanced: bool
    weights: str
    precision: str
    training_precision: str
    labels: LabelSummary
    notes: tuple[str, ...]
    unreadable: int
    familiar: Interval | None
    calibration: AnyCalibration
    cross_validated: Interval | None
    learning_curve: LearningCurve | None
    cleaning: Cleaning | None
    averaging: Averaging | None
    phases: tuple[PhaseSummary, ...]
    findings: Findings | None
    shortcuts: tuple[Shortcut, ...]
    seconds: Seconds
    versions: Mapping[str, str]
    date: str
    others: OthersMetrics | None = None

    @property
    def calibrated_on(self) -> int:
        """How many images the classifier was calibrated on."""
        if self.cross_validated:
            return self.cross_validated.count
        return self.validation.accuracy.count if self.validation else 0

    @property
    def held_out_name(self) -> str:
        """The split that measures the classifier: "test", or else "validation"."""
        return TEST if self.test else VALIDATION

    @property
    def held_out(self) -> AnyMetrics:
        """Of that split."""
        found = self.test or self.validation
        if found is None:
            raise ValueError("metrics of neither test nor validation images; expected those of at least one split")
        return found

    def split(self, name: str) -> AnyMetrics | None:
        """name: "train", "validation" or "test"."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]

    def to_json(self) -> dict:
        """The content of metrics.json."""
        return {
            "schema": SCHEMA,
            "class_names": list(self.class_names),
            "backbone": self.backbone,
            "image_size": self.image_size,
            "recipe": self.recipe,
            "seed": self.seed,
            **{name: _json(self.split(name)) for name in SPLITS},
            "data": self.data,
            "resizing": self.resizing,
            "balanced": self.balanced,
            "weights": self.weights,
            "precision": self.precision,
            "training_precision": self.training_precision,
            "labels": self.labels.to_json(),
            "notes": list(self.notes),
            "unreadable": self.unreadable,
            "familiar": _json(self.familiar),
            **({"others": self.others.to_json()} if self.others else {}),
            "certainty": self.calibration.to_json(),
            "cross_validated": _json(self.cross_validated),
            "outlook": _json(self.learning_curve),
            "cleaning": _json(self.cleaning),
            "views": _json(self.averaging),
            "phases": [phase.to_json() for phase in self.phases],
            "findings": _json(self.findings),
            "shortcuts": [shortcut.to_json() for shortcut in self.shortcuts],
            "seconds": asdict(self.seconds),
            "versions": dict(self.versions),
            "date": self.date,
        }

    @property
    def has_keras_model(self) -> bool:
        """Whether there is a `model.keras` in the run."""
        return not is_file(self.backbone)

    @classmethod
    def from_json(cls, content: Mapping) -> "RunMetrics":
        """
        Raises:
            KeyError, TypeError, ValueError: `to_json` did not write this.
        """
        outlook, cleaning, findings = content["outlook"], content["cleaning"], content["findings"]
        views = content.get("views")  # new
        several = content["certainty"].get("kind") == Kind.MULTI_LABEL
        kind = LabelMetrics if several else SplitMetrics
        train, validation, test = (kind.from_json(content[s]) if content[s] else None for s in SPLITS)
        as_they_are = ("backbone", "image_size", "recipe", "seed", "data", "resizing", "balanced", "weights",
                       "unreadable", "versions", "date")  # fmt: skip
        return cls(
            **{key: content[key] for key in as_they_are},
            precision=content.get("precision", "float32"),  # headstart 0.1 does not say
            training_precision=content.get("training_precision", "float32"),
            train=train,
            validation=validation,
            test=test,
            class_names=tuple(content["class_names"]),
            labels=LabelSummary(**content.get("labels", {})),  # headstart 0.1 has no corrections
            notes=tuple(content["notes"]),
            familiar=interval_from_json(content["familiar"]),
            others=OthersMetrics.from_json(content["others"]) if content.get("others") else None,
            calibration=calibration_from_json(content["certainty"]),
            cross_validated=interval_from_json(content.get("cross_validated")),  # headstart 0.1 does not have it
            learning_curve=LearningCurve.from_json(outlook) if outlook else None,
            cleaning=Cleaning.from_json(cleaning) if cleaning else None,
            averaging=Averaging.from_json(views) if views else None,
            phases=tuple(map(PhaseSummary.from_json, content["phases"])),
            findings=Findings(**findings) if findings else None,
            shortcuts=tuple(Shortcut(**each) for each in content.get("shortcuts", [])),  # 0.1 has none
            seconds=Seconds(**content["seconds"]),
        )

    def write(self, file: Path) -> None:
        """Write metrics.json."""
        file.write_text(json_text(self.to_json()) + "\n", "utf-8")

    @classmethod
    def read(cls, file: Path) -> "RunMetrics":
        """Read metrics.json.

        Raises:
            OSError: it cannot be read. KeyError, TypeError, ValueError: this headstart did not write it.
        """
        return cls.from_json(json.loads(file.read_text("utf-8")))


def _json(part: AnyMetrics | Interval | LearningCurve | Cleaning | Averaging | Findings | None) -> dict | None:
    return part.to_json() if part else None
