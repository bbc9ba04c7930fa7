"""Which pretrained bases can be used without a download: in the package, in the caches of Keras and KerasHub, or given
as files."""

from __future__ import annotations

from pathlib import Path

from headstart.errors import WeightsError
from headstart.models.backbones import BACKBONES, is_file
from headstart.models.network_files.presets import is_preset, network_of_preset, presets_at_hand
from headstart.models.weights import PRETRAINED, files_at_hand

WEIGHTS = (".weights.h5", ".h5")


def bases_at_hand(given: str | Path = PRETRAINED) -> dict[str, str]:
    """Backbone -> its weights, for `load_base`.

    given: besides those of the package and of Keras' cache, a file, or a folder of such: networks (ONNX, OpenVINO), and
        weights whose names begin with those of their backbones, such as `efficientnet_lite1_no_top.weights.h5`.

    Raises:
        WeightsError: there is no such file or folder; or nothing tells which backbone a file of weights is for.
    """
    found = {name: PRETRAINED for name in BACKBONES if files_at_hand(name)}
    found |= dict.fromkeys(presets_at_hand(), PRETRAINED)
    for file in [] if given == PRETRAINED else _files(Path(given)):
        if is_file(file.name):
            found[str(file.absolute())] = PRETRAINED
        elif name := _backbone_of(file):
            found[name] = str(file.absolute())
        elif file == Path(given):
            raise WeightsError(
                f"Nothing tells which backbone '{given}' is for. Name it with --backbone; or let the name of the file "
                f"begin with it, such as 'efficientnet_lite1.weights.h5'."
            )
    return found


def resolved(backbone: str, image_size: int | None) -> str:
    """The backbone itself; of a file the whole path, as a run is resumed from any folder; of a preset of KerasHub the
    file of its network, for images of that side, see `presets.py`.

    Raises:
        ModelError, MissingExtraError: a preset cannot be used.
    """
    if is_preset(backbone):
        return str(network_of_preset(backbone, image_size))
    return str(Path(backbone).absolute()) if is_file(backbone) else backbone


def _files(given: Path) -> list[Path]:
    if given.is_dir():
        return sorted(file for file in given.iterdir() if file.is_file())
    if not given.exists():
        raise WeightsError(f"'{given}' is not there. Give a file, or a folder of files.")
    return [given]


def _backbone_of(file: Path) -> str | None:
    """The backbone whose name a file of weights begins with, the longest of several."""
    if not file.name.endswith(WEIGHTS):
        return None
    return max((name for name in BACKBONES if file.name.startswith(name)), key=len, default=None)
