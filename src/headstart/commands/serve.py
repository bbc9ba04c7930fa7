"""`headstart serve`: runs -> an HTTP service. The service itself is in `serving/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headstart.events import Listener

Tell = Callable[[str, list[str]], None]  # tell(address, names of the models)


def serve(
    runs: str | Path | Sequence[str | Path] | Mapping[str, str | Path],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    api_key_file: str | Path | None = None,
    cors: Sequence[str] = (),
    path_prefix: str = "",
    max_megabytes: float = 20,
    max_megapixels: float = 50,
    max_files: int = 32,
    queue: int = 64,
    show_training_images: bool = False,
    keep_samples: str | Path | None = None,
    rate: float = 0.01,
    keep_at_most: int = 1_000,
    tell: Tell | None = None,
    listener: Listener | None = None,
) -> None:
    """Answer over HTTP, with a page for people and an interface for programs, until SIGTERM or Ctrl-C.

    Args:
        runs: folders of runs: one, several (each also as "NAME=RUN"), or name -> folder. The first one answers where a
            request names none.
        host: address to listen at; "0.0.0.0": whoever can reach this machine may ask.
        port: 0 takes a free one.
        api_key_file: file with a key that each request must carry. None: the key in HEADSTART_API_KEY, if it is set.
        cors: origins of web pages elsewhere that may ask.
        path_prefix: path under which a proxy shows the service, such as "/pets", whether it passes it on or not.
        max_megabytes: of one image file. A request of several may be four times as large.
        max_megapixels: of one image.
        max_files: images in a request.
        queue: images that may wait; further ones are refused for a second.
        show_training_images: whether the training images most like an image are shown with its answer.
        keep_samples: folder for a random part of the photos, with their answers; the page says so. None: no photo is
            kept.
        rate: the share of the photos that is kept.
        keep_at_most: photos in that folder, and 1 GB.
        tell: is called with the address and the names of the models, once the service can be reached; by default they
            are printed.
        listener: where to report to; by default to standard error.

    Raises:
        HeadstartError: a run cannot be opened, the address cannot be listened at, or a library is missing.
    """
    from headstart.serving.starting import api_key, need_extra

    need_extra()
    from headstart.events import Message
    from headstart.listeners.console import Console
    from headstart.serving.binding import is_private
    from headstart.serving.config import ServiceConfig
    from headstart.serving.limits import MEGABYTE, Limits
    from headstart.serving.listening import serve as listen
    from headstart.serving.samples import SampleSettings
    from headstart.serving.served import named_runs

    limits = Limits(
        file_bytes=int(max_megabytes * MEGABYTE),
        files=min(max_files, queue),
        pixels=int(max_megapixels * 1_000_000),
        queue=queue,
    )
    key_file = None if api_key_file is None else Path(api_key_file)
    samples = None if keep_samples is None else SampleSettings(Path(keep_samples), rate, keep_at_most)
    config = ServiceConfig(limits, api_key(key_file), cors, show_training_images, path_prefix, samples)
    named = named_runs(_arguments(runs))
    if not config.api_key and not is_private(host):
        text = "Whoever can reach this address may ask: there is no API key (--api-key-file)."
        (listener or Console()).emit(Message(text))
    listen(named, config, host=host, port=port, announce=lambda address: (tell or say)(address, list(named)))


def say(address: str, names: list[str]) -> None:
    """Print the address of a service."""
    print(f"{', '.join(names)} at {address} (the page; the interface is described at /openapi.json)", flush=True)


def _arguments(runs: str | Path | Sequence[str | Path] | Mapping[str, str | Path]) -> list[str]:
    """As on the command line: RUN or NAME=RUN."""
    if isinstance(runs, str | Path):
        return [str(runs)]
    if isinstance(runs, Mapping):
        return [f"{name}={folder}" for name, folder in runs.items()]
    return [str(run) for run in runs]
