"""Photos that are not in the collection -> answers, by a run or by the studio's own head. Knows no HTTP.

Both are predictors as `headstart predict` has one: the same calibration, the same "unlike anything known", the same
maps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.classifier.base import BasePredictor, remarked, stacked
from headstart.classifier.decision import NEVER
from headstart.classifier.label_calibration import AnyCalibration
from headstart.classifier.novelty import NoveltyDetector
from headstart.classifier.predictor import Predictor
from headstart.data.label_sets import NOTHING
from headstart.data.views import ORIGINAL
from headstart.engines.base import Pixels
from headstart.engines.openvino import OpenVINOEngine
from headstart.engines.saved import Bias, Kernel
from headstart.models.output import NetworkOutput
from headstart.studio.problems import RefusalError

if TYPE_CHECKING:
    from headstart.engines.base import Engine
    from headstart.features.extractor import FeatureExtractor
    from headstart.features.spec import FeatureSpec
    from headstart.studio.collection import Collection
    from headstart.studio.solving import AnswerSolver

IdOf = Callable[[str], int | None]
NEAREST = 6  # photos that are shown beside an answer
MAX_PIXELS = 50_000_000  # of a photo that is sent


class Frozen:
    """The frozen network of an extractor, opened for one image at a time, with feature maps or without."""

    def __init__(self, extractor: FeatureExtractor) -> None:
        self._extractor = extractor
        self._lock = threading.Lock()
        self._engines: dict[bool, Engine] = {}

    @property
    def spec(self) -> FeatureSpec:
        return self._extractor.spec

    def run(self, batches: Iterable[Pixels], *, maps: bool) -> Iterator[tuple[np.ndarray, tuple[np.ndarray, ...]]]:
        """For each batch of one image its features (1, numbers), and its feature maps."""
        kept = self.spec.kept_tensors
        for tensors in self._engine(maps).run(batches):
            yield np.concatenate(tensors[:kept], axis=1), tuple(tensors[kept:]) if maps else ()

    def _engine(self, maps: bool) -> Engine:
        with self._lock:
            if maps not in self._engines:
                file = self._extractor.compiled_network
                if file is None:
                    raise RefusalError(
                        "no-answers", "The network is not ready yet. Wait for the features.", reason="features-first"
                    )
                outputs = None if maps else self.spec.kept_tensors
                self._engines[maps] = OpenVINOEngine(
                    file, batch_size=1, compute=self._extractor.compute, outputs=outputs
                )
            return self._engines[maps]


class HeadPredictor(BasePredictor):
    """The studio's own head on the frozen network. The head is that of the moment when this is made."""

    views = (ORIGINAL,)
    known_values = None
    batch_size = 1

    def __init__(self, frozen: Frozen, solver: AnswerSolver, detector: NoveltyDetector | None) -> None:
        """
        Raises:
            DatasetError: nothing is solved yet.
        """
        self._frozen, self._head = frozen, solver.head
        self.class_names, self.calibration = solver.class_names, solver.calibration
        self.image_size, self.resizing = frozen.spec.image_size, frozen.spec.resizing
        self.value_range, self.novelty_detector = frozen.spec.value_range, detector

    def forward(self, batches: Iterable[Pixels], *, maps: bool = False) -> Iterator[NetworkOutput]:
        for features, feature_maps in self._frozen.run(batches, maps=maps):
            yield NetworkOutput(self._head.logits(features), features, feature_maps)

    @property
    def head(self) -> tuple[Kernel, Bias]:
        return self._head.kernel, self._head.bias


