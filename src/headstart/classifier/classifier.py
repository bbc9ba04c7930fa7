"""base + head + class names = Classifier: predicts, is saved as one folder, and is loaded from it.

The network takes raw RGB pixels and gives logits; its preprocessing is inside. It is a plain Keras model: the file
`model.keras` is loaded by `keras.models.load_model` where there is no headstart. Keras is imported on first use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.classifier.base import BasePredictor
from headstart.classifier.calibration import Calibration
from headstart.classifier.label_calibration import AnyCalibration, LabelCalibration
from headstart.classifier.metadata import BASE, ENGINE, MODEL, SCHEMA, check_files, facts_of, read_card, write_card
from headstart.classifier.novelty import FILE as KNOWN
from headstart.classifier.novelty import NoveltyDetector
from headstart.classifier.others import FILE as OTHERS
from headstart.classifier.others import OtherHead
from headstart.data.resizing import STRETCH
from headstart.data.value_range import FULL, KnownValues, ValueRange
from headstart.data.views import ORIGINAL
from headstart.engines.base import CompileError, Pixels
from headstart.engines.saved import Bias, Kernel, saved_network
from headstart.models.network import Network
from headstart.models.network_files.template import FileTemplate
from headstart.models.output import NetworkOutput
from headstart.numerics import num_logits
from headstart.storage.atomic import atomic_folder
from headstart.storage.cache import versions
from headstart.storage.hashing import sha256_of_file

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False)
class Classifier(BasePredictor):
    """A trained classifier.

    network: what gives the logits; `model` is its Keras model.
    class_names: in the order of the logits; with one logit, positive means the second class.
    backbone: name of the row of BACKBONES that the base is made by; or of the file whose network it is.
    image_size: side in pixels.
    recipe: name of the recipe that it was trained by.
    resizing: how a photo becomes the square that the network sees: name of a row of RESIZINGS.
    value_range: what is black and white in photos with 16 bits a value.
    known_values: what values its training images hold; None: not known.
    precision: of the engine that it was measured with, and that `Predictor` runs with: "float32" or "bfloat16".
    views: of each training image, that its head was trained on: names of rows of VIEWS, the original first.
    calibration: what its validation images showed: temperature of its probabilities, thresholds of sure predictions.
    novelty_detector: features of some training images; an image far from all of them is unlike anything it was trained
        on.
    other_head: what `_other` photos taught it of images of none of the classes; None: there were none.
    history: a row for each epoch of its training, as in history.csv; empty after `load`.
    phases: a summary of each phase of its training, as in metrics.json; empty after `load`.
    """

    network: Network
    class_names: tuple[str, ...]
    backbone: str
    image_size: int
    recipe: str
    resizing: str = STRETCH  # the tutorial's
    value_range: ValueRange = FULL
    known_values: KnownValues | None = None
    precision: str = "float32"
    views: tuple[str, ...] = (ORIGINAL,)
    calibration: AnyCalibration = field(default_factory=Calibration)
    novelty_detector: NoveltyDetector | None = None
    other_head: OtherHead | None = None
    history: tuple[dict, ...] = ()
    phases: tuple[dict, ...] = ()

    batch_size = 32  # images that Keras is given at a time

    @property
    def model(self) -> keras.Model:
        """Raw RGB float32 or uint8 (n, image_size, image_size, 3), 0..255 -> logits (n, 1) or (n, classes)."""
        return self.network.model

    def forward(self, batches: Iterable[Pixels], *, maps: bool = False) -> Iterator[NetworkOutput]:
        return (self.network.forward(images, maps=maps) for images in batches)

    @property
    def head(self) -> tuple[Kernel, Bias]:
        return self.network.head

    def save(self, folder: str | Path) -> None:
        """Write `classifier.json`, `model.keras`, `known.npy`, `engine` and more into a new folder, which appears whole
        or not at all.

        Raises:
            RunError: the folder exists, or cannot be written.
        """
        with atomic_folder(Path(folder)) as content:
            self.write_into(content)

    def write_into(self, folder: Path) -> None:
        """Write `classifier.json`, `model.keras`, `known.npy`, `engine` and more into a folder that exists.

        Where OpenVINO is missing or fails there is no engine, and the card says why. Where the base is the network of
        a file, that is copied into the folder `base`, and there is no `model.keras`.
        """
        of_file = self.network.of_file
        if of_file:
            of_file.write_base(folder / BASE)
        else:
            self.network.write(folder / MODEL)
        if self.novelty_detector:
            self.novelty_detector.write(folder)
        if self.other_head:
            self.other_head.write(folder)
        try:
            self.network.write_compiled(folder / ENGINE)
            no_engine = None
        except CompileError as error:
            if of_file:  # nothing else can run it
                raise
            no_engine = str(error)
        card = {
            "schema": SCHEMA,
            "class_names": list(self.class_names),
            "backbone": self.backbone,
            "base_file": f"{BASE}/{of_file.path.name}" if of_file else None,
            "reads_depths": of_file.depths if of_file else None,
            "image_size": self.image_size,
            "resizing": self.resizing,
            "value_range": list(self.value_range),
            "known_values": self.known_values and self.known_values._asdict(),
            "precision": self.precision,
            "views": list(self.views),
            "recipe": self.recipe,
            "frozen_network": self.network.packaged_digest,
            "certainty": self.calibration.to_json(),
            "farthest": self.novelty_detector.farthest if self.novelty_detector else None,
            **({"others": self.other_head.temperature} if self.other_head else {}),
            "versions": versions("headstart", "keras"),
            "no_engine": no_engine,
            "hashes": {
                file.relative_to(folder).as_posix(): sha256_of_file(file)
                for file in [
                    *(folder / name for name in (MODEL, KNOWN, OTHERS)),
                    *_files_in(folder / ENGINE),
                    *_files_in(folder / BASE),
                ]
                if file.is_file()
            },
        }
        write_card(folder, card)


def load(folder: str | Path) -> Classifier:
    """A classifier from the folder of a run, or from what `Classifier.save` wrote.

    Raises:
        RunError: there is no such folder, a file is missing or damaged, or a newer headstart wrote it.
    """
    folder = Path(folder)
    card = read_card(folder)
    check_files(folder, card["hashes"])
    facts, compiled = facts_of(folder, card), saved_network(folder / ENGINE)
    if card["base_file"]:
        several = isinstance(facts.calibration, LabelCalibration)
        logits = num_logits(len(facts.class_names), multi_label=several)
        of_file = FileTemplate(folder / card["base_file"], facts.image_size, logits, card["reads_depths"])
        return Classifier(network=Network.on_file(of_file, compiled), **facts._asdict())
    return Classifier(network=Network.saved(folder / MODEL, compiled), **facts._asdict())


def _files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))
