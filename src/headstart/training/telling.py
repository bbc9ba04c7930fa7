"""What a training tells its user, and the rows of its history. Trains nothing."""

from headstart.data.dataset import Dataset
from headstart.events import Listener, Message, Step, StepStarted
from headstart.models.backbones import get_backbone
from headstart.models.network import Network
from headstart.models.summary import Summary
from headstart.models.weights import layer_index
from headstart.statistics import Disagreement
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


def judgement(before: float, best: float, epoch: int, between: Disagreement) -> dict:
    """What is kept of a fine-tuning, why, and whether its answers are better, or nobody can tell; for metrics.json.

    before, best: calibrated validation losses of the head alone and of the best epoch: the less is kept.
    between: their answers on the validation images.
    """
    distinguishable = "distinguishable" if between.is_distinguishable else "not distinguishable"
    verdict = (
        f"{'Fine-tuning is kept' if best < before else 'The head alone is kept'}: validation loss, calibrated, "
        f"{best:.4f} in epoch {epoch} against {before:.4f}; {between.only_second:,} answers mended, "
        f"{between.only_first:,} spoiled: {distinguishable} by McNemar's test (p = {between.p:.2g})."
    )
    return {
        "epoch": epoch,
        "loss": best,
        "loss_of_head_alone": before,
        "mended": between.only_second,
        "spoiled": between.only_first,
        "p": between.p,
        "verdict": verdict,
    }


def say_shapes(listener: Listener, dataset: Dataset, summary: Summary, size: int) -> None:
    train, validation, test = (-(-len(split) // size) for split in dataset.splits().values())
    shapes = [(size, *shape) for shape in summary.shapes]
    listener.emit(
        Message(
            f"Batches of {size}: {train} of training, {validation} of validation, {test} of test\n"
            f"Base: {summary.base}, {summary.base_layers} layers, {summary.base_parameters:,} parameters\n"
            f"A batch of images {shapes[0]} -> features {shapes[1]} -> pooled {shapes[2]} -> logits {shapes[3]}"
        )
    )


def say_phase(listener: Listener, phase: Phase, network: Network, backbone: str) -> None:
    summary = network.summary
    if phase.thaws_base:
        listener.emit(StepStarted(Step.FINE_TUNE, "Fine-tune the top of the base"))
        start = layer_index(network.base, get_backbone(backbone).fine_tune_from)
        listener.emit(
            Message(
                f"The base has {summary.base_layers} layers; those from number {start} on are trained from here on."
            )
        )
    else:
        listener.emit(StepStarted(Step.TRAIN_HEAD, "Train the head on extracted features"))
    listener.emit(Message(summary.table))
    listener.emit(
        Message(
            f"Trainable: {summary.trainable_parameters:,} parameters in {summary.trainable_variables} variables; "
            + (
                "solved by L-BFGS"
                if phase.optimizer == "lbfgs"
                else f"{phase.optimizer}, learning rate {phase.learning_rate:g}"
            )
        )
    )
