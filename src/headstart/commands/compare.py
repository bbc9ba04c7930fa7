"""`headstart compare`: two runs -> which one is better, if that can be told. Runs no network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headstart.evaluation.comparison import Comparison


@dataclass(frozen=True)
class RunComparison:
    """images: the split of the images that both runs were compared on, "test" or "validation"."""

    first: Path
    second: Path
    images: str
    comparison: Comparison

    def to_json(self) -> dict:
        return {
            "first_run": str(self.first),
            "second_run": str(self.second),
            "images": self.images,
            **self.comparison.to_json(),
        }

    def __str__(self) -> str:
        found, width = self.comparison, max(len(str(self.first)), len(str(self.second)))
        return (
            f"{found.first.count:,} {self.images} images that both have\n"
            f"{self.first!s:<{width}}  {found.first}\n"
            f"{self.second!s:<{width}}  {found.second}\n"
            f"{found.verdict}"
        )


def compare(first: str | Path, second: str | Path) -> RunComparison:
    """Say whether one run is better than another, by their answers to the held-out images that both have.

    Args:
        first, second: folders of runs.

    Raises:
        RunError: one of them is not a run, they have no such images in common, or their labels differ.
    """
    from headstart.runs.predictions import compare_runs

    first, second = Path(first), Path(second)
    comparison, images = compare_runs(first, second)
    return RunComparison(first, second, images, comparison)
