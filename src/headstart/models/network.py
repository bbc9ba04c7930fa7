"""The network of a classifier, which need not be loaded to be used: Keras is imported when its model is asked for.

Training a head alone looks at features, and so needs no model; neither does writing the result (`template.py`).
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from headstart.engines.openvino import NETWORK, CompileError, add_head, write_network
from headstart.models import template
from headstart.models.output import NetworkOutput
from headstart.models.summary import Summary
from headstart.models.weights import identity, load_base
from headstart.numerics import num_logits
from headstart.storage import cache

if TYPE_CHECKING:
    import keras


class Network:
    """Raw RGB float32 or uint8 (n, image_size, image_size, 3), 0..255 -> logits (n, 1) or (n, classes)."""

    def __init__(self, build: Callable[[], keras.Model], form: template.Template | None = None) -> None:
        """build: makes the model, when it is needed. form: the same network in the cache, but for its head.

        body: XML file of an engine that gives the features and the feature maps of the base as it was built, if there
            is one; the engine of this network is then made of it.
        """
        self._build, self._form = build, form
        self._head: tuple[np.ndarray, np.ndarray] | None = None
        self.body: Path | None = None

    @classmethod
    def saved(cls, file: Path, engine: Path | None = None) -> Network:
        """The network of a `.keras` file. engine: XML file of the same."""
        network = cls(lambda: _composing().read(file))
        network.body = engine
        return network

    @classmethod
    def pretrained(
        cls, backbone: str, image_size: int, weights: str | Path, *, num_classes: int, dropout: float, seed: int | None
    ) -> Network:
        """A pretrained base with a new head, see `load_base` and `compose`.

        seed: of the head. None: it will be set, so the network can be one that is kept in the cache.

        Raises:
            ModelError, WeightsError: as `load_base` does.
        """

        def build() -> keras.Model:
            base = load_base(backbone, image_size, weights)
            base.trainable = False
            return _composing().compose(
                base, backbone=backbone, image_size=image_size, num_classes=num_classes, dropout=dropout, seed=seed or 0
            )

        key = cache.key(
            "keras",
            schema=template.SCHEMA,
            weights=identity(backbone, weights),
            backbone=backbone,
            image_size=image_size,
            logits=num_logits(num_classes),
            dropout=dropout,
        )
        if seed is not None or key is None:
            return cls(build)
        form = template.find(key)
        network = cls(build, form)
        if form is None:
            template.keep(key, network.model, network.head, network.summary)
        return network

    @cached_property
    def model(self) -> keras.Model:
        """It is built on first use."""
        model = self._build()
        if self._head:
            model.get_layer(_composing().LOGITS).set_weights(self._head)
        self._built_base = _digest(_composing().base_of(model))
        return model

    def look(self, images: np.ndarray) -> NetworkOutput:
        """uint8 (n, image_size, image_size, 3), a batch -> what comes out, and what stands behind it."""
        return NetworkOutput(*self._inside.predict_on_batch(images))

    @cached_property
    def _inside(self) -> keras.Model:
        return _composing().inside(self.model)

    @property
    def base(self) -> keras.Model:
        return _composing().base_of(self.model)

    @property
    def is_built(self) -> bool:
        return "model" in self.__dict__

    @property
    def head(self) -> tuple[np.ndarray, np.ndarray]:
        """Kernel float32 (features, logits) and bias float32 (logits,) of the last layer."""
        if self._head and not self.is_built:
            return self._head
        kernel, bias = self.model.get_layer(_composing().LOGITS).get_weights()
        return kernel, bias

    def set_head(self, kernel: np.ndarray, bias: np.ndarray) -> None:
        self._head = kernel, bias
        if self.is_built:
            self.model.get_layer(_composing().LOGITS).set_weights([kernel, bias])

    @property
    def summary(self) -> Summary:
        if self._form and not self.is_built:
            return self._form.summary
        return _composing().summary_of(self.model)

    def write(self, file: Path) -> None:
        """Its `.keras` file, which plain Keras loads."""
        if self._form and self._head and not self.is_built:
            try:
                self._form.write(file, *self._head)
                return
            except OSError:  # the cache was cleared or damaged meanwhile: Keras writes it; or says what is wrong
                file.unlink(missing_ok=True)
        _composing().save(self.model, file)

    def write_engine(self, folder: Path) -> None:
        """Its engine, in a folder of its own: uint8 pixels -> what there is in a `NetworkOutput`.

        Raises:
            CompileError: OpenVINO is missing, or cannot convert the network.
        """
        if folder.exists():  # an unfinished run was stopped after its training
            shutil.rmtree(folder)
        folder.mkdir()
        try:
            if self.body and (not self.is_built or _digest(self.base) == self._built_base):
                with suppress(CompileError):  # it was removed or damaged meanwhile: Keras' model is converted
                    add_head(self.body, folder / NETWORK, *self.head)
                    return
            with tempfile.TemporaryDirectory(prefix="headstart-") as temporary:
                body = Path(temporary, NETWORK)
                write_network(_composing().inside(self.model), body)
                add_head(body, folder / NETWORK, *self.head)
        except CompileError:
            shutil.rmtree(folder)
            raise


def _digest(model: keras.Model) -> str:
    """Of all its weights."""
    digest = hashlib.sha256()
    for weights in model.get_weights():
        digest.update(weights)
    return digest.hexdigest()


def _composing() -> ModuleType:
    """The module that puts networks together; with it comes Keras."""
    from headstart.models import composing

    return composing
