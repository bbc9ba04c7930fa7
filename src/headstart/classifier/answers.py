"""Photos, by their places -> answers, each with the digest of the bytes that it is about: reads ahead of the network.

A place is whatever `storage/locations.py` reads: a path, or a URL. Knows nothing of how answers are written.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headstart.classifier.base import BasePredictor
from headstart.classifier.prediction import Prediction
from headstart.errors import ImageError
from headstart.storage.hashing import sha256
from headstart.storage.locations import read_ahead


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
    for answer in found:
        yield from _unread(waiting)
        place, digest = waiting.popleft()  # pyright: ignore[reportGeneralTypeIssues]  # the others were just taken out
        yield Answer(place, digest, ImageError(f"'{place}' {answer}.") if isinstance(answer, ImageError) else answer)
    yield from _unread(waiting)


def _contents(places: Iterable[str], waiting: deque) -> Iterator[bytes]:
    places = list(places)
    for place, content in zip(places, read_ahead(places), strict=True):
        if isinstance(content, bytes):
            waiting.append((place, sha256(content)))
            yield content
        else:
            reason = getattr(content, "strerror", None) or content
            waiting.append(Answer(place, None, ImageError(f"'{place}' cannot be opened: {reason}.")))


def _unread(waiting: deque) -> Iterator[Answer]:
    while waiting and isinstance(waiting[0], Answer):
        yield waiting.popleft()
