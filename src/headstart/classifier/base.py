"""Pictures -> answers: what a Classifier and a Predictor do alike, whatever runs their network. Imports no Keras."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

import numpy as np
from PIL import Image

from headstart.classifier.activation_map import class_map
from headstart.classifier.calibration import Calibration
from headstart.classifier.novelty import NoveltyDetector
from headstart.classifier.prediction import Prediction
from headstart.concurrency import cpu_budget, prefetch
from headstart.data.images import MAX_PIXELS, from_array, from_pillow, read_image
from headstart.data.resizing import resize
from headstart.errors import ImageError
from headstart.models.output import NetworkOutput

Picture = str | Path | bytes | Image.Image | np.ndarray

TOGETHER = 4  # images whose features are compared with the known ones at a time: 10 MB go through the cores for each
AHEAD = 32  # pictures that are decoded, or being decoded, before the network asks for them: 5 MB of 224 pixels


@dataclass(frozen=True, eq=False)
class Explanation:
    """An answer, and where on the photo it comes from.

    places: float64 (height, width), a few places of the square that the network sees: what each says for the class
        that was answered, against the mean of all classes.
    """

    prediction: Prediction
    places: np.ndarray


class BasePredictor(ABC):
    """What answers for pictures. A subclass says how images are looked at, `batch` at a time."""

    class_names: tuple[str, ...]
    image_size: int
    resizing: str
    certainty: Calibration
    familiar: NoveltyDetector | None
    batch: int

    @abstractmethod
    def looks(self, batches: Iterable[np.ndarray]) -> Iterator[NetworkOutput]:
        """For each batch of uint8 (n, image_size, image_size, 3), what comes out: valid until the next is asked for."""

    @property
    @abstractmethod
    def head(self) -> tuple[np.ndarray, np.ndarray]:
        """Kernel float32 (features, logits) and bias float32 (logits,) of the last layer."""

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
        self, pictures: Iterable[Picture], *, accuracy: float | None = None, coverage: float | None = None
    ) -> Iterator[Prediction | ImageError]:
        """For each picture, in their order, the answer or what is wrong with it.

        Any number of them, a generator as well: they are decoded a few prefetch of the network, and nothing of them is
        kept.

        Raises:
            ModelError: the promise cannot be given.
        """
        answer = self.certainty.answerer(self.class_names, accuracy=accuracy, coverage=coverage)
        return (found if isinstance(found, ImageError) else found[0] for found in self._each(pictures, answer))

    def explain(self, picture: Picture, *, accuracy: float | None = None, coverage: float | None = None) -> Explanation:
        """The answer for one image, and where on it that comes from. Raises what `predict` raises."""
        found = next(self.explain_each([picture], accuracy=accuracy, coverage=coverage))
        if isinstance(found, ImageError):
            raise found
        return found

    def explain_each(
        self, pictures: Iterable[Picture], *, accuracy: float | None = None, coverage: float | None = None
    ) -> Iterator[Explanation | ImageError]:
        """`predict_each`, and where on each picture the answer comes from."""
        answer = self.certainty.answerer(self.class_names, accuracy=accuracy, coverage=coverage)
        return (
            found if isinstance(found, ImageError) else self.explanation(*found)
            for found in self._each(pictures, answer)
        )  # fmt: skip

    def explanation(self, prediction: Prediction, feature_map: np.ndarray) -> Explanation:
        """Where an answer comes from; feature_map: that of its image, of a `NetworkOutput`."""
        return Explanation(prediction, class_map(feature_map, *self.head, self.class_names.index(prediction.label)))

    def _each(
        self, pictures: Iterable[Picture], answer: Callable[[np.ndarray], list[Prediction]]
    ) -> Iterator[tuple[Prediction, np.ndarray] | ImageError]:
        """The answers with the feature maps they come from, or what is wrong with a picture, in their order."""
        faults: deque[ImageError | None] = deque()  # of each picture that was decoded and not answered: None if none

        def batches() -> Iterator[np.ndarray]:
            images = []
            for found in self._decoded(pictures):
                faults.append(found if isinstance(found, ImageError) else None)
                if not isinstance(found, ImageError):
                    images.append(found)
                if len(images) == self.batch:
                    yield stacked(images)
                    images = []
            if images:
                yield stacked(images)

        for look in _together(self.looks(batches())):
            for found in zip(self.answers(look, answer), look.feature_maps, strict=True):
                while fault := faults.popleft():
                    yield fault
                yield found
        yield from filter(None, faults)

    def answers(self, look: NetworkOutput, answer: Callable[[np.ndarray], list[Prediction]]) -> list[Prediction]:
        """What the network shows of n images -> n answers; answer: of `Calibration.answerer`."""
        predictions = answer(look.logits)
        if self.familiar is None:
            return predictions
        return [
            replace(prediction, familiar=bool(known), sure=prediction.sure and bool(known))
            for prediction, known in zip(predictions, self.familiar.knows(look.features), strict=True)
        ]

    def _decoded(self, pictures: Iterable[Picture]) -> Iterator[np.ndarray | ImageError]:
        with ThreadPoolExecutor(cpu_budget()) as pool:
            yield from prefetch(pool, self._pixels_or_error, pictures, AHEAD)

    def pixels(self, picture: Picture, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
        """uint8 (image_size, image_size, 3): the square that the network sees.

        max_pixels: of the picture, where it is a file; see `read_image`.

        Raises:
            ImageError: it is no image, or has too many pixels.
        """
        if isinstance(picture, (str, Path, bytes)):
            return read_image(picture, self.image_size, self.resizing, max_pixels=max_pixels)
        pixels = from_pillow(picture) if isinstance(picture, Image.Image) else from_array(picture)
        return resize(pixels, self.image_size, self.resizing)

    def _pixels_or_error(self, picture: Picture) -> np.ndarray | ImageError:
        try:
            return self.pixels(picture)
        except ImageError as error:
            return error


def stacked(images: Sequence[np.ndarray]) -> np.ndarray:
    """Images of one size -> (n, size, size, 3); of a single one no copy is made."""
    return images[0][None] if len(images) == 1 else np.stack(images)


def _together(looks: Iterable[NetworkOutput]) -> Iterator[NetworkOutput]:
    """The same, TOGETHER images or more at a time; the last may be of fewer."""
    group: list[NetworkOutput] = []
    for look in looks:
        group.append(NetworkOutput(*map(np.copy, look)))
        if sum(len(each.logits) for each in group) >= TOGETHER:
            yield NetworkOutput(*map(np.concatenate, zip(*group, strict=True)))
            group = []
    if group:
        yield NetworkOutput(*map(np.concatenate, zip(*group, strict=True)))
