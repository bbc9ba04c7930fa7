"""One epoch of a Keras model in `fit`, and what comes before and after it: what is trained, its averaged weights.

What is trained is either the whole network on pixels, frozen layers and all (slow, and obviously right: what is faster
is compared with it), or its trainable part on features.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np

from headstart.array_types import Float
from headstart.concurrency import prefetch
from headstart.errors import HeadstartError, first_cause, first_line
from headstart.events import Listener, Message, Task, advancing
from headstart.features.cut import fine_tuning_cut, trainable_part
from headstart.keras_backend import keras
from headstart.models.backbones import get_backbone
from headstart.models.composing import features_of
from headstart.models.layers import DROPOUT, LOGITS
from headstart.models.weights import layer_index
from headstart.numerics import Truth, counted
from headstart.time_limit import NO_LIMIT, TimeLimit
from headstart.training.callbacks import NO_CALLBACKS, Callbacks
from headstart.training.folding import fold

PLAIN_LOSS = "cross_entropy"  # the metric that a compiled model has for it: what is reported, and compared
PREFETCHED = 2  # batches that are made while a step is computed
SECONDS_BETWEEN_NOTES = 0.1  # of losses: a GPU must be waited for, to read one

Tensors = np.ndarray | tuple[np.ndarray, ...]  # one, if there is one


@runtime_checkable
class Source(Protocol):
    """Where batches come from: pixels (`Batches`) or features (`feature_batches.py`), with what is right of them."""

    batch_size: int  # images in each, but for the last one, which may have fewer

    def __len__(self) -> int: ...

    def batch(self, index: int, epoch: int = 0) -> tuple[Tensors, Truth]: ...


class Steps(Protocol):
    """Who makes steps, instead of `fit`: see `ClusterSteps`."""

    def step(
        self, model: "TrainableNetwork", inputs: Tensors, labels: np.ndarray, weights: np.ndarray
    ) -> np.ndarray: ...


class TrainableNetwork(keras.Model):
    """A network made by `compose`, as `fit` sees it: the base in inference mode, whatever is unfrozen in it.

    To call the base with `training=False` while composing, as the tutorial does, is not enough: in Keras 3 a
    functional model that is trained passes training=True on to every layer in it, over the layer's own argument
    (https://github.com/keras-team/keras/issues/20285). Unfrozen BatchNormalization would then use, and learn, the
    statistics of each batch, and the dropout inside some bases would be active. Here nothing but the dropout before the
    logits knows of training. The variables are those of the network.

    features: what comes before the dropout: by default all of the network, from its pixels on; else the trainable part
        of its base, from the cut on.
    """

    def __init__(self, network: keras.Model, features: keras.Model | None = None) -> None:
        super().__init__(name=network.name)
        self.features = features or keras.Model(network.input, features_of(network))
        self.dropout, self.logits = network.get_layer(DROPOUT), network.get_layer(LOGITS)
        self.binary = network.output.shape[-1] == 1
        self.captured: Callable[[Any], Any] | None = None

    def call(
        self, inputs: keras.KerasTensor | Sequence[keras.KerasTensor], training: bool = False
    ) -> keras.KerasTensor:
        found = self.captured(inputs) if self.captured and training else None
        found = self.features(inputs, training=False) if found is None else found
        return self.logits(self.dropout(found, training=training))

    def capture(self, batch_size: int, listener: Listener) -> None:
        """On a GPU, where that is faster, have the steps of batches of that size started in one call."""
        if keras.backend.backend() != "torch":
            return
        from headstart.training.cuda_graph import graphed

        try:
            self.captured = graphed(self.features, batch_size)
        except RuntimeError as error:
            reason = first_line(first_cause(error))
            listener.emit(Message(f"The steps cannot be captured ({reason}): training is slower than it could be."))

    def reseed(self, seed: int, epoch: int) -> None:
        """Draw the dropout of an epoch from (seed, epoch), as the views are, so that a run can be resumed."""
        if self.dropout.rate > 0:
            self.dropout.seed_generator.state.assign([seed, epoch << 16])

    def drawn_dropout(self, count: int) -> Float[np.ndarray, "count numbers"]:
        """What the features of a batch of so many images are multiplied with in the next step; where nothing is
        dropped, (count, 1) of ones."""
        if self.dropout.rate == 0:
            return np.ones((count, 1), np.float32)
        ones = keras.ops.ones((count, self.logits.kernel.shape[0]))
        return keras.ops.convert_to_numpy(self.dropout(ones, training=True))

    def step(self, inputs: Tensors, labels: np.ndarray, weights: np.ndarray, *, share: float = 1.0) -> np.ndarray:
        """Train with a batch.

        weights: what each image counts. share: of the images of a larger batch, whose mean loss is meant.

        Returns:
            float64 (4,): the cross-entropies, times what images count; what they count together; how many are right;
            how many there are.
        """
        self.reset_metrics()
        counted = (weights * share).astype(np.float32)
        logs = self.train_on_batch(inputs, labels, sample_weight=counted, return_dict=True)
        count, total = len(labels), float(weights.sum())
        return np.array([logs[PLAIN_LOSS] * total, total, logs["accuracy"] * count, count], np.float64)

    @cached_property
    def apply_gradients(self) -> Callable[[Sequence[np.ndarray]], None]:
        """A step of the optimizer, from gradients: of TensorFlow as a graph, as each of its small operations would else
        be called from Python."""

        def apply(gradients: Sequence[np.ndarray]) -> None:
            self.optimizer.apply(gradients, self.trainable_variables)

        if keras.backend.backend() != "tensorflow":
            return apply
        import tensorflow

        return tensorflow.function(apply)


def identity_features(network: keras.Model) -> keras.Model:
    """In the place of a base that is frozen: features (n, numbers) -> the same."""
    return keras.Sequential([keras.Input(features_of(network).shape[1:]), keras.layers.Identity()])


def trainable_features(base: keras.Model, backbone: str, *, depths: bool) -> keras.Model:
    """The tensors at the cut that fine-tuning has -> features (n, numbers), on the variables of the base."""
    return fold(trainable_part(base, fine_tuning_cut(base, backbone), depths=depths))


def set_head_trainable(network: keras.Model, trainable: bool) -> None:
    """Whether the head of a network made by `compose` is trained."""
    network.get_layer(LOGITS).trainable = trainable


def unfreeze(base: keras.Model, backbone: str, *, top: bool) -> None:
    """Set which layers of the base are trained: the top, from the backbone's `fine_tune_from` on, or none."""
    base.trainable = top
    if top:
        for layer in base.layers[: layer_index(base, get_backbone(backbone).fine_tune_from)]:
            layer.trainable = False


class TrainingData(keras.utils.PyDataset):
    """The batches of the training images, in the form that `fit` takes."""

    def __init__(self, source: Source, class_weights: Float[np.ndarray, " classes"], *, binary: bool) -> None:
        """class_weights: what an image of each class counts in the losses. binary: whether there is one logit."""
        super().__init__()  # one worker: the source itself decodes on all cores
        self.source, self.class_weights, self.binary = source, class_weights, binary
        self.epoch = 0
        self.failure: HeadstartError | None = None

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> tuple:
        try:
            images, truth = self.source.batch(index, self.epoch)
        except HeadstartError as error:
            self.failure = error
            raise
        truth, weights = counted(truth, self.class_weights)
        if truth.ndim == 2:
            truth = truth.astype("float32")
            return images, truth[:, 1:] if self.binary else truth, weights.astype("float32")
        return images, truth.astype("float32")[:, None] if self.binary else truth, weights.astype("float32")

    def batches(self) -> dict[str, Any]:
        """Those of an epoch, as arguments of `fit`: whatever the backend, some are made while a step is computed."""
        if keras.backend.backend() == "tensorflow":
            return {"x": self._pipeline}
        return {"x": self.made_ahead(), "steps_per_epoch": len(self)}

    def made_ahead(self) -> Iterator[tuple]:
        """Those of an epoch: some are made while the one before is used."""
        with ThreadPoolExecutor(1) as pool:
            yield from prefetch(pool, self.__getitem__, range(len(self)), PREFETCHED)

    @cached_property
    def _pipeline(self) -> Any:
        """For TensorFlow, the same batches from a pipeline that does not tune itself.

        Keras would make one that does. It is closed after each epoch, and that waits for the thread that tunes it: 0 to
        3 seconds each time (benchmarks/LOG.md).
        """
        import tensorflow

        data = tensorflow.data
        form = tensorflow.nest.map_structure(
            lambda array: tensorflow.TensorSpec((None, *array.shape[1:]), array.dtype), self[0]
        )
        options = data.Options()
        options.autotune.enabled = False
        batches = data.Dataset.from_generator(lambda: map(self.__getitem__, range(len(self))), output_signature=form)
        counted = batches.apply(data.experimental.assert_cardinality(len(self)))
        return counted.prefetch(PREFETCHED).with_options(options)


def fit_epoch(
    model: TrainableNetwork,
    data: TrainingData,
    epoch: int,
    *,
    epochs: int,
    seed: int,
    listener: Listener,
    limit: TimeLimit = NO_LIMIT,
    callbacks: Callbacks = NO_CALLBACKS,
    stop: Callable[[], bool] = lambda: False,
    steps: Steps | None = None,
) -> dict[str, float]:
    """Train a compiled model for one epoch, counted from 0, of `epochs` in all; a part of it where its time is up.

    callbacks: are told of its batches. stop: whether one of them wants the epoch to end.
    steps: who makes them; None: Keras, here.

    Returns:
        `loss`, the cross-entropy without smoothing, and `accuracy` of the training images, as the steps went by.

    Raises:
        CancelledError: the listener wants the work to stop.
    """
    data.epoch, data.failure = epoch, None
    model.reseed(seed, epoch)
    watcher = _Watcher(f"Epoch {epoch + 1}/{epochs}", len(data), listener, limit, callbacks, stop)
    with _failure_of(data), watcher.progress:  # an epoch that is interrupted leaves no bar behind
        if steps:
            _fit_by(steps, model, data, watcher)
            return watcher.logs
        model.fit(
            **data.batches(),
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,  # the source shuffles, from the seed and the epoch
            verbose=0,
            callbacks=[watcher],
        )
    if watcher.weights:  # `fit` ends with the averaged ones
        assign(model, watcher.weights)
    return watcher.logs


def _fit_by(steps: Steps, model: TrainableNetwork, data: TrainingData, watcher: "_Watcher") -> None:
    """What `fit` does in an epoch, but for the steps."""
    model.stop_training, told, logs = False, np.zeros(4), {}
    watcher.set_model(model)
    watcher.on_epoch_begin(data.epoch)
    for index, batch in enumerate(data.made_ahead()):
        watcher.on_train_batch_begin(index)
        told += steps.step(model, *batch)
        logs = {PLAIN_LOSS: told[0] / told[1], "accuracy": told[2] / told[3]}
        watcher.on_train_batch_end(index, logs)
        if model.stop_training:
            break
    watcher.on_epoch_end(data.epoch, logs)


def predict_all(model: keras.Model, source: Source) -> Float[np.ndarray, "n ..."]:
    """The output of a model, logits or features, for images in batches that are not shuffled."""
    return predict_with_labels(model, source)[0]


def predict_with_labels(model: keras.Model, source: Source, epoch: int = 0) -> tuple[Float[np.ndarray, "n ..."], Truth]:
    """The output of a model for images, and their labels or shares, both in the order and in the views of an epoch.

    A last batch that is shorter is filled up: TensorFlow would trace its length anew, and warn of it.
    """
    pieces, of_batches = [], []
    for index in range(len(source)):
        tensors, labels = source.batch(index, epoch)
        filled = np.arange(source.batch_size).clip(max=len(labels) - 1)
        full = keras.tree.map_structure(lambda tensor, rows=filled: tensor[rows], tensors)
        pieces.append(model.predict_on_batch(full)[: len(labels)])
        of_batches.append(labels)
    return np.concatenate(pieces), np.concatenate(of_batches)


@contextmanager
def ema_weights(model: TrainableNetwork) -> Iterator[None]:
    """Inside, a compiled model has the moving averages of its weights, if its optimizer keeps those."""
    before = _weights(model)
    model.optimizer.finalize_variable_values(model.trainable_variables)  # does nothing without averages
    try:
        yield
    finally:
        assign(model, before)


def _weights(model: keras.Model) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(variable) for variable in model.trainable_variables]


