"""How much the service takes at a time."""

from dataclasses import dataclass

MEGABYTE = 1_000_000  # bytes


@dataclass(frozen=True)
class Limits:
    """file_bytes: of one image file. files: images in a request. pixels: of an image, as its header says.
    queue: images that are accepted and not answered yet. patience: seconds that a client may take to begin sending.
    slowest: bytes a second that it must send from then on. answer_seconds: until an accepted request is answered.
    """

    file_bytes: int = 20 * MEGABYTE  # a photo of a telephone has 2 to 12
    files: int = 32
    pixels: int = 50_000_000  # a PNG of so many takes some 550 MB while it is decoded, a JPEG 20
    queue: int = 64  # about a second of work for two cores
    patience: float = 10
    slowest: int = 50_000  # 0.4 Mbit/s
    answer_seconds: float = 30

    @property
    def request_bytes(self) -> int:
        """Of the body of a request."""
        return 4 * self.file_bytes

    @property
    def held_bytes(self) -> int:
        """Of all bodies together that are in memory at the same time."""
        return 4 * self.request_bytes

    @property
    def requests(self) -> int:
        """Whose bodies may be coming at the same time."""
        return 4 * self.queue
