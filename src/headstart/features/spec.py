"""FeatureSpec: all that features depend on, and so their one key in the cache. Knows no images and no labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.data.resizing import STRETCH, get_resizing
from headstart.data.value_range import FULL, ValueRange, checked
from headstart.data.views import ORIGINAL
from headstart.engines.base import Compute
from headstart.engines.opening import expected_identity
from headstart.engines.openvino import write_for_size
from headstart.models.backbones import check_image_size, get_backbone, is_file
from headstart.models.depths import block_sizes
from headstart.models.network_files.base import FileBase
from headstart.models.network_files.frozen import write_frozen
from headstart.models.packaged import network_file
from headstart.models.weights import PRETRAINED, identity
from headstart.storage import cache
from headstart.storage.hashing import sha256_of_weights

if TYPE_CHECKING:
    import keras

# of what an engine computes: changed whenever the cut, the decoder, the preprocessing or the form of the file changes
SCHEMA = 6
POOLED, FINE_TUNING = "pooled", "fine_tuning"


@dataclass(frozen=True)
class FeatureSpec:
    """Which features of an image: equal specs and bytes of an image mean equal features, to rounding.

    backbone: name of a row of BACKBONES, or the path of a network, see `models/network_files`.
    image_size: side in pixels of the square that the network sees.
    resizing: how a photo becomes that square: name of a row of RESIZINGS.
    value_range: what is black and white in photos with 16 bits a value.
    weights: "pretrained", "random", or the path of a file with the weights of the base.
    precision: of the engine: "float32" or "bfloat16".
    view: how the square is turned: name of a row of VIEWS.
    cut: "pooled": what all of the base says, averaged over the image, (depth,). "fine_tuning": the tensors below the
        layers that fine-tuning trains.
    depths: also the means and deviations of the depths before the last, (numbers,), see `models/depths.py`; of a cut
        for fine-tuning, those of the depths below it.
    """

    backbone: str
    image_size: int
    resizing: str = STRETCH
    weights: str | Path = PRETRAINED
    precision: str = "float32"
    view: str = ORIGINAL
    cut: str = POOLED
    depths: bool = False
    value_range: ValueRange = FULL

    def __post_init__(self) -> None:
        """
        Raises:
            ModelError: something is not known, or the image size is impossible.
        """
        check_image_size(self.backbone, self.image_size)
        get_resizing(self.resizing)
        checked(self.value_range)
        Compute(precision=self.precision)

    @property
    def packaged_network(self) -> Path | None:
        """The file of the frozen network in the package, for any image size; None where Keras has to make it."""
        return network_file(self.backbone, self.weights) if self.cut == POOLED and self.depths else None

    @property
    def write_frozen(self) -> Callable[[Path], None] | None:
        """Writes the frozen network for OpenVINO, where that needs no Keras."""
        if is_file(self.backbone):
            base = FileBase.read(self.backbone)
            return partial(write_frozen, base, image_size=self.image_size, depths=self.depths)
        source = self.packaged_network
        return partial(write_for_size, source, image_size=self.image_size) if source else None

    @property
    def network_key(self) -> str | None:
        """The address of the frozen network in the cache; None where its weights are never the same again."""
        source = self.packaged_network
        return cache.key(
            *(() if source or is_file(self.backbone) else ("keras",)),
            "openvino",
            "opencv-python-headless",
            "pillow",
            "simplejpeg",
            schema=SCHEMA,
            weights=sha256_of_weights(source) if source else identity(self.backbone, self.weights),
            backbone="" if is_file(self.backbone) else self.backbone,  # of a file counts what is in it
            image_size=self.image_size,
            start=get_backbone(self.backbone).fine_tune_from if self.cut == FINE_TUNING else self.cut,
            depths=self.depths,
            precision=self.precision,
        )

    def folder(self, engine: str) -> Path | None:
        """Where these features are kept in the cache; None where they are not kept. engine: see `address`."""
        address = self.address(engine)
        return cache.cache_folder() / address if address else None

    def address(self, engine: str) -> str | None:
        """The folder of these features in the cache, or another store: features/KEY/RESIZING-VIEW[-LOW-HIGH]; None
        where they are not kept.

        engine: the identity of the engine that computes them, which is part of the key.
        """
        if self.network_key is None:
            return None
        key = self.network_key
        # the usual engine's version, device and precision are in the network's key already
        if engine != expected_identity(Compute(precision=self.precision)):
            key = f"{key}-{engine}"
        return f"{cache.FEATURES}/{key}/{self.resizing}-{self.view}{self._range_suffix}"

    @property
    def _range_suffix(self) -> str:
        return "" if self.value_range == FULL else f"-{self.value_range.low}-{self.value_range.high}"

    @property
    def block_sizes(self) -> tuple[int, ...]:
        """How many numbers the blocks of pooled features have, see `models/depths.py`."""
        return block_sizes(self.backbone, depths=self.depths)

    @property
    def kept_tensors(self) -> int | None:
        """How many of the network's outputs are features, the first ones; None: all. Feature maps are not."""
        return None if self.shapes is None else len(self.shapes)

    @property
    def shapes(self) -> list[tuple[int, ...]] | None:
        """Of the tensors of an image; None where only the base itself can tell."""
        if self.cut == FINE_TUNING:
            return None
        last, *inner = self.block_sizes
        return [(last,), (sum(inner),)] if inner else [(last,)]

    def frozen_network(self, base: keras.Model) -> keras.Model:
        """Raw pixels (n, size, size, 3) -> the tensors at the cut of this base, sharing its variables."""
        from headstart.features import cut
        from headstart.models.preprocessing import preprocess

        def prepare(pixels: keras.KerasTensor) -> keras.KerasTensor:
            return preprocess(self.backbone, pixels)

        at = None if self.cut == POOLED else cut.fine_tuning_cut(base, self.backbone)
        return cut.frozen_part(base, at, prepare, depths=self.depths)
