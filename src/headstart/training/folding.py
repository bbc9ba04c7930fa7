"""Training of what lies behind the cut: BatchNormalization folded into its convolution, batches of bottleneck features.

In fine-tuning BatchNormalization stays in inference mode, so it is an affine map of each channel, and the convolution
before it is linear: both are one convolution with a scaled kernel and a bias. That is computed anew in each step from
the variables themselves, so that the gradients still reach kernel, gamma and beta.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from headstart.data.batches import Batches
from headstart.data.dataset import Split
from headstart.engines.openvino import BATCH
from headstart.features.cut import FrozenPart, nodes_of
from headstart.features.store import Features, run_batches
from headstart.keras_backend import keras

CHUNK = 8  # batches that the engine computes at a time: enough to keep all its streams at work


Tensors = np.ndarray | tuple[np.ndarray, ...]  # one at a cut of one tensor


class FoldedBatchNormalization(keras.layers.Layer):
    """A convolution and the BatchNormalization behind it, in inference mode, as one convolution."""

    def __init__(self, convolution: keras.layers.Layer, normalization: keras.layers.Layer, **options) -> None:
        super().__init__(**options)
        self.convolution, self.normalization = convolution, normalization

    def build(self, shape) -> None:
        self.built = True  # the variables are there

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        ops, convolution, normalization = keras.ops, self.convolution, self.normalization
        scale = ops.rsqrt(normalization.moving_variance + normalization.epsilon)
        if normalization.scale:
            scale = scale * normalization.gamma
        bias = -normalization.moving_mean * scale
        if normalization.center:
            bias = bias + normalization.beta
        if convolution.use_bias:
            bias = bias + convolution.bias * scale
        settings = {
            "strides": convolution.strides,
            "padding": convolution.padding,
            "dilation_rate": convolution.dilation_rate,
        }
        if isinstance(convolution, keras.layers.DepthwiseConv2D):
            kernel = convolution.kernel * ops.reshape(scale, convolution.kernel.shape[2:])
            return ops.add(ops.depthwise_conv(x, kernel, **settings), bias)
        kernel = convolution.kernel * scale
        if convolution.kernel_size == (1, 1) and convolution.strides == (1, 1) and convolution.groups == 1:
            # a matrix product, whose gradients TensorFlow computes twice as fast as those of a convolution
            pixels = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), ops.reshape(kernel, kernel.shape[2:]))
            return ops.reshape(ops.add(pixels, bias), (-1, *x.shape[1:3], kernel.shape[-1]))
        return ops.add(ops.conv(x, kernel, **settings), bias)


def fold(part: keras.Model) -> keras.Model:
    """The same function, on the same variables, with each BatchNormalization folded that follows a convolution."""
    folded = _pairs(part)
    passed_on = {convolution.name for convolution in folded.values()}

    def call(layer: keras.layers.Layer, *inputs, **options):
        if layer.name in passed_on:
            return inputs[0]
        if layer.name in folded:
            return FoldedBatchNormalization(folded[layer.name], layer, name=f"{layer.name}_folded")(inputs[0])
        return layer(*inputs, **options)

    return keras.models.clone_model(part, clone_function=lambda layer: layer, call_function=call)


def _pairs(part: keras.Model) -> dict[str, keras.layers.Layer]:
    """Name of a BatchNormalization -> the convolution whose output it alone takes."""
    made_by = {id(tensor): node.operation for node in nodes_of(part) for tensor in node.outputs}
    uses: dict[int, int] = {}
    for node in nodes_of(part):
        for tensor in node.input_tensors:
            uses[id(tensor)] = uses.get(id(tensor), 0) + 1
    pairs = {}
    for node in nodes_of(part):
        if type(node.operation) is keras.layers.BatchNormalization and node.operation.axis in (-1, 3):
            convolution = made_by.get(id(node.input_tensors[0]))
            if (
                convolution is not None
                and type(convolution) in (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
                and convolution.activation is keras.activations.linear
                and convolution.data_format == "channels_last"
                and uses[id(node.input_tensors[0])] == 1
            ):
                pairs[node.operation.name] = convolution
    return pairs


class FreshViews:
    """Batches of features of images as `Batches` gives them, run through the engine when they are needed."""

    def __init__(self, images: Batches, compiled: FrozenPart) -> None:
        self.images, self.compiled, self.batch_size = images, compiled, images.batch_size
        self._ready: dict[int, tuple[Tensors, np.ndarray]] = {}
        self._epoch = -1

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, index: int, epoch: int = 0) -> tuple[Tensors, np.ndarray]:
        if epoch != self._epoch or index not in self._ready:
            self._epoch = epoch
            first = index - index % CHUNK
            self._ready = self._compute(range(first, min(first + CHUNK, len(self))), epoch)
        return self._ready[index]

    def _compute(self, indices: range, epoch: int) -> dict[int, tuple[Tensors, np.ndarray]]:
        labels: list[np.ndarray] = []

        def pieces():
            for index in indices:
                images, of_batch = self.images.batch(index, epoch)
                labels.append(of_batch)
                yield from (images[start : start + BATCH] for start in range(0, len(images), BATCH))

        count = sum(self.images.length(index) for index in indices)
        tensors = run_batches(self.compiled, pieces(), count)
        ends = np.cumsum([len(each) for each in labels])
        split = [np.split(tensor, ends[:-1]) for tensor in tensors]
        return {
            index: (one_or_all([parts[number] for parts in split]), labels[number])
            for number, index in enumerate(indices)
        }


class KeptViews:
    """Batches of kept features; of each image, in each epoch, one of its views is drawn."""

    def __init__(
        self, split: Split, views: Sequence[Features], batch_size: int, *, shuffle: bool = False, seed: int = 0
    ) -> None:
        self.split, self.views, self.batch_size = split, views, batch_size
        self.shuffle, self.seed = shuffle, seed

    def __len__(self) -> int:
        return -(-len(self.split) // self.batch_size)

    def batch(self, index: int, epoch: int = 0) -> tuple[Tensors, np.ndarray]:
        order, drawn = _drawn(self.seed, epoch, len(self.split), len(self.views), self.shuffle)
        chosen = order[index * self.batch_size : (index + 1) * self.batch_size]
        chosen = chosen[np.argsort(drawn[chosen], kind="stable")]  # by view: the order inside of a batch is no matter
        taken = [view.take(chosen[drawn[chosen] == number]) for number, view in enumerate(self.views)]
        taken = [tensors for tensors in taken if len(tensors[0])]
        return one_or_all([np.concatenate(parts) for parts in zip(*taken, strict=True)]), self.split.labels[chosen]


def one_or_all(tensors: list[np.ndarray]) -> Tensors:
    return tensors[0] if len(tensors) == 1 else tuple(tensors)


@lru_cache(maxsize=2)  # training and validation
def _drawn(seed: int, epoch: int, count: int, views: int, shuffle: bool) -> tuple[np.ndarray, np.ndarray]:
    """The order of the images in an epoch, and the view of each: int (count,) twice. Drawn once, not once a batch."""
    draws = np.random.default_rng([seed, epoch])
    order = draws.permutation(count) if shuffle else np.arange(count)
    return order, draws.integers(0, views, count)
