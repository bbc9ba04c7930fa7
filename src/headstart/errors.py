"""What a user can correct, as a tree of exceptions.

    HeadstartError
     |- ImageError          one image cannot be read; a collection is used without it
     |   |- NotAnImageError     it is not an image, whatever its name says
     |   `- ImageTooLargeError  it has more pixels than headstart decodes
     |- DatasetError        a collection of images cannot be used
     |   |- DownloadError       an address cannot be reached, or gives something unexpected (also a WeightsError)
     |   `- LocationError       a URL of photos or answers cannot be reached, listed, read or written (also a RunError)
     |- ModelError          an unknown backbone, an impossible image size or other setting
     |   `- WeightsError        pretrained weights are missing, unreachable, or do not fit
     |- ExportError         an unknown format, or an export that answers differently from its classifier
     |- RunError            a run folder exists already, is missing, is damaged, or cannot be written
     |   `- RunInterruptedError the user stopped the run (Ctrl-C); exit status 1
     |- CancelledError      a listener asked the work to stop
     |- ClusterError        the machines that `--on` names cannot be reached, differ, or have lost what they worked on
     |- ServiceError        the HTTP service cannot be started or reached, or refuses to answer
     `- MissingExtraError   an optional part of headstart is not installed

Each message says what was found, what was expected and what to do. The command line turns every HeadstartError into
one message and exit status 2. Any other exception that escapes is a bug in headstart.
"""


class HeadstartError(Exception):
    """The base of every error that the user can correct.

    reason, facts: where a page may say it in another language: what is wrong, and the names and numbers in it.
    """

    def __init__(self, message: str = "", *, reason: str = "", **facts: str | float) -> None:
        super().__init__(message)
        self.reason, self.facts = reason, facts

    def told(self) -> dict[str, object]:
        """For programs: its type, its message, and what a page may say instead of that."""
        found: dict[str, object] = {"type": type(self).__name__, "message": str(self)}
        return found | ({"reason": self.reason, "facts": self.facts} if self.reason else {})


class ImageError(HeadstartError):
    """One image cannot be read: it is empty, truncated, too large, or not an image."""


class NotAnImageError(ImageError):
    """The content is not an image in a format that headstart reads."""


class ImageTooLargeError(ImageError):
    """An image has more pixels than headstart decodes."""


class DatasetError(HeadstartError):
    """A folder, zip or CSV of images cannot be used as it is."""


class ModelError(HeadstartError):
    """The backbone, the image size or another setting of the model is impossible."""


class WeightsError(ModelError):
    """Pretrained weights are missing, cannot be reached, or belong to another backbone."""


class DownloadError(DatasetError, WeightsError):
    """An address cannot be reached, or gives something unexpected."""


class ExportError(HeadstartError):
    """The format is unknown, cannot be quantized this way, or the file would answer differently from its classifier."""


class RunError(HeadstartError):
    """A run folder exists already, does not exist, is damaged, or cannot be written."""


class RunInterruptedError(RunError):
    """The user stopped a run. The message says what was kept and how to resume."""


class CancelledError(HeadstartError):
    """The listener asked the work to stop."""


class ClusterError(HeadstartError):
    """A cluster of machines cannot be reached, does not suit, or cannot finish its work."""


class LocationError(DatasetError, RunError):
    """A URL, of photos or of what is written, cannot be reached, listed, read or written."""


class ServiceError(HeadstartError):
    """The HTTP service cannot be started, cannot be reached, or refuses to answer."""


class MissingExtraError(HeadstartError):
    """A library that one of headstart's extras installs is missing."""


def first_line(error: BaseException) -> str:
    """What a library says of an error, in one line."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def first_cause(error: BaseException) -> BaseException:
    """The error that was raised first, where cleaning up after it raised others."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return error
