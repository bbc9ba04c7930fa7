"""The epochs of a phase: a Keras model in `fit`, with a bar for the user and a call after each epoch.

What is trained is either the whole network on pixels, frozen layers and all (slow, and obviously right: what is faster
is compared with it), or its trainable part on bottleneck features.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import numpy as np

from headstart.errors import HeadstartError
from headstart.events import Listener, Task, advancing
from headstart.keras_backend import keras
from headstart.models.backbones import get_backbone
from headstart.models.composing import DROPOUT, LOGITS, POOLED
from headstart.models.weights import layer_index
from headstart.training.recipes import Phase

PLAIN_LOSS = "cross_entropy"  # the metric that a compiled model has for it: what is reported, and compared
AHEAD = 2  # batches that are made while a step is computed

# (epochs done, when this one began, loss and accuracy of the training images) -> whether to stop here
AfterEpoch = Callable[[int, float, dict[str, float]], bool]


class Source(Protocol):
    """Where batches come from: pixels (`Batches`) or features (`fine_tuning.py`), with their labels."""

    batch_size: int  # images in each, but for the last one, which may have fewer

    def __len__(self) -> int: ...

    def batch(self, index: int, epoch: int = 0) -> tuple[np.ndarray | tuple[np.ndarray, ...], np.ndarray]: ...


class TrainableNetwork(keras.Model):
    """A network made by `compose`, as `fit` sees it: the base in inference mode, whatever is thawed in it.

    To call the base with `training=False` while composing, as the tutorial does, is not enough: in Keras 3 a
    functional model that is trained passes training=True on to every layer in it, over the layer's own argument
    (https://github.com/keras-team/keras/issues/20285). Thawed BatchNormalization would then use, and learn, the
    statistics of each batch, and the dropout inside of some bases would be active. Here nothing but the dropout
    before the logits knows of training. The variables are those of the network.

    features: what comes before the dropout: by default all of the network, from its pixels on; else the trainable part
        of its base, from the cut on.
    """

    def __init__(self, network: keras.Model, features: keras.Model | None = None) -> None:
        super().__init__(name=network.name)
        pooled = network.get_layer(POOLED).output
        self.features = features or keras.Model(network.input, pooled)
        self.dropout, self.logits = network.get_layer(DROPOUT), network.get_layer(LOGITS)
        self.binary = network.output.shape[-1] == 1

    def call(
        self, inputs: keras.KerasTensor | Sequence[keras.KerasTensor], training: bool = False
    ) -> keras.KerasTensor:
        return self.logits(self.dropout(self.features(inputs, training=False), training=training))

    def reseed(self, seed: int, epoch: int) -> None:
        """Draw the dropout of an epoch from (seed, epoch), as the views are, so that a run can go on later."""
        if self.dropout.rate > 0:
            self.dropout.seed_generator.state.assign([seed, epoch << 16])


def passing_on(network: keras.Model) -> keras.Model:
    """In the place of a base that is frozen: pooled features (n, depth) -> the same."""
    depth = network.get_layer(DROPOUT).input.shape[1:]
    return keras.Sequential([keras.Input(depth), keras.layers.Identity()])


def thaw(base: keras.Model, phase: Phase, backbone: str) -> None:
    """Set which layers of the base a phase trains: none, or those from the backbone's `fine_tune_from` on."""
    base.trainable = phase.thaws_base
    if phase.thaws_base:
        for layer in base.layers[: layer_index(base, get_backbone(backbone).fine_tune_from)]:
            layer.trainable = False


def fit(
    model: TrainableNetwork,
    train: Source,
    *,
    class_weights: np.ndarray,
    first_epoch: int,
    last_epoch: int,
    seed: int,
    listener: Listener,
    after_epoch: AfterEpoch,
) -> None:
    """Train a compiled model for the epochs first_epoch, ..., last_epoch - 1 (counted from 0).

    class_weights: float (classes,): what an image of each class counts in the losses.
    """
    sequence = _Sequence(train, model, class_weights)
    sequence.epoch = first_epoch
    watcher = _Watcher(sequence, last_epoch=last_epoch, seed=seed, listener=listener, after_epoch=after_epoch)
    with _failure_of(sequence), watcher.bars:  # an epoch that is interrupted leaves no bar behind
        model.fit(
            _untuned(sequence),
            initial_epoch=first_epoch,
            epochs=last_epoch,
            shuffle=False,  # Batches shuffles, from the seed and the epoch
            verbose=0,
            callbacks=[watcher],
        )


def answers(model: keras.Model, batches: Source) -> np.ndarray:
    """What a model gives for images in batches that are not shuffled: float32 (n, ...), logits or features.

    A last batch that is shorter is filled up: TensorFlow would trace its length anew, and warn of it.
    """
    pieces = []
    for index in range(len(batches)):
        tensors, labels = batches.batch(index)
        filled = np.arange(batches.batch_size).clip(max=len(labels) - 1)
        full = keras.tree.map_structure(lambda tensor, rows=filled: tensor[rows], tensors)
        pieces.append(model.predict_on_batch(full)[: len(labels)])
    return np.concatenate(pieces)


@contextmanager
def averaged(model: TrainableNetwork) -> Iterator[None]:
    """Inside, a compiled model has the moving averages of its weights, where its optimizer keeps those."""
    before = [keras.ops.convert_to_numpy(variable) for variable in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)  # does nothing without averages
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, before, strict=True):
            variable.assign(value)


