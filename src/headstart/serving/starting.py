"""What `headstart serve` needs before it starts: its libraries, and the API key."""

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from headstart.errors import MissingExtraError, ServiceError

LIBRARIES = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")
VARIABLE = "HEADSTART_API_KEY"
MIN_LENGTH = 16  # characters: a shorter key can be guessed


def need_extra(who: str = "The service", extra: str = "serve", libraries: Sequence[str] = LIBRARIES) -> None:
    """
    Raises:
        MissingExtraError: a library of the extra is not installed.
    """
    missing = [name for name in libraries if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(f"{who} needs {', '.join(missing)}: pip install 'headstart[{extra}]'")


def api_key(file: Path | None) -> str | None:
    """The key in a file, or else in HEADSTART_API_KEY; None where there is neither.

    Raises:
        ServiceError: the file cannot be read, or what it holds cannot be a key.
    """
    if file is None:
        key, source = os.environ.get(VARIABLE), VARIABLE
        if key is None:
            return None
    else:
        try:
            key, source = file.read_text("ascii"), f"'{file}'"
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not plain text"
            raise ServiceError(f"The API key cannot be read from '{file}': {reason}.") from None
    key = key.strip()
    if len(key) < MIN_LENGTH or not key.isascii() or not key.isprintable() or " " in key:
        raise ServiceError(
            f"{source} holds no valid API key: expected at least {MIN_LENGTH} letters, digits and symbols, without "
            f"spaces. Create one with: python3 -c 'import secrets; print(secrets.token_urlsafe())'"
        )
    return key
