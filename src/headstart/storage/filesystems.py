"""A URL -> the file system of fsspec that opens it, and what a failure of it means to the user.

Credentials are found by the file systems themselves, by their usual means: nothing of them passes here.
"""

import errno
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from headstart.errors import HeadstartError, LocationError, MissingExtraError
from headstart.storage.urls import check_no_secrets, scheme_of, without_secrets

MAX_CONNECTIONS = 256  # to one store
_S3 = {
    "use_listings_cache": False,  # it would keep all names a second time
    "max_concurrency": 1,  # with more, s3fs asks for the size of each object before it reads it
    # botocore makes a name of itself, and checks our arguments, anew for each request: a fifth of its processor time
    "config_kwargs": {
        "max_pool_connections": MAX_CONNECTIONS,
        "user_agent": "headstart",
        "parameter_validation": False,
    },
}
_WEB = {"simple_links": False, "client_kwargs": {"trust_env": True}}  # proxies, and passwords in ~/.netrc
# Scheme -> what installs it, and how it is opened
SCHEMES: dict[str, tuple[str, dict[str, Any]]] = {
    "s3": ("headstart[remote]", _S3),
    "http": ("headstart[remote]", _WEB),
    "https": ("headstart[remote]", _WEB),
    "gs": ("headstart[remote] gcsfs", {"use_listings_cache": False}),
    "az": ("headstart[remote] adlfs", {"use_listings_cache": False}),
    "hf": ("headstart[remote] huggingface_hub", {"use_listings_cache": False}),
    "file": ("headstart[remote]", {}),
    "memory": ("headstart[remote]", {}),
}
WEB = ("http", "https")  # many servers, each with its own faults: one that is away is no end of the work

# What a web server answers that may pass (RFC 9110, 15.6; RFC 6585, 4). Clients of stores repeat it
PASSING = ("429", "500", "502", "503", "504")
WAITS = (0.5, 1.0, 2.0, 4.0)  # seconds, before a request is repeated; each up to a half longer, by chance
GIVEN_UP = 60.0  # seconds, for which a server that answered none of these gets each request once

_given_up: dict[str, float] = {}  # server -> until when
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://[^\s'\"<>]+", re.IGNORECASE)
_NO_SUCH = ("NoSuchBucket", "NoSuchContainer", "ContainerNotFound")
# Codes of S3 that are about this object alone, where a PermissionError else is about the credentials
_OF_THE_OBJECT = ("AccessDenied", "403", "AllAccessDisabled", "InvalidObjectState", "")


def filesystem(url: str) -> tuple[Any, str]:
    """The file system of fsspec for a URL, one for each process, and the URL's path in it.

    Raises:
        LocationError: the scheme is not known, or the URL holds a secret.
        MissingExtraError: the library for the scheme is not installed.
    """
    check_no_secrets(url)
    opened = _opened(scheme_of(url), os.getpid())
    return opened, opened._strip_protocol(url)


@lru_cache
def _opened(scheme: str, process: int) -> Any:
    if scheme not in SCHEMES:
        raise LocationError(
            f"'{scheme}://' is no kind of place that headstart reads: expected {', '.join(f'{s}://' for s in SCHEMES)}."
        )
    package, options = SCHEMES[scheme]
    try:
        import fsspec

        return fsspec.filesystem(scheme, **options)
    except ImportError as error:
        packages = " ".join(f"'{name}'" if "[" in name else name for name in package.split())
        raise MissingExtraError(
            f"'{scheme}://' needs a library that is not installed ({error}): pip install {packages}"
        ) from error
    except ValueError as error:  # adlfs, where no account is named
        raise LocationError(f"'{scheme}://' cannot be opened: {error}") from error


@contextmanager
def told(place: str) -> Iterator[None]:
    """Around a call of a file system: what it raises is told in words.

    Raises:
        OSError: about this place alone: it is missing, must not be read, or a web server fails. `strerror` says which.
        LocationError: about the whole store: it cannot be reached, has no such bucket, or knows no such credentials.
    """
    try:
        yield
    except HeadstartError:
        raise
    except Exception as error:
        raise _in_words(error, place) from error


def patiently(place: str, fetch: Callable[[], bytes]) -> bytes:
    """What `fetch`, which reads a place inside of `told`, gives. It is called again where a web server fails for now.

    Raises:
        OSError, LocationError: what it raises in the end.
    """
    server = urlsplit(place).netloc
    for wait in WAITS if time.monotonic() >= _given_up.get(server, 0.0) else ():
        try:
            return fetch()
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
        time.sleep(wait * random.uniform(1, 1.5))
    try:
        return fetch()
    except OSError as error:
        if error.errno == errno.EBUSY:
            _given_up[server] = time.monotonic() + GIVEN_UP
        raise


def _in_words(error: Exception, place: str) -> OSError | LocationError:
    if isinstance(error, FileNotFoundError) and isinstance(error.__cause__, Exception) and scheme_of(place) in WEB:
        error = error.__cause__  # fsspec says so whatever a web server, or the lack of one, has answered
    shown, code = without_secrets(place), _code_of(error)
    if code in _NO_SUCH:
        return LocationError(f"'{shown}': there is no such bucket. Check the name, and the endpoint.")
    if isinstance(error, FileNotFoundError | IsADirectoryError) or code in ("404", "410"):
        return FileNotFoundError(errno.ENOENT, "there is no such object", shown)
    if "Credential" in type(error).__name__:
        return LocationError(
            f"'{shown}' cannot be read without credentials, and none were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID "
            f"and AWS_SECRET_ACCESS_KEY (of other stores: as their tools do). Of a public bucket: FSSPEC_S3_ANON=true."
        )
    if isinstance(error, PermissionError) and code not in _OF_THE_OBJECT:
        return LocationError(
            f"'{shown}': the store refuses the credentials ({code}). Check that they are right, of this store, and "
            f"have not expired."
        )
    if isinstance(error, PermissionError) or code in ("401", "403"):
        reason = f"no right to do that ({code or 'refused'}): the credentials are wrong, or do not allow it"
        return PermissionError(errno.EACCES, reason, shown)
    reason = _reason(error, code)
    if scheme_of(place) in WEB:
        passes = code in PASSING or isinstance(error, TimeoutError)
        return OSError(errno.EBUSY if passes else errno.EIO, reason, shown)
    return LocationError(f"'{shown}' cannot be reached: {reason}. Check the connection, and try again.")


def _code_of(error: BaseException) -> str:
    """The store's own word for what is wrong, or the status of HTTP; "" where there is none."""
    for each in (error, error.__cause__):
        response = getattr(each, "response", None)
        if isinstance(response, dict):  # of botocore
            return str(response.get("Error", {}).get("Code", ""))
        for name in ("error_code", "status", "status_code", "code"):
            if isinstance(found := getattr(each, name, None), int | str):
                return str(found)
    return ""


def _reason(error: Exception, code: str) -> str:
    """In a few words. What a library says may name an address with its signature."""
    if code:
        return f"the server answers {code}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return _ADDRESS.sub(lambda found: without_secrets(found[0]), str(error)) or type(error).__name__
