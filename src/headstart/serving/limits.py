"""How much the service accepts at a time."""

from dataclasses import dataclass

MEGABYTE = 1_000_000  # bytes


@dataclass(frozen=True)
class Limits:
    """
    Attributes:
        file_bytes: of one image file.
        files: images in one request.
        pixels: of one image, as its header states.
        queue: images that are accepted but not yet answered.
        start_seconds: in which a client must start to send.
        bytes_per_second: that a client must send after that.
        answer_seconds: in which an accepted request must be answered.
    """

    file_bytes: int = 20 * MEGABYTE  # a phone's photo has 2 to 12
    files: int = 32
    pixels: int = 50_000_000  # decoding a PNG of this size takes some 550 MB, a JPEG 20
    queue: int = 64  # about a second of work for two cores
    start_seconds: float = 10
    bytes_per_second: int = 50_000  # 0.4 Mbit/s
    answer_seconds: float = 30

    @property
    def request_bytes(self) -> int:
        """Of the body of one request."""
        return 4 * self.file_bytes

    @property
    def held_bytes(self) -> int:
        """Of all bodies that are in memory at the same time."""
        return 4 * self.request_bytes

    @property
    def requests(self) -> int:
        """Whose bodies may be received at the same time."""
        return 4 * self.queue
