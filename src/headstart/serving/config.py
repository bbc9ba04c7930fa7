"""ServiceConfig: what the operator of a service can set, besides its address."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from headstart.errors import ServiceError
from headstart.serving.limits import Limits
from headstart.serving.samples import SampleSettings

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")


@dataclass(frozen=True)
class ServiceConfig:
    """
    Attributes:
        limits: how much is accepted at a time.
        api_key: that each request must carry; None: everybody may ask.
        cors: origins of web pages that may ask, besides the service's own page.
        show_training_images: whether the most similar training images are shown with a prediction.
        samples: which photos are kept, and where; None: none.
        path_prefix: path under which a proxy shows the service, such as /pets, whether it passes it on or not.

    Raises:
        ServiceError: the prefix is no path.
    """

    limits: Limits = field(default_factory=Limits)
    api_key: str | None = None
    cors: Sequence[str] = ()
    show_training_images: bool = False
    path_prefix: str = ""
    samples: SampleSettings | None = None

    def __post_init__(self) -> None:
        if self.path_prefix and not _PREFIX.fullmatch(self.path_prefix):
            raise ServiceError(f"'{self.path_prefix}' is not the prefix of a path; expected one such as /pets.")