class _Sequence(keras.utils.PyDataset):
    """Batches in the form that `fit` takes."""

    def __init__(self, batches: Source, model: TrainableNetwork, class_weights: np.ndarray) -> None:
        super().__init__()  # one worker: Batches itself decodes on all cores
        self.batches = batches
        self.epoch = 0
        self.failure: HeadstartError | None = None
        self.binary = model.binary
        self.class_weights = class_weights

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple:
        try:
            images, labels = self.batches.batch(index, self.epoch)
        except HeadstartError as error:
            self.failure = error
            raise
        weights = self.class_weights[labels].astype("float32")
        return images, labels.astype("float32")[:, None] if self.binary else labels, weights


def _untuned(sequence: _Sequence) -> Any:
    """For TensorFlow, the same batches from a pipeline that does not tune itself.

    Keras would make one that does. It is closed after each epoch, and that waits for the thread that tunes it: 0 to 3
    seconds each time (benchmarks/LOG.md).
    """
    if keras.backend.backend() != "tensorflow":
        return sequence
    import tensorflow

    data = tensorflow.data
    form = tensorflow.nest.map_structure(
        lambda array: tensorflow.TensorSpec((None, *array.shape[1:]), array.dtype), sequence[0]
    )
    options = data.Options()
    options.autotune.enabled = False

    def one_by_one() -> Iterator[tuple]:
        return map(sequence.__getitem__, range(len(sequence)))

    batches = data.Dataset.from_generator(one_by_one, output_signature=form)
    counted = batches.apply(data.experimental.assert_cardinality(len(sequence)))
    return counted.prefetch(AHEAD).with_options(options)


@contextmanager
def _failure_of(sequence: _Sequence) -> Iterator[None]:
    """TensorFlow calls a sequence from a thread of its own and wraps what it raises: here it is raised as it was."""
    try:
        yield
    finally:
        if sequence.failure:
            raise sequence.failure


class _Watcher(keras.callbacks.Callback):
    """Tells the batches which epoch it is, and the user how far it is."""

    def __init__(
        self, sequence: _Sequence, *, last_epoch: int, seed: int, listener: Listener, after_epoch: AfterEpoch
    ) -> None:
        super().__init__()
        self.sequence, self.last_epoch, self.seed = sequence, last_epoch, seed
        self.listener, self.after_epoch = listener, after_epoch
        self.bars = ExitStack()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.sequence.epoch = epoch
        self.model.reseed(self.seed, epoch)
        self.start = time.perf_counter()
        bar = advancing(self.listener, Task.EPOCH, f"Epoch {epoch + 1}/{self.last_epoch}", len(self.sequence))
        self.advance = self.bars.enter_context(bar)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        self.advance(1, f"loss {logs[PLAIN_LOSS]:.4f}  accuracy {logs['accuracy']:.4f}")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        numbers = {"loss": float(logs[PLAIN_LOSS]), "accuracy": float(logs["accuracy"])}
        self.model.stop_training = self.after_epoch(epoch + 1, self.start, numbers)
        self.bars.close()
