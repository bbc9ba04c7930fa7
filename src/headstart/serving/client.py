"""Client: asks a service of `headstart serve`. Needs nothing but the standard library."""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, overload

from headstart.classifier.prediction import Prediction
from headstart.errors import HeadstartError, ImageError, ImageTooLargeError, ModelError, NotAnImageError, ServiceError

Picture = str | Path | bytes
RETRIES = 5  # where the service has too much to do
LONGEST_WAIT = 10.0  # seconds between two of them
AT_ONCE = 4  # images that are sent side by side

_ERRORS: dict[str, type[HeadstartError]] = {
    "not-an-image": NotAnImageError,
    "unreadable-image": ImageError,
    "too-many-pixels": ImageTooLargeError,
    "too-many-bytes": ImageTooLargeError,
    "impossible-promise": ModelError,
    "unknown-model": ModelError,
}


class Client:
    """Answers as a `Predictor` does, by a service elsewhere."""

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        time_out: float = 60,
        retries: int = RETRIES,
    ) -> None:
        """
        Args:
            url: where the service is, such as http://127.0.0.1:8000.
            model: which of its models answers; by default its first.
            api_key: the service's key, where it asks for one.
            time_out: seconds to wait for an answer.
            retries: how often to ask again where the service has too much to do.
        """
        if not _is_address(url):
            raise ServiceError(f"'{url}' is no address of a service; expected one such as http://127.0.0.1:8000.")
        key = (api_key or "").strip()  # a key that was read from a file ends in a new line
        if not (key.isascii() and key.isprintable()):
            raise ServiceError("The API key holds characters that none can have: expected printable ASCII.")
        self.url, self.model, self._key = url.rstrip("/"), model, key
        self._time_out, self._retries = time_out, retries

    @overload
    def predict(
        self, pictures: Picture, *, accuracy: float | None = None, coverage: float | None = None
    ) -> Prediction: ...
    @overload
    def predict(
        self, pictures: Sequence[Picture], *, accuracy: float | None = None, coverage: float | None = None
    ) -> list[Prediction]: ...

    def predict(
        self, pictures: Picture | Sequence[Picture], *, accuracy: float | None = None, coverage: float | None = None
    ) -> Prediction | list[Prediction]:
        """The answer for one image (a path, or the bytes of a file), or a list of answers for several.

        Names of files are not sent.

        Raises:
            ImageError: one of them is no image, or too large for the service.
            ModelError: the promise cannot be given, or there is no such model.
            ServiceError: the service cannot be reached, or refuses.
        """
        promises = {"accuracy": accuracy, "coverage": coverage}
        if isinstance(pictures, (str, Path, bytes)):
            return self._one(pictures, promises)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda picture: self._one(picture, promises), pictures))

    def describe(self) -> dict[str, Any]:
        """What there is to know of the model: its classes, promises, accuracy. Raises ModelError and ServiceError."""
        return self._ask("/v1/model", {})

    def _one(self, picture: Picture, promises: dict[str, Any]) -> Prediction:
        try:
            content = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a NUL in its name
            reason = getattr(error, "strerror", None) or error
            raise ImageError(f"'{picture}' cannot be opened: {reason}.") from None
        try:
            row = self._ask("/v1/predict", promises, content)["predictions"][0]
            return Prediction(
                row["label"], row["probability"], row["probabilities"], row["sure"], row["familiar"],
                tuple(row.get("candidates", ())),
            )  # fmt: skip
        except ImageError as error:
            raise error if isinstance(picture, bytes) else type(error)(f"'{picture}': {error}") from None
        except (KeyError, TypeError, IndexError, AttributeError):
            raise ServiceError(f"What {self.url} answered is no answer of `headstart serve`.") from None

    def _ask(self, path: str, options: dict[str, Any], content: bytes | None = None) -> dict[str, Any]:
        asked = {name: value for name, value in {"model": self.model, **options}.items() if value is not None}
        request = urllib.request.Request(f"{self.url}{path}?{urllib.parse.urlencode(asked)}", content)
        request.add_header("Content-Type", "application/octet-stream")
        if self._key:
            request.add_header("Authorization", f"Bearer {self._key}")
        left = self._retries
        while True:
            try:
                with _OPENER.open(request, timeout=self._time_out) as response:
                    return json.load(response)
            except urllib.error.HTTPError as error:
                with error:
                    if error.code == 503 and left > 0:
                        left -= 1
                        time.sleep(_seconds(error.headers.get("Retry-After", "")))
                        continue
                    raise _error_of(error) from None
            except (OSError, ValueError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", None) or error
                raise ServiceError(f"The service at {self.url} does not answer: {reason}.") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A service answers by itself; who sent the image elsewhere would send the key as well."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _is_address(url: str) -> bool:
    try:
        urllib.parse.urlsplit(url)
        return url.startswith(("http://", "https://"))
    except ValueError:  # brackets of an IPv6 address that are not closed
        return False


def _seconds(retry_after: str) -> float:
    """How long to wait; a proxy may say a date instead, or anything."""
    return min(float(retry_after), LONGEST_WAIT) if retry_after.isdecimal() else 1.0


def _error_of(answer: urllib.error.HTTPError) -> HeadstartError:
    try:
        problem = json.load(answer)
        code, detail = problem["code"], problem["detail"]
    except (OSError, ValueError, KeyError, TypeError):
        return ServiceError(
            f"{answer.url} answered with status {answer.code}; expected a service of `headstart serve`."
        )
    return _ERRORS.get(code, ServiceError)(detail)
