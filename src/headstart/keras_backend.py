"""`import keras`, quietly. Every module that needs Keras imports it from here."""

import os

from headstart.errors import MissingExtraError

# TensorFlow's C++ side writes to standard error while it is loaded; 2 leaves its errors. The user's own setting wins.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

try:
    import keras
except ImportError as error:
    raise MissingExtraError(
        f"Keras finds no backend to compute with ({error}). On a CPU, TensorFlow is the fastest: "
        f"pip install 'headstart[cpu]'"
    ) from error

__all__ = ["keras"]
