"""One training on its way: its phases one after the other, from the last checkpoint on. A phase solves or steps."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.classifier.calibration import calibrated_loss
from headstart.data.batches import Batches
from headstart.data.dataset import Dataset, Split
from headstart.events import EpochEnded, HeadSolved, Listener, Message
from headstart.features import linear_head, store
from headstart.features.extractor import Parts
from headstart.features.rows import Rows
from headstart.models.network import Network
from headstart.numerics import cross_entropies, log_probabilities, two_sided
from headstart.statistics import disagreement
from headstart.training import checkpoints
from headstart.training.checkpoints import Checkpoint
from headstart.training.config import TrainingConfig
from headstart.training.probe import LinearProbe
from headstart.training.recipes import Phase, Recipe
from headstart.training.telling import judgement, row, say_phase

if TYPE_CHECKING:
    import keras

    from headstart.training import keras_fit

MANY = 40_000  # views of all images together that are worth their time; beyond, two of each image
ENOUGH_TO_JUDGE = 10  # validation images; with fewer, one answer moves the accuracy by more than 10 points
PIXELS = 256 * 2**20  # bytes of decoded training images that are kept in memory from epoch to epoch
PIECE = 64  # images whose features are run through the trainable part at a time, to measure it


@dataclass(eq=False)
class Training:
    """What `trainer.py` hands in, and what came out so far."""

    dataset: Dataset
    settings: TrainingConfig
    network: Network
    checkpoint_folder: Path | None
    listener: Listener
    history: list[dict] = field(default_factory=list)
    phases: list[dict] = field(default_factory=list)
    views: tuple[str, ...] = ()  # those of the training images that were kept
    right: list[np.ndarray] = field(default_factory=list)  # see `Checkpoint`
    judged: list[float] = field(default_factory=list)  # calibrated validation loss of each row of the history, or NaN

    @property
    def recipe(self) -> Recipe:
        return self.settings.recipe

    @property
    def model(self) -> keras.Model:
        return self.network.model

    @cached_property
    def parts(self) -> Parts:
        return Parts(self.settings, self.network, self.listener)

    def go(self) -> None:
        state = checkpoints.latest(self.checkpoint_folder) if self.checkpoint_folder else None
        if state:
            self.history, self.right = list(state.history), list(state.right)
            self.judged = [float(value) for value in state.judged]
            self.model.set_weights(state.weights)
            self.parts.base_changed = any(phase.thaws_base and self._losses(phase) for phase in self.recipe.phases)
            self.listener.emit(Message(f"Going on after epoch {len(self.history)} of {self.recipe.epochs}."))
        first_epoch, changed = 0, False
        for phase in self.recipe.phases:
            if phase.patience is not None and phase.thaws_base and self._needs_none():
                continue
            self._thaw(phase)
            losses = self._losses(phase)
            if not phase.is_over(losses):
                say_phase(self.listener, phase, self.network, self.settings.backbone)
                if phase.optimizer == "lbfgs":
                    self._solve(phase, first_epoch)
                else:
                    self._step(phase, first_epoch, state if losses else None)
            elif state and state.best and state.history[-1]["phase"] == phase.name:
                self.model.set_weights(state.best)
            first_epoch += phase.epochs
            self.phases.append(self._summary(phase))
            if phase.thaws_base:
                self.parts.base_changed = changed = changed or self.phases[-1]["kept"]

    def _needs_none(self) -> bool:
        """Whether fine-tuning, which is kept only if it helps, is not worth its time."""
        held_out = len(self.dataset.validation)
        if held_out < ENOUGH_TO_JUDGE:
            reason = f"by {held_out} validation images nobody can tell whether it helps"
        elif self._trial.is_easy:
            shown = len(self._trial.shown)
            right = shown - self._trial.mistakes
            reason = f"a trial head answered {right} of {shown} training images rightly that it had not seen"
        else:
            return False
        self.listener.emit(Message(f"No fine-tuning: {reason}. `--fine-tune always` does it all the same."))
        return True

    def features(self, split: Split) -> Rows:
        """Of the finished model: what its head is given, (n, depth)."""
        if self.settings.execution == "whole":
            batches = self._batches(split)
            return np.concatenate([self.network.look(images).features for images, _ in batches])
        if not self.parts.base_changed:
            return self.parts.features(split)
        from headstart.training import keras_fit
        from headstart.training.folding import KeptViews

        kept = KeptViews(split, [self.parts.features(split, thawed=self._ends_thawed)], PIECE)
        return keras_fit.answers(self._trained_part, kept)

    @property
    def _ends_thawed(self) -> bool:
        return self.recipe.phases[-1].thaws_base

    @cached_property
    def _trained_part(self) -> keras.Model:
        """What lies behind the cut of the last phase, when all is trained."""
        return self.parts.behind(self._ends_thawed).features

    def _thaw(self, phase: Phase) -> None:
        if phase.thaws_base or self.network.is_built:  # until it is built, all of the base is frozen
            from headstart.training.keras_fit import thaw

            thaw(self.network.base, phase, self.settings.backbone)

    def _solve(self, phase: Phase, first_epoch: int) -> None:
        start = time.perf_counter()
        train, validation = self.dataset.train, self.dataset.validation
        self.views = (store.ORIGINAL,) if self._trial.is_easy else self._symmetric_views
        views = [self.parts.features(train, pretrained=True, view=view) for view in self.views]
        held_out = self.parts.features(validation, pretrained=True)
        began = time.perf_counter()
        classes, weights = len(self.dataset.class_names), self._class_weights
        solved = linear_head.solve(
            views, train.labels, classes, seed=self.settings.seed, class_weights=weights, photos=train.photos
        )
        self.network.set_head(solved.kernel, solved.bias)
        seconds = time.perf_counter() - began
        logs = _measured(solved.logits(views[0]), train.labels, weights)
        logs |= _prefixed(_measured(solved.logits(held_out), validation.labels, weights))
        self._log(phase, first_epoch + 1, time.perf_counter() - start, logs)
        whole = {name: self.history[-1][name] for name in ("seconds", "loss", "accuracy", "val_loss", "val_accuracy")}
        self.listener.emit(HeadSolved(C=solved.C, seconds_solving=seconds, **whole))

    def _step(self, phase: Phase, first_epoch: int, state: Checkpoint | None) -> None:
        from headstart.training import keras_fit
        from headstart.training.optimization import compile_for

        if self.settings.execution == "whole":
            in_training = keras_fit.TrainableNetwork(self.model)
            training = self._fresh_views
            validation = self._batches(self.dataset.validation)
        else:
            in_training = self.parts.behind(phase.thaws_base)
            training, validation = self._features(phase.thaws_base)
        compile_for(in_training, phase, phase.epochs * len(training))
        labels = self.dataset.validation.labels
        if state:
            checkpoints.restore_optimizer(in_training.optimizer, state)
        best = list(state.best) if state else (self.model.get_weights() if phase.patience is not None else [])

        def judge(logits: np.ndarray) -> tuple[np.ndarray, float]:
            """Which validation images are answered rightly, and the calibrated loss."""
            right = two_sided(logits).argmax(axis=1) == labels
            return right, calibrated_loss(logits, labels, self._class_weights)

        def after_epoch(epoch: int, start: float, logs: dict[str, float]) -> bool:
            nonlocal best
            judged = math.nan
            with keras_fit.averaged(in_training):
                logits = keras_fit.answers(in_training, validation)
                if phase.patience is not None:
                    right, judged = judge(logits)
                    if judged < min(self._losses(phase), default=math.inf):
                        self.right[1:] = [right]
                        best = self.model.get_weights() if judged < before else best
                elif phase.averaging:
                    best = self.model.get_weights()
            logs |= _prefixed(_measured(logits, labels, self._class_weights))
            self._log(phase, epoch, time.perf_counter() - start, logs, judged)
            if self.checkpoint_folder:
                optimizer = [np.asarray(value) for value in in_training.optimizer.variables]
                judgements = [np.array(value) for value in self.judged]
                state = Checkpoint(self.history, self.model.get_weights(), optimizer, best, self.right, judgements)
                checkpoints.save(self.checkpoint_folder, state)
            return phase.is_over(self._losses(phase))

        if not self.history or (phase.patience is not None and not state):
            logits = keras_fit.answers(in_training, validation)
            if not self.history:
                first = _measured(logits, labels, self._class_weights)
                self.listener.emit(
                    Message("Before training: validation loss {loss:.2f}, accuracy {accuracy:.2f}".format(**first))
                )
            if phase.patience is not None:
                right, judged = judge(logits)
                self.right, self.judged[-1:] = [right, right], [judged] if self.history else []
        before = self._loss_before(phase)

        keras_fit.fit(
            in_training,
            training,
            class_weights=self._class_weights,
            first_epoch=len(self.history),
            last_epoch=first_epoch + phase.epochs,
            seed=self.settings.seed,
            listener=self.listener,
            after_epoch=after_epoch,
        )
        if best:
            self.model.set_weights(best)

    @cached_property
    def _fresh_views(self) -> Batches:
        """Of the training images: random ones in each epoch, of pixels that are decoded once, as far as they fit."""
        return self._batches(
            self.dataset.train, shuffle=True, augmentation=self.recipe.augmentation, seed=self.settings.seed,
            memory=PIXELS,
        )  # fmt: skip

    def _batches(self, split: Split, **more: Any) -> Batches:
        settings = self.settings
        return Batches(split, settings.image_size, settings.recipe.batch_size, resizing=settings.resizing, **more)

    def _features(self, thawed: bool) -> tuple[keras_fit.Source, keras_fit.Source]:
        """Where the head is solved, from kept views; elsewhere from fresh ones, as the recipe draws them."""
        from headstart.training.folding import FreshViews, KeptViews

        train, size = self.dataset.train, self.recipe.batch_size
        held_out = self.dataset.validation
        validation = KeptViews(held_out, [self.parts.features(held_out, thawed=thawed)], size)
        if not self.recipe.solves_head:
            return FreshViews(self._fresh_views, self.parts.engine(thawed)), validation
        self.views = self._symmetric_views
        views = [self.parts.features(train, thawed=thawed, view=view) for view in self.views]
        return KeptViews(train, views, size, shuffle=True, seed=self.settings.seed), validation

    @cached_property
    def _class_weights(self) -> np.ndarray:
        """float64 (classes,): 1; where classes are to count alike, images / (classes x images of the class)."""
        labels, classes = self.dataset.train.labels, len(self.dataset.class_names)
        if not self.recipe.balanced:
            return np.ones(classes)
        return len(labels) / (classes * np.maximum(np.bincount(labels, minlength=classes), 1))

    @cached_property
    def _trial(self) -> LinearProbe:
        return LinearProbe(
            lambda split, view: self.parts.features(split, pretrained=True, view=view)[:],
            self.dataset.train,
            seed=self.settings.seed,
        )

    @cached_property
    def _symmetric_views(self) -> tuple[str, ...]:
        """Of the training images: which of their turned views show the same class."""
        views = self._trial.views[: max(2, MANY // len(self.dataset.train))]
        self.listener.emit(Message(f"Views of each training image: {', '.join(views).replace('_', ' ')}."))
        return views

    def _log(self, phase: Phase, epoch: int, seconds: float, logs: dict, judged: float = math.nan) -> None:
        self.history.append(row(phase, epoch, seconds, logs))
        self.judged.append(judged)
        if phase.optimizer != "lbfgs":
            row_ = self.history[-1]
            self.listener.emit(EpochEnded(epochs=self.recipe.epochs, **row_))

    def _losses(self, phase: Phase) -> list[float]:
        """The calibrated validation losses of a phase, epoch by epoch; NaN where it keeps its last epoch anyway."""
        return [loss for row, loss in zip(self.history, self.judged, strict=True) if row["phase"] == phase.name]

    def _loss_before(self, phase: Phase) -> float:
        """The calibrated validation loss at the end of the phases before."""
        losses = [loss for row, loss in zip(self.history, self.judged, strict=True) if row["phase"] != phase.name]
        return losses[-1] if losses else math.inf

    def _summary(self, phase: Phase) -> dict:
        """An entry of `phases` in metrics.json; the model still has the layers thawed that the phase trained."""
        rows = [row for row in self.history if row["phase"] == phase.name]
        chosen, kept, judged = rows[-1], True, None
        if phase.patience is not None:
            losses, before = self._losses(phase), self._loss_before(phase)
            chosen = rows[int(np.argmin(losses))]
            if before < math.inf:
                judged = judgement(before, min(losses), chosen["epoch"], disagreement(*self.right))
                self.listener.emit(Message(judged["verdict"]))
                kept = min(losses) < before
                if not kept:
                    chosen = [row for row in self.history if row["phase"] != phase.name][-1]
        summary = self.network.summary
        return {
            "name": phase.name,
            "epochs": len(rows),
            "kept": kept,
            "judgement": judged,
            "parameters": summary.parameters,
            "trainable_parameters": summary.trainable_parameters,
            "trainable_variables": summary.trainable_variables,
            "seconds": round(sum(row["seconds"] for row in rows), 3),
            "validation": {"loss": chosen["val_loss"], "accuracy": chosen["val_accuracy"]},
        }


def _measured(logits: np.ndarray, labels: np.ndarray, class_weights: np.ndarray) -> dict[str, float]:
    shares = log_probabilities(logits)
    return {
        "loss": float(np.average(cross_entropies(shares, labels), weights=class_weights[labels])),
        "accuracy": float((shares.argmax(axis=1) == labels).mean()),
    }


def _prefixed(of_validation: dict[str, float]) -> dict[str, float]:
    return {f"val_{name}": value for name, value in of_validation.items()}
