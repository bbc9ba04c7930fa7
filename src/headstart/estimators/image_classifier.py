"""ImageClassifier: `headstart.train` as an estimator of scikit-learn.

`fit` is `headstart.train`, with a part of X held out to calibrate on; a fitted head answers from features that are
kept, so that cross-validation computes each photo once. Needs no Keras where only a head is solved.
"""

from __future__ import annotations

from itertools import compress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted

from headstart.array_types import Float, Float32, Shaped
from headstart.classifier.base import BasePredictor
from headstart.classifier.classifier import Classifier
from headstart.classifier.label_calibration import LabelCalibration
from headstart.classifier.packed import PackedClassifier
from headstart.classifier.predictor import Predictor
from headstart.data.dataset import Split
from headstart.data.label_sets import label_of
from headstart.data.loading import build_dataset
from headstart.data.resizing import STRETCH
from headstart.data.splits import VALIDATION_FRACTION
from headstart.data.trainable import check_listing
from headstart.errors import DatasetError, ImageError
from headstart.estimators.image_features import features_of
from headstart.estimators.photos import PhotoEstimator, Photos, opened, photos_of, read
from headstart.features import linear_head
from headstart.features.spec import FeatureSpec
from headstart.listeners.console import Console
from headstart.listeners.quiet import Quiet
from headstart.models.backbones import is_file
from headstart.models.weights import PRETRAINED
from headstart.training import recipes
from headstart.training.config import AUTO, TrainingConfig
from headstart.training.recipes import Recipe, adjusted
from headstart.training.trainer import train_classifier


