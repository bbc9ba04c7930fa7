"""Image files of many requests -> outputs of a network, through one bounded queue. Knows nothing of HTTP.

Files are decoded in threads, one for each core. A decoded image waits for the next free engine thread, which takes what
is there, up to the number of images that its network runs at a time. A lone image does not wait for others.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from headstart.classifier.base import BasePredictor, Seen, stacked
from headstart.concurrency import cpu_budget
from headstart.models.output import NetworkOutput
from headstart.serving.limits import Limits
from headstart.serving.problems import RefusedError

MAX_WAIT = 0.003  # seconds to wait for images that are being decoded, where a network runs several at a time

ToResult = Callable[[NetworkOutput, str | None], Any]  # the output for one image, and a remark on it -> its result


@dataclass(eq=False)
class _Job:
    predictor: BasePredictor
    to_result: ToResult
    content: bytes | None
    maps: bool
    seen: Seen | None = None
    future: Future[Any] = field(default_factory=Future)

    def finish(self, output: NetworkOutput) -> None:
        try:
            self.future.set_result(self.to_result(output, self.seen and self.seen.remark))
        except Exception as error:  # noqa: BLE001 - whoever waits for the result gets it
            self.future.set_exception(error)


class Batching:
    """A queue of images, and the threads that work on them. Each image brings its own predictor."""

    def __init__(self, limits: Limits, *, observe: Callable[[int], None] = lambda images: None) -> None:
        """observe: is called with the number of images in each batch."""
        self._limits, self._observe = limits, observe
        self._changed = threading.Condition()
        self._decoded: deque[_Job] = deque()
        self._accepted = self._decoding = 0  # images without a result, and those of them that are not decoded yet
        self._closed = False
        self._decoders = ThreadPoolExecutor(cpu_budget(), "decoder")
        self._engines: list[threading.Thread] = []

    def __len__(self) -> int:
        """Images that are accepted but have no result yet."""
        return self._accepted

    def submit(
        self, predictor: BasePredictor, files: Sequence[bytes], to_result: ToResult, *, maps: bool = False
    ) -> list[Future[Any]]:
        """Accept all of these images, or none.

        Args:
            to_result: runs in an engine thread.
            maps: whether it needs feature maps.

        Returns:
            For each image the future of its result, or of its ImageError. No work is done for one that is cancelled.

        Raises:
            RefusedError: the queue is full.
        """
        with self._changed:
            if self._closed or self._accepted + len(files) > self._limits.queue:
                raise RefusedError("queue-full", "The service is at its limit. Try again in a second.")
            self._start()
            self._accepted += len(files)
            self._decoding += len(files)
        jobs = [_Job(predictor, to_result, content, maps) for content in files]
        for job in jobs:
            job.future.add_done_callback(self._release)
            self._decoders.submit(self._decode, job)
        return [job.future for job in jobs]

    def close(self) -> None:
        """Finish what was accepted, and stop."""
        self._decoders.shutdown()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._engines:
            thread.join()

    def _start(self) -> None:
        """Start the threads, with the first images: a server may make the application, and then fork its workers."""
        if self._engines:
            return
        # one more than there are cores: it starts when another ends, while the result of that one is made
        for number in range(cpu_budget() + 1):
            self._engines.append(threading.Thread(target=self._work, name=f"engine-{number}", daemon=True))
            self._engines[-1].start()

    def _release(self, future: Future[Any]) -> None:
        with self._changed:
            self._accepted -= 1

    def _decode(self, job: _Job) -> None:
        is_wanted = job.future.set_running_or_notify_cancel()
        content, job.content = job.content, None  # it is large, and no longer needed
        try:
            if is_wanted and content is not None:
                job.seen = job.predictor.see(content, max_pixels=self._limits.pixels)
        except Exception as error:  # noqa: BLE001 - whoever waits for the result gets it
            job.future.set_exception(error)
        with self._changed:
            self._decoding -= 1
            if job.seen is not None:
                self._decoded.append(job)
            self._changed.notify_all()

    def _work(self) -> None:
        while jobs := self._next_batch():
            self._observe(len(jobs))
            try:
                batch = stacked([job.seen.square for job in jobs if job.seen])
                for output in jobs[0].predictor.forward([batch], maps=any(job.maps for job in jobs)):
                    for index, job in enumerate(jobs):
                        job.finish(output.rows(slice(index, index + 1)))
            except Exception as error:  # noqa: BLE001 - whoever waits for the result gets it
                for job in jobs:
                    if not job.future.done():
                        job.future.set_exception(error)

    def _next_batch(self) -> list[_Job]:
        """Images for the same network; none once the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._decoded or self._closed)
            if not self._decoded:
                return []
            first = self._decoded.popleft()
            room = first.predictor.batch_size - 1
            if room:
                self._changed.wait_for(lambda: len(self._decoded) >= room or not self._decoding, MAX_WAIT)
            others = [job for job in self._decoded if job.predictor is first.predictor][:room]
            for job in others:
                self._decoded.remove(job)
            return [first, *others]
