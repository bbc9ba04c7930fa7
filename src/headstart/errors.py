"""What a user can do wrong, as a tree of exceptions.

    HeadstartError
     |- ImageError          one image cannot be read; a collection goes on without it
     |   |- NotAnImageError     it is none, whatever its name says
     |   `- ImageTooLargeError  it has more pixels than are decoded
     |- DatasetError        the collection of images as a whole cannot be used
     |   `- DownloadError   an address cannot be reached, or gives something else (also a WeightsError)
     |- ModelError          an unknown backbone, an impossible image size
     |   `- WeightsError    pretrained weights that are missing, unreachable or do not fit
     |- ExportError         a format that does not exist, or an export that answers otherwise than its classifier
     |- RunError            a run folder that exists, is missing, damaged, or cannot be written
     |   `- RunInterruptedError  the user stopped it (Ctrl-C); exit status 1
     |- CancelledError      a listener asked the work to stop
     |- ServiceError        the HTTP service cannot be started or reached, or it refuses
     `- MissingExtraError   a part of headstart that is not installed

Each message says what was found, what was expected and what to do. The command line turns every HeadstartError into
one message and exit status 2; anything else that escapes is a fault of headstart.
"""


class HeadstartError(Exception):
    """The base of every error that the user can mend."""


class ImageError(HeadstartError):
    """One image cannot be read: it is empty, cut short, too large, or no image at all."""


class NotAnImageError(ImageError):
    """What was given is no image of a format that headstart reads."""


class ImageTooLargeError(ImageError):
    """An image says that it has more pixels than are decoded."""


class DatasetError(HeadstartError):
    """A folder, zip or CSV of images cannot be used as it is."""


class ModelError(HeadstartError):
    """The backbone, the image size or another setting of the model is impossible."""


class WeightsError(ModelError):
    """Pretrained weights are missing, cannot be reached, or belong to another backbone."""


class DownloadError(DatasetError, WeightsError):
    """An address cannot be reached, or what it gives is not what was expected."""


class ExportError(HeadstartError):
    """There is no such format, it cannot be quantised so, or the file would not answer as its classifier does."""


class RunError(HeadstartError):
    """A run folder exists already, does not exist, is damaged, or cannot be written."""


class RunInterruptedError(RunError):
    """The user stopped a run; the message says what was kept and how to go on."""


class CancelledError(HeadstartError):
    """The listener of some work asked that it stop."""


class ServiceError(HeadstartError):
    """The HTTP service cannot be started, cannot be reached, or refuses to answer."""


class MissingExtraError(HeadstartError):
    """A library that an extra of headstart installs is not there."""
