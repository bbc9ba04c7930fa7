"""URL -> file, through Keras' download cache (~/.keras). Knows what can go wrong on the way, not what is fetched."""

import contextlib
import io
import socket
import sys
import urllib.error
from collections.abc import Iterator
from pathlib import Path

from headstart.errors import DownloadError
from headstart.keras_backend import keras

TIMEOUT = 30.0  # seconds without a byte: Keras itself would wait for ever


def downloads_folder() -> Path:
    """Keras' cache: KERAS_HOME, or ~/.keras."""
    from keras.src.backend.config import keras_home  # it has no public way to say

    return Path(keras_home())


def fetch(url: str, *, again: bool = False) -> Path:
    """The file at `url`, from the cache if it is there (unless `again`); shows its listener on standard error.

    Raises:
        DownloadError: the address cannot be reached.
    """
    with downloading(url):
        return Path(keras.utils.get_file(origin=url, force_download=again))


@contextlib.contextmanager
def downloading(url: str) -> Iterator[None]:
    """Around a call of Keras that downloads: its failures become DownloadError, its listener bar is for terminals.

    Where standard error is no terminal, one line is written instead of the bar, which would fill a log.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        if not sys.stderr.isatty():
            print(f"Downloading {url}, unless it is in the cache", file=sys.stderr)
        with contextlib.redirect_stdout(sys.stderr if sys.stderr.isatty() else io.StringIO()):
            yield
    except Exception as error:  # get_file raises a bare Exception where the network fails, ValueError for a wrong hash
        if isinstance(error.__context__, urllib.error.HTTPError):
            error.__context__.close()  # the answer's connection, which Keras leaves open
        reason = str(error).rpartition("-- ")[2].strip() or type(error).__name__
        raise DownloadError(f"{url} could not be downloaded ({reason})") from error
    finally:
        socket.setdefaulttimeout(before)
