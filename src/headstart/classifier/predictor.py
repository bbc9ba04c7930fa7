"""Predictor: runs a saved classifier without importing Keras. Knows nothing of how it was trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from headstart.classifier.base import BasePredictor
from headstart.classifier.metadata import ENGINE, MODEL, check_files, facts_of, read_card
from headstart.deprecation import renamed_arguments
from headstart.engines.base import CompileError, Compute, Engine, Pixels
from headstart.engines.saved import Bias, Kernel, open_classifier
from headstart.events import Message
from headstart.models.output import FEATURES, NetworkOutput

if TYPE_CHECKING:
    from headstart.events import Listener
    from headstart.models.network import Network

# images in a request: a single prediction takes no longer than it must. Many take as long as with more in a request:
# images/s of MobileNetV2 on two cores, with 1 / 4: 224 pixels 87 / 73, 160 pixels 142 / 158 (on a busy machine).
BATCH_SIZE = 1
BATCH_SIZE_OF_KERAS = 32


class Predictor(BasePredictor):
    """A saved classifier: it predicts as `Classifier` does, with the same results, but it opens in a moment.

    Several threads may use it at the same time.
    """

    @renamed_arguments(progress="listener")
    def __init__(self, folder: str | Path, *, listener: Listener | None = None) -> None:
        """Open the folder of a run, or what `Classifier.save` wrote.

        Where that has no engine, or OpenVINO is missing, Keras predicts, and one message says so.

        Args:
            listener: where to report that to; by default to standard error.

        Raises:
            RunError: there is no such folder, a file is missing or damaged, or a newer headstart wrote it.
        """
        self.folder = Path(folder)
        card = read_card(self.folder)
        facts = facts_of(self.folder, card)
        self.class_names, self.image_size, self.resizing = facts.class_names, facts.image_size, facts.resizing
        self.value_range, self.views = facts.value_range, facts.views
        self.calibration, self.novelty_detector = facts.calibration, facts.novelty_detector
        engine = {name: digest for name, digest in card["hashes"].items() if name.startswith(f"{ENGINE}/")}
        check_files(self.folder, engine)
        self._engine: Engine | None = None
        self._engine_with_maps: Engine | None = None
        self._opening = Lock()
        self._head: tuple[Kernel, Bias] | None = None
        try:
            if not engine:
                raise CompileError(card.get("no_engine") or f"'{self.folder}' was saved without an engine")
            compute = Compute(precision=facts.precision)
            self._open = partial(open_classifier, self.folder / ENGINE, batch_size=BATCH_SIZE, compute=compute)
            engine = self._open(outputs=FEATURES)
            self._engine, self._head = engine, engine.head
        except CompileError as error:
            from headstart.listeners.console import Console

            (listener or Console()).emit(Message(f"{error}. Keras predicts instead, more slowly."))
            check_files(self.folder, {MODEL: card["hashes"][MODEL]})
        self.batch_size = BATCH_SIZE if self._engine else BATCH_SIZE_OF_KERAS

    def forward(self, batches: Iterable[Pixels], *, maps: bool = False) -> Iterator[NetworkOutput]:
        if self._engine is None:
            return (self._keras.forward(images, maps=maps) for images in batches)
        engine = self._with_maps if maps else self._engine
        return map(NetworkOutput.of, engine.run(batches))

    @property
    def head(self) -> tuple[Kernel, Bias]:
        return self._keras.head if self._head is None else self._head

    @property
    def _with_maps(self) -> Engine:
        """The engine that gives feature maps, too: opened when the first explanation is asked for."""
        with self._opening:
            if self._engine_with_maps is None:
                self._engine_with_maps = self._open()
            return self._engine_with_maps

    @cached_property
    def _keras(self) -> Network:
        from headstart.models.network import Network

        return Network.saved(self.folder / MODEL)
