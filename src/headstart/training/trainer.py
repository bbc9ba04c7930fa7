"""train(): the whole pipeline, Dataset + Recipe -> Classifier. Read this first.

A pretrained base is frozen and gets a new head, which is solved or trained (feature extraction); then the top of the
base is thawed and trained along, carefully (fine-tuning). What is frozen is run by a compiled engine (`frozen.py`), its
features are kept (`bottlenecks.py`), and only what lies behind the cut is trained (`fine_tuning.py`).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from headstart.data.batches import Batches
from headstart.data.dataset import Dataset, Split
from headstart.errors import DatasetError, ModelError
from headstart.models import backbones
from headstart.models.classifier import Classifier, compose
from headstart.models.engine import check_precision
from headstart.models.keras_backend import keras
from headstart.models.outputs import log_probabilities
from headstart.models.preprocessing import preprocess
from headstart.models.weights import PRETRAINED, identity, layer_index, load_base
from headstart.progress import Console, Progress
from headstart.training import bottlenecks, checkpoints, frozen, head, recipes, whole
from headstart.training.checkpoints import Checkpoint
from headstart.training.fine_tuning import FreshViews, KeptViews, fold, one_or_all, optimizer_for
from headstart.training.recipes import Phase, Recipe, get_recipe
from headstart.training.telling import line, row, say_phase, say_shapes, trainable_parameters

EXECUTIONS = ("split", "whole")
PIECE = 256  # images whose features are run through the trainable part at a time, to measure it


@dataclass(frozen=True, eq=False)
class Trained:
    """A classifier, and its logits for any images by the way that is fastest now: the features that are kept.

    logits: Split -> float32 (n, 1) or (n, classes), equal to `Classifier.logits` within rounding.
    """

    classifier: Classifier
    logits: Callable[[Split], np.ndarray]


def train(
    dataset: Dataset,
    *,
    recipe: str | Recipe = recipes.DEFAULT,
    backbone: str = backbones.DEFAULT,
    image_size: int | None = None,
    weights: str | Path = PRETRAINED,
    seed: int = 0,
    execution: str = "split",
    precision: str = "float32",
    progress: Progress | None = None,
) -> Classifier:
    """Train a classifier.

    Args:
        dataset: what to train on; its validation images are looked at after each epoch, its test images never.
        recipe: name of a row of RECIPES, or a Recipe.
        backbone: name of a row of BACKBONES.
        image_size: side in pixels; by default the recipe's, or the one that the backbone was pretrained at.
        weights: "pretrained", or the path of a file with the weights of the base.
        seed: of the new head, the order of the images, their random views and the dropout.
        execution: "split" runs what is frozen by a compiled engine and trains the rest; "whole" runs the whole Keras
            model in each step, which is slow, and what tests compare with. The same algorithm, to rounding.
        precision: of the engine: "float32", or "bfloat16" where the processor has that.
        progress: where to report to; by default to standard error.

    Returns:
        the classifier; its `history` has a row for each epoch.

    Raises:
        DatasetError, ModelError, WeightsError: with what is wrong and what to do.
    """
    return train_and_keep(
        dataset,
        recipe=recipe,
        backbone=backbone,
        image_size=image_size,
        weights=weights,
        seed=seed,
        execution=execution,
        precision=precision,
        progress=progress,
    ).classifier


def train_and_keep(
    dataset: Dataset,
    *,
    recipe: str | Recipe,
    backbone: str,
    image_size: int | None,
    weights: str | Path,
    seed: int,
    execution: str,
    precision: str,
    checkpoint_folder: Path | None = None,
    progress: Progress | None = None,
) -> Trained:
    """`train`, with what a run needs besides: checkpoint_folder keeps the state after each epoch; if it holds one,
    training goes on from there."""
    progress = progress or Console()
    recipe = get_recipe(recipe)
    image_size = image_size or recipe.image_size_for(backbone)
    _check(recipe, execution, precision)
    _check_splits(dataset)
    progress.step("Compose the model")
    base = load_base(backbone, image_size, weights)
    model = compose(
        base,
        backbone=backbone,
        image_size=image_size,
        num_classes=len(dataset.class_names),
        dropout=recipe.dropout,
        seed=seed,
    )
    say_shapes(progress, dataset, model, base, recipe.batch_size)
    training = _Training(
        dataset, recipe, backbone, image_size, weights, seed, execution, precision, checkpoint_folder, progress, base,
        model,
    )  # fmt: skip
    training.go()
    classifier = Classifier(
        model=model,
        class_names=dataset.class_names,
        backbone=backbone,
        image_size=image_size,
        recipe=recipe.name,
        history=tuple(training.history),
        phases=tuple(training.phases),
    )
    if execution == "split":
        return Trained(classifier, training.logits)
    return Trained(classifier, lambda split: classifier.logits(images for images, _ in Batches(split, image_size)))


@dataclass(eq=False)
class _Training:
    """One training on its way: the phases one after the other, from the last checkpoint on."""

    dataset: Dataset
    recipe: Recipe
    backbone: str
    image_size: int
    weights: str | Path
    seed: int
    execution: str
    precision: str
    checkpoint_folder: Path | None
    progress: Progress
    base: keras.Model
    model: keras.Model
    history: list[dict] = field(default_factory=list)
    phases: list[dict] = field(default_factory=list)
    parts: dict[tuple[bool, bool], tuple[frozen.Compiled, whole.InTraining]] = field(default_factory=dict)
    base_changed: bool = False  # by a phase that thawed it: then engines of all of it are not those of its weights

    def go(self) -> None:
        state = checkpoints.latest(self.checkpoint_folder) if self.checkpoint_folder else None
        if state:
            self.history = list(state.history)
            self.model.set_weights(state.weights)
            self.progress.say(f"Going on after epoch {len(self.history)} of {self.recipe.epochs}.")
        first_epoch = 0
        for phase in self.recipe.phases:
            thaw(self.base, phase, self.backbone)
            rows = [row for row in self.history if row["phase"] == phase.name]
            if not _is_over(phase, rows, self._loss_before(phase)):
                say_phase(self.progress, phase, self.model, self.base, self.backbone)
                if phase.optimizer == "lbfgs":
                    self._solve(phase, first_epoch)
                else:
                    self._step(phase, first_epoch, state if rows else None)
            elif phase.patience is not None and state and state.best:
                self.model.set_weights(state.best)
            first_epoch += phase.epochs
            self.base_changed |= phase.thaws_base
            self.phases.append(self._summary(phase))

    def logits(self, split: Split) -> np.ndarray:
        """Of the finished model, by its parts."""
        compiled, part = self._parts(self.recipe.phases[-1].thaws_base)
        kept = bottlenecks.extract(split, compiled, self.image_size, progress=self.progress)
        pieces = []
        for start in range(0, len(split), PIECE):
            tensors = kept.take(np.arange(start, min(start + PIECE, len(split))))
            pieces.append(part.predict_on_batch(one_or_all(tensors)))
        return np.concatenate(pieces)

    def _parts(self, thawed: bool) -> tuple[frozen.Compiled, whole.InTraining]:
        """The engine up to the cut, and what lies behind it; each made once for the weights that the base has."""
        wanted = (thawed, self.base_changed and not thawed)
        if wanted not in self.parts:
            self.parts[wanted] = self._cut(thawed)
        return self.parts[wanted]

    def _cut(self, thawed: bool) -> tuple[frozen.Compiled, whole.InTraining]:
        start = layer_index(self.base, backbones.get_backbone(self.backbone).fine_tune_from) if thawed else None

        cut = None if start is None else frozen.find_cut(self.base, start)

        def in_front(pixels: keras.KerasTensor) -> keras.KerasTensor:
            return preprocess(self.backbone, pixels)

        def build() -> keras.Model:
            if cut is None:  # all of it, averaged over the image
                pixels = keras.Input((self.image_size, self.image_size, 3), name="pixels")
                pooled = keras.layers.GlobalAveragePooling2D()(self.base(in_front(pixels), training=False))
                return keras.Model(pixels, pooled, name="frozen_part")
            return frozen.frozen_part(self.base, cut, in_front)

        key = frozen.engine_key(
            weights=None if self.base_changed and start is None else identity(self.backbone, self.weights),
            backbone=self.backbone,
            image_size=self.image_size,
            start="pooled" if start is None else start,
            precision=self.precision,
        )
        compiled = frozen.compiled(key, build, precision=self.precision, progress=self.progress)
        if cut is None:
            features = keras.Sequential([keras.Input(self.model.get_layer("dropout").input.shape[1:])])
            features.add(keras.layers.Identity())
            return compiled, whole.InTraining(self.model, features)
        return compiled, whole.InTraining(self.model, fold(frozen.trainable_part(self.base, cut)))

    def _solve(self, phase: Phase, first_epoch: int) -> None:
        start = time.perf_counter()
        train, validation = self.dataset.train, self.dataset.validation
        compiled, _ = self._parts(thawed=False)
        views = [self._kept(train, compiled, view).array() for view in bottlenecks.VIEWS]
        held_out = self._kept(validation, compiled).array()
        solved = head.solve(views, train.labels, len(self.dataset.class_names), seed=self.seed)
        self.model.get_layer("logits").set_weights([solved.kernel, solved.bias])
        self.progress.say(f"Solved, with the strength {solved.strength:g} that cross-validation chose.")
        logs = _measured(solved.logits(views[0]), train.labels)
        logs |= {f"val_{name}": value for name, value in _measured(solved.logits(held_out), validation.labels).items()}
        self._keep(phase, first_epoch + 1, time.perf_counter() - start, logs, [], [])

    def _step(self, phase: Phase, first_epoch: int, state: Checkpoint | None) -> None:
        if self.execution == "whole":
            in_training = whole.InTraining(self.model)
            training, validation = self._images(self.dataset.train, shuffle=True), self._images(self.dataset.validation)
        else:
            compiled, in_training = self._parts(phase.thaws_base)
            training, validation = self._features(compiled)
        steps = phase.epochs * len(training)
        compile_for(in_training, phase, steps)
        if not self.history:
            loss, accuracy = whole.evaluate(in_training, validation)
            self.progress.say(f"Before training: validation loss {loss:.2f}, accuracy {accuracy:.2f}")
        if state:
            checkpoints.restore_optimizer(in_training.optimizer, state)
        before = self._loss_before(phase)
        best = list(state.best) if state else (self.model.get_weights() if phase.patience is not None else [])

        def after_epoch(epoch: int, seconds: float, logs: dict[str, float]) -> bool:
            nonlocal best
            rows = [row for row in self.history if row["phase"] == phase.name]
            if best and logs["val_loss"] < min([before, *(row["val_loss"] for row in rows)]):
                best = self.model.get_weights()
            optimizer = [np.asarray(value) for value in in_training.optimizer.variables]
            self._keep(phase, epoch, seconds, logs, optimizer, best)
            return _is_over(phase, [*rows, self.history[-1]], before)

        whole.fit(
            in_training,
            training,
            validation,
            first_epoch=len(self.history),
            last_epoch=first_epoch + phase.epochs,
            seed=self.seed,
            progress=self.progress,
            after_epoch=after_epoch,
        )
        if best:
            self.model.set_weights(best)

    def _images(self, split: Split, *, shuffle: bool = False) -> Batches:
        """Shuffled ones are for training: random views."""
        return Batches(
            split, self.image_size, self.recipe.batch_size, shuffle=shuffle, seed=self.seed,
            augmentation=self.recipe.augmentation if shuffle else None,
        )  # fmt: skip

    def _features(self, compiled: frozen.Compiled) -> tuple[whole.Source, whole.Source]:
        """Where the head is solved, from kept views; elsewhere from fresh ones, as the recipe draws them."""
        train, size = self.dataset.train, self.recipe.batch_size
        validation = KeptViews(self.dataset.validation, [self._kept(self.dataset.validation, compiled)], size)
        if not self.recipe.solves_head:
            return FreshViews(self._images(train, shuffle=True), compiled), validation
        views = [self._kept(train, compiled, view) for view in bottlenecks.VIEWS]
        return KeptViews(train, views, size, shuffle=True, seed=self.seed), validation

    def _kept(self, split: Split, compiled: frozen.Compiled, view: str = bottlenecks.ORIGINAL) -> bottlenecks.Features:
        return bottlenecks.extract(split, compiled, self.image_size, view=view, progress=self.progress)

    def _keep(
        self, phase: Phase, epoch: int, seconds: float, logs: dict, optimizer: list[np.ndarray], best: list[np.ndarray]
    ) -> None:
        self.history.append(row(phase, epoch, seconds, logs))
        self.progress.say(line(self.history[-1], self.recipe.epochs))
        if self.checkpoint_folder:
            state = Checkpoint(self.history, self.model.get_weights(), optimizer, best)
            checkpoints.save(self.checkpoint_folder, state)

    def _loss_before(self, phase: Phase) -> float:
        """The validation loss at the end of the phases before."""
        rows = [row for row in self.history if row["phase"] != phase.name]
        return rows[-1]["val_loss"] if rows else math.inf

    def _summary(self, phase: Phase) -> dict:
        """An entry of `phases` in metrics.json; the model still has the layers thawed that the phase trained."""
        rows = [row for row in self.history if row["phase"] == phase.name]
        chosen, kept = rows[-1], True
        if phase.patience is not None:
            chosen = min(rows, key=lambda row: row["val_loss"])
            kept = chosen["val_loss"] < self._loss_before(phase)
            said = f"the weights of epoch {chosen['epoch']}, validation loss {chosen['val_loss']:.4f}"
            self.progress.say(f"Kept: {said}." if kept else "Fine-tuning did not help: the head alone is kept.")
            if not kept:
                chosen = next(row for row in reversed(self.history) if row["phase"] != phase.name)
        return {
            "name": phase.name,
            "epochs": len(rows),
            "kept": kept,
            "parameters": self.model.count_params(),
            "trainable_parameters": trainable_parameters(self.model),
            "trainable_variables": len(self.model.trainable_variables),
            "seconds": round(sum(row["seconds"] for row in rows), 3),
            "validation": {"loss": chosen["val_loss"], "accuracy": chosen["val_accuracy"]},
        }


def _is_over(phase: Phase, rows: list[dict], before: float) -> bool:
    """Whether a phase with these rows of history has nothing more to do."""
    if len(rows) >= phase.epochs:
        return True
    if phase.patience is None:
        return False
    losses = [before, *(row["val_loss"] for row in rows)]
    return len(losses) - 1 - int(np.argmin(losses)) >= phase.patience


def _measured(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    shares = log_probabilities(logits)
    return {
        "loss": float(-shares[np.arange(len(labels)), labels].mean()),
        "accuracy": float((shares.argmax(axis=1) == labels).mean()),
    }


def _check(recipe: Recipe, execution: str, precision: str) -> None:
    check_precision(precision)
    if execution not in EXECUTIONS:
        raise ModelError(f"There is no execution '{execution}'. Choose one of: {', '.join(EXECUTIONS)}.")
    if execution == "whole" and recipe.solves_head:
        raise ModelError(
            f"The recipe '{recipe.name}' solves its head from features, so it cannot be executed as a whole. "
            f"Take the recipe 'tutorial' with it, or leave the execution out."
        )


def thaw(base: keras.Model, phase: Phase, backbone: str) -> None:
    """Set which layers of the base a phase trains: none, or those from the backbone's `fine_tune_from` on."""
    base.trainable = phase.thaws_base
    if phase.thaws_base:
        start = layer_index(base, backbones.get_backbone(backbone).fine_tune_from)
        for layer in base.layers[:start]:
            layer.trainable = False


def compile_for(model: whole.InTraining, phase: Phase, steps: int) -> None:
    """One logit: binary cross-entropy; more: categorical. Both from logits, as training on probabilities is less
    exact. An answer counts as right where the largest probability is the right class's, so one logit is cut at 0."""
    if model.binary:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    optimizer = optimizer_for(phase, steps)
    model.compile(optimizer=optimizer, loss=loss, metrics=[accuracy])
    # Before the first step: else TensorFlow traces that step twice, once to see these variables made (3 s of 7).
    optimizer.build(model.trainable_variables)


def _check_splits(dataset: Dataset) -> None:
    for name, split in (("train", dataset.train), ("validation", dataset.validation)):
        if len(split) == 0:
            raise DatasetError(
                f"There are no {name} images, and training needs some. Leave out the fractions, or add images."
            )
