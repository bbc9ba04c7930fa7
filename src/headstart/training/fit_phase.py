"""The stage that fits a phase, epoch by epoch: a state -> the state at its end, from the last checkpoint on."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.classifier.calibration import calibrated_loss
from headstart.events import EpochEnded, Message
from headstart.numerics import Truth, most_probable, two_sided
from headstart.training import checkpoints
from headstart.training.context import TrainingContext
from headstart.training.early_stopping import EarlyStopping
from headstart.training.execution import Execution
from headstart.training.measure import measured, row
from headstart.training.recipes import Phase
from headstart.training.state import TrainingState
from headstart.training.steps_on_cluster import steps_on_cluster

if TYPE_CHECKING:
    from headstart.training.keras_fit import Source, TrainableNetwork


def fit_phase(context: TrainingContext, execution: Execution, phase: Phase, state: TrainingState) -> TrainingState:
    """Fit what the phase trains; the network's weights are those of the state's last epoch, or its `best`, afterwards.

    state: at the end of the phases before, or, in a run that is resumed, in the midst of this one.
    """
    from headstart.training.keras_fit import TrainingData, fit_epoch

    stopping = EarlyStopping(phase.epochs, phase.patience)
    fitting = _prepared(context, execution, phase, state)
    state = _start(fitting, state)
    data = TrainingData(fitting.train, context.class_weights, binary=fitting.model.binary)
    with steps_on_cluster(context, phase) as steps:
        while not (stopping.is_over(state.losses_of(phase.name)) or _is_out_of_time(context, phase, state)):
            start = time.perf_counter()
            context.callbacks.begin_epoch(state.epoch)
            logs = fit_epoch(
                fitting.model,
                data,
                state.epoch,
                epochs=fitting.last_epoch,
                seed=context.config.seed,
                listener=context.listener,
                limit=context.limit,
                callbacks=context.callbacks,
                stop=lambda: context.callbacks.want_to_stop(context.network),
                steps=steps,
            )
            state = _after_epoch(fitting, state, logs, start, stopping)
            context.callbacks.end_epoch(state.history[-1])
            if context.checkpoint_folder:
                checkpoints.save(context.checkpoint_folder, state)
            if context.callbacks.want_to_stop(context.network):
                break
    if state.best:
        context.network.model.set_weights(state.best)
    return state


def _is_out_of_time(context: TrainingContext, phase: Phase, state: TrainingState) -> bool:
    """Whether another epoch would end too late. There is one in any case; where its time is up, it ends early."""
    done = state.rows_of(phase.name)
    if not done or context.limit.allows(done[-1]["seconds"]):
        return False
    text = f"The time is up after {len(done)} epochs: {context.limit}."
    context.listener.emit(Message(text, "time-is-up", {"epochs": len(done)}))
    return True


@dataclass(frozen=True, eq=False)
class _Fitting:
    """What the epochs of a phase share. last_epoch: of the phase, counted over all phases, from 1."""

    context: TrainingContext
    phase: Phase
    model: TrainableNetwork
    train: Source
    validation: Source
    last_epoch: int

    @property
    def truth(self) -> Truth:
        return self.context.dataset.validation.truth

    def validate(self) -> np.ndarray:
        """The logits of the validation images."""
        from headstart.training.keras_fit import predict_all

        return predict_all(self.model, self.validation)

    def judge(self, logits: np.ndarray) -> tuple[np.ndarray, float]:
        """Which validation images are predicted correctly, and the calibrated loss."""
        correct = two_sided(logits).argmax(axis=1) == most_probable(self.truth)
        return correct, calibrated_loss(logits, self.truth, self.context.class_weights)

    def measured(self, logits: np.ndarray) -> dict[str, float]:
        return measured(logits, self.truth, self.context.class_weights)

    def weights(self) -> tuple[np.ndarray, ...]:
        """Of the whole network, as they are now."""
        return tuple(self.context.network.model.get_weights())


def _prepared(context: TrainingContext, execution: Execution, phase: Phase, state: TrainingState) -> _Fitting:
    """The compiled model, with the optimizer as it was, and its batches."""
    from headstart.training.optimization import compile_for

    model = execution.trainable(phase)
    train, validation = execution.sources(phase)
    compile_for(model, phase, phase.epochs * len(train), soft=context.dataset.train.is_soft)
    model.capture(train.batch_size, context.listener)
    done = len(state.rows_of(phase.name))
    if done:
        checkpoints.restore_optimizer(model.optimizer, state)
    return _Fitting(context, phase, model, train, validation, state.epoch - done + phase.epochs)


def _start(fitting: _Fitting, state: TrainingState) -> TrainingState:
    """The state as the phase begins, with what its epochs are compared with; in a resumed phase, as it is."""
    phase = fitting.phase
    if state.rows_of(phase.name):
        return state
    if state.history and fitting.context.config.recipe.solves_head:
        state = _in_its_views(fitting, state)
    compares = phase.patience is not None
    state = replace(state, best=fitting.weights() if compares else ())
    if state.history and not compares:
        return state
    logits = fitting.validate()
    if not state.history:
        found = fitting.measured(logits)
        text = "Before training: validation loss {loss:.2f}, accuracy {accuracy:.2f}".format(**found)
        fitting.context.listener.emit(Message(text, "before", found))
    return state.with_reference(*fitting.judge(logits)) if compares else state


def _in_its_views(fitting: _Fitting, state: TrainingState) -> TrainingState:
    """The state with what a solved head says of the training images as the first epoch is going to show them.

    These are more views than it was solved on, and harder: only so do the losses before and after compare.
    """
    from headstart.training.keras_fit import predict_with_labels

    found = measured(*predict_with_labels(fitting.model, fitting.train, state.epoch), fitting.context.class_weights)
    text = "In the views of fine-tuning the head has training loss {loss:.4f}, accuracy {accuracy:.4f}."
    fitting.context.listener.emit(Message(text.format(**found)))
    return state.with_training(found)


def _after_epoch(
    fitting: _Fitting, state: TrainingState, logs: dict[str, float], start: float, stopping: EarlyStopping
) -> TrainingState:
    """Validate the averaged weights; keep them if they are the best so far, or if the phase keeps its last epoch."""
    from headstart.training.keras_fit import ema_weights

    phase, loss = fitting.phase, math.nan
    with ema_weights(fitting.model):
        logits = fitting.validate()
        if phase.patience is not None:
            correct, loss = fitting.judge(logits) if np.isfinite(logits).all() else (state.correct[0], math.inf)
            if stopping.is_new_low(loss, state.losses_of(phase.name)):
                state = replace(state, correct=(*state.correct[:1], correct))
                if loss < state.loss_before(phase.name):
                    state = replace(state, best=fitting.weights())
        elif phase.ema_decay:
            state = replace(state, best=fitting.weights())
    seconds = time.perf_counter() - start
    line = row(phase.name, state.epoch + 1, seconds, phase.learning_rate, logs, fitting.measured(logits))
    _tell(fitting, line)
    optimizer = tuple(np.asarray(value) for value in fitting.model.optimizer.variables)
    return replace(state.with_row(line, loss), weights=fitting.weights(), optimizer=optimizer)


def _tell(fitting: _Fitting, line: dict[str, Any]) -> None:
    fitting.context.listener.emit(EpochEnded(epochs=fitting.context.config.recipe.epochs, **line))
