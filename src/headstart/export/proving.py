"""An exported file, opened in its runtime, and the photos of a run -> the proof. Decodes photos, and asks both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from headstart.array_types import Float, UInt8
from headstart.classifier.label_calibration import LabelCalibration
from headstart.concurrency import cpu_budget
from headstart.data.images import read_again
from headstart.data.targets import texts_of
from headstart.export.formats import ExportedModel
from headstart.export.photos import Photos
from headstart.export.proof import BATCH, Answers, Proof, compare, prove
from headstart.export.reference import square_of

if TYPE_CHECKING:
    from headstart.classifier.classifier import Classifier

MOST_PIXELS = 2**22  # in a batch of several photos


def prove_on_photos(
    classifier: Classifier, exported: ExportedModel, photos: Photos, pixels: str, *, fixed_size: bool
) -> Proof:
    """Compare a file with its classifier, see `Proof`.

    Args:
        exported: takes squares where `fixed_size`, otherwise photos of any size.
        pixels: the type of what it takes.
    """
    squares, labels, decide = decoded(photos.paths, classifier), np.array(photos.labels), _deciding(classifier)
    before = _probabilities(classifier, squares)
    if fixed_size:
        return prove(exported, squares.astype(pixels), before, labels, photos.paths, answers=decide)
    found, whole, whole_squares = [], [], []
    for start in range(0, len(photos), BATCH):
        whole = list(_read(photos.paths[start : start + BATCH], classifier, None))
        found += [exported(batch.astype(pixels))[1] for batch in _of_one_size(whole)]
        whole_squares += [square_of(image, classifier.image_size, classifier.resizing) for image in whole]
    probabilities, expected = np.concatenate(found), _probabilities(classifier, np.stack(whole_squares))
    distances = _in_other_sizes(classifier, exported, whole, pixels)
    of_files = compare(probabilities, before, labels, photos.paths, answers=decide)
    return replace(
        compare(probabilities, expected, labels, photos.paths, answers=decide),
        sizes=len(distances),
        sizes_farthest=float(np.max(distances)),
        files_changed=of_files.changed,
        files_farthest=of_files.farthest,
    )


def _deciding(classifier: Classifier) -> Answers:
    """Probabilities -> answers by their names."""
    names, calibration = np.array(classifier.class_names), classifier.calibration
    if isinstance(calibration, LabelCalibration):
        return lambda probabilities: np.array(list(texts_of(calibration.answers(probabilities), names.tolist())))
    return lambda probabilities: names[calibration.answers(probabilities)]


def decoded(paths: Sequence[str], classifier: Classifier) -> UInt8[np.ndarray, "n size size 3"]:
    """Photos as the classifier sees them."""
    return np.stack(list(_read(paths, classifier, classifier.image_size)))


def _read(paths: Sequence[str], classifier: Classifier, size: int | None) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Squares of this size; None: photos with all of their pixels."""
    read = partial(read_again, size=size, resizing=classifier.resizing, value_range=classifier.value_range)
    with ThreadPoolExecutor(cpu_budget()) as pool:
        yield from pool.map(read, paths)


def _probabilities(classifier: Classifier, squares: np.ndarray) -> Float[np.ndarray, "n classes"]:
    batches = (squares[start : start + BATCH] for start in range(0, len(squares), BATCH))
    return classifier.calibration.probabilities(classifier.logits(batches))


def _of_one_size(images: Sequence[np.ndarray]) -> Iterator[UInt8[np.ndarray, "n h w 3"]]:
    """Batches of neighbours that have the same shape, in their order."""
    batch: list[np.ndarray] = []
    for image in images:
        if batch and (image.shape != batch[0].shape or (len(batch) + 1) * image[..., 0].size > MOST_PIXELS):
            yield np.stack(batch)
            batch = []
        batch.append(image)
    yield np.stack(batch)


def _in_other_sizes(
    classifier: Classifier, exported: ExportedModel, photos: Sequence[np.ndarray], pixels: str
) -> list[float]:
    """For each of these sizes, how far it is between what a file says of a photo, and of the square made of it."""
    size = classifier.image_size
    shapes = (
        *((1, 1), (1, 2000), (2000, 1), (2, 3)),  # one pixel, panoramas, next to nothing
        *((size, size), (2 * size, 2 * size), (size + 1, size - 1), (2 * size - 1, 4 * size + 1)),  # even and odd
        *((4 * size, 3 * size), (size * 9 // 2, 8 * size)),  # portrait, landscape
    )
    found = []
    for number, (height, width) in enumerate(shapes):
        photo = photos[number % len(photos)]
        rows, columns = np.arange(height) % photo.shape[0], np.arange(width) % photo.shape[1]
        image = photo[rows][:, columns]  # cut out, or repeated
        square = square_of(image, size, classifier.resizing)
        one, other = (exported(given[None].astype(pixels))[1] for given in (image, square))
        found.append(float(np.abs(one - other).max()))
    return found
