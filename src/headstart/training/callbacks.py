"""Callbacks of Keras, as a training calls them: those of the user's, which watch it, and may stop it.

Their `model` is the whole network, pixels -> logits, whatever part of it is being trained. A head that is solved is one
epoch without batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from headstart.errors import ModelError
from headstart.models.network import Network

if TYPE_CHECKING:
    import keras

TOLD = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")  # of a row of history.csv

Logs = dict[str, float]


@runtime_checkable
class KerasCallback(Protocol):
    """The part of `keras.callbacks.Callback` that is called."""

    def set_params(self, params: dict[str, Any]) -> None: ...
    def set_model(self, model: keras.Model) -> None: ...
    def on_train_begin(self, logs: Logs | None = None) -> None: ...
    def on_train_end(self, logs: Logs | None = None) -> None: ...
    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None: ...
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None: ...
    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None: ...
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None: ...


METHODS = tuple(name for name in vars(KerasCallback) if name.startswith(("set_", "on_")))


@dataclass(frozen=True)
class Callbacks:
    """Any number of callbacks, called in their order. Epochs and batches are counted from 0, as Keras does."""

    each: tuple[KerasCallback, ...] = ()

    def __post_init__(self) -> None:
        """
        Raises:
            ModelError: one is no callback.
        """
        for number, callback in enumerate(self.each):
            if missing := [name for name in METHODS if not callable(getattr(callback, name, None))]:
                raise ModelError(
                    f"callbacks[{number}] is {type(callback).__name__}, without {', '.join(missing)}; expected objects "
                    f"of classes that are made from keras.callbacks.Callback."
                )

    def begin(self, network: Network, epochs: int) -> None:
        """epochs: of all phases, at most. The Keras model is built, if there is somebody to show it to."""
        if self.each:
            network.model.stop_training = False
        for callback in self.each:
            callback.set_params({"epochs": epochs, "steps": None, "verbose": 0})
            callback.set_model(network.model)
            callback.on_train_begin()

    def end(self, row: Mapping[str, Any]) -> None:
        """row: the last of the history."""
        for callback in self.each:
            callback.on_train_end(_logs(row))

    def begin_epoch(self, epoch: int) -> None:
        for callback in self.each:
            callback.on_epoch_begin(epoch)

    def end_epoch(self, row: Mapping[str, Any]) -> None:
        """row: of the history, which counts epochs from 1."""
        for callback in self.each:
            callback.on_epoch_end(row["epoch"] - 1, _logs(row))

    def begin_batch(self, batch: int) -> None:
        for callback in self.each:
            callback.on_train_batch_begin(batch)

    def end_batch(self, batch: int, logs: Logs) -> None:
        for callback in self.each:
            callback.on_train_batch_end(batch, dict(logs))

    def want_to_stop(self, network: Network) -> bool:
        """Whether one of them has set `model.stop_training`."""
        return bool(self.each) and bool(network.model.stop_training)


NO_CALLBACKS = Callbacks()


def _logs(row: Mapping[str, Any]) -> Logs:
    return {name: float(row[name]) for name in TOLD}
