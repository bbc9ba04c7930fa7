"""The body of a request -> image files in memory, within limits that hold while it comes. Nothing is kept on disk."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from headstart.serving.limits import MEGABYTE, Limits
from headstart.serving.problems import RefusedError

MULTIPART, ANYTHING = "multipart/form-data", "application/octet-stream"
HEADERS = 16_384  # bytes of the headers of all parts of a body; a browser sends about 150 for a file

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{1,70}")  # RFC 2046, 5.1.1


@dataclass(frozen=True)
class Upload:
    """An image file as it came. name: what its sender calls it, if anything."""

    name: str | None
    content: bytes


class Uploads:
    """What is coming in at the moment, all requests together."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._requests = self._bytes = 0

    @contextmanager
    def place(self) -> Iterator["Place"]:
        """Room for the body of a request, until its images are answered.

        Raises:
            RefusedError: too many are here.
        """
        if self._requests >= self._limits.requests:
            raise RefusedError("queue-full", "Too many requests are being sent at this moment. Ask again in a second.")
        self._requests += 1
        place = Place(self, self._limits)
        try:
            yield place
        finally:
            self._requests -= 1
            self._bytes -= place.received

    def hold(self, count: int) -> None:
        self._bytes += count
        if self._bytes > self._limits.held_bytes:
            raise RefusedError("queue-full", "Too many large requests are here at this moment. Ask again in a second.")


class Place:
    """The body of one request."""

    def __init__(self, uploads: Uploads, limits: Limits) -> None:
        self._uploads, self._limits = uploads, limits
        self.received = 0  # bytes

    async def read(self, request: Request) -> list[Upload]:
        """All image files of a request: the parts of a form, or the body as it is.

        Raises:
            RefusedError: it is too large, too slow, or no image.
        """
        media_type = request.headers.get("content-type", ANYTHING).partition(";")[0].strip().lower()
        if media_type != MULTIPART and media_type != ANYTHING and not media_type.startswith("image/"):
            raise RefusedError(
                "unsupported-media-type",
                f"Send the file with 'Content-Type: image/jpeg' (or another image/..., or {ANYTHING}), or files as "
                f"{MULTIPART}.",
            )
        most = self._limits.request_bytes if media_type == MULTIPART else self._limits.file_bytes
        stream = request.stream()
        try:
            async with asyncio.timeout(self._limits.patience) as time_out:
                if int(request.headers.get("content-length", "0")) > most:
                    raise _too_large(most, "request" if media_type == MULTIPART else "file")
                if media_type == MULTIPART:
                    return await self._parts(request, self._measured(stream, most, "request", time_out))
                content = b"".join([chunk async for chunk in self._measured(stream, most, "file", time_out)])
                return [Upload(None, content)]
        except TimeoutError:
            slowest = f"{self._limits.slowest:,} bytes a second"
            raise RefusedError("too-slow", f"The body came more slowly than {slowest}. Send smaller images.") from None
        except ClientDisconnect:
            raise RefusedError("bad-request", "The connection ended before the body did.") from None

    async def _measured(
        self, stream: AsyncIterator[bytes], most: int, what: str, time_out: asyncio.Timeout
    ) -> AsyncGenerator[bytes, None]:
        """The same, as long as it is within the limits; the more has come, the longer may the rest take."""
        clock = asyncio.get_running_loop().time
        start = clock()
        async for chunk in stream:
            self.received += len(chunk)
            self._uploads.hold(len(chunk))
            if self.received > most:
                raise _too_large(most, what)
            time_out.reschedule(start + self._limits.patience + self.received / self._limits.slowest)
            yield chunk

    async def _parts(self, request: Request, stream: AsyncGenerator[bytes, None]) -> list[Upload]:
        _, options = parse_options_header(request.headers["content-type"])
        boundary = options.get(b"boundary", b"").decode("latin-1")
        if not _BOUNDARY.fullmatch(boundary):
            raise RefusedError(
                "bad-multipart", "The form cannot be read: its Content-Type names no boundary, or a wrong one."
            )
        # without a charset: names of files are UTF-8, or taken for Latin-1, never what a client makes up
        parser = _Parser(Headers({"content-type": f'{MULTIPART}; boundary="{boundary}"'}), stream, self._limits)
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise RefusedError("bad-multipart", f"The form cannot be read: {error.message}") from None
        found = []
        for _, part in form.multi_items():
            if isinstance(part, UploadFile):
                found.append(Upload(part.filename or None, part.file.read()))
                part.file.close()
        if not found:
            raise RefusedError(
                "no-image", "The form holds no file. Send at least one, such as curl's --form file=@photo.jpg."
            )
        return found


class _Parser(MultiPartParser):
    """Starlette's, with limits of our own that hold while a form comes, and files in memory only."""

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None], limits: Limits) -> None:
        # one file more than is allowed is refused below, with what is allowed; other fields are not for us
        super().__init__(headers, stream, max_files=limits.files + 1, max_fields=limits.files, max_part_size=1_000)
        self.spool_max_size = limits.request_bytes + 1
        self._limits, self._file_bytes, self._header_bytes = limits, 0, 0

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        super().on_header_field(data, start, end)

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        super().on_header_value(data, start, end)

    def on_part_begin(self) -> None:
        self._file_bytes = 0
        super().on_part_begin()

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        if self._current_files > self._limits.files:
            raise RefusedError(
                "too-many-files", f"The form holds more than {self._limits.files} files; send some at a time."
            )

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._file_bytes += end - start
        if self._file_bytes > self._limits.file_bytes:
            raise _too_large(self._limits.file_bytes, "file")
        super().on_part_data(data, start, end)

    def _count_header(self, count: int) -> None:
        self._header_bytes += count
        if self._header_bytes > HEADERS:
            raise RefusedError("bad-multipart", f"The headers of the form's parts have more than {HEADERS:,} bytes.")


def _too_large(most: int, what: str) -> RefusedError:
    return RefusedError("too-many-bytes", f"The {what} has more than {most / MEGABYTE:g} MB. Make the image smaller.")
