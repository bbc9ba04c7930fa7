"""`import keras`, quietly. Every module that needs Keras imports it from here."""

import os

from headstart.errors import MissingExtraError

# TensorFlow's C++ code writes to standard error while it loads; level 2 leaves only errors. The user's setting wins.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

try:
    import keras
except ImportError as error:
    raise MissingExtraError(
        f"This needs Keras with a backend ({error}); on a CPU, TensorFlow is the fastest: pip install 'headstart[tune]'"
    ) from error

__all__ = ["keras"]
