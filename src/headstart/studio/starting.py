"""What `headstart studio` does before and while it listens: libraries, password, port, browser."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path

from headstart.data.source import DataSource
from headstart.errors import ServiceError
from headstart.serving import starting

MIN_PASSWORD = 8  # characters


def need_extra() -> None:
    """
    Raises:
        MissingExtraError: a library of the extra `studio` is not installed.
    """
    starting.need_extra("The studio", "studio", (*starting.LIBRARIES, "websockets"))


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
    from headstart.serving.listening import is_private, listen
    from headstart.studio.app import create_app
    from headstart.studio.security import EVERYWHERE, Door
    from headstart.studio.studio import Studio, StudioConfig

    if data is not None:
        _ = DataSource.of(data).local_path  # at once, not in the browser
    password = None if password_file is None else read_password(password_file)
    if password is None and not is_private(host):
        raise ServiceError(
            f"Whoever can reach '{host}' could open the studio. Give it a password with --password-file FILE, or "
            f"leave out --host: then only this machine can reach it."
        )
    config = StudioConfig(Door(host, password), language)
    studio = Studio(config, None if data is None else DataSource.of(data))

    def announce(address: str) -> None:
        if host in EVERYWHERE:
            address = f"http://127.0.0.1:{address.rpartition(':')[2]}"
        address = f"{address}/?token={config.door.token}"
        tell(address)
        if browser:  # on a thread: some browsers keep whoever starts them waiting
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    listen(
        lambda _: create_app(studio), config.limits, host=host, port=port, announce=announce, websockets=True
    )  # fmt: skip


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
