"""The table BACKBONES: which pretrained bases there are, and what each needs to be used rightly.

A table and nothing else: it can be read, and a choice checked, without importing Keras. `weights.py` builds a base,
`classifier.py` puts its preprocessing before it and a head behind it.
"""

from dataclasses import dataclass
from pathlib import PurePath

from headstart.errors import ModelError
from headstart.models.network_files import FILES

# How each family was trained to see pixels (keras.applications.imagenet_utils.preprocess_input, by its mode names):
#   "tf"      RGB scaled to -1..1
#   "torch"   RGB scaled to 0..1, then standardised with ImageNet's mean and deviation of each channel
#   "caffe"   BGR, ImageNet's mean of each channel taken off, not scaled
#   "inside"  the base begins with its own preprocessing layers, and takes 0..255
# and of those that Keras does not have:
#   "lite"    RGB as (value - 127) / 128 (tensorflow/tpu, models/official/efficientnet/lite)
PREPROCESSING = ("tf", "torch", "caffe", "inside", "lite")

KERAS, LITE = "keras.applications", "headstart.models.families.efficientnet_lite"
LITE0_WEIGHTS, LITE0_NETWORK = "efficientnet_lite0_no_top.weights.h5", "efficientnet_lite0_depths.onnx"


@dataclass(frozen=True)
class Backbone:
    """One row of the table.

    builder: name of the function in `module`.
    preprocessing: one of PREPROCESSING, see above.
    image_size: side in pixels that it was pretrained at.
    features: depth of the block of features that it gives.
    fine_tune_from: the first layer that fine-tuning trains: a name, or an index as in the tutorial. For all but
        MobileNetV2, whose 100 is the tutorial's, it is where the last stage of the network begins.
    min_image_size: the smallest side that the architecture can halve as often as it does.
    packaged: file of the pretrained weights in the package, if they are there.
    network: file of the frozen network in the package, if it is there, see `packaged.py`.
    parts: names of the rows that stand side by side in this one, which is then none of the table.
    width: by which the channels of each layer but the last are multiplied, for small devices; Keras' `alpha`.
    file: the network itself, an ONNX or OpenVINO file, see `network_files`; such a row is none of the table, either.
    channels: of its depths but the last layer, where the table in `depths.py` does not say them.
    module: where the architecture is: Keras, or a module of `models/families`, whose weights Keras cannot download.
    """

    builder: str
    preprocessing: str
    image_size: int
    features: int
    fine_tune_from: int | str
    min_image_size: int = 32
    packaged: str | None = None
    module: str = KERAS
    network: str | None = None
    parts: tuple[str, ...] = ()
    file: str | None = None
    channels: tuple[int, ...] = ()
    width: float = 1.0

    @property
    def is_keras(self) -> bool:
        """Whether Keras can build it: then layers of it can be trained, and there is a `.keras` file."""
        return self.file is None


