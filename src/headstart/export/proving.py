"""An exported file, opened in its runtime, and the photos of a run -> the proof. Decodes photos, and asks both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headstart.array_types import Float, UInt8
from headstart.classifier.label_calibration import LabelCalibration
from headstart.concurrency import cpu_budget
from headstart.data.images import read_again
from headstart.data.targets import texts_of
from headstart.export.formats import ExportedModel
from headstart.export.photos import Photos
from headstart.export.proof import BATCH, Answers, Proof, compare
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
    compared = partial(_compared, labels=labels, paths=photos.paths, decide=decide)
    before = _by_classifier(classifier, squares)
    if fixed_size:
        found = _Answers.joined([exported(batch.astype(pixels)) for batch in _batches(squares)])
        return compared(found, before)
    answered, whole, whole_squares = [], [], []
    for start in range(0, len(photos), BATCH):
        whole = list(_read(photos.paths[start : start + BATCH], classifier, None))
        answered += [exported(batch.astype(pixels)) for batch in _of_one_size(whole)]
        whole_squares += [square_of(image, classifier.image_size, classifier.resizing) for image in whole]
    found, expected = _Answers.joined(answered), _by_classifier(classifier, np.stack(whole_squares))
    distances = _in_other_sizes(classifier, exported, whole, pixels)
    of_files = compared(found, before)
    return replace(
        compared(found, expected),
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


class _Answers(NamedTuple):
    """other: the probability of none of the classes, see `OtherHead`."""

    probabilities: Float[np.ndarray, "n classes"]
    other: Float[np.ndarray, " n"] | None

    @classmethod
    def joined(cls, batches: Sequence[tuple[np.ndarray, ...]]) -> _Answers:
        """Of what an `ExportedModel` gives."""
        _, probabilities, *other = (np.concatenate(each) for each in zip(*batches, strict=True))
        return cls(probabilities, *(other or [None]))


def _by_classifier(classifier: Classifier, squares: np.ndarray) -> _Answers:
    head, logits, others = classifier.other_head, [], []
    for output in classifier.forward(_batches(squares)):  # valid until the next is asked for
        logits.append(output.logits.copy())
        others += [head.probabilities(output.features)] if head else []
    probabilities = classifier.calibration.probabilities(np.concatenate(logits))
    return _Answers(probabilities, np.concatenate(others) if others else None)


def _compared(
    found: _Answers, expected: _Answers, *, labels: np.ndarray, paths: Sequence[str], decide: Answers
) -> Proof:
    proof = compare(found.probabilities, expected.probabilities, labels, paths, answers=decide)
    if found.other is None or expected.other is None:
        return proof
    return replace(proof, other_farthest=float(np.abs(found.other - expected.other).max()))


def _batches(squares: np.ndarray) -> Iterator[np.ndarray]:
    return (squares[start : start + BATCH] for start in range(0, len(squares), BATCH))


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
