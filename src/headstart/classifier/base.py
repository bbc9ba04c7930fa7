"""BasePredictor: images -> predictions, which Classifier and Predictor do alike, whatever runs their network.

Imports no Keras.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
from PIL import Image

from headstart.array_types import Float, Float32, UInt8
from headstart.classifier.activation_map import class_map
from headstart.classifier.calibration import ToPredictions
from headstart.classifier.label_calibration import AnyCalibration, LabelCalibration
from headstart.classifier.novelty import NoveltyDetector
from headstart.classifier.others import OtherHead
from headstart.classifier.prediction import Prediction, not_sure
from headstart.concurrency import cpu_budget, prefetch
from headstart.data.images import MAX_PIXELS, from_array, from_pillow, read_with_values
from headstart.data.resizing import resize
from headstart.data.value_range import KnownValues, ValueRange, remark_on_photo
from headstart.data.views import ORIGINAL, VIEWS
from headstart.deprecation import warn_of_old_name
from headstart.engines.base import Pixels
from headstart.engines.saved import Bias, Kernel
from headstart.errors import ImageError
from headstart.models.output import NetworkOutput

ImageSource = str | Path | bytes | Image.Image | np.ndarray
Square = UInt8[np.ndarray, "size size 3"]


class Seen(NamedTuple):
    """A photo as the network sees it. remark: see `Prediction`."""

    square: Square
    remark: str | None


COMPARED_TOGETHER = 4  # images whose features are compared with the known ones: 10 MB go through the cores each time
# images that are decoded, or being decoded, before the network asks for them: 5 MB of 224 pixels; or two batches
DECODED_AHEAD = 32


@dataclass(frozen=True, eq=False)
class Explanation:
    """A prediction, and where on the image it comes from.

    places: a few places of the square that the network sees: what each says for the predicted class, against the mean
        of all classes; with several labels, for the most probable one, against its absence.
    """

    prediction: Prediction
    places: Float[np.ndarray, "height width"]


class BasePredictor(ABC):
    """What predicts the class of images. A subclass runs the network, `batch_size` images at a time."""

    class_names: tuple[str, ...]
    image_size: int
    resizing: str
    value_range: ValueRange
    known_values: KnownValues | None
    views: tuple[str, ...]
    calibration: AnyCalibration
    novelty_detector: NoveltyDetector | None
    other_head: OtherHead | None = None
    batch_size: int

    @abstractmethod
    def forward(self, batches: Iterable[Pixels], *, maps: bool = False) -> Iterator[NetworkOutput]:
        """The output of the network for each batch: valid until the next is asked for. maps: with feature maps."""

    @property
    @abstractmethod
    def head(self) -> tuple[Kernel, Bias]:
        """Kernel and bias of the last layer, float32."""

    def logits(self, batches: Iterable[Pixels]) -> Float32[np.ndarray, "n logits"]:
        """Batches of uint8 (batch, image_size, image_size, 3) -> float32 (n, 1) or (n, classes), of all of them.

        A batch has `batch_size` images or fewer.
        """
        return np.concatenate([output.logits.copy() for output in self.forward(batches)])

    @overload
    def predict(
        self,
        pictures: ImageSource,
        *,
        accuracy: float | None = None,
        coverage: float | None = None,
        views: bool = False,
    ) -> Prediction: ...
    @overload
    def predict(
        self,
        pictures: Sequence[ImageSource],
        *,
        accuracy: float | None = None,
        coverage: float | None = None,
        views: bool = False,
    ) -> list[Prediction]: ...

    def predict(
        self,
        pictures: ImageSource | Sequence[ImageSource],
        *,
        accuracy: float | None = None,
        coverage: float | None = None,
        views: bool = False,
    ) -> Prediction | list[Prediction]:
        """The prediction for one image, or a list of predictions for several.

        Args:
            pictures: a path, the bytes of a file, a Pillow image or an array (height, width[, channels]) in 0..255;
                or a sequence of these; or one array (n, height, width, 3).
            accuracy: guaranteed accuracy of the predictions that are `sure`; None: 0.95, where it can be guaranteed.
            coverage: guaranteed share of images whose class is among the `candidates`; a prediction is `sure` if there
                is one candidate. None: no candidates are named.
            views: average over the views that it was trained on, such as the mirrored one: a little more accurate, and
                as many times slower.

        Raises:
            ImageError: one of them is no image.
            ModelError: the guarantee cannot be given.
        """
        if isinstance(pictures, (str, Path, bytes, Image.Image)) or getattr(pictures, "ndim", 4) < 4:
            return self.predict([pictures], accuracy=accuracy, coverage=coverage, views=views)[0]  # type: ignore[list-item]
        predictions = []
        each = self.predict_each(pictures, accuracy=accuracy, coverage=coverage, views=views)
        for number, found in enumerate(each):
            if isinstance(found, ImageError):
                named = isinstance(pictures[number], (str, Path))
                raise found if named else ImageError(f"Image {number + 1} of {len(pictures)}: {found}.")
            predictions.append(found)
        return predictions

    def predict_each(
        self,
        pictures: Iterable[ImageSource],
        *,
        accuracy: float | None = None,
        coverage: float | None = None,
        views: bool = False,
    ) -> Iterator[Prediction | ImageError]:
        """For each image, in their order, the prediction or what is wrong with it.

        There may be any number, also from a generator: a few are decoded ahead of the network, and none is kept.

        Raises:
            ModelError: the guarantee cannot be given.
        """
        to_predictions = self.calibration.to_predictions(self.class_names, accuracy=accuracy, coverage=coverage)
        each = self._each(pictures, to_predictions, maps=False, views=views)
        return (found if isinstance(found, ImageError) else found[0] for found in each)

    def explain(
        self, picture: ImageSource, *, accuracy: float | None = None, coverage: float | None = None, views: bool = False
    ) -> Explanation:
        """The prediction for one image, and where on it that comes from. Raises what `predict` raises."""
        found = next(self.explain_each([picture], accuracy=accuracy, coverage=coverage, views=views))
        if isinstance(found, ImageError):
            raise found
        return found

    def explain_each(
        self,
        pictures: Iterable[ImageSource],
        *,
        accuracy: float | None = None,
        coverage: float | None = None,
        views: bool = False,
    ) -> Iterator[Explanation | ImageError]:
        """`predict_each`, and where on each image, as it is, the prediction comes from."""
        to_predictions = self.calibration.to_predictions(self.class_names, accuracy=accuracy, coverage=coverage)
        return (
            found if isinstance(found, ImageError) else self.explanation(*found)
            for found in self._each(pictures, to_predictions, maps=True, views=views)
        )  # fmt: skip

    def explanation(
        self, prediction: Prediction, maps: Sequence[Float[np.ndarray, "_height _width _channels"]]
    ) -> Explanation:
        """Where a prediction comes from; maps: those of its image, of a `NetworkOutput`."""
        kernel, bias = self.head
        if prediction.labels is None:
            return Explanation(prediction, class_map(maps, kernel, bias, self.class_names.index(prediction.label)))
        label = self.class_names.index(next(iter(prediction.probabilities)))  # against its absence, not other labels
        return Explanation(prediction, class_map(maps, kernel[:, [label]], bias[[label]], 1))

    def predictions(self, output: NetworkOutput, to_predictions: ToPredictions) -> list[Prediction]:
        """The output of the network for n images -> n predictions; to_predictions: see `Calibration.to_predictions`."""
        predictions = to_predictions(output.logits)
        if self.other_head:
            others = self.other_head.probabilities(output.features).tolist()
            predictions = [replace(each, other=other) for each, other in zip(predictions, others, strict=True)]
        familiar = [True] * len(predictions)
        if self.novelty_detector:
            familiar = self.novelty_detector.is_familiar(output.features).tolist()
        return [
            each if known and not each.is_other else not_sure(replace(each, familiar=False))
            for each, known in zip(predictions, familiar, strict=True)
        ]

    def pixels(self, picture: ImageSource, *, max_pixels: int = MAX_PIXELS) -> Square:
        """uint8 (image_size, image_size, 3): the square that the network sees. For the rest see `see`."""
        return self.see(picture, max_pixels=max_pixels).square

    def see(self, picture: ImageSource, *, max_pixels: int = MAX_PIXELS) -> Seen:
        """What the network sees of an image.

        max_pixels: of the image, if it is a file; see `read_image`.

        Raises:
            ImageError: it is no image, or has too many pixels.
        """
        if isinstance(picture, (str, Path, bytes)):
            square, highest = read_with_values(
                picture, self.image_size, self.resizing, value_range=self.value_range, max_pixels=max_pixels
            )
        elif isinstance(picture, Image.Image):
            pixels, highest = from_pillow(picture, value_range=self.value_range)
            square = resize(pixels, self.image_size, self.resizing)
        else:  # pixels from 0 to 255, whoever made them
            return Seen(resize(from_array(picture), self.image_size, self.resizing), None)
        return Seen(square, remark_on_photo(highest, self.value_range, self.known_values))

    @property
    def is_multi_label(self) -> bool:
        """Whether a photo may have several of the classes, or none."""
        return isinstance(self.calibration, LabelCalibration)

    @property
    def certainty(self) -> AnyCalibration:
        """The old name of `calibration`."""
        warn_of_old_name("certainty", "calibration")
        return self.calibration

    @property
    def familiar(self) -> NoveltyDetector | None:
        """The old name of `novelty_detector`."""
        warn_of_old_name("familiar", "novelty_detector")
        return self.novelty_detector

    def _each(
        self, pictures: Iterable[ImageSource], to_predictions: ToPredictions, *, maps: bool, views: bool
    ) -> Iterator[tuple[Prediction, list[np.ndarray]] | ImageError]:
        """The predictions with the feature maps they come from, or what is wrong with an image, in their order."""
        said: deque[ImageError | str | None] = deque()  # of each image not predicted yet: its error, remark or None
        outputs = self._forward_views(self._batches(pictures, said), self.views if views else (ORIGINAL,), maps=maps)
        for output in _regrouped(outputs):
            for row, prediction in enumerate(self.predictions(output, to_predictions)):
                while isinstance(note := said.popleft(), ImageError):
                    yield note
                yield remarked(prediction, note), [each[row] for each in output.maps]
        yield from (error for error in said if isinstance(error, ImageError))

    def _forward_views(self, batches: Iterable[Pixels], views: Sequence[str], *, maps: bool) -> Iterator[NetworkOutput]:
        """The output for each batch; its logits are means over the views. Features and maps are those of the first."""
        turned = (np.stack([VIEWS[view](image) for image in images]) for images in batches for view in views)
        outputs = self.forward(batches if len(views) == 1 else turned, maps=maps)
        while first := next(outputs, None):
            if len(views) > 1:
                first = NetworkOutput.joined([first])  # it is valid until the next is asked for
                others = [next(outputs).logits.copy() for _ in views[1:]]
                first = first._replace(logits=np.mean([first.logits, *others], axis=0))
            yield first

    def _batches(self, pictures: Iterable[ImageSource], said: deque[ImageError | str | None]) -> Iterator[Pixels]:
        """The images that can be decoded, in batches. Appends to `said`, for each image, what is wrong, or a remark, or
        None."""
        images = []
        with ThreadPoolExecutor(cpu_budget()) as pool:
            ahead = max(DECODED_AHEAD, 2 * self.batch_size)
            for found in prefetch(pool, self._seen_or_error, pictures, ahead):
                said.append(found if isinstance(found, ImageError) else found.remark)
                if not isinstance(found, ImageError):
                    images.append(found.square)
                if len(images) == self.batch_size:
                    yield stacked(images)
                    images = []
        if images:
            yield stacked(images)

    def _seen_or_error(self, picture: ImageSource) -> Seen | ImageError:
        try:
            return self.see(picture)
        except ImageError as error:
            return error


def remarked(prediction: Prediction, remark: str | None) -> Prediction:
    """With a remark, if there is one: no guarantee holds for such a photo."""
    return prediction if remark is None else not_sure(replace(prediction, remark=remark))


def stacked(images: Sequence[Square]) -> Pixels:
    """Images of one size -> (n, size, size, 3); of a single one no copy is made."""
    return images[0][None] if len(images) == 1 else np.stack(images)


def _regrouped(outputs: Iterable[NetworkOutput]) -> Iterator[NetworkOutput]:
    """The same, for COMPARED_TOGETHER images or more at a time; the last may be for fewer."""
    group: list[NetworkOutput] = []
    for output in outputs:
        group.append(NetworkOutput.joined([output]))
        if sum(len(each.logits) for each in group) >= COMPARED_TOGETHER:
            yield NetworkOutput.joined(group)
            group = []
    if group:
        yield NetworkOutput.joined(group)
