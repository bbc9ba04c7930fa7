"""train(): the whole pipeline, Dataset + Recipe -> Classifier. Read this first.

A pretrained base is frozen and gets a new head, which is trained (feature extraction); then the top of the base is
thawed and trained along, carefully (fine-tuning). It says what the tutorial prints.
"""

import math
from collections.abc import Sequence
from pathlib import Path

from headstart.data.batches import Batches
from headstart.data.dataset import Dataset
from headstart.errors import DatasetError
from headstart.models import backbones
from headstart.models.classifier import Classifier, compose
from headstart.models.keras_backend import keras
from headstart.models.weights import PRETRAINED, layer_index, load_base
from headstart.progress import Console, Progress
from headstart.training import checkpoints, recipes, whole
from headstart.training.recipes import Phase, Recipe, get_recipe


def train(
    dataset: Dataset,
    *,
    recipe: str | Recipe = recipes.DEFAULT,
    backbone: str = backbones.DEFAULT,
    image_size: int | None = None,
    weights: str | Path = PRETRAINED,
    seed: int = 0,
    checkpoint_folder: Path | None = None,
    progress: Progress | None = None,
) -> Classifier:
    """Train a classifier.

    Args:
        dataset: what to train on; its validation images are looked at after each epoch, its test images never.
        recipe: name of a row of RECIPES, or a Recipe.
        backbone: name of a row of BACKBONES.
        image_size: side in pixels; by default the recipe's.
        weights: "pretrained", or the path of a file with the weights of the base.
        seed: of the new head, the order of the images, their random views and the dropout.
        checkpoint_folder: where the state is kept after each epoch; if it holds one, training goes on from there.
        progress: where to report to; by default to standard error.

    Returns:
        the classifier; its `history` has a row for each epoch.

    Raises:
        DatasetError, ModelError, WeightsError: with what is wrong and what to do.
    """
    progress = progress or Console()
    recipe = get_recipe(recipe)
    image_size = image_size or recipe.image_size
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
    training = Batches(
        dataset.train, image_size, recipe.batch_size, shuffle=True, augmentation=recipe.augmentation, seed=seed
    )
    validation = Batches(dataset.validation, image_size, recipe.batch_size)
    _say_shapes(progress, dataset, model, base, training, validation)

    history, phases = _train_phases(
        recipe.phases,
        model,
        base,
        backbone,
        training,
        validation,
        seed=seed,
        checkpoint_folder=checkpoint_folder,
        progress=progress,
    )
    return Classifier(
        model=model,
        class_names=dataset.class_names,
        backbone=backbone,
        image_size=image_size,
        recipe=recipe.name,
        history=tuple(history),
        phases=tuple(phases),
    )


def _train_phases(
    todo: Sequence[Phase],
    model: keras.Model,
    base: keras.Model,
    backbone: str,
    training: Batches,
    validation: Batches,
    *,
    seed: int,
    checkpoint_folder: Path | None,
    progress: Progress,
) -> tuple[list[dict], list[dict]]:
    """Train `model`, one phase after the other, from the last checkpoint on: the rows of history and of phases."""
    in_training = whole.InTraining(model)
    epochs = sum(phase.epochs for phase in todo)
    state = checkpoints.latest(checkpoint_folder) if checkpoint_folder else None
    history, phases = state.history if state else [], []
    done, last_epoch = len(history), 0
    if state:
        in_training.set_weights(state.weights)
        progress.say(f"Going on after epoch {done} of {epochs}.")

    for phase in todo:
        first_epoch, last_epoch = last_epoch, last_epoch + phase.epochs
        thaw(base, phase, backbone)
        if done < last_epoch:
            compile_for(in_training, phase)
            _say_phase(progress, phase, model, base, backbone)
            if done == 0 and first_epoch == 0:
                loss, accuracy = whole.evaluate(in_training, validation)
                progress.say(f"Before training: validation loss {loss:.2f}, accuracy {accuracy:.2f}")
            if state and done > first_epoch:
                checkpoints.restore_optimizer(in_training, state)

            def after_epoch(epoch: int, seconds: float, logs: dict[str, float], phase: Phase = phase) -> None:
                history.append(_row(phase, epoch, seconds, logs))
                progress.say(_line(history[-1], epochs))
                if checkpoint_folder:
                    checkpoints.save(checkpoint_folder, in_training, history)

            whole.fit(
                in_training,
                training,
                validation,
                first_epoch=max(first_epoch, done),
                last_epoch=last_epoch,
                seed=seed,
                progress=progress,
                after_epoch=after_epoch,
            )
        phases.append(_summary(phase, model, history))
    return history, phases


