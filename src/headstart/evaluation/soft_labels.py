"""Calibrated probabilities, and labels that are also probabilities -> how far apart they are. Knows no images."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from headstart.array_types import Float, Float64
from headstart.numerics import cross_entropies
from headstart.statistics import MeanInterval, bootstrap


@dataclass(frozen=True)
class SoftMetrics:
    """Of images whose labels are shares of classes.

    shared: images of which several classes have a share.
    log_loss: mean cross-entropy of the probabilities against the shares, natural logarithm. least: what it is at least,
        the mean entropy of the shares; of_constant: if always the mean shares of these images were said.
    brier: squared differences between probabilities and shares, summed over classes, 0 to 2; the mean over images:
        G. Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78 (1950).
    """

    shared: int
    log_loss: MeanInterval
    least: float
    of_constant: float
    brier: MeanInterval

    def to_json(self) -> dict:
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping) -> "SoftMetrics":
        numbers = {name: MeanInterval(**content[name]) for name in ("log_loss", "brier")}
        return cls(**{**content, **numbers})

    def __str__(self) -> str:
        loss, brier = self.log_loss, self.brier
        return (
            f"against the probabilities of the labels: log loss {loss.value:.4f} ({loss.low:.4f} to {loss.high:.4f}), "
            f"where {self.least:.4f} is the least possible, and always saying their mean gives {self.of_constant:.4f}; "
            f"Brier score {brier.value:.4f} ({brier.low:.4f} to {brier.high:.4f})"
        )


def measure_shares(
    log_probabilities: Float64[np.ndarray, "n classes"],
    shares: Float[np.ndarray, "n classes"],
    groups: Sequence[str] = (),
) -> SoftMetrics:
    """log_probabilities: calibrated. groups: of the images, or none; n is at least 1."""
    losses = cross_entropies(log_probabilities, shares)
    squares = ((np.exp(log_probabilities) - shares) ** 2).sum(axis=1)
    always, of_images = shares.mean(axis=0, dtype=np.float64), groups or None
    return SoftMetrics(
        shared=int((shares.max(axis=1) < 1).sum()),
        log_loss=bootstrap(
            lambda rows: losses[rows].mean(), len(losses), of_images, lowest=0.0, highest=float(losses.max())
        ),
        least=_entropy(shares.astype(np.float64)) / len(shares),
        of_constant=_entropy(always),
        brier=bootstrap(lambda rows: squares[rows].mean(), len(squares), of_images, lowest=0.0, highest=2.0),
    )


def _entropy(shares: Float64[np.ndarray, "..."]) -> float:
    """The sum over all of them."""
    some = shares[shares > 0]
    return float(-(some * np.log(some)).sum())
