"""A classifier behind Ray Serve: as many copies as there are requests for, on the machines of a cluster.

    pip install 'headstart' 'ray[serve]'
    RUN=runs/photos serve run examples.ray_serve:app
    curl --data-binary @photos/cats/1.jpg http://127.0.0.1:8000/

The folder of the run has to lie on each machine. `headstart serve` does more (several files, explanations, limits,
keys, metrics): take this where other deployments of Ray Serve ask for answers.
"""

import asyncio
import os
from dataclasses import asdict

from ray import serve
from starlette.requests import Request

import headstart as hs


@serve.deployment(num_replicas="auto", max_ongoing_requests=8)
class Photos:
    def __init__(self, run: str) -> None:
        self.predictor = hs.Predictor(run)

    async def __call__(self, request: Request) -> dict:
        return asdict(await asyncio.to_thread(self.predictor.predict, await request.body()))


app = Photos.bind(os.environ.get("RUN", "runs/photos"))  # pyright: ignore[reportAttributeAccessIssue]
