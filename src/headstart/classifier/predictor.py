"""Predictor: runs a saved classifier without importing Keras. Knows nothing of how it was trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.classifier.base import BasePredictor
from headstart.classifier.metadata import ENGINE, MODEL, check_files, facts_of, read_card
from headstart.deprecation import renamed_arguments
from headstart.engines.base import AUTO, GPU, CompileError, Compute, Engine, Pixels
from headstart.engines.per_process import PerProcess
from headstart.engines.saved import Bias, Kernel, open_classifier
from headstart.errors import ModelError
from headstart.events import Message
from headstart.models.output import FEATURES, NetworkOutput
from headstart.models.weights import no_keras_model

if TYPE_CHECKING:
    import keras

    from headstart.events import Listener
    from headstart.models.network import Network

# images in a request: a single prediction takes no longer than it must. Many take as long as with more in a request:
# images/s of MobileNetV2 on two cores, with 1 / 4: 224 pixels 87 / 73, 160 pixels 142 / 158 (on a busy machine).
BATCH_SIZE = 1
BATCH_SIZE_OF_KERAS = 32


class Predictor(BasePredictor):
    """A saved classifier: it predicts as `Classifier` does, with the same results, but it opens in a moment.

    Several threads may use it at the same time, and so may forked processes. A copy made by `pickle` is the folder's
    path: it is opened again.
    """

    @renamed_arguments(progress="listener")
    def __init__(self, folder: str | Path, *, device: str = AUTO, listener: Listener | None = None) -> None:
        """Open the folder of a run, or what `Classifier.save` wrote.

        Where that has no engine, or OpenVINO is missing, Keras predicts, and one message says so.

        Args:
            device: "gpu": an NVIDIA GPU, which Keras computes on, see `headstart.train`. "auto": the processor.
            listener: where to report that to; by default to standard error.

        Raises:
            RunError: there is no such folder, a file is missing or damaged, or a newer headstart wrote it.
            MissingExtraError, ModelError: a GPU was asked for, and cannot be used.
        """
        self.folder, self.device = Path(folder), device
        card = read_card(self.folder)
        facts = facts_of(self.folder, card)
        self.class_names, self.image_size, self.resizing = facts.class_names, facts.image_size, facts.resizing
        self.value_range, self.known_values, self.views = facts.value_range, facts.known_values, facts.views
        self.calibration, self.novelty_detector = facts.calibration, facts.novelty_detector
        self.other_head = facts.other_head
        engine = {name: digest for name, digest in card["hashes"].items() if name.startswith(f"{ENGINE}/")}
        check_files(self.folder, engine)
        self._place = place = self.folder.absolute()  # whatever the working folder is later
        self._engine: Engine | None = None
        self._head: tuple[Kernel, Bias] | None = None
        if card["base_file"] and device == GPU:
            raise ModelError(f"{no_keras_model(card['base_file'])} Leave --device out.")
        if device == GPU:
            check_files(self.folder, {MODEL: card["hashes"][MODEL]})
            self._engine, self._engine_with_maps = self._on_gpu(FEATURES, listener), PerProcess(self._on_gpu)
            self.batch_size = self._engine.batch_size
            return
        try:
            if not engine:
                raise CompileError(card.get("no_engine") or f"'{self.folder}' was saved without an engine")
            compute = Compute(precision=facts.precision)
            opening = partial(open_classifier, place / ENGINE, batch_size=BATCH_SIZE, compute=compute)
            engine = opening(outputs=FEATURES)
            self._engine_with_maps = PerProcess(opening)  # opened when the first explanation is asked for
            self._engine, self._head = engine, engine.head
        except CompileError as error:
            if card["base_file"]:
                raise ModelError(f"{error}. {no_keras_model(card['base_file'])}") from None
            from headstart.listeners.console import Console

            (listener or Console()).emit(Message(f"{error}. Keras predicts instead, more slowly."))
            check_files(self.folder, {MODEL: card["hashes"][MODEL]})
        self.batch_size = BATCH_SIZE if self._engine else BATCH_SIZE_OF_KERAS

    def forward(self, batches: Iterable[Pixels], *, maps: bool = False) -> Iterator[NetworkOutput]:
        if self._engine is None:
            return (self._keras.forward(images, maps=maps) for images in batches)
        engine = self._engine_with_maps.get() if maps else self._engine
        return map(NetworkOutput.of, engine.run(batches))

    @property
    def head(self) -> tuple[Kernel, Bias]:
        return self._keras.head if self._head is None else self._head

    def __reduce__(self) -> tuple[Callable[..., Predictor], tuple[Path, str]]:
        return _reopened, (self._place, self.device)

    def _on_gpu(self, outputs: int | None = None, listener: Listener | None = None) -> Engine:
        from headstart.engines.opening import open_engine
        from headstart.listeners.console import Console

        def build() -> keras.Model:
            from headstart.models.composing import inside

            return inside(self._keras.model, maps=True)

        return open_engine(build, Compute(device=GPU), outputs=outputs, listener=listener or Console())

    @cached_property
    def _keras(self) -> Network:
        from headstart.models.network import Network

        return Network.saved(self.folder / MODEL)


def _reopened(folder: Path, device: str) -> Predictor:
    return Predictor(folder, device=device)