class ImageClassifier(ClassifierMixin, PhotoEstimator):
    """A classifier of photos.

    Parameters:
        recipe: as of `headstart.train`, and so are the next five.
        backbone: a name, see there.
        image_size: side in pixels, see there.
        resizing: a name, see there.
        views: a name, see there.
        weights: a name or a file, see there.
        fine_tune: "auto": if the photos tell that it helps, and Keras is installed; "always", "never".
        balanced: whether rare classes count as much as frequent ones.
        validation_fraction: of each class of X, held out to calibrate the probabilities, and to judge a fine-tuning.
        random_state: seed of what is drawn.
        verbose: whether to report progress, to standard error.

    Fitted attributes:
        classes_: the classes, sorted, as y has them; with several labels, the numbers of its columns.
        classifier_: the `headstart.Classifier`: saves, predicts with guarantees, explains. (In a copy made by `pickle`,
            a `headstart.Predictor`.)

    X is a list of paths or URLs, of arrays (height, width, 3) from 0 to 255, or one array (n, height, width, 3).
    """

    def __init__(
        self,
        recipe: str | Recipe = recipes.DEFAULT,
        *,
        backbone: str | None = None,
        image_size: int | None = None,
        resizing: str = STRETCH,
        fine_tune: str = "auto",
        balanced: bool = False,
        views: str = AUTO,
        weights: str = PRETRAINED,
        validation_fraction: float = VALIDATION_FRACTION,
        random_state: int = 0,
        verbose: bool = False,
    ) -> None:
        self.recipe = recipe
        self.backbone = backbone
        self.image_size = image_size
        self.resizing = resizing
        self.fine_tune = fine_tune
        self.balanced = balanced
        self.views = views
        self.weights = weights
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Photos, y: Any) -> Self:
        """Train on photos and their classes; or, with 0 and 1 as y (photos, labels), on several labels per photo.

        Raises:
            ValueError: y does not fit X, or is no classes (by scikit-learn's own checks).
            DatasetError: X holds no photos, or y fewer than two classes, or one of fewer than two photos.
            ImageError: a photo cannot be read.
            ModelError, WeightsError: as `headstart.train` does.
        """
        config = self._config()
        several = type_of_target(y) == "multilabel-indicator"
        y = np.asarray(y.toarray() if issparse(y) else y) if several else column_or_1d(y, warn=True)
        check_classification_targets(y)
        check_consistent_length(photos_of(X), y)
        self.classes_, names, labels = _columns_of(y) if several else _classes_of(y)
        listener = Console() if self.verbose else Quiet()
        with opened(X, labels, listener, multi_label=several) as collection:
            check_listing(collection.listing)
            dataset = build_dataset(
                collection,
                seed=self.random_state,
                validation_fraction=self.validation_fraction,
                test_fraction=0.0,
                groups=None,
                listener=listener,
            )
            trained = train_classifier(dataset, config, listener=listener)
        self.classifier_: BasePredictor = trained.classifier
        self._columns = [trained.classifier.class_names.index(name) for name in names]
        self._kept = None if trained.fine_tuned or not config.recipe.solves_head else trained.spec
        return self

    def predict_proba(self, X: Photos) -> Float[np.ndarray, "n classes"]:
        """The calibrated probability of each class, in the order of `classes_`; with several labels, of each label.

        Raises:
            NotFittedError: by scikit-learn.
            DatasetError: X holds no photos.
            ImageError: one cannot be read.
        """
        check_is_fitted(self)
        listener = Console() if self.verbose else Quiet()
        if self._kept is None:
            return self._by_network(photos_of(X))
        with read(X, listener) as photos:
            logits = self._logits(photos, self._kept, listener)
        return self.classifier_.calibration.probabilities(logits)[:, self._columns]

    def predict(self, X: Photos) -> Shaped[np.ndarray, "n ..."]:
        """The most probable class of each photo, as y had it; with several labels, 0 and 1. Raises what `predict_proba`
        raises."""
        probabilities, calibration = self.predict_proba(X), self.classifier_.calibration
        if isinstance(calibration, LabelCalibration):
            return (probabilities >= np.array(calibration.thresholds)[self._columns]).astype(np.int64)
        return self.classes_[probabilities.argmax(axis=1)]

    def _logits(self, photos: Split, spec: FeatureSpec, listener: Console | Quiet) -> Float32[np.ndarray, "n logits"]:
        return linear_head.logits(features_of(photos, spec, listener), *self.classifier_.head)

    def _by_network(self, photos: list[Any]) -> Float[np.ndarray, "n classes"]:
        """Of a network that was fine-tuned: there are no kept features of it."""
        rows = []
        for number, found in enumerate(self.classifier_.predict_each(photos)):
            if isinstance(found, ImageError):
                raise ImageError(f"X[{number}]: {found}")
            rows.append([found.probabilities[self.classifier_.class_names[column]] for column in self._columns])
        return np.array(rows)

    def _config(self) -> TrainingConfig:
        recipe = adjusted(self.recipe, fine_tune=self.fine_tune, balanced=self.balanced)
        return TrainingConfig.of(
            recipe=recipe,
            backbone=self.backbone,
            image_size=self.image_size,
            resizing=self.resizing,
            views=self.views,
            weights=self.weights,
            seed=self.random_state,
        )

    def __getstate__(self) -> dict[str, Any]:
        """With the classifier as the bytes of its files: a network cannot be pickled."""
        state = dict(super().__getstate__())
        if (spec := state.get("_kept")) and is_file(spec.backbone):
            state["_kept"] = None  # the file may be nowhere else: its network is in the classifier
        match state.get("classifier_"):
            case Classifier() as classifier:
                with TemporaryDirectory(prefix="headstart-") as folder:
                    classifier.save(Path(folder, "classifier"))
                    state["classifier_"] = PackedClassifier.of(Path(folder, "classifier"))
            case Predictor() as predictor:
                state["classifier_"] = PackedClassifier.of(predictor.folder)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(packed := state.get("classifier_"), PackedClassifier):
            state = state | {"classifier_": packed.open()}
        super().__setstate__(state)


def _classes_of(y: Shaped[np.ndarray, " n"]) -> tuple[np.ndarray, list[str], list[str]]:
    """The classes, their names, and the name of each photo's."""
    classes, numbers = np.unique(y, return_inverse=True)
    names = [str(name) for name in classes]
    if not all(name.strip() for name in names):
        raise DatasetError("y holds a class without a name (''). Give it one, or leave its photos out of X and y.")
    return classes, names, [names[number] for number in numbers]


def _columns_of(y: Shaped[np.ndarray, "n labels"]) -> tuple[np.ndarray, list[str], list[str]]:
    """The same of several labels: the numbers of the columns, names for them, and all names of each photo."""
    if len(alike := np.flatnonzero(y.all(axis=0) | ~y.any(axis=0))):
        raise DatasetError(
            f"Column {alike[0]} of y is the same for all photos, which teaches nothing. Leave it out, or add photos."
        )
    names = [f"label {number:06}" for number in range(y.shape[1])]
    return np.arange(y.shape[1]), names, [label_of(compress(names, row)) for row in y]
