"""Service: what the routes share. Runs and a configuration -> predictions. Knows no routes."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.background import BackgroundTask

from headstart.errors import ImageError
from headstart.serving.batching import Batching
from headstart.serving.config import ServiceConfig
from headstart.serving.drift import DriftMonitor
from headstart.serving.monitoring import Metrics, log
from headstart.serving.predictions import row_maker
from headstart.serving.problems import RefusedError, problem_of
from headstart.serving.samples import SampleKeeper
from headstart.serving.schemas import Options
from headstart.serving.served import Models, ServedModel
from headstart.serving.uploads import Upload, Uploads

WATCH_INTERVAL = 1.0  # seconds between two checks whether a run was replaced


class Service:
    """The models, the queue of images and the numbers of one service.

    Its routes (`routers.api_router`) start it and end it with the application that they are included in.
    """

    def __init__(self, runs: Mapping[str, Path], config: ServiceConfig | None = None) -> None:
        """
        Args:
            runs: name -> folder; the first answers where a request names none.

        Raises:
            RunError: one of them cannot be opened.
            ServiceError: the folder of samples cannot be written.
        """
        self.config, self.metrics = config or ServiceConfig(), Metrics()
        self.models = Models(runs, show_training_images=self.config.show_training_images)
        self.batching = Batching(self.config.limits, observe=self.metrics.batches.observe)
        self.metrics.queue.set_function(lambda: len(self.batching))
        self.uploads = Uploads(self.config.limits)
        self.keeper = SampleKeeper(self.config.samples) if self.config.samples else None
        self.is_ending = False

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        watcher = asyncio.create_task(self._watch())
        yield
        self.is_ending = True
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher
        await asyncio.to_thread(self.batching.close)

    async def predict(
        self, model: ServedModel, uploads: Sequence[Upload], options: Options
    ) -> list[dict | RefusedError]:
        """For each image, in their order, its row of the answer, or what is wrong with it.

        Raises:
            ModelError: the accuracy or coverage of the options cannot be guaranteed.
            RefusedError: the queue is full, or the answer takes too long.
        """
        contents = [upload.content for upload in uploads]
        futures = self.batching.submit(model.predictor, contents, row_maker(model, options), maps=options.explain)
        waiting = [asyncio.wrap_future(future) for future in futures]
        try:
            async with asyncio.timeout(self.config.limits.answer_seconds):
                results = await asyncio.gather(*waiting, return_exceptions=True)
        except TimeoutError:
            raise RefusedError("took-too-long", "The answer took too long. Try again in a second.") from None
        rows: list[dict | RefusedError] = []
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, ImageError):
                raise result
            rows.append(problem_of(result) if isinstance(result, ImageError) else result)
        return rows

    def after(
        self, model: ServedModel, uploads: Sequence[Upload], results: Sequence[dict | RefusedError], *, may_keep: bool
    ) -> BackgroundTask | None:
        """Counts the answers. Returns what to do once they are sent, in a thread; None: nothing."""
        answered = [
            (upload.content, row) for upload, row in zip(uploads, results, strict=True) if isinstance(row, dict)
        ]
        keeper = self.keeper if may_keep else None
        samples = [(content, row) for content, row in answered if keeper and keeper.wants(content)]
        monitor = model.monitor
        is_due = [monitor.record(row["label"], row["probability"], row["familiar"]) for _, row in answered if monitor]
        if not samples and not any(is_due):
            return None

        def work() -> None:
            if monitor and any(is_due):
                self._look(model, monitor)
            for content, row in samples:
                self._keep(content, row, model)

        return BackgroundTask(work)

    def _look(self, model: ServedModel, monitor: DriftMonitor) -> None:
        found, ended = monitor.look()
        self.metrics.drift.show(model.name, found, monitor.reference, window_ended=ended)
        if ended and found.alarms:
            p = {kind: f"{(found.p or {})[kind]:.1e}" for kind in found.alarms}
            log("drift", model=model.name, unlike_held_out_photos=p)

    def _keep(self, content: bytes, row: dict, model: ServedModel) -> None:
        if self.keeper is None:
            return
        try:
            self.keeper.keep(content, row, model.name, model.digest)
        except OSError as error:
            log("sample", model=model.name, problem=error.strerror or str(error))
        self.metrics.samples.set(self.keeper.kept)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            for reload in await asyncio.to_thread(lambda: list(self.models.refresh())):
                outcome = "failed" if reload.problem else "done"
                self.metrics.reloads.labels(reload.name, outcome).inc()
                log("reload", model=reload.name, outcome=outcome, **({"why": reload.problem} if reload.problem else {}))
