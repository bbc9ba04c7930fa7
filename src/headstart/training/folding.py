"""BatchNormalization folded into the convolution before it, inside the training graph. Knows no images.

In fine-tuning BatchNormalization stays in inference mode, so it is an affine map of each channel, and the convolution
before it is linear: both are one convolution with a scaled kernel and a bias. That is computed anew in each step from
the variables themselves, so that the gradients still reach kernel, gamma and beta.
"""

from headstart.keras_backend import keras
from headstart.models.graph import nodes_of


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
