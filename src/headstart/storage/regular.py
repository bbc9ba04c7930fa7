"""The content of a regular file. Pipes, sockets and devices are refused: who reads one may wait for ever."""

import os
import stat
from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


def check_regular(path: str | Path) -> None:
    """
    Raises:
        OSError: it is missing, or is neither a regular file nor a folder; `strerror` says what it is.
    """
    kind = _KINDS.get(stat.S_IFMT(os.stat(path).st_mode))  # noqa: PTH116 - a Path takes longer than the question
    if kind:
        raise OSError(0, f"It is {kind}, not a regular file", str(path))


def read_regular(path: str | Path) -> bytes:
    """
    Raises:
        OSError: it is not a regular file, or cannot be read.
    """
    check_regular(path)
    with open(path, "rb") as file:
        return file.read()
