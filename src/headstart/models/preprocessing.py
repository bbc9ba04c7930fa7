"""Raw RGB pixels -> what a backbone was trained to see, as plain Keras layers that are saved with the model."""

from headstart.keras_backend import keras
from headstart.models.backbones import get_backbone

# The constants of keras.applications.imagenet_utils.preprocess_input
IMAGENET_MEAN = (0.485, 0.456, 0.406)  # RGB, in 0..1
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)  # BGR, in 0..255


def preprocess(backbone: str, pixels: keras.KerasTensor, *, name: str | None = None) -> keras.KerasTensor:
    """Raw RGB, 0..255 (n, h, w, 3) -> the input of the base, same shape. name: of the layer; by default its kind."""
    mode = get_backbone(backbone).preprocessing
    if mode == "inside":
        return pixels
    if mode == "tf":
        return keras.layers.Rescaling(1 / 127.5, offset=-1, name=name or "rescaling")(pixels)
    if mode == "lite":
        return keras.layers.Rescaling(1 / 128, offset=-127 / 128, name=name or "rescaling")(pixels)
    if mode == "torch":
        mean = [255 * value for value in IMAGENET_MEAN]
        variance = [(255 * value) ** 2 for value in IMAGENET_DEVIATION]
        return keras.layers.Normalization(mean=mean, variance=variance, name=name or "normalization")(pixels)
    bgr = keras.ops.flip(pixels, axis=-1)
    return keras.layers.Normalization(mean=list(CAFFE_MEAN), variance=[1.0] * 3, name=name or "normalization")(bgr)
