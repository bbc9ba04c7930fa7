"""Trained: a classifier, and what it says of any images in the way that is fastest now, from features that are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.array_types import Float, Float32, UInt8
from headstart.classifier.classifier import Classifier
from headstart.data.dataset import Split
from headstart.data.views import ORIGINAL
from headstart.features import linear_head
from headstart.features.rows import Leading, Rows
from headstart.features.spec import FeatureSpec
from headstart.numerics import check_numbers
from headstart.statistics import Interval
from headstart.training.execution import Execution


@dataclass(frozen=True, eq=False)
class Trained:
    """A classifier, and what it was trained with. Each answer is computed once.

    fine_tuned: whether the classifier has the weights of a fine-tuning.
    views: names of the views of each training image that were kept; none if each epoch drew fresh ones.
    training_precision: of the features of training images: "float32" or "bfloat16".
    depth: how many numbers the last layer of the base gives.
    spec: of the features of the base as it was pretrained.
    compact: Split -> float32 (n, components), what the base says as it was pretrained, in a few numbers; None if its
        features were not needed.
    cross_validated: see `Calibrated`.
    """

    classifier: Classifier
    execution: Execution
    fine_tuned: bool
    training_precision: str
    depth: int
    spec: FeatureSpec
    views: tuple[str, ...] = ()
    compact: Callable[[Split], Float32[np.ndarray, "n components"]] | None = None
    cross_validated: Interval | None = None
    _known: dict[Any, Any] = field(default_factory=dict, repr=False)

    def features(self, split: Split, view: str = ORIGINAL) -> Rows:
        """(n, numbers), what the head is given: what the base says, and if it reads them, other depths."""
        return self._once(
            ("features", split, view), lambda: self.execution.features(split, fine_tuned=self.fine_tuned, view=view)
        )

    def last_layer(self, split: Split) -> Rows:
        """(n, depth): what the base says in the end."""
        return Leading(self.features(split), self.depth)

    def logits(self, split: Split, view: str = ORIGINAL) -> Float32[np.ndarray, "n logits"]:
        """Equal to `Classifier.logits`, within rounding.

        Raises:
            ModelError: some are NaN or infinity: training took steps that were too long.
        """

        def compute() -> np.ndarray:
            found = linear_head.logits(self.features(split, view), *self.classifier.head)
            check_numbers(found, split.paths)
            return found

        return self._once(("logits", split, view), compute)

    def feature_maps(
        self, pixels: UInt8[np.ndarray, "n size size 3"]
    ) -> Sequence[Float[np.ndarray, "n height width channels"]]:
        """Of a few images, each depth that the head reads, the last layer's at the end."""
        return self.execution.feature_maps(pixels, fine_tuned=self.fine_tuned)

    def _once(self, key: Any, compute: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]
