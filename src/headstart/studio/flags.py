"""Answers, neighbours and copies -> which photos a finding is about: what the grid filters by. Knows no files.

Keys are those of `inspection.findings.KINDS` (DOUBT, CONFLICT, BYTES, PIXELS, NEAR, LEAK, OUTLIER), so that a title and
an explanation stand there; findings about files (small, oblong, wrong ending, ...) come from an inspection.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.array_types import Int
from headstart.inspection.duplicates import Pair
from headstart.studio.answers import Answers
from headstart.studio.neighbourhood import Neighbourhood


def flags(
    answers: Answers | None,
    neighbourhood: Neighbourhood | None,
    copies: Sequence[Pair] | None,
    labels: Int[np.ndarray, " n"],
    splits: Sequence[str] | None = None,
) -> dict[str, Int[np.ndarray, " m"]]:
    """Kind -> the photos it is about, the surest first; kinds without photos are left out, the most important first.

    answers, neighbourhood, copies: None as long as they are not known. splits: of each photo ("" for none), for leaks.
    """
    raise NotImplementedError
