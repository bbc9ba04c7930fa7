"""Rounds of speeds, measured in turn -> lines with the medians, and the ratios of each round."""

import statistics
from collections.abc import Mapping, Sequence


def show(title: str, rounds: Sequence[Mapping[str, float]], ours: str) -> None:
    """rounds: of each round the images/s of each side. ours: the side that the others are compared with."""
    for name in rounds[0]:
        speed = statistics.median(each[name] for each in rounds)
        ratios = [each[ours] / each[name] for each in rounds]
        spread = f"{statistics.median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{title}  {name:<27} {speed:6.0f} images/s   {ours} is {spread}", flush=True)
