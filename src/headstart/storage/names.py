"""A name that a user gave -> the name of a file that every system allows, Windows too."""

import os
import re

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_DEVICES = re.compile(
    r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9\u00b9\u00b2\u00b3]) *(\..*)?", re.IGNORECASE | re.DOTALL
)


def portable(name: str) -> str:
    """The name, with what Windows forbids replaced: some signs, names of devices, spaces and dots at the end."""
    allowed = _FORBIDDEN.sub("_", name)
    kept = allowed.rstrip(". ")
    allowed = kept + "_" * (len(allowed) > len(kept))
    return f"_{allowed}" if not allowed or _DEVICES.fullmatch(allowed) else allowed


def is_allowed(name: str, *, windows: bool = os.name == "nt") -> bool:
    """Whether a file or folder can have this name, here, or on Windows."""
    return not windows or portable(name) == name
