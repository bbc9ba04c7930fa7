"""The body of a request -> image files in memory, within limits that hold while it arrives. Nothing is kept on disk."""

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

MULTIPART, OCTET_STREAM, DICOM = "multipart/form-data", "application/octet-stream", "application/dicom"
MAX_HEADER_BYTES = 16_384  # of all parts of a form; a browser sends about 150 for each file

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{1,70}")  # RFC 2046, 5.1.1


@dataclass(frozen=True)
class Upload:
    """An image file as it arrived. name: the sender's name for it, if any."""

    name: str | None
    content: bytes


class Uploads:
    """The bodies of all requests that are being received or answered."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._requests = self._bytes = 0

    @contextmanager
    def admit(self) -> Iterator["RequestBody"]:
        """Room for the body of one request, until its images are answered.

        Raises:
            RefusedError: there are too many.
        """
        if self._requests >= self._limits.requests:
            raise RefusedError("queue-full", "The service is receiving too many requests. Try again in a second.")
        self._requests += 1
        body = RequestBody(self, self._limits)
        try:
            yield body
        finally:
            self._requests -= 1
            self._bytes -= body.received

    def hold(self, count: int) -> None:
        """Count bytes that are now in memory.

        Raises:
            RefusedError: there are too many.
        """
        self._bytes += count
        if self._bytes > self._limits.held_bytes:
            raise RefusedError("queue-full", "The service is receiving too many large requests. Try again in a second.")


class RequestBody:
    """The body of one request. received: its bytes so far."""

    def __init__(self, uploads: Uploads, limits: Limits) -> None:
        self._uploads, self._limits = uploads, limits
        self.received = 0

    async def read(self, request: Request) -> list[Upload]:
        """All image files of a request: the parts of a form, or the body itself.

        Raises:
            RefusedError: the body is too large, too slow, or not an image.
        """
        media_type = request.headers.get("content-type", OCTET_STREAM).partition(";")[0].strip().lower()
        is_form = media_type == MULTIPART
        if not is_form and media_type not in (OCTET_STREAM, DICOM) and not media_type.startswith("image/"):
            raise RefusedError(
                "unsupported-media-type",
                f"Send one file with 'Content-Type: image/jpeg' (or another image/..., {DICOM} or {OCTET_STREAM}), or "
                f"several as {MULTIPART}.",
            )
        limit, what = (self._limits.request_bytes, "request") if is_form else (self._limits.file_bytes, "file")
        stream = request.stream()
        try:
            async with asyncio.timeout(self._limits.start_seconds) as timeout:
                if int(request.headers.get("content-length", "0")) > limit:
                    raise _too_large(limit, what)
                chunks = self._limited(stream, limit, what, timeout)
                if is_form:
                    return await self._parts(request, chunks)
                return [Upload(None, b"".join([chunk async for chunk in chunks]))]
        except TimeoutError:
            rate = f"{self._limits.bytes_per_second:,} bytes a second"
            raise RefusedError("too-slow", f"The body arrived at less than {rate}. Send smaller images.") from None
        except ClientDisconnect:
            raise RefusedError("bad-request", "The connection was closed before the body was complete.") from None

    async def _limited(
        self, stream: AsyncIterator[bytes], limit: int, what: str, timeout: asyncio.Timeout
    ) -> AsyncGenerator[bytes, None]:
        """The same chunks, within the limits. The more has arrived, the longer the rest may take."""
        clock = asyncio.get_running_loop().time
        start = clock()
        async for chunk in stream:
            self.received += len(chunk)
            self._uploads.hold(len(chunk))
            if self.received > limit:
                raise _too_large(limit, what)
            timeout.reschedule(start + self._limits.start_seconds + self.received / self._limits.bytes_per_second)
            yield chunk

    async def _parts(self, request: Request, stream: AsyncGenerator[bytes, None]) -> list[Upload]:
        _, options = parse_options_header(request.headers["content-type"])
        boundary = options.get(b"boundary", b"").decode("latin-1")
        if not _BOUNDARY.fullmatch(boundary):
            raise RefusedError(
                "bad-multipart", "The form cannot be read: its Content-Type has no boundary, or an invalid one."
            )
        # without a charset: file names are UTF-8, or read as Latin-1, never in an encoding that a client makes up
        parser = _Parser(Headers({"content-type": f'{MULTIPART}; boundary="{boundary}"'}), stream, self._limits)
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise RefusedError("bad-multipart", f"The form cannot be read: {error.message}") from None
        uploads = []
        for _, part in form.multi_items():
            if isinstance(part, UploadFile):
                uploads.append(Upload(part.filename or None, part.file.read()))
                part.file.close()
        if not uploads:
            raise RefusedError(
                "no-image", "The form contains no file. Send at least one, for example with curl's -F file=@photo.jpg."
            )
        return uploads


class _Parser(MultiPartParser):
    """Starlette's parser, with limits of our own that hold while a form arrives, and files in memory only."""

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None], limits: Limits) -> None:
        # one file too many is refused below, with the number that is allowed; other fields are ignored
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
                "too-many-files", f"The form contains more than {self._limits.files} files. Use several requests."
            )

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._file_bytes += end - start
        if self._file_bytes > self._limits.file_bytes:
            raise _too_large(self._limits.file_bytes, "file")
        super().on_part_data(data, start, end)

    def _count_header(self, count: int) -> None:
        self._header_bytes += count
        if self._header_bytes > MAX_HEADER_BYTES:
            raise RefusedError(
                "bad-multipart", f"The headers of the form's parts are larger than {MAX_HEADER_BYTES:,} bytes."
            )


def _too_large(limit: int, what: str) -> RefusedError:
    return RefusedError(
        "too-many-bytes", f"The {what} is larger than {limit / MEGABYTE:g} MB. Send a smaller image."
    )  # fmt: skip
