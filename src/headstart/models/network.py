"""The network of a classifier, which need not be loaded to be used: Keras is imported when its model is asked for.

Training a head alone looks at features, and so needs no model; neither does writing the result (`template.py`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from headstart.engines.base import Compute, in_batches, run_all
from headstart.engines.openvino import BATCH_SIZE, OpenVINOEngine, write_network
from headstart.engines.saved import open_classifier, write_classifier
from headstart.errors import ModelError
from headstart.models import template
from headstart.models.backbones import is_file
from headstart.models.layers import LOGITS
from headstart.models.network_files.template import FileTemplate
from headstart.models.output import FEATURES, NetworkOutput
from headstart.models.packaged import PackagedTemplate
from headstart.models.summary import Summary
from headstart.models.template import Template
from headstart.models.weights import identity, keras_is_installed, load_base, no_keras_model
from headstart.numerics import num_logits
from headstart.storage import cache
from headstart.storage.hashing import sha256, sha256_of_weights

if TYPE_CHECKING:
    import keras


class Network:
    """Raw RGB float32 or uint8 (n, image_size, image_size, 3), 0..255 -> logits (n, 1) or (n, classes)."""

    def __init__(
        self,
        build: Callable[[], keras.Model] | None,
        from_template: Template | PackagedTemplate | FileTemplate | None = None,
        frozen_network: Callable[[], Path | None] = lambda: None,
        load_base: Callable[[], keras.Model] | None = None,
    ) -> None:
        """
        Args:
            build: makes the model, when it is needed; None: it cannot be made, as the base is the network of a file.
            from_template: the same network in the cache, the package or a file of the user's, but for its head.
            frozen_network: gives the file of a compiled network with the features and the feature maps of the base as
                it was built, if there is one; the compiled form of this network is then made of it, without Keras.
            load_base: gives the base as it was built, once more, for when this one has been trained.
        """
        self._build, self._template = build, from_template
        self._frozen_network, self._load_base = frozen_network, load_base
        self._head: tuple[np.ndarray, np.ndarray] | None = None
        self._compiled: Path | None = None
        self._summaries: dict[tuple[str, ...], Summary] = {}
        self._lock = Lock()

    @classmethod
    def saved(cls, file: Path, compiled: Path | None = None) -> Network:
        """The network of a `.keras` file. compiled: file of the same, compiled, if there is one."""
        network = cls(lambda: _composing().read(file), frozen_network=lambda: compiled)
        network._compiled = compiled
        return network

    @classmethod
    def on_file(
        cls,
        template: FileTemplate,
        compiled: Path | None = None,
        frozen_network: Callable[[], Path | None] | None = None,
    ) -> Network:
        """One whose base is the network of a file, so it has no Keras model. compiled, frozen_network: see above."""
        network = cls(None, template, frozen_network or (lambda: compiled))
        network._compiled = compiled
        return network

    @classmethod
    def pretrained(
        cls,
        backbone: str,
        image_size: int,
        weights: str | Path,
        *,
        num_classes: int,
        dropout: float,
        seed: int | None,
        depths: bool = False,
        multi_label: bool = False,
        frozen_network: Callable[[], Path | None] = lambda: None,
    ) -> Network:
        """A pretrained base with a new head, see `load_base` and `compose`.

        seed: of the head. None: it will be set, so the network can be one that is kept in the cache.
        depths: whether the head reads all depths of the base.
        multi_label: whether a photo may have several of the classes, so that each has a logit.
        frozen_network: see `Network`.

        Raises:
            ModelError, WeightsError: as `load_base` does.
        """

        logits = num_logits(num_classes, multi_label=multi_label)
        if is_file(backbone):
            return cls.on_file(FileTemplate(Path(backbone), image_size, logits, depths), frozen_network=frozen_network)

        def base() -> keras.Model:
            return load_base(backbone, image_size, weights)

        def build() -> keras.Model:
            new = base()
            new.trainable = False
            return _composing().compose(
                new,
                backbone=backbone,
                image_size=image_size,
                num_classes=num_classes,
                dropout=dropout,
                seed=seed or 0,
                depths=depths,
                multi_label=multi_label,
            )

        if seed is not None:
            return cls(build, frozen_network=frozen_network, load_base=base)
        found = PackagedTemplate.find(backbone, image_size, weights, logits=logits, dropout=dropout, depths=depths)
        facts = {"backbone": backbone, "image_size": image_size, "logits": logits, "dropout": dropout, "depths": depths}
        key = cache.key("keras", schema=template.SCHEMA, weights=identity(backbone, weights), **facts)
        network = cls(build, found or template.find(key), frozen_network, base)
        if network._template is None and key is not None:
            template.keep(key, network.model, network.head, network.summary)
        return network

    @cached_property
    def model(self) -> keras.Model:
        """It is built on first use.

        Raises:
            ModelError: its base is the network of a file.
        """
        if self._build is None:
            raise ModelError(no_keras_model(str(self.of_file.path if self.of_file else "")))
        _begin_computing()
        model = self._build()
        if self._head:
            model.get_layer(LOGITS).set_weights(self._head)
        self._built_base = _digest(_composing().base_of(model))
        return model

    def forward(self, images: np.ndarray, *, maps: bool = False) -> NetworkOutput:
        """uint8 (n, image_size, image_size, 3), a batch -> logits, and what they come from. maps: with feature maps."""
        if self._does_without_keras:
            return self._by_engine(images, maps=maps)
        _begin_computing()
        inside = self._with_maps if maps else self._inside
        return NetworkOutput.of(inside.predict_on_batch(images))

    def _by_engine(self, images: np.ndarray, *, maps: bool) -> NetworkOutput:
        """The same by its compiled form, where Keras is not installed."""
        with self._lock:
            found = run_all(self._engine, in_batches(images, self._engine.batch_size), len(images))
        return NetworkOutput.of(found if maps else found[:FEATURES])

    @property
    def _does_without_keras(self) -> bool:
        return not self.is_built and (self.of_file is not None or not keras_is_installed())

    @cached_property
    def _engine(self) -> OpenVINOEngine:
        if self._compiled and not self._head:
            return open_classifier(self._compiled.parent, batch_size=BATCH_SIZE, compute=Compute())
        with tempfile.TemporaryDirectory(prefix="headstart-") as folder:
            self.write_compiled(Path(folder, "engine"))
            return open_classifier(Path(folder, "engine"), batch_size=BATCH_SIZE, compute=Compute())

    @cached_property
    def _inside(self) -> keras.Model:
        return _composing().inside(self.model, maps=False)

    @cached_property
    def _with_maps(self) -> keras.Model:
        return _composing().inside(self.model, maps=True)

    @property
    def base(self) -> keras.Model:
        return _composing().base_of(self.model)

    @property
    def is_built(self) -> bool:
        return "model" in self.__dict__

    @property
    def of_file(self) -> FileTemplate | None:
        """The file that its base is the network of; None of a base that Keras has built."""
        return self._template if isinstance(self._template, FileTemplate) else None

    @property
    def head(self) -> tuple[np.ndarray, np.ndarray]:
        """Kernel float32 (features, logits) and bias float32 (logits,) of the last layer."""
        if self._head and not self.is_built:
            return self._head
        if self._compiled and self._does_without_keras and self._engine.head:
            return self._engine.head
        kernel, bias = self.model.get_layer(LOGITS).get_weights()
        return kernel, bias

    def set_head(self, kernel: np.ndarray, bias: np.ndarray) -> None:
        self._head = kernel, bias
        if self.is_built:
            self.model.get_layer(LOGITS).set_weights([kernel, bias])

    @property
    def summary(self) -> Summary:
        if self._template and not self.is_built:
            return self._template.summary
        trained = tuple(variable.path for variable in self.model.trainable_variables)
        if trained not in self._summaries:  # Keras takes long to draw its tables
            self._summaries[trained] = _composing().summary_of(self.model)
        return self._summaries[trained]

    def write(self, file: Path) -> None:
        """Its `.keras` file, which plain Keras loads.

        Raises:
            ModelError: its base is the network of a file.
        """
        if self._template and not isinstance(self._template, FileTemplate) and self._head and not self.is_built:
            try:
                self._template.write(file, *self._head)
                return
            except OSError:  # the cache was cleared or damaged meanwhile: Keras writes it; or says what is wrong
                file.unlink(missing_ok=True)
        _composing().save(self.model, file)

    def write_compiled(self, folder: Path) -> None:
        """Its compiled form, in a folder of its own: uint8 pixels -> what there is in a `NetworkOutput`.

        Raises:
            CompileError: OpenVINO is missing, or cannot convert the network.
        """
        frozen = self._frozen_network() if self._has_its_first_base else None
        write = self.of_file.write_frozen if self.of_file else self._write_body
        write_classifier(folder, *self.head, frozen=frozen, write=write)

    def _write_body(self, file: Path) -> None:
        """Its compiled form, but for its head."""
        write_network(_composing().body(self.model), file)

    @property
    def packaged_digest(self) -> str | None:
        """Of the file of the package that has all of this network but its head; None where the base is another."""
        if not isinstance(self._template, PackagedTemplate) or not self._has_its_first_base:
            return None
        return sha256_of_weights(self._template.network)

    def first_base(self) -> keras.Model:
        """The base with the weights that it was built with: its own, or where that has been trained, a new one."""
        return self.base if self._has_its_first_base or self._load_base is None else self._load_base()

    @property
    def _has_its_first_base(self) -> bool:
        return not self.is_built or _digest(self.base) == self._built_base


def _digest(model: keras.Model) -> str:
    """Of all its weights."""
    return sha256(*(weights.data for weights in model.get_weights()))


def _begin_computing() -> None:
    from headstart.keras_backend import begin_computing

    begin_computing()


def _composing() -> ModuleType:
    """The module that puts networks together; with it comes Keras."""
    from headstart.models import composing

    return composing