def assign(model: keras.Model, weights: Sequence[np.ndarray]) -> None:
    """Give a model the values of all that is trained of it."""
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)


@contextmanager
def _failure_of(data: TrainingData) -> Iterator[None]:
    """TensorFlow calls the data from a thread of its own and wraps what it raises: here it is raised as it was."""
    try:
        yield
    finally:
        if data.failure:
            raise data.failure


class _Watcher(keras.callbacks.Callback):
    """Tells the listener how far an epoch is, and keeps what `fit` would lose."""

    def __init__(
        self,
        description: str,
        steps: int,
        listener: Listener,
        limit: TimeLimit,
        callbacks: Callbacks,
        stop: Callable[[], bool],
    ) -> None:
        super().__init__()
        self.callbacks, self.stop = callbacks, stop
        self.description, self.steps, self.listener, self.limit = description, steps, listener, limit
        self.progress = ExitStack()
        self.logs: dict[str, float] = {}
        self.weights: list[np.ndarray] = []
        self.note, self.noted = "", -math.inf

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        task = advancing(self.listener, Task.EPOCH, self.description, self.steps)
        self.advance = self.progress.enter_context(task)

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        self.callbacks.begin_batch(batch)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        now = time.monotonic()
        if logs and now - self.noted >= SECONDS_BETWEEN_NOTES:
            self.note, self.noted = f"loss {logs[PLAIN_LOSS]:.4f}  accuracy {logs['accuracy']:.4f}", now
        self.advance(1, self.note)
        if self.callbacks.each:  # a GPU must be waited for, to tell them losses
            self.callbacks.end_batch(batch, _numbers(logs or {}))
        if self.limit.left < 0 or self.stop():
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.logs = _numbers(logs or {})
        if self.model.optimizer.use_ema:
            self.weights = _weights(self.model)


def _numbers(logs: dict) -> dict[str, float]:
    """Of what Keras says of the batches so far."""
    return {"loss": float(logs[PLAIN_LOSS]), "accuracy": float(logs["accuracy"])}
