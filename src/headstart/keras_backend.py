"""`import keras`, quietly. Every module that needs Keras imports it from here."""

import os

from headstart.errors import MissingExtraError, ModelError
from headstart.home import home_folder

# TensorFlow's C++ code writes to standard error while it loads; level 2 leaves only errors. The user's setting wins.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

if os.path.expanduser("~") == "~":  # noqa: PTH111 - a user without a home: Keras would make a folder "~" here
    os.environ.setdefault("KERAS_HOME", str(home_folder() / ".keras"))

try:
    import keras
except ImportError as error:
    raise MissingExtraError(
        f"This needs Keras with a backend ({error}); on a CPU, TensorFlow is the fastest: pip install 'headstart[tune]'"
    ) from error

__all__ = ["begin_computing", "keras"]

_process: int | None = None  # the first in which Keras computed something


def begin_computing() -> None:
    """To be called before Keras computes.

    Raises:
        ModelError: in a process that was forked from one in which Keras has computed: a backend's threads stay behind,
            and it would wait for them for ever.
    """
    global _process
    _process = _process or os.getpid()
    if _process != os.getpid():
        raise ModelError(
            "Keras cannot compute in a process that was forked from one that has used it. Use a Predictor of a run "
            "with an engine, which can; or start the process by 'spawn' (multiprocessing.get_context('spawn'))."
        )