BACKBONES = {
    "mobilenet_v2": Backbone("MobileNetV2", "tf", 224, 1280, 100, packaged="mobilenet_v2_imagenet_no_top.weights.h5"),
    "mobilenet_v2_050": Backbone("MobileNetV2", "tf", 224, 1280, 100, width=0.5),
    "mobilenet_v2_035": Backbone("MobileNetV2", "tf", 224, 1280, 100, width=0.35),
    "efficientnet_lite0": Backbone(
        "EfficientNetLite0", "lite", 224, 1280, "block15_expand", 32, LITE0_WEIGHTS, LITE, LITE0_NETWORK
    ),
    "efficientnet_lite1": Backbone("EfficientNetLite1", "lite", 240, 1280, "block20_expand", module=LITE),
    "efficientnet_lite2": Backbone("EfficientNetLite2", "lite", 260, 1280, "block20_expand", module=LITE),
    "mobilenet": Backbone("MobileNet", "tf", 224, 1024, "conv_dw_12"),
    "mobilenet_v3_small": Backbone("MobileNetV3Small", "inside", 224, 576, "expanded_conv_8_expand"),
    "mobilenet_v3_large": Backbone("MobileNetV3Large", "inside", 224, 960, "expanded_conv_12_expand"),
    "efficientnet_b0": Backbone("EfficientNetB0", "inside", 224, 1280, "block6a_expand_conv"),
    "efficientnet_v2_b0": Backbone("EfficientNetV2B0", "inside", 224, 1280, "block6a_expand_conv"),
    "efficientnet_v2_b1": Backbone("EfficientNetV2B1", "inside", 240, 1280, "block6a_expand_conv"),
    "efficientnet_v2_b2": Backbone("EfficientNetV2B2", "inside", 260, 1408, "block6a_expand_conv"),
    "efficientnet_v2_b3": Backbone("EfficientNetV2B3", "inside", 300, 1536, "block6a_expand_conv"),
    "efficientnet_v2_s": Backbone("EfficientNetV2S", "inside", 384, 1280, "block6a_expand_conv"),
    "convnext_tiny": Backbone("ConvNeXtTiny", "inside", 224, 768, "convnext_tiny_stage_3_block_0_depthwise_conv"),
    "convnext_small": Backbone("ConvNeXtSmall", "inside", 224, 768, "convnext_small_stage_3_block_0_depthwise_conv"),
    "resnet50": Backbone("ResNet50", "caffe", 224, 2048, "conv5_block1_1_conv"),
    "resnet50_v2": Backbone("ResNet50V2", "tf", 224, 2048, "conv5_block1_preact_bn"),
    "densenet121": Backbone("DenseNet121", "torch", 224, 1024, "conv5_block1_0_bn"),
    "xception": Backbone("Xception", "tf", 299, 2048, "block13_sepconv1_act", min_image_size=71),
    "inception_v3": Backbone("InceptionV3", "tf", 299, 2048, "mixed8", min_image_size=75),
    "nasnet_mobile": Backbone("NASNetMobile", "tf", 224, 1056, "reduction_conv_1_reduce_8"),
    "vgg16": Backbone("VGG16", "caffe", 224, 512, "block5_conv1"),
}

SIDE_BY_SIDE = "+"  # between the names of bases that see the same image
DEFAULT = "efficientnet_lite0"  # by accuracy over all collections at hand, see benchmarks/LOG.md


def get_backbone(name: str) -> Backbone:
    """The row of the table; of "a+b", two rows side by side, see `side_by_side.py`; of the path of an ONNX or OpenVINO
    file, what is read of it.

    Raises:
        ModelError: there is none of that name; the file cannot be used.
    """
    if is_file(name):
        return _of_file(name)
    if SIDE_BY_SIDE in name:
        return _side_by_side(name)
    try:
        return BACKBONES[name]
    except KeyError:
        raise ModelError(
            f"There is no backbone '{name}'. Choose one of: {', '.join(BACKBONES)}; or give the path of a network, "
            f"{' or '.join(FILES)}."
        ) from None


def is_file(name: str) -> bool:
    """Whether a backbone is the path of a network."""
    return name.lower().endswith(tuple(FILES))


def name_of(backbone: str) -> str:
    """What a backbone is called in a run: of a path, the name of the file, as runs are passed on to others."""
    return PurePath(backbone).name if is_file(backbone) else backbone


def _of_file(name: str) -> Backbone:
    from headstart.models.network_files.base import FileBase

    base = FileBase.read(name)
    *inner, last = (each.channels for each in base.maps)
    return Backbone("", "inside", base.image_size, last, "", 1, file=str(base.path), channels=tuple(inner))


def _side_by_side(name: str) -> Backbone:
    """Raw pixels go to each of several bases; the size is that of the first."""
    parts = tuple(name.split(SIDE_BY_SIDE))
    if "" in parts:
        raise ModelError(f"'{name}' lacks the name of a base: expected two names with '{SIDE_BY_SIDE}' between them.")
    if len(set(parts)) < len(parts):
        raise ModelError(f"'{name}' names a base twice, which says nothing more. Name different ones.")
    rows = [get_backbone(part) for part in parts]
    return Backbone(
        "side_by_side",
        "inside",
        rows[0].image_size,
        sum(row.features for row in rows),
        "joined",
        max(row.min_image_size for row in rows),
        parts=parts,
    )


def check_image_size(name: str, image_size: int) -> None:
    """Raise ModelError where the backbone cannot work on images of that side."""
    smallest = get_backbone(name).min_image_size
    if image_size < smallest:
        raise ModelError(
            f"Images of {image_size} x {image_size} pixels are too small for '{name}': it needs at least {smallest}. "
            f"It was pretrained at {get_backbone(name).image_size}; sizes near that work best."
        )
