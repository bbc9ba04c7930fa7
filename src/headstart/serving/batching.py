"""Image files of many requests -> looks of a network, through one bounded queue. Knows nothing of HTTP.

Files are decoded in threads, a thread a core. What is decoded waits for the next free thread of the engine, which takes
what is there, up to the images that its network runs at a time. A lone image waits for nothing.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.classifier.base import BasePredictor, stacked
from headstart.concurrency import cpu_budget
from headstart.models.output import NetworkOutput
from headstart.serving.limits import Limits
from headstart.serving.problems import RefusedError

PATIENCE = 0.003  # seconds to wait for images that are being decoded, where a network runs several at a time


@dataclass(eq=False)
class _Job:
    answering: BasePredictor
    finish: Callable[[NetworkOutput], Any]
    content: bytes | None
    pixels: np.ndarray | None = None
    future: Future[Any] = field(default_factory=Future)


class Batching:
    """A queue of images, and the threads that answer them. Networks may come and go: each image brings its own."""

    def __init__(self, limits: Limits, *, observe: Callable[[int], None] = lambda images: None) -> None:
        """observe: is told how many images went through a network together."""
        cores = cpu_budget()
        self._limits, self._observe = limits, observe
        self._changed = threading.Condition()
        self._decoded: deque[_Job] = deque()
        self._accepted = self._decoding = 0  # images that are not answered, and of these the ones not decoded yet
        self._closed = False
        self._decoders = ThreadPoolExecutor(cores, "decoder")
        # one more than cores: it begins when one ends, while that one's answer is made
        self._engines = [threading.Thread(target=self._work, name=f"engine-{i}", daemon=True) for i in range(cores + 1)]
        for thread in self._engines:
            thread.start()

    def __len__(self) -> int:
        """Images that are accepted and not answered."""
        return self._accepted

    def submit(
        self, answering: BasePredictor, files: Sequence[bytes], finish: Callable[[NetworkOutput], Any]
    ) -> list[Future[Any]]:  # fmt: skip
        """Accept all of these images, or none.

        finish: what the network shows of an image, as a `NetworkOutput` of one -> its result, in a thread of the engine.

        Returns:
            For each image the future of its result, or of the ImageError. Where it is cancelled, no work is done.

        Raises:
            RefusedError: the queue is full.
        """
        with self._changed:
            if self._closed or self._accepted + len(files) > self._limits.queue:
                raise RefusedError("queue-full", "The service has as much to do as it can keep. Ask again in a second.")
            self._accepted += len(files)
            self._decoding += len(files)
        jobs = [_Job(answering, finish, content) for content in files]
        for job in jobs:
            job.future.add_done_callback(self._answered)
            self._decoders.submit(self._decode, job)
        return [job.future for job in jobs]

    def close(self) -> None:
        """Answer what is accepted, and end."""
        self._decoders.shutdown()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._engines:
            thread.join()

    def _answered(self, future: Future[Any]) -> None:
        with self._changed:
            self._accepted -= 1

    def _decode(self, job: _Job) -> None:
        wanted = job.future.set_running_or_notify_cancel()
        content, job.content = job.content, None  # it is large, and not needed any more
        try:
            if wanted and content is not None:
                job.pixels = job.answering.pixels(content, max_pixels=self._limits.pixels)
        except Exception as error:  # noqa: BLE001 - who waits for the answer gets it
            job.future.set_exception(error)
        with self._changed:
            self._decoding -= 1
            if job.pixels is not None:
                self._decoded.append(job)
            self._changed.notify_all()

    def _work(self) -> None:
        while jobs := self._take():
            self._observe(len(jobs))
            try:
                looks = jobs[0].answering.forward([stacked([job.pixels for job in jobs])])  # type: ignore[misc]
                for look in looks:
                    for number, job in enumerate(jobs):
                        _finish(job, NetworkOutput(*(part[number : number + 1] for part in look)))
            except Exception as error:  # noqa: BLE001 - who waits for an answer gets it
                for job in jobs:
                    if not job.future.done():
                        job.future.set_exception(error)

    def _take(self) -> list[_Job]:
        """Images for the same network; none where there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._decoded or self._closed)
            if not self._decoded:
                return []
            first = self._decoded.popleft()
            room = first.answering.batch_size - 1
            if room:
                self._changed.wait_for(lambda: len(self._decoded) >= room or not self._decoding, PATIENCE)
            others = [job for job in self._decoded if job.answering is first.answering][:room]
            for job in others:
                self._decoded.remove(job)
            return [first, *others]


def _finish(job: _Job, look: NetworkOutput) -> None:
    try:
        job.future.set_result(job.finish(look))
    except Exception as error:  # noqa: BLE001 - who waits for this image's answer gets it, and nobody else
        job.future.set_exception(error)