class Trials:
    """The predictors of a collection, opened when they are first asked."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._lock = threading.Lock()
        self._runs: dict[Path, tuple[int, Predictor]] = {}
        self._own: tuple[object, HeadPredictor] | None = None
        self._frozen: Frozen | None = None

    def predictor(self, run: str | None) -> BasePredictor:
        """That of a run; None: the studio's own head.

        Raises:
            RefusalError: there is none yet, or no such run.
            RunError: the run cannot be opened.
        """
        with self._lock:
            return self._of_now() if run is None else self._of_run(self._collection.runs.get(run))

    def _of_run(self, path: Path) -> Predictor:
        stamp = (path / "classifier.json").stat().st_mtime_ns
        if path not in self._runs or self._runs[path][0] != stamp:
            self._runs[path] = stamp, Predictor(path)
        return self._runs[path][1]

    def _of_now(self) -> HeadPredictor:
        analysis = self._collection.analysis
        answers, solver, extractor = analysis.known.answers, analysis.solver, analysis.extractor
        if answers is None or solver is None or extractor is None or len(answers.class_names) < 2:
            raise RefusalError(
                "no-answers",
                "Nothing is known of any class yet. Label photos of at least two classes.",
                reason="two-classes",
            )
        if self._own is None or self._own[0] is not answers:
            if self._frozen is None or self._frozen.spec != extractor.spec:
                self._frozen = Frozen(extractor)
            detector = analysis.novelty_detector()  # which takes long the first time, and keeps no label waiting
            with analysis.solving:
                self._own = answers, HeadPredictor(self._frozen, solver, detector)
        return self._own[1]


def answer(predictor: BasePredictor, content: bytes, id_of: IdOf, *, explain: bool = True) -> dict[str, Any]:
    """The answer for one image file. id_of: gives the id of a photo by digest. explain: with map and nearest photos.

    Raises:
        ImageError: it is no image.
    """
    start = time.perf_counter()
    seen = predictor.see(content, max_pixels=MAX_PIXELS)
    output = NetworkOutput.joined(list(predictor.forward([stacked([seen.square])], maps=explain)))
    (prediction,) = predictor.predictions(output, predictor.calibration.to_predictions(predictor.class_names))
    prediction = remarked(prediction, seen.remark)
    found: dict[str, Any] = {
        "answer": prediction.label or NOTHING,  # of several labels per photo, which may have none
        "probability": prediction.probability,
        "class_names": list(predictor.class_names),
        "probabilities": [prediction.probabilities[name] for name in predictor.class_names],
        "sure": prediction.sure,
        "familiar": prediction.familiar,
        "sure_from": sure_from(predictor.calibration),
        "remarks": [prediction.remark] if prediction.remark else [],
        "rule": prediction.rule,
        "cost": prediction.cost,
        "other": prediction.other,
        "parent": prediction.parent,
        "parent_probability": prediction.parent_probability,
    }
    if explain:
        places = predictor.explanation(prediction, [each[0] for each in output.maps]).places
        found["map"] = {
            "width": places.shape[1],
            "height": places.shape[0],
            "values": [round(float(value), 3) for value in places.ravel()],
            "resizing": predictor.resizing,
        }
        found["nearest"] = nearest(predictor.novelty_detector, output.features, id_of)
    return found | {"milliseconds": round((time.perf_counter() - start) * 1000, 1)}


def sure_from(calibration: AnyCalibration) -> dict[str, float] | None:
    """From which probability on an answer is sure, and what share of such answers is right; None: none ever is, though
    a parent may be."""
    accuracy = calibration.usual_accuracy
    if accuracy is None or calibration.accuracy[accuracy] == NEVER:
        return None
    return {"least": calibration.accuracy[accuracy], "accuracy": accuracy}


def nearest(detector: NoveltyDetector | None, features: np.ndarray, id_of: IdOf) -> list[dict[str, Any]]:
    """The most similar photos that were learned from, as far as they are in the collection."""
    if detector is None:
        return []
    pairs = zip(*detector.nearest(features, NEAREST), strict=True)
    return [
        {"id": id, "similarity": round(float(cosine), 4)}
        for place, cosine in pairs
        if (id := id_of(detector.digests[place])) is not None
    ]
