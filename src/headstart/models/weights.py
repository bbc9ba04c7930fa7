"""Where pretrained weights come from: the package, Keras' own addresses, or a file of the user's."""

from __future__ import annotations

import importlib
import importlib.resources
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.errors import DownloadError, ModelError, WeightsError, first_line
from headstart.models.backbones import KERAS, SIDE_BY_SIDE, check_image_size, get_backbone, is_file, name_of
from headstart.models.network_files import FILES
from headstart.models.network_files.base import FileBase
from headstart.storage.hashing import sha256_of_weights

if TYPE_CHECKING:
    import keras

PRETRAINED = "pretrained"
RANDOM = "random"  # no pretrained weights at all: for tests, and for comparisons
# what Keras calls the files that it downloads into ~/.keras/models
DOWNLOADED = {
    "mobilenet_v2_050": "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.5_224_no_top.h5",
    "mobilenet_v2_035": "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5",
    "mobilenet": "mobilenet_1_0_224_tf_no_top.h5",
    "mobilenet_v3_small": "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
    "mobilenet_v3_large": "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
    "efficientnet_b0": "efficientnetb0_notop.h5",
    "efficientnet_v2_b0": "efficientnetv2-b0_notop.h5",
    "efficientnet_v2_b1": "efficientnetv2-b1_notop.h5",
    "efficientnet_v2_b2": "efficientnetv2-b2_notop.h5",
    "efficientnet_v2_b3": "efficientnetv2-b3_notop.h5",
    "efficientnet_v2_s": "efficientnetv2-s_notop.h5",
    "convnext_tiny": "convnext_tiny_notop.h5",
    "convnext_small": "convnext_small_notop.h5",
    "resnet50": "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "resnet50_v2": "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "densenet121": "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "xception": "xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "inception_v3": "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "nasnet_mobile": "nasnet_mobile_no_top.h5",
    "vgg16": "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
}


def load_base(name: str, image_size: int, weights: str | Path = PRETRAINED) -> keras.Model:
    """The convolutional base of a backbone, with its weights.

    Args:
        name: of a row of BACKBONES, or several with "+" between them, see `side_by_side.py`.
        image_size: side of the images in pixels.
        weights: "pretrained" (from the package where they are in it, else downloaded by Keras, which checks their
            hash), "random", or the path of a file: `.weights.h5` or `.h5`, of this backbone without its top; for bases
            side by side one of these for all, or one for each with "+" between them.

    Raises:
        ModelError: there is no such backbone, or the images are too small for it.
        WeightsError: they cannot be downloaded; the file is missing, belongs to another network, or holds weights that
            are no numbers.
    """
    check_image_size(name, image_size)
    if is_file(name):
        raise ModelError(no_keras_model(name))
    if get_backbone(name).parts:
        from headstart.models.side_by_side import side_by_side

        of_each = _weights_of_parts(name, weights)
        return side_by_side([load_base(part, image_size, of_one) for part, of_one in of_each.items()], list(of_each))
    if weights == PRETRAINED:
        packaged = get_backbone(name).packaged
        return (
            _downloaded(name, image_size) if packaged is None else _from_file(name, image_size, packaged_file(packaged))
        )
    base = _build(name, image_size, weights=None)
    return base if weights == RANDOM else _from_file(name, image_size, Path(weights))


def files_at_hand(name: str) -> list[Path]:
    """The files of a backbone's pretrained weights, one but for bases side by side, where they are there without a
    download: in the package or in Keras' cache. None of them where one is not."""
    row = get_backbone(name)
    if row.file:
        return [Path(row.file)]
    if row.parts:
        of_each = [files_at_hand(part) for part in row.parts]
        return [file for files in of_each for file in files] if all(of_each) else []
    if row.packaged:
        return [packaged_file(row.packaged)]
    from headstart.storage.downloads import downloads_folder

    file = downloads_folder() / "models" / DOWNLOADED[name] if name in DOWNLOADED else None
    return [file] if file and file.is_file() else []


def no_keras_model(name: str) -> str:
    """Why what needs layers cannot be done with the network of a file."""
    ending = Path(name).suffix.lower()
    formats = "onnx, openvino and web" if ending == ".onnx" else "openvino"
    return (
        f"'{name_of(name)}' is {FILES[ending]}, which OpenVINO runs on the processor as it is, and Keras has no layers "
        f"of it: there is no fine-tuning, no model.keras and no GPU; exports are to {formats}."
    )


def keras_is_installed() -> bool:
    """Whether layers can be trained, and bases be built. What is in the package of a base does without."""
    return find_spec("keras") is not None


