"""What the package has of a base besides its weights, so that a head is trained on it without Keras: the frozen
network, ready for an engine, and the template of its classifiers. `tools/package_network.py` writes both.

Of a classifier whose base is as it was pretrained, all but the head is known. So `model.keras` is written from the
parts of the template and the weights of the base, for any image size and number of classes.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from headstart.models.backbones import BACKBONES, get_backbone
from headstart.models.summary import Summary
from headstart.models.weights import PRETRAINED, packaged_file

MARK = "$"  # the key of what stands in a template in the place of a number that depends on side or logits
BASE, HEAD = "layers/functional", "layers/dense/vars"  # where base and head lie in the weights of a classifier
CONFIG, FACTS, METADATA, WEIGHTS = "config.json", "facts.json", "metadata.json", "model.weights.h5"


def network_file(backbone: str, weights: str | Path) -> Path | None:
    """The frozen network of a base, all depths and their statistics, as ONNX for any image size; None where there is
    none, or where other weights are wanted."""
    row = BACKBONES.get(backbone)  # a run may be of a base that is not in the table any more
    return packaged_file(row.network) if row and row.network and weights == PRETRAINED else None


def output_name(number: int) -> str:
    """Of the outputs of a frozen network: features of the last layer, statistics of the others, all feature maps."""
    return ("features", "statistics")[number] if number < 2 else f"map_{number - 2}"


@dataclass(frozen=True)
class PackagedTemplate:
    """The classifier of a packaged base, but for its head.

    network: file of the frozen network, beside which the template lies. weights: file of those of the base.
    logits: how many the head gives.
    """

    network: Path
    weights: Path
    image_size: int
    logits: int

    @classmethod
    def find(
        cls, backbone: str, image_size: int, weights: str | Path, *, logits: int, dropout: float, depths: bool
    ) -> PackagedTemplate | None:
        """The template of such a classifier, see `Network.pretrained`, if the package has one."""
        network, of_base = network_file(backbone, weights), get_backbone(backbone).packaged
        if network is None or of_base is None or dropout or not depths:
            return None
        return cls(network, packaged_file(of_base), image_size, logits)

    @cached_property
    def summary(self) -> Summary:
        facts = self._read(FACTS)
        shapes = tuple(tuple(shape) for shape in facts["shapes"])
        head = (shapes[-2][0] + 1) * shapes[-1][0]
        behind = [["features", "", shapes[-2], 0], ["logits", "Dense", shapes[-1], head]]
        return Summary(
            base=facts["base"],
            base_layers=facts["base_layers"],
            base_parameters=facts["base_parameters"],
            shapes=shapes,
            parameters=facts["base_parameters"] + head,
            trainable_parameters=head,
            trainable_variables=2,
            table="",
            nested_table=_table([*facts["layers"], *behind]),
        )

    def write(self, file: Path, kernel: np.ndarray, bias: np.ndarray) -> None:
        """The `.keras` file of the classifier with this head.

        Raises:
            OSError: it cannot be written, or the package is damaged.
        """
        try:
            with zipfile.ZipFile(self._file) as template, zipfile.ZipFile(file, "w") as filled:
                filled.writestr(METADATA, template.read(METADATA))
                filled.writestr(CONFIG, json.dumps(self._read(CONFIG)))
                filled.writestr(WEIGHTS, self._weights(template.read(WEIGHTS), kernel, bias))
        except (zipfile.BadZipFile, zlib.error, KeyError) as error:
            raise OSError(f"'{self._file}' is damaged ({error})") from error

    def _weights(self, skeleton: bytes, kernel: np.ndarray, bias: np.ndarray) -> bytes:
        with io.BytesIO(skeleton) as content:
            with h5py.File(content, "r+") as opened, h5py.File(self.weights) as base:
                base.copy(base["layers"], opened[BASE], "layers")
                for number, values in enumerate((kernel, bias)):
                    opened[HEAD][str(number)] = values
            return content.getvalue()

    @property
    def _file(self) -> Path:
        return self.network.with_suffix(".template.zip")

    def _read(self, name: str) -> Any:
        """A JSON document of the template, filled in."""
        with zipfile.ZipFile(self._file) as template:
            return self._filled(json.loads(template.read(name)))

    def _filled(self, tree: Any) -> Any:
        match tree:
            case {"$": "side", "halvings": halvings}:
                return -(-self.image_size // 2**halvings)
            case {"$": "logits"}:
                return self.logits
            case {"$": "text", "value": text}:
                return text.format(side=self.image_size)
            case dict():
                return {key: self._filled(value) for key, value in tree.items()}
            case list():
                return [self._filled(value) for value in tree]
        return tree


def _table(rows: list[list[Any]]) -> str:
    """Name, kind, shape and parameters of each layer, in columns."""
    lines = [["layer", "kind", "output", "parameters"]]
    lines += [[name, kind, " x ".join(map(str, shape)), f"{count:,}"] for name, kind, shape, count in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {shape:<{widths[2]}}  {count:>{widths[3]}}"
        for name, kind, shape, count in lines
    )