def thaw(base: keras.Model, phase: Phase, backbone: str) -> None:
    """Set which layers of the base a phase trains: none, or those from the backbone's `fine_tune_from` on."""
    base.trainable = phase.thaws_base
    if phase.thaws_base:
        start = layer_index(base, backbones.get_backbone(backbone).fine_tune_from)
        for layer in base.layers[:start]:
            layer.trainable = False


def compile_for(model: whole.InTraining, phase: Phase) -> None:
    """One logit: binary cross-entropy; more: categorical. Both from logits, as training on probabilities is less
    exact. An answer counts as right where the largest probability is the right class's, so one logit is cut at 0."""
    if model.binary:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    optimizer = keras.optimizers.get({"class_name": phase.optimizer, "config": {"learning_rate": phase.learning_rate}})
    model.compile(optimizer=optimizer, loss=loss, metrics=[accuracy])
    # Before the first step: else TensorFlow traces that step twice, once to see these variables made (3 s of 7).
    optimizer.build(model.trainable_variables)


def _check_splits(dataset: Dataset) -> None:
    for name, split in (("train", dataset.train), ("validation", dataset.validation)):
        if len(split) == 0:
            raise DatasetError(
                f"There are no {name} images, and training needs some. Leave out the fractions, or add images."
            )


def _row(phase: Phase, epoch: int, seconds: float, logs: dict[str, float]) -> dict:
    """A line of history.csv."""
    numbers = {name: logs[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
    return {
        "phase": phase.name,
        "epoch": epoch,
        "seconds": round(seconds, 3),
        "learning_rate": phase.learning_rate,
        **numbers,
    }


def _line(row: dict, epochs: int) -> str:
    return (
        f"Epoch {row['epoch']:>2}/{epochs}  {row['seconds']:5.1f} s  loss {row['loss']:.4f}  "
        f"accuracy {row['accuracy']:.4f}  val_loss {row['val_loss']:.4f}  val_accuracy {row['val_accuracy']:.4f}"
    )


def _summary(phase: Phase, model: keras.Model, history: list[dict]) -> dict:
    """An entry of `phases` in metrics.json; the model still has the layers thawed that the phase trained."""
    rows = [row for row in history if row["phase"] == phase.name]
    return {
        "name": phase.name,
        "epochs": len(rows),
        "parameters": model.count_params(),
        "trainable_parameters": _trainable_parameters(model),
        "trainable_variables": len(model.trainable_variables),
        "seconds": round(sum(row["seconds"] for row in rows), 3),
        "validation": {"loss": rows[-1]["val_loss"], "accuracy": rows[-1]["val_accuracy"]},
    }


def _trainable_parameters(model: keras.Model) -> int:
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def _say_shapes(
    progress: Progress,
    dataset: Dataset,
    model: keras.Model,
    base: keras.Model,
    training: Batches,
    validation: Batches,
) -> None:
    size = training.batch_size
    test_batches = -(-len(dataset.test) // size)
    pooling = model.get_layer("global_average_pooling2d")
    shapes = [(size, *tensor.shape[1:]) for tensor in (model.input, pooling.input, pooling.output, model.output)]
    progress.say(
        f"Batches of {size}: {len(training)} of training, {len(validation)} of validation, {test_batches} of test\n"
        f"Base: {base.name}, {len(base.layers)} layers, {base.count_params():,} parameters\n"
        f"A batch of images {shapes[0]} -> features {shapes[1]} -> pooled {shapes[2]} -> logits {shapes[3]}"
    )


def _say_phase(progress: Progress, phase: Phase, model: keras.Model, base: keras.Model, backbone: str) -> None:
    if phase.thaws_base:
        progress.step("Fine-tune the top of the base")
        start = layer_index(base, backbones.get_backbone(backbone).fine_tune_from)
        progress.say(f"The base has {len(base.layers)} layers; those from number {start} on are trained from here on.")
    else:
        progress.step("Train the head on extracted features")
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    progress.say("\n".join(lines).rstrip())
    progress.say(
        f"Trainable: {_trainable_parameters(model):,} parameters in {len(model.trainable_variables)} variables; "
        f"{phase.optimizer}, learning rate {phase.learning_rate:g}"
    )
