"""A service in its own process, on a free port of this machine."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Self

import httpx


class Service:
    """`headstart serve ...`, from the moment it accepts requests until `stop`, or the end of a `with`."""

    command = ("serve", "--port", "0", "--json")

    def __init__(self, *arguments: object, code: str | None = None, **environment: str) -> None:
        """code: runs instead of the command line, and prints a line of JSON with the address."""
        start = ["-c", code] if code else ["-m", "headstart", *self.command]
        self._folder = tempfile.TemporaryDirectory()
        self._log, self._ended = Path(self._folder.name) / "log", ""
        with self._log.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *start, *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=os.environ | environment,
            )
        timer = threading.Timer(60, self.process.kill)
        timer.start()
        text = ""
        for line in self.process.stdout or ():
            text += line
            if line.startswith("}") or code:
                break
        timer.cancel()
        assert text, self.log()
        self.url = json.loads(text)["address"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, *signals: signal.Signals, between: float = 1.0) -> int:
        """Its exit status, after these signals (by default SIGTERM), `between` seconds apart."""
        for number, each in enumerate(signals or (signal.SIGTERM,)):
            time.sleep(between if number else 0)
            if self.process.poll() is None:
                self.process.send_signal(each)
        status = self.process.wait(60)
        if self.process.stdout:
            self.process.stdout.close()
        if self._log.exists():
            self._ended = self.log()
            self._folder.cleanup()
        return status

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else self._ended

    def lines(self) -> list[dict[str, Any]]:
        """The complete lines of its log: the service may be writing the last one."""
        whole = [line for line in self.log().splitlines(keepends=True) if line.endswith("\n")]
        return [json.loads(line) for line in whole if line.startswith("{")]

    def memory(self) -> float:
        """Resident memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def post(self, content: bytes = b"", **settings: Any) -> httpx.Response:
        """One image as the body, or whatever else httpx can send."""
        if not settings.keys() & {"files", "content"}:
            settings["content"] = content
            settings.setdefault("headers", {}).setdefault("Content-Type", "application/octet-stream")
        return httpx.post(f"{self.url}/v1/predict", timeout=60, **settings)

    def get(self, path: str, **settings: Any) -> httpx.Response:
        return httpx.get(self.url + path, timeout=60, **settings)


def with_limits(run: Path, *, constants: dict[str, float] | None = None, **limits: float) -> Service:
    """A service with limits that the command line does not set.

    constants: other values for constants of `headstart.serving`, such as {"service.WATCH_INTERVAL": 0.1}.
    """
    return Service(
        code="import importlib, json\n"
        "from pathlib import Path\n"
        "from headstart.serving.config import ServiceConfig\n"
        "from headstart.serving.limits import Limits\n"
        "from headstart.serving.listening import serve\n"
        f"for name, value in {(constants or {})!r}.items():\n"
        "    module, constant = name.split('.')\n"
        "    setattr(importlib.import_module(f'headstart.serving.{module}'), constant, value)\n"
        f"config = ServiceConfig(Limits(**{limits!r}))\n"
        f"serve({{'cells': Path({str(run)!r})}}, config, port=0,\n"
        "      announce=lambda address: print(json.dumps({'address': address}), flush=True))\n"
    )
