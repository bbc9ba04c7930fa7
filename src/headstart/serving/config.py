"""ServiceConfig: what the operator of a service can set, besides its address."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from headstart.serving.limits import Limits


@dataclass(frozen=True)
class ServiceConfig:
    """
    Attributes:
        limits: how much is accepted at a time.
        api_key: that each request must carry; None: everybody may ask.
        cors: origins of web pages that may ask, besides the service's own page.
        show_training_images: whether the most similar training images are shown with a prediction.
    """

    limits: Limits = field(default_factory=Limits)
    api_key: str | None = None
    cors: Sequence[str] = ()
    show_training_images: bool = False
