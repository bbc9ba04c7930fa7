"""base + head -> one Keras model, and what there is to say of it. The only place where a network is put together."""

import math
from pathlib import Path

import numpy as np

from headstart import numerics
from headstart.keras_backend import keras
from headstart.models.depths import statistics, with_depths
from headstart.models.graph import nodes_of, several
from headstart.models.layers import DROPOUT, FEATURES, LOGITS, POOLED, STATISTICS
from headstart.models.packaged import output_name
from headstart.models.preprocessing import preprocess
from headstart.models.summary import Summary


def compose(
    base: keras.Model,
    *,
    backbone: str,
    image_size: int,
    num_classes: int,
    dropout: float,
    seed: int,
    depths: bool = False,
    multi_label: bool = False,
) -> keras.Model:
    """Pixels -> preprocessing -> base -> pooling -> dropout -> logits: the tutorial's model, without augmentation.

    depths: the base gives all of its depths, and the logits come from the `statistics` of those before the last, too.
    """
    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    maps = several((with_depths(base) if depths else base)(preprocess(backbone, pixels), training=False))
    x = keras.layers.GlobalAveragePooling2D(name=POOLED)(maps[-1])
    if maps[1:]:
        inner = [keras.Input(tensor.shape[1:]) for tensor in maps[:-1]]
        found = keras.Model(inner, statistics(inner), name=STATISTICS)(maps[:-1])
        x = keras.layers.Concatenate(name=FEATURES)([x, found])
    x = keras.layers.Dropout(dropout, seed=seed, name=DROPOUT)(x)
    start = keras.initializers.GlorotUniform(seed=seed)  # Keras' default, drawn from our seed
    count = numerics.num_logits(num_classes, multi_label=multi_label)
    logits = keras.layers.Dense(count, kernel_initializer=start, name=LOGITS)(x)
    return keras.Model(pixels, logits, name="classifier")


def base_of(network: keras.Model) -> keras.Model:
    """The pretrained base inside a network made by `compose`: its last output is what it gives as such."""
    return next(layer for layer in network.layers if isinstance(layer, keras.Model))


def features_of(network: keras.Model) -> keras.KerasTensor:
    """What the head is given, (n, numbers)."""
    return network.get_layer(DROPOUT).input


def body(network: keras.Model) -> keras.Model:
    """The same pixels -> features (n, numbers), and the feature maps (n, height, width, channels) that they are of."""
    return keras.Model(network.input, [features_of(network), *_maps(network)])


def inside(network: keras.Model, *, maps: bool) -> keras.Model:
    """The same pixels -> what there is in a `NetworkOutput`, one after the other. maps: with feature maps."""
    return keras.Model(network.input, [network.output, features_of(network), *(_maps(network) if maps else [])])


def _maps(network: keras.Model) -> list[keras.KerasTensor]:
    """What its base gives in it."""
    base = base_of(network)
    return next(list(node.outputs) for node in nodes_of(network) if node.operation is base)


def with_probabilities(
    network: keras.Model,
    *,
    temperature: float,
    dtype: str,
    maps: bool = False,
    others: tuple[np.ndarray, float] | None = None,
    multi_label: bool = False,
) -> keras.Model:
    """Raw RGB 0..255 -> logits (n, 1) or (n, classes) and calibrated probabilities (n, classes), under these names.

    What `numerics.py` and `classifier/others.py` do in NumPy, inside the network.

    dtype: of the pixels, "uint8" or "float32".
    maps: also the features of the head and the feature maps, under the names of a packaged network.
    others: weights and temperature of an `OtherHead`; then also the probability of none of the classes, "other" (n,).
    multi_label: whether each label has a probability of its own.
    """
    pixels = keras.Input(network.input.shape[1:], dtype=dtype, name="pixels")
    whole = inside(network, maps=maps) if maps or others else network
    logits, *inner = several(whole(keras.ops.cast(pixels, "float32"), training=False))
    two_sided = logits
    if logits.shape[1] == 1:
        two_sided = keras.ops.concatenate([keras.ops.zeros_like(logits), logits], axis=1)
    scaled = two_sided / temperature
    shares = keras.ops.sigmoid(scaled) if multi_label else keras.ops.softmax(scaled, axis=1)
    found = {"logits": logits, "probabilities": shares}
    if others:
        found["other"] = _probability_of_others(inner[0], *others)
    if maps:
        numbers = [0, *range(2, 1 + len(inner))]  # the features, the feature maps
        found |= {output_name(number): tensor for number, tensor in zip(numbers, inner, strict=True)}
    return keras.Model(pixels, found, name="exported")


def _probability_of_others(features: keras.KerasTensor, weights: np.ndarray, temperature: float) -> keras.KerasTensor:
    found = keras.ops.matmul(features, weights[:-1]) + weights[-1]
    odds = found[:, -1] - keras.ops.logsumexp(found[:, :-1], axis=1)
    return keras.ops.sigmoid(odds / temperature)


def save(network: keras.Model, file: Path) -> None:
    """Write the `.keras` file of a network, without an optimizer."""
    keras.Model(network.input, network.output, name=network.name).save(file)


def read(file: Path) -> keras.Model:
    return keras.models.load_model(file, compile=False)


def summary_of(network: keras.Model) -> Summary:
    """What there is to say of a network, with the layers thawed that are so now."""
    base = base_of(network)
    tensors = (network.input, network.get_layer(POOLED).input, features_of(network), network.output)
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
