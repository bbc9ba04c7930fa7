"""What a training says of its network before it begins, and of each phase as it begins."""

from __future__ import annotations

from headstart.events import Message, Step, StepStarted
from headstart.models.backbones import get_backbone
from headstart.models.summary import Summary
from headstart.models.weights import layer_index
from headstart.training.context import TrainingContext
from headstart.training.recipes import Phase, SolvedHead


def tell_shapes(context: TrainingContext) -> None:
    """Batches, base and the shapes on the way to the logits; and, of classes that are ranks, their order."""
    size, summary = context.config.recipe.batch_size, context.network.summary
    train, validation, test = (-(-len(split) // size) for split in context.dataset.splits().values())
    shapes = [(size, *shape) for shape in summary.shapes]
    text = (
        f"Batches of {size}: {train} of training, {validation} of validation, {test} of test\n"
        f"Base: {summary.base}, {summary.base_layers} layers, {summary.base_parameters:,} parameters\n"
        f"A batch of images {shapes[0]} -> features {shapes[1]} -> pooled {shapes[2]} -> logits {shapes[3]}"
    )
    context.listener.emit(Message(text))
    stakes = context.config.stakes
    if ranks := stakes and stakes.ranks(context.dataset.class_names):
        context.listener.emit(Message(f"Ranks, from the lowest: {', '.join(ranks)}."))


def tell_phase(context: TrainingContext, phase: SolvedHead | Phase, summary: Summary) -> None:
    """What a phase trains, and how."""
    listener = context.listener
    if context.limit.is_set:
        listener.emit(Message(f"Time: {context.limit}."))
    if phase.unfreeze:
        start = layer_index(context.network.base, get_backbone(context.config.backbone).fine_tune_from)
        text = f"The base has {summary.base_layers} layers; those from number {start} on are trained from here on."
        listener.emit(Message(text))
    else:
        listener.emit(StepStarted(Step.TRAIN_HEAD, "Train the head on extracted features"))
    if not context.config.recipe.reads_depths:  # each depth would be a line or two of it
        listener.emit(Message(summary.table))
    how = "solved by L-BFGS"
    if isinstance(phase, Phase):
        how = f"{phase.optimizer}, learning rate {phase.learning_rate:g}"
    counts = f"{summary.trainable_parameters:,} parameters in {summary.trainable_variables} variables"
    listener.emit(Message(f"Trainable: {counts}; {how}"))
