"""What a training tells its user, and the rows of its history. Trains nothing."""

import math

from headstart.data.dataset import Dataset
from headstart.models import backbones
from headstart.models.keras_backend import keras
from headstart.models.weights import layer_index
from headstart.progress import Progress
from headstart.training.recipes import Phase


def row(phase: Phase, epoch: int, seconds: float, logs: dict[str, float]) -> dict:
    """A line of history.csv."""
    numbers = {name: logs[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
    return {
        "phase": phase.name,
        "epoch": epoch,
        "seconds": round(seconds, 3),
        "learning_rate": phase.learning_rate,
        **numbers,
    }


def line(row: dict, epochs: int) -> str:
    return (
        f"Epoch {row['epoch']:>2}/{epochs}  {row['seconds']:5.1f} s  loss {row['loss']:.4f}  "
        f"accuracy {row['accuracy']:.4f}  val_loss {row['val_loss']:.4f}  val_accuracy {row['val_accuracy']:.4f}"
    )


def trainable_parameters(model: keras.Model) -> int:
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def say_shapes(progress: Progress, dataset: Dataset, model: keras.Model, base: keras.Model, size: int) -> None:
    train, validation, test = (-(-len(split) // size) for split in dataset.splits().values())
    pooling = model.get_layer("global_average_pooling2d")
    shapes = [(size, *tensor.shape[1:]) for tensor in (model.input, pooling.input, pooling.output, model.output)]
    progress.say(
        f"Batches of {size}: {train} of training, {validation} of validation, {test} of test\n"
        f"Base: {base.name}, {len(base.layers)} layers, {base.count_params():,} parameters\n"
        f"A batch of images {shapes[0]} -> features {shapes[1]} -> pooled {shapes[2]} -> logits {shapes[3]}"
    )


def say_phase(progress: Progress, phase: Phase, model: keras.Model, base: keras.Model, backbone: str) -> None:
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
        f"Trainable: {trainable_parameters(model):,} parameters in {len(model.trainable_variables)} variables; "
        + (
            "solved by L-BFGS"
            if phase.optimizer == "lbfgs"
            else f"{phase.optimizer}, learning rate {phase.learning_rate:g}"
        )
    )
