"""Phase -> the optimizer, the loss and the metric that Keras trains with."""

from collections.abc import Callable, Mapping

from headstart.keras_backend import keras
from headstart.training.keras_fit import PLAIN_LOSS, TrainableNetwork
from headstart.training.recipes import Phase


def compile_for(
    model: TrainableNetwork,
    phase: Phase,
    steps: int,
    *,
    soft: bool = False,
    optimizer: keras.optimizers.Optimizer | None = None,
) -> None:
    """One logit: binary cross-entropy; more: categorical. Both from logits, as training on probabilities is less
    exact. A prediction is correct if the largest probability is that of the label, so one logit is cut at 0.

    steps: of the whole phase. soft: whether labels are the shares of all classes. optimizer: another than the phase's.
    """
    losses, metrics, smoothing = keras.losses, keras.metrics, phase.label_smoothing
    if model.binary:
        loss = losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing)
        accuracy = metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
        if soft:
            accuracy = metrics.MeanMetricWrapper(_binary_accuracy, name="accuracy")
        plain = metrics.BinaryCrossentropy(from_logits=True, name=PLAIN_LOSS)
    elif soft:
        loss = losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
        accuracy = metrics.CategoricalAccuracy(name="accuracy")
        plain = metrics.CategoricalCrossentropy(from_logits=True, name=PLAIN_LOSS)
    else:
        loss = _smoothed(smoothing) if smoothing else losses.SparseCategoricalCrossentropy(from_logits=True)
        accuracy = metrics.SparseCategoricalAccuracy(name="accuracy")
        plain = metrics.SparseCategoricalCrossentropy(from_logits=True, name=PLAIN_LOSS)
    model.compile(
        optimizer=optimizer or optimizer_for(phase, steps), loss=loss, metrics=[accuracy], weighted_metrics=[plain]
    )
    # Before the first step: else TensorFlow traces that step twice, once to see these variables made (3 s of 7).
    model.optimizer.build(model.trainable_variables)


def _binary_accuracy(shares: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Of the most probable classes."""
    return keras.ops.mean(keras.ops.cast(keras.ops.equal(shares > 0.5, logits > 0), "float32"), axis=-1)


def _smoothed(smoothing: float) -> Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]:
    def loss(labels: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
        shares = keras.ops.one_hot(keras.ops.reshape(labels, (-1,)), logits.shape[-1])
        return keras.losses.categorical_crossentropy(shares, logits, from_logits=True, label_smoothing=smoothing)

    return loss


def optimizer_for(phase: Phase, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer of a phase that has `steps` steps in all."""
    rate: float | keras.optimizers.schedules.LearningRateSchedule = phase.learning_rate
    if phase.warm_up is not None:
        rising = round(phase.warm_up * steps)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if rising else phase.learning_rate,
            max(steps - rising, 1),
            warmup_target=phase.learning_rate if rising else None,
            warmup_steps=rising,
        )
    average = {"use_ema": phase.ema_decay is not None, "ema_momentum": phase.ema_decay or 0.0}
    makers: Mapping[str, Callable[[], keras.optimizers.Optimizer]] = {
        "adam": lambda: keras.optimizers.Adam(rate, **average),
        "rmsprop": lambda: keras.optimizers.RMSprop(rate, **average),
        # one odd batch must not undo what the base knows: gradients of a norm above 1 are cut to it
        "adamw": lambda: keras.optimizers.AdamW(rate, weight_decay=phase.weight_decay, clipnorm=1.0, **average),
    }
    optimizer = makers[phase.optimizer]()
    if phase.optimizer == "adamw":
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer
