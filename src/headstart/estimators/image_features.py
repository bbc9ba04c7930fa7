"""ImageFeatures: photos -> what a pretrained base says of them, as a transformer of scikit-learn.

The features are those that headstart's own heads are solved on, from the same cache: a photo is computed once, whoever
asks. Needs no Keras where the package has the base.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import Tags

from headstart.array_types import Float32
from headstart.data.resizing import STRETCH
from headstart.errors import ModelError
from headstart.estimators.photos import PhotoEstimator, Photos, photos_of, read
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.listeners.console import Console
from headstart.listeners.quiet import Quiet
from headstart.models import backbones
from headstart.models.at_hand import resolved
from headstart.models.backbones import get_backbone
from headstart.models.depths import channels_of
from headstart.models.weights import PRETRAINED

if TYPE_CHECKING:
    from headstart.data.dataset import Split
    from headstart.events import Listener

ALL, LAST = "all", "last"
DEPTHS = (ALL, LAST)


class ImageFeatures(TransformerMixin, PhotoEstimator):
    """Photos -> float32 (n, numbers). There is nothing to fit: the base is pretrained.

    Parameters:
        backbone: name of a row of BACKBONES, two side by side, "a+b", an ONNX or OpenVINO file, or "hub:PRESET".
        image_size: side in pixels of the square that the base sees; None: what it was pretrained at.
        resizing: how a photo of another shape becomes that square; see `headstart.train`.
        depths: "all": what the last layer says, and of each depth before it the mean and the standard deviation of its
            channels over the photo; "last": the last layer alone.
        weights: "pretrained", or the path of a file with the weights of the base.
        verbose: whether to report progress, to standard error.

    X is a list of paths or URLs, of arrays (height, width, 3) from 0 to 255, or one array (n, height, width, 3).
    """

    def __init__(
        self,
        backbone: str = backbones.DEFAULT,
        *,
        image_size: int | None = None,
        resizing: str = STRETCH,
        depths: str = ALL,
        weights: str = PRETRAINED,
        verbose: bool = False,
    ) -> None:
        self.backbone = backbone
        self.image_size = image_size
        self.resizing = resizing
        self.depths = depths
        self.weights = weights
        self.verbose = verbose

    @property
    def spec(self) -> FeatureSpec:
        """Which features these are, as the cache knows them.

        Raises:
            ModelError: a parameter is not known.
        """
        if self.depths not in DEPTHS:
            raise ModelError(f"There is no depths '{self.depths}'. Choose one of: {', '.join(DEPTHS)}.")
        backbone = resolved(self.backbone, self.image_size)
        size = self.image_size or get_backbone(backbone).image_size
        return FeatureSpec(backbone, size, self.resizing, self.weights, depths=self.depths == ALL)

    def fit(self, X: Photos, y: Any = None) -> Self:
        """Look whether the parameters are known, and X holds photos. No photo is read.

        Raises:
            DatasetError, ModelError: they are not, or it does not.
        """
        photos_of(X)
        self.n_features_out_ = sum(self.spec.block_sizes)
        return self

    def transform(self, X: Photos) -> Float32[np.ndarray, "n numbers"]:
        """The features of each photo, from the cache or computed.

        Raises:
            DatasetError: X holds no photos.
            ImageError: one cannot be read.
            ModelError, WeightsError: a parameter is not known, or the base cannot be opened.
        """
        listener = Console() if self.verbose else Quiet()
        with read(X, listener) as photos:
            return features_of(photos, self.spec, listener)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Of the last layer "last0", ...; of the first depth "depth1_mean0", ..., "depth1_deviation0", ...; and so on.

        input_features: is not looked at.
        """
        last, *_ = self.spec.block_sizes
        names = [f"last{channel}" for channel in range(last)]
        if self.depths == ALL:
            for number, channels in enumerate(channels_of(self.spec.backbone), start=1):
                for statistic in ("mean", "deviation"):
                    names += [f"depth{number}_{statistic}{channel}" for channel in range(channels)]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        if tags.transformer_tags:
            tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def features_of(photos: Split, spec: FeatureSpec, listener: Listener) -> Float32[np.ndarray, "n numbers"]:
    """The features of each photo, in their order. Raises what `FeatureExtractor.features` raises."""
    return rows_of(FeatureExtractor(spec, listener=listener).features(photos))[:]
