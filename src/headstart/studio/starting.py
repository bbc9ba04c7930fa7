"""What `headstart studio` does before and while it listens: libraries, password, port, browser.

The address is told before the libraries of the server are imported: a browser needs as long as they do to start, and
whoever connects meanwhile waits.
"""

from __future__ import annotations

import secrets
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from socket import socket

from headstart.data.source import DataSource
from headstart.errors import ServiceError
from headstart.serving import starting
from headstart.serving.binding import BACKLOG, EVERYWHERE, address_of, bound_socket, is_private

MIN_PASSWORD = 8  # characters


def need_extra() -> None:
    """
    Raises:
        MissingExtraError: a library of the extra `studio` is not installed.
    """
    starting.need_extra("The studio", "studio", (*starting.LIBRARIES, "portalocker", "websockets"))


def open_studio(
    data: str | Path | DataSource | None,
    *,
    host: str,
    port: int,
    password_file: Path | None,
    language: str | None,
    browser: bool,
    tell: Callable[[str], None],
) -> None:
    """Answer until SIGTERM or Ctrl-C. Arguments: see `commands.studio`.

    Raises:
        ServiceError: the address cannot be used, or it needs a password.
    """
    if data is not None:
        _ = DataSource.of(data).local_path  # at once, not in the browser
    password = None if password_file is None else read_password(password_file)
    if password is None and not is_private(host):
        raise ServiceError(
            f"Whoever can reach '{host}' could open the studio. Give it a password with --password-file FILE, or "
            f"leave out --host: then only this machine can reach it."
        )
    token = secrets.token_urlsafe()

    def announce(address: str) -> None:
        if host in EVERYWHERE:
            address = f"http://127.0.0.1:{address.rpartition(':')[2]}"
        address = f"{address}/?token={token}"
        tell(address)
        if browser:  # on a thread: some browsers keep whoever starts them waiting
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    with bound_socket(host, port) as listening:
        listening.listen(BACKLOG)
        for number in (signal.SIGTERM, signal.SIGINT):  # until the server has handlers of its own
            signal.signal(number, lambda *_: sys.exit(0))
        announce(address_of(listening))
        _answer(listening, None if data is None else DataSource.of(data), host, password, token, language)


def _answer(
    listening: socket, source: DataSource | None, host: str, password: str | None, token: str, language: str | None
) -> None:
    from headstart.serving.listening import answer
    from headstart.studio.app import create_app
    from headstart.studio.security import Door
    from headstart.studio.studio import Studio, StudioConfig

    config = StudioConfig(Door(host, password, token), language)
    answer(create_app(Studio(config, source)), config.limits, listening, websockets=True)


def read_password(file: Path) -> str:
    """
    Raises:
        ServiceError: the file cannot be read, or what it holds is too short.
    """
    try:
        password = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not plain text"
        raise ServiceError(f"The password cannot be read from '{file}': {reason}.") from None
    if len(password) < MIN_PASSWORD:
        raise ServiceError(f"'{file}' holds no password: expected at least {MIN_PASSWORD} characters.")
    return password
