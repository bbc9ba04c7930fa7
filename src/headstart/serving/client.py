"""Client: predictions from a service of `headstart serve`. Needs only the standard library."""

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
from headstart.storage.regular import read_regular

ImageFile = str | Path | bytes  # a path, or the content of a file
RETRIES = 5  # while the service is busy
MAX_WAIT = 10.0  # seconds between two of them
CONCURRENCY = 4  # requests at the same time

_ERRORS: dict[str, type[HeadstartError]] = {
    "not-an-image": NotAnImageError,
    "unreadable-image": ImageError,
    "too-many-pixels": ImageTooLargeError,
    "too-many-bytes": ImageTooLargeError,
    "impossible-promise": ModelError,
    "unknown-model": ModelError,
}


class Client:
    """Predicts as a `Predictor` does, but through a service."""

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
            url: the service's address, such as http://127.0.0.1:8000.
            model: the name of one of its models; by default the first.
            api_key: the service's key, if it requires one.
            time_out: seconds to wait for an answer.
            retries: how many times to ask again while the service is busy.
        """
        if not _is_address(url):
            raise ServiceError(f"'{url}' is not the address of a service; expected one such as http://127.0.0.1:8000.")
        key = (api_key or "").strip()  # a key read from a file may end with a newline
        if not (key.isascii() and key.isprintable()):
            raise ServiceError("The API key contains characters that are not allowed: expected printable ASCII.")
        self.url, self.model, self._key = url.rstrip("/"), model, key
        self._time_out, self._retries = time_out, retries

    @overload
    def predict(
        self, pictures: ImageFile, *, accuracy: float | None = None, coverage: float | None = None
    ) -> Prediction: ...
    @overload
    def predict(
        self, pictures: Sequence[ImageFile], *, accuracy: float | None = None, coverage: float | None = None
    ) -> list[Prediction]: ...

    def predict(
        self, pictures: ImageFile | Sequence[ImageFile], *, accuracy: float | None = None, coverage: float | None = None
    ) -> Prediction | list[Prediction]:
        """The prediction for one image (a path, or the content of a file), or a list of them for several.

        File names are not sent.

        Args:
            accuracy, coverage: as for `Predictor.predict`.

        Raises:
            ImageError: one of them is not an image, or is too large for the service.
            ModelError: the accuracy or coverage cannot be guaranteed, or there is no such model.
            ServiceError: the service cannot be reached, or refuses the request.
        """
        guarantees = {"accuracy": accuracy, "coverage": coverage}
        if isinstance(pictures, (str, Path, bytes)):
            return self._one(pictures, guarantees)
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            return list(pool.map(lambda file: self._one(file, guarantees), pictures))

    def describe(self) -> dict[str, Any]:
        """The model: its classes, guarantees and accuracy. Raises ModelError and ServiceError."""
        return self._ask("/v1/model", {})

    def _one(self, file: ImageFile, guarantees: dict[str, Any]) -> Prediction:
        try:
            content = file if isinstance(file, bytes) else read_regular(file)
        except (OSError, ValueError) as error:  # ValueError: there is a NUL in its name
            reason = getattr(error, "strerror", None) or error
            raise ImageError(f"'{file}' cannot be opened: {reason}.") from None
        try:
            row = self._ask("/v1/predict", guarantees, content)["predictions"][0]
            return Prediction(
                row["label"], row["probability"], row["probabilities"], row["sure"], row["familiar"],
                tuple(row.get("candidates", ())), row.get("remark"), row.get("rule"), row.get("cost"),
                row.get("other"), row.get("parent"), row.get("parent_probability"),
                None if row.get("labels") is None else tuple(row["labels"]),
            )  # fmt: skip
        except ImageError as error:
            raise error if isinstance(file, bytes) else type(error)(f"'{file}': {error}") from None
        except (KeyError, TypeError, IndexError, AttributeError):
            raise ServiceError(f"The answer of {self.url} is not one of `headstart serve`.") from None

    def _ask(self, path: str, options: dict[str, Any], content: bytes | None = None) -> dict[str, Any]:
        query = {name: value for name, value in {"model": self.model, **options}.items() if value is not None}
        request = urllib.request.Request(f"{self.url}{path}?{urllib.parse.urlencode(query)}", content)
        request.add_header("Content-Type", "application/octet-stream")
        if self._key:
            request.add_header("Authorization", f"Bearer {self._key}")
        retries_left = self._retries
        while True:
            try:
                with _OPENER.open(request, timeout=self._time_out) as response:
                    return json.load(response)
            except urllib.error.HTTPError as error:
                with error:
                    if error.code == 503 and retries_left > 0:
                        retries_left -= 1
                        time.sleep(_seconds(error.headers.get("Retry-After", "")))
                        continue
                    raise _error_of(error) from None
            except (OSError, ValueError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", None) or error
                raise ServiceError(f"The service at {self.url} does not answer: {reason}.") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A service does not redirect. To follow a redirection would also send the key elsewhere."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _is_address(url: str) -> bool:
    try:
        urllib.parse.urlsplit(url)
        return url.startswith(("http://", "https://"))
    except ValueError:  # an IPv6 address without its closing bracket
        return False


def _seconds(retry_after: str) -> float:
    """How long to wait. A proxy may send a date instead, or anything."""
    return min(float(retry_after), MAX_WAIT) if retry_after.isdecimal() else 1.0


def _error_of(answer: urllib.error.HTTPError) -> HeadstartError:
    try:
        problem = json.load(answer)
        code, detail = problem["code"], problem["detail"]
    except (OSError, ValueError, KeyError, TypeError):
        return ServiceError(
            f"{answer.url} answered with status {answer.code}; expected a service of `headstart serve`."
        )
    return _ERRORS.get(code, ServiceError)(detail)
