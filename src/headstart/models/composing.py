"""base + head -> one Keras model, and what there is to say of it. The only place where a network is put together."""

import math
from pathlib import Path

from headstart import numerics
from headstart.keras_backend import keras
from headstart.models.preprocessing import preprocess
from headstart.models.summary import Summary

POOLED, DROPOUT, LOGITS = "global_average_pooling2d", "dropout", "logits"  # names of layers


def compose(
    base: keras.Model, *, backbone: str, image_size: int, num_classes: int, dropout: float, seed: int
) -> keras.Model:
    """Pixels -> preprocessing -> base -> pooling -> dropout -> logits: the tutorial's model, without augmentation."""
    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    x = preprocess(backbone, pixels)
    x = base(x, training=False)
    x = keras.layers.GlobalAveragePooling2D(name=POOLED)(x)
    x = keras.layers.Dropout(dropout, seed=seed, name=DROPOUT)(x)
    start = keras.initializers.GlorotUniform(seed=seed)  # Keras' default, drawn from our seed
    logits = keras.layers.Dense(numerics.num_logits(num_classes), kernel_initializer=start, name=LOGITS)(x)
    return keras.Model(pixels, logits, name="classifier")


def base_of(network: keras.Model) -> keras.Model:
    """The pretrained base inside a network made by `compose`."""
    return next(layer for layer in network.layers if isinstance(layer, keras.Model))


def inside(network: keras.Model) -> keras.Model:
    """The same pixels -> logits (n, logits), pooled features (n, depth), feature maps (n, height, width, depth)."""
    pooling = network.get_layer(POOLED)
    return keras.Model(network.input, [network.output, pooling.output, pooling.input])


def with_probabilities(network: keras.Model, *, temperature: float, dtype: str) -> keras.Model:
    """Raw RGB 0..255 -> logits (n, 1) or (n, classes) and calibrated probabilities (n, classes), under these names.

    What `models/numerics.py` does in NumPy, inside the network.

    dtype: of the pixels, "uint8" or "float32".
    """
    pixels = keras.Input(network.input.shape[1:], dtype=dtype, name="pixels")
    logits = network(keras.ops.cast(pixels, "float32"), training=False)
    two_sided = logits
    if logits.shape[1] == 1:
        two_sided = keras.ops.concatenate([keras.ops.zeros_like(logits), logits], axis=1)
    shares = keras.ops.softmax(two_sided / temperature, axis=1)
    return keras.Model(pixels, {"logits": logits, "probabilities": shares}, name="exported")


def save(network: keras.Model, file: Path) -> None:
    """Write the `.keras` file of a network, without an optimizer."""
    keras.Model(network.input, network.output, name=network.name).save(file)


def read(file: Path) -> keras.Model:
    return keras.models.load_model(file, compile=False)


def summary_of(network: keras.Model) -> Summary:
    """What there is to say of a network, with the layers thawed that are so now."""
    base, pooling = base_of(network), network.get_layer(POOLED)
    tensors = (network.input, pooling.input, pooling.output, network.output)
    trainable = network.trainable_variables
    return Summary(
        base=base.name,
        base_layers=len(base.layers),
        base_parameters=base.count_params(),
        shapes=tuple(tuple(tensor.shape[1:]) for tensor in tensors),
        parameters=network.count_params(),
        trainable_parameters=sum(math.prod(variable.shape) for variable in trainable),
        trainable_variables=len(trainable),
        table=_table(network),
        nested_table=_table(network, expand_nested=True),
    )


def _table(network: keras.Model, **options: bool) -> str:
    lines: list[str] = []
    network.summary(print_fn=lines.append, **options)
    return "\n".join(lines).rstrip()
