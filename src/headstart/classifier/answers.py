"""Photos, by their places -> answers, each with the digest of the bytes that it is about: reads ahead of the network.

A place is whatever `storage/locations.py` reads: a path, or a URL. Knows nothing of how answers are written.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from headstart.classifier.base import BasePredictor
from headstart.classifier.prediction import Prediction
from headstart.concurrency import prefetch
from headstart.errors import ImageError
from headstart.storage.hashing import sha256
from headstart.storage.locations import Fetched, fetched, read

READERS, READ_AHEAD = 8, 32  # threads that read local files and hash; photos that are read before they are decoded


@dataclass(frozen=True)
class Question:
    """What is asked about each photo; see `BasePredictor.predict`. top: how many probabilities are kept; None: all."""

    accuracy: float | None = None
    coverage: float | None = None
    views: bool = False
    top: int | None = None


@dataclass(frozen=True)
class Answer:
    """A photo, and its prediction or what is wrong with it.

    digest: SHA-256 of the bytes that were read, hexadecimal; None: they could not be.
    """

    path: str
    digest: str | None
    found: Prediction | ImageError


def answers(predictor: BasePredictor, places: Iterable[str], question: Question) -> Iterator[Answer]:
    """One for each photo, in their order.

    Raises:
        HeadstartError: the guarantee cannot be given; or photos cannot be read for a reason that lies with none of
            them, such as a network that is down.
    """
    waiting: deque[Answer | tuple[str, str]] = deque()  # of each photo not answered yet: why not; or place and digest
    found = predictor.predict_each(
        _contents(places, waiting), accuracy=question.accuracy, coverage=question.coverage, views=question.views
    )
    return _paired(found, waiting)


def _paired(found: Iterable[Prediction | ImageError], waiting: deque) -> Iterator[Answer]:
    for answer in found:
        yield from _unread(waiting)
        place, digest = waiting.popleft()
        named = type(answer)(f"'{place}' {answer}.") if isinstance(answer, ImageError) else answer
        yield Answer(place, digest, named)
    yield from _unread(waiting)


def _contents(places: Iterable[str], waiting: deque) -> Iterator[bytes]:
    """The bytes of those that can be read. Appends to `waiting`."""
    places = list(places)
    with ThreadPoolExecutor(READERS) as pool:
        each = prefetch(pool, _read, zip(places, fetched(places), strict=True), READ_AHEAD)
        for place, (content, digest) in zip(places, each, strict=True):
            if isinstance(content, OSError):
                waiting.append(Answer(place, None, ImageError(f"'{place}' cannot be opened: {_reason(content)}.")))
            else:
                waiting.append((place, digest))
                yield content


def _read(photo: tuple[str, Fetched]) -> tuple[bytes | OSError, str | None]:
    """A photo's bytes, and their digest; or why it cannot be read."""
    place, begun = photo
    try:
        content = begun() if begun else read(place)
    except OSError as error:
        return error, None
    return content, sha256(content)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _unread(waiting: deque) -> Iterator[Answer]:
    while waiting and isinstance(waiting[0], Answer):
        yield waiting.popleft()
