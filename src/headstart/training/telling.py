"""What a training tells its user, and the rows of its history. Trains nothing."""

from headstart.data.dataset import Dataset
from headstart.models.backbones import get_backbone
from headstart.models.network import Network
from headstart.models.summary import Summary
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


def line(phase: Phase, row: dict, epochs: int) -> str:
    """What is told of a row; a head that was solved has had no epoch."""
    name = "Solved head" if phase.optimizer == "lbfgs" else f"Epoch {row['epoch']:>2}/{epochs}"
    return (
        f"{name}  {row['seconds']:5.1f} s  loss {row['loss']:.4f}  "
        f"accuracy {row['accuracy']:.4f}  val_loss {row['val_loss']:.4f}  val_accuracy {row['val_accuracy']:.4f}"
    )


def say_shapes(progress: Progress, dataset: Dataset, summary: Summary, size: int) -> None:
    train, validation, test = (-(-len(split) // size) for split in dataset.splits().values())
    shapes = [(size, *shape) for shape in summary.shapes]
    progress.say(
        f"Batches of {size}: {train} of training, {validation} of validation, {test} of test\n"
        f"Base: {summary.base}, {summary.base_layers} layers, {summary.base_parameters:,} parameters\n"
        f"A batch of images {shapes[0]} -> features {shapes[1]} -> pooled {shapes[2]} -> logits {shapes[3]}"
    )


def say_phase(progress: Progress, phase: Phase, network: Network, backbone: str) -> None:
    summary = network.summary
    if phase.thaws_base:
        progress.step("Fine-tune the top of the base")
        start = layer_index(network.base, get_backbone(backbone).fine_tune_from)
        progress.say(
            f"The base has {summary.base_layers} layers; those from number {start} on are trained from here on."
        )
    else:
        progress.step("Train the head on extracted features")
    progress.say(summary.table)
    progress.say(
        f"Trainable: {summary.trainable_parameters:,} parameters in {summary.trainable_variables} variables; "
        + (
            "solved by L-BFGS"
            if phase.optimizer == "lbfgs"
            else f"{phase.optimizer}, learning rate {phase.learning_rate:g}"
        )
    )
