"""`headstart studio`: a collection -> a workshop in the browser. The studio itself is in `studio/`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headstart.data.source import DataSource

Tell = Callable[[str], None]  # tell(address)


def studio(
    data: str | Path | DataSource | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    password_file: str | Path | None = None,
    language: str | None = None,
    browser: bool = True,
    tell: Tell | None = None,
) -> None:
    """Look at photos, correct their labels, train and try classifiers in the browser, until SIGTERM or Ctrl-C.

    Args:
        data: the collection that is open at first: a folder of class folders, or of photos without labels, a zip, or a
            CSV; or the folder of a run, whose collection is opened. None: one is chosen in the browser.
        host: address to listen at; others than this machine's own need a password.
        port: 0 takes a free one.
        password_file: file with the password that a browser without the address's token is asked for.
        language: of the page, "en" or "pt". None: the browser's.
        browser: whether to open the page in the browser.
        tell: is called with the address, which holds the key, once the studio can be reached; by default it is printed.

    Raises:
        HeadstartError: the address cannot be listened at, the password cannot be read, or a library is missing.
    """
    from headstart.studio.starting import need_extra

    need_extra()
    from headstart.studio.starting import open_studio

    open_studio(
        data,
        host=host,
        port=port,
        password_file=None if password_file is None else Path(password_file),
        language=language,
        browser=browser,
        tell=tell or say,
    )


def say(address: str) -> None:
    """Print the address of a studio."""
    print(f"The studio is at {address}\n(Ctrl-C ends it. Labels are kept beside the photos, jobs go on.)", flush=True)
