"""A studio in its own process, on a free port of this machine, and a client that has its key."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np

from support.serving import Service


class StudioServer(Service):
    """`headstart studio ...`. address: with the key, as a browser opens it. url: without."""

    command = ("studio", "--port", "0", "--no-browser", "--json")

    def __init__(self, *arguments: object, **environment: str) -> None:
        super().__init__(*arguments, **environment)
        self.address = self.url
        self.url, _, self.token = self.address.partition("/?token=")
        self.client = self.new_client()
        if arguments:
            self.wait_for(lambda state: state["collection"] or state["opening"]["problem"], "/api/state")

    def new_client(self) -> httpx.Client:
        """As a program: with the token."""
        return httpx.Client(base_url=self.url, timeout=60, headers={"Authorization": f"Bearer {self.token}"})

    def stop(self, *signals: Any, **given: Any) -> int:
        self.client.close()
        return super().stop(*signals, **given)

    def ask(self, path: str, /, **body: Any) -> Any:
        """GET, or with a body POST; the answer's JSON."""
        answer = self.client.post(path, json=body) if body else self.client.get(path)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def ids(self, **query: Any) -> list[int]:
        """Of the photos that a query asks for. `classes` stands for `class`."""
        if "classes" in query:
            query["class"] = query.pop("classes")
        answer = self.client.post("/api/photos/query", json=query)
        assert answer.status_code == 200, answer.text
        ids = np.frombuffer(answer.content, "<i4").tolist()
        assert int(answer.headers["X-Total"]) == len(ids)
        return ids

    def wait_for(self, condition: Callable[[Any], Any], path: str = "/api/collection", seconds: float = 60) -> Any:
        """The answer of `path` as soon as it fulfils a condition."""
        until = time.monotonic() + seconds
        while True:
            answer = self.client.get(path)
            if answer.status_code == 200 and answer.json() is not None and condition(answer.json()):
                return answer.json()
            assert time.monotonic() < until, f"{answer.text[:2000]}\n{self.log()}"
            time.sleep(0.05)
