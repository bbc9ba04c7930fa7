"""base + head + class names = Classifier: predicts, is saved as one folder, and is loaded from it.

The network takes raw RGB pixels and gives logits; its preprocessing is inside. It is a plain Keras model: the file
`model.keras` is loaded by `keras.models.load_model` where there is no headstart. Keras is imported on first use.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
from PIL import Image

from headstart.data.images import from_array, from_pillow, read_image
from headstart.data.resizing import STRETCH, resize
from headstart.errors import ImageError, RunError
from headstart.models.card import FILE as CARD
from headstart.models.card import SCHEMA, read_card, write_card
from headstart.models.certainty import Certainty
from headstart.models.familiarity import Familiar
from headstart.models.network import Network
from headstart.models.outputs import Prediction
from headstart.new_folder import new_folder

if TYPE_CHECKING:
    import keras

Picture = str | Path | bytes | Image.Image | np.ndarray

BATCH = 32


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained classifier.

    network: what gives the logits; `model` is its Keras model.
    class_names: in the order of the logits; with one logit, positive means the second class.
    backbone: name of the row of BACKBONES that the base is made by.
    image_size: side in pixels.
    recipe: name of the recipe that it was trained by.
    resizing: how a photo becomes the square that the network sees: name of a row of RESIZINGS.
    certainty: what its validation images showed: temperature of its probabilities, thresholds of sure answers.
    familiar: features of some training images, by which an image is known to be like nothing it was trained on.
    history: a row for each epoch of its training, as in history.csv; empty after `load`.
    phases: a summary of each phase of its training, as in metrics.json; empty after `load`.
    """

    network: Network
    class_names: tuple[str, ...]
    backbone: str
    image_size: int
    recipe: str
    resizing: str = STRETCH  # the tutorial's
    certainty: Certainty = field(default_factory=Certainty)
    familiar: Familiar | None = None
    history: tuple[dict, ...] = ()
    phases: tuple[dict, ...] = ()

    @property
    def model(self) -> keras.Model:
        """Raw RGB float32 or uint8 (n, image_size, image_size, 3), 0..255 -> logits (n, 1) or (n, classes)."""
        return self.network.model

    @overload
    def predict(
        self, pictures: Picture, *, accuracy: float | None = None, coverage: float | None = None
    ) -> Prediction: ...
    @overload
    def predict(
        self, pictures: Sequence[Picture], *, accuracy: float | None = None, coverage: float | None = None
    ) -> list[Prediction]: ...

    def predict(
        self,
        pictures: Picture | Sequence[Picture],
        *,
        accuracy: float | None = None,
        coverage: float | None = None,
    ) -> Prediction | list[Prediction]:
        """The answer for one image, or a list of answers for several.

        Args:
            pictures: a path, the bytes of a file, a Pillow image or an array (height, width[, channels]) in 0..255;
                or a sequence of these; or one array (n, height, width, 3).
            accuracy: promised share of right answers among those that are `sure`; None: 0.95, where it can be promised.
            coverage: promised share of images for which the right class is among the `candidates`; an answer is
                `sure` where there is one candidate. None: no candidates are named.

        Raises:
            ImageError: one of them is no image.
            ModelError: the promise cannot be given.
        """
        if isinstance(pictures, (str, Path, bytes, Image.Image)) or getattr(pictures, "ndim", 4) < 4:
            return self.predict([pictures], accuracy=accuracy, coverage=coverage)[0]  # type: ignore[list-item]
        answers = []
        for number, answer in enumerate(self.predict_each(pictures, accuracy=accuracy, coverage=coverage)):
            if isinstance(answer, ImageError):
                named = isinstance(pictures[number], (str, Path))
                raise answer if named else ImageError(f"Picture {number + 1} of {len(pictures)}: {answer}.")
            answers.append(answer)
        return answers

    def predict_each(
        self,
        pictures: Sequence[Picture] | np.ndarray,
        *,
        accuracy: float | None = None,
        coverage: float | None = None,
    ) -> Iterator[Prediction | ImageError]:
        """For each picture, in their order, the answer or what is wrong with it; any number of them, in batches."""
        answer = self.certainty.answerer(self.class_names, accuracy=accuracy, coverage=coverage)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(pictures), BATCH):
                found = list(pool.map(self._pixels_or_error, pictures[start : start + BATCH]))
                images = [pixels for pixels in found if not isinstance(pixels, ImageError)]
                answers = iter(self._answers(np.stack(images), answer) if images else [])
                yield from (pixels if isinstance(pixels, ImageError) else next(answers) for pixels in found)

    def _answers(self, images: np.ndarray, answer: Callable[[np.ndarray], list[Prediction]]) -> Iterable[Prediction]:
        found = self.network.look(images)
        if self.familiar is None:
            return answer(found.logits)
        knows = self.familiar.knows(found.features)
        return [
            replace(prediction, familiar=bool(known), sure=prediction.sure and bool(known))
            for prediction, known in zip(answer(found.logits), knows, strict=True)
        ]

    def logits(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Batches of uint8 (n, image_size, image_size, 3) -> float32 (all n, 1) or (all n, classes)."""
        return np.concatenate([self.model.predict_on_batch(images) for images in batches])

    def save(self, folder: str | Path) -> None:
        """Write `classifier.json`, `model.keras` and `known.npy` into a new folder, which appears whole or not at all.

        Raises:
            RunError: the folder exists, or cannot be written.
        """
        with new_folder(Path(folder)) as content:
            self.write_into(content)

    def write_into(self, folder: Path) -> None:
        """Write `classifier.json`, `model.keras` and `known.npy` into a folder that exists."""
        self.network.write(folder / "model.keras")
        if self.familiar:
            self.familiar.write(folder)
        card = {
            "schema": SCHEMA,
            "class_names": list(self.class_names),
            "backbone": self.backbone,
            "image_size": self.image_size,
            "resizing": self.resizing,
            "recipe": self.recipe,
            "certainty": self.certainty.to_json(),
            "farthest": self.familiar.farthest if self.familiar else None,
            "versions": {name: version(name) for name in ("headstart", "keras")},
            "hashes": {"model.keras": _digest(folder / "model.keras")},
        }
        write_card(folder, card)

    def _pixels_or_error(self, picture: Picture) -> np.ndarray | ImageError:
        try:
            if isinstance(picture, (str, Path, bytes)):
                return read_image(picture, self.image_size, self.resizing)
            pixels = from_pillow(picture) if isinstance(picture, Image.Image) else from_array(picture)
            return resize(pixels, self.image_size, self.resizing)
        except ImageError as error:
            return error


def load(folder: str | Path) -> Classifier:
    """A classifier from the folder of a run, or from what `Classifier.save` wrote.

    Raises:
        RunError: there is no such folder, a file is missing or damaged, or a newer headstart wrote it.
    """
    folder = Path(folder)
    card = read_card(folder)
    file = folder / "model.keras"
    if not file.is_file() or _digest(file) != card["hashes"]["model.keras"]:
        state = "was changed after it was saved" if file.is_file() else "is missing"
        raise RunError(f"'{file}' {state}. Copy the whole folder '{folder}' again from where it was trained.")
    try:
        certainty = Certainty.from_json(card["certainty"]) if "certainty" in card else Certainty()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError(f"'{folder / CARD}' is damaged: its certainty is unreadable ({error}). Copy it again.") from None
    return Classifier(
        network=Network.saved(file),
        class_names=tuple(card["class_names"]),
        backbone=card["backbone"],
        image_size=card["image_size"],
        recipe=card["recipe"],
        resizing=card["resizing"],
        certainty=certainty,
        familiar=Familiar.read(folder, card["farthest"]) if card.get("farthest") is not None else None,
    )


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
