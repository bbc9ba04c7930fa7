"""URL -> file, through Keras' download cache (~/.keras). Knows how downloads fail, not what is downloaded."""

import contextlib
import io
import os
import socket
import sys
import urllib.error
from collections.abc import Iterator
from pathlib import Path

from headstart.errors import DownloadError
from headstart.home import home_folder

TIMEOUT = 30.0  # seconds without a byte: Keras itself would wait forever


def downloads_folder() -> Path:
    """Keras' cache: KERAS_HOME, or ~/.keras."""
    return Path(os.environ.get("KERAS_HOME") or home_folder() / ".keras")


def fetch(url: str, *, again: bool = False) -> Path:
    """The file at `url`: from the cache if it is there, unless `again`. Progress is shown on standard error.

    Raises:
        DownloadError: the address cannot be reached.
    """
    from headstart.keras_backend import keras  # here, as without Keras there may still be something to look for

    with downloading(url):
        return Path(keras.utils.get_file(origin=url, force_download=again))


@contextlib.contextmanager
def downloading(url: str) -> Iterator[None]:
    """Around a call of Keras that downloads. A terminal shows Keras' progress bar; a log gets one line instead.

    Raises:
        DownloadError: the download failed. The message ends without a full stop: callers say what to do.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        if not sys.stderr.isatty():
            print(f"Downloading {url}, unless it is in the cache", file=sys.stderr)
        with contextlib.redirect_stdout(sys.stderr if sys.stderr.isatty() else io.StringIO()):
            yield
    except Exception as error:  # Keras raises a bare Exception for a failed connection, ValueError for a wrong hash
        if isinstance(error.__context__, urllib.error.HTTPError):
            error.__context__.close()  # the connection, which Keras leaves open
        reason = str(error).rpartition("-- ")[2].strip() or type(error).__name__
        raise DownloadError(f"{url} could not be downloaded ({reason})") from error
    finally:
        socket.setdefaulttimeout(before)
