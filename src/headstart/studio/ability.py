"""What this installation can do: for each thing None, or why not, and what installs it. Starts nothing."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

from headstart.errors import MissingExtraError
from headstart.export.formats import FLOAT32, FORMATS, get_format
from headstart.models.backbones import BACKBONES, DEFAULT
from headstart.models.network_files.presets import presets_at_hand
from headstart.models.weights import DOWNLOADED, files_at_hand, keras_is_installed, packaged_file

NEEDS_KERAS = {"detail": "It needs Keras: pip install 'headstart[tune]'", "reason": "needs-keras"}
NEEDS_EXPORT = {"detail": "Install first: pip install 'headstart[tune,export]'", "reason": "needs-export"}


@cache
def abilities() -> dict[str, Any]:
    """`can` of GET /api/state: as it was when that was first asked for."""
    has_keras = keras_is_installed()
    return {
        "fine_tune": None if has_keras else NEEDS_KERAS,
        "export": {name: _why_not(name) for name in FORMATS},
        "camera": True,
        "heic": find_spec("pillow_heif") is not None,
        "backbones": [
            {
                "name": name,
                "image_size": row.image_size,
                "at_hand": bool(files_at_hand(name)),
                "default": name == DEFAULT,
                "problem": None if has_keras or (row.network and packaged_file(row.network)) else NEEDS_KERAS,
            }
            for name, row in BACKBONES.items()
            if name in DOWNLOADED or files_at_hand(name)  # others need a file of weights
        ]
        + [
            {"name": name, "image_size": None, "at_hand": True, "default": False, "problem": None}
            for name in presets_at_hand()
        ],
    }


def _why_not(format: str) -> dict[str, Any] | None:
    try:
        get_format(format, FLOAT32)
    except MissingExtraError:
        return NEEDS_EXPORT
    return None