def identity(name: str, weights: str | Path) -> str | None:
    """What tells these weights from others, found without Keras' help: a digest of their file, or the version of Keras
    whose download it is. None for random ones, which are never the same."""
    if weights == RANDOM:
        return None
    if is_file(name):
        return FileBase.read(name).identity
    row = get_backbone(name)
    packaged = row.packaged
    if row.parts:
        of_each = [identity(part, of_one) for part, of_one in _weights_of_parts(name, weights).items()]
        return None if None in of_each else SIDE_BY_SIDE.join(map(str, of_each))
    if weights == PRETRAINED and packaged is None:
        return f"keras {version('keras')}"
    file = packaged_file(packaged) if weights == PRETRAINED and packaged else Path(weights)
    if not file.is_file():
        return None  # load_base says what is wrong
    return sha256_of_weights(file)


def _weights_of_parts(name: str, weights: str | Path) -> dict[str, str]:
    """Backbone -> its weights, of several side by side."""
    parts = get_backbone(name).parts
    found = str(weights).split(SIDE_BY_SIDE)
    if len(found) == 1 and weights in (PRETRAINED, RANDOM):
        found *= len(parts)
    if len(found) != len(parts):
        raise WeightsError(
            f"'{weights}' names weights for {len(found)}, and '{name}' has {len(parts)} bases. Give one for each, in "
            f"their order, such as '{SIDE_BY_SIDE.join([PRETRAINED] * (len(parts) - 1) + ['FILE'])}'."
        )
    return dict(zip(parts, found, strict=True))


def _build(name: str, image_size: int, weights: str | None) -> keras.Model:
    """Preprocessed pixels (n, size, size, 3) -> features (n, h, w, depth)."""
    from headstart.keras_backend import keras

    row = get_backbone(name)
    module = keras.applications if row.module == KERAS else importlib.import_module(row.module)
    builder = getattr(module, row.builder)
    narrower = {} if row.width == 1 else {"alpha": row.width}
    return builder(input_shape=(image_size, image_size, 3), include_top=False, weights=weights, **narrower)


def packaged_file(file: str) -> Path:
    """A file of the package, by its name."""
    return Path(str(importlib.resources.files("headstart.models") / "files" / file))


def _downloaded(name: str, image_size: int) -> keras.Model:
    if name not in DOWNLOADED:
        raise WeightsError(
            f"The weights of '{name}' are not part of headstart, and Keras cannot download them. Give them as a file: "
            f"--weights FILE."
        )
    from headstart.storage.downloads import downloading

    try:
        with warnings.catch_warnings(), downloading(f"The file of Keras' weights for '{name}'"):
            # MobileNet's are those of 224 pixels at most sizes, as for every other backbone; Keras warns of it
            warnings.filterwarnings("ignore", message="`input_shape` is undefined or non-square")
            return _build(name, image_size, weights="imagenet")
    except DownloadError as error:
        raise WeightsError(
            f"{error}. Connect to the internet once (they are kept in ~/.keras afterwards), or give the weights as a "
            f"file: --weights FILE. The weights of 'mobilenet_v2' are part of headstart and need neither."
        ) from error


def _from_file(name: str, image_size: int, file: Path) -> keras.Model:
    if not file.is_file():
        raise WeightsError(f"'{file}' is not there. Give a .weights.h5 or .h5 file of '{name}' without its top.")
    base = _build(name, image_size, weights=None)
    try:
        with warnings.catch_warnings():
            # Keras warns where it leaves a layer as it was; half a network's weights are worth nothing
            warnings.filterwarnings("error", message="Skipping nested container")
            base.load_weights(file)
    except (ValueError, OSError, KeyError, UserWarning) as error:
        reason = first_line(error)
        raise WeightsError(
            f"'{file}' does not fit '{name}' ({base.count_params():,} parameters, without the top): {reason} "
            f"Choose the backbone that the file belongs to with --backbone."
        ) from error
    _check_numbers(base, file)
    return base


def _check_numbers(base: keras.Model, file: Path) -> None:
    """Here, as features need not show it: OpenVINO's ReLU makes 0 of NaN."""
    wrong = [variable.path for variable in base.weights if not np.isfinite(variable.numpy()).all()]
    if wrong:
        raise WeightsError(
            f"'{file}' holds weights that are no numbers (NaN or infinity), in {len(wrong):,} of {len(base.weights):,} "
            f"variables, such as '{wrong[0]}'; expected finite ones. It is damaged, or the training that wrote it "
            f"broke: get the file again, or take the weights of an earlier epoch."
        )


def layer_index(base: keras.Model, layer: int | str) -> int:
    """The index of a layer of the base that is given by index or by name.

    Raises:
        ModelError: the base has no such layer.
    """
    names = [each.name for each in base.layers]
    if isinstance(layer, str) and layer in names:
        return names.index(layer)
    if isinstance(layer, int) and 0 <= layer < len(names):
        return layer
    raise ModelError(
        f"The base has no layer {layer!r}: it has {len(names)}, from 0 '{names[0]}' to {len(names) - 1} '{names[-1]}'."
    )
