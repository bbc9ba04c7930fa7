"""Analysis: what is computed of a collection's photos, one thing after the other, in threads of its own.

Features (kept for ever, by digest), copies, splits, answers, neighbours, map; after that, answers again whenever labels
change. What each is, the modules say that compute it; this one knows their order, and what is known so far.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.array_types import Float32, Int
from headstart.concurrency import LAST, aside, step_aside
from headstart.data.splits import SPLITS, TEST
from headstart.errors import CancelledError, HeadstartError, ImageError
from headstart.malloc import return_freed_memory
from headstart.serving.monitoring import log
from headstart.studio.catalogue import Catalogue, Digests
from headstart.studio.columns import Columns, labels_of
from headstart.studio.problems import told

if TYPE_CHECKING:
    from headstart.classifier.novelty import NoveltyDetector
    from headstart.evaluation.label_change import LabelChange
    from headstart.features.extractor import FeatureExtractor
    from headstart.inspection.duplicates import Pair
    from headstart.studio.answers import Answers
    from headstart.studio.computing import Photos
    from headstart.studio.neighbourhood import Neighbourhood
    from headstart.studio.photo_features import PhotoFeatures
    from headstart.studio.queue.items import Queue
    from headstart.studio.solving import AnswerSolver

SECONDS_BETWEEN_REPORTS = 0.5
QUEUE = 200  # questions that are kept ready
# What is computed, in its order. Where a label has changed, answers are computed anew.
FEATURES, COPIES, ANSWERS, NEIGHBOURS, MAP = STAGES = ("features", "copies", "answers", "neighbours", "map")
BEFORE_OTHERS = 3  # niceness of who answers: after the page, and before the rest


@dataclass(frozen=True, eq=False)
class Labelled:
    """The labels at one moment. state: their id. answered: keys of questions that need not be asked again. confirmed:
    digests of photos whose labels the user has said to be right."""

    columns: Columns
    state: str
    answered: Collection[str]
    confirmed: Collection[str] = ()


@dataclass(frozen=True, eq=False)
class Known:
    """What is known so far; None: not yet. All arrays are by id.

    told: the answers as JSON. of: the labels that `answers`, `flags` and `queue` belong to.
    change: from the answers before the last labels.
    split: into SPLITS. problem: why nothing more can be computed, as of `problems.told`.
    """

    features: PhotoFeatures | None = None
    pairs: tuple[Pair, ...] = ()
    split: Int[np.ndarray, " n"] | None = None
    neighbourhood: Neighbourhood | None = None
    map: Float32[np.ndarray, "n 2"] | None = None
    answers: Answers | None = None
    told: dict[str, Any] | None = None
    of: Labelled | None = None
    change: LabelChange | None = None
    flags: dict[str, Int[np.ndarray, " m"]] = field(default_factory=dict)
    queue: Queue | None = None
    problem: dict[str, Any] | None = None


class Analysis:
    """Of one catalogue. Starts when all photos are read, and again when there are others."""

    def __init__(
        self,
        catalogue: Catalogue,
        folder: Path,
        labelled: Callable[[], Labelled],
        publish: Callable[..., None],
        on_split: Callable[[Int[np.ndarray, " n"]], None],
        on_changed_photo: Callable[[], object],
        previous: Analysis | None = None,
    ) -> None:
        """
        Args:
            labelled: gives the labels as they are; of more photos than the catalogue has, where some were added since.
            on_split: is told the splits once they are drawn.
            on_changed_photo: is called where a file is not the one that was read.
            previous: of the same photos, and fewer: what it knows is known until something newer is.
        """
        self._catalogue, self._folder = catalogue, folder
        self._labelled, self._publish, self._on_split = labelled, publish, on_split
        self._on_changed_photo = on_changed_photo
        self.known = Known() if previous is None else replace(previous.known, problem=None)
        self._previous = previous
        self._unfinished = set(STAGES)
        self._drawn: Int[np.ndarray, " n"] | None = None  # the splits by the collection's own labels
        self.progress: dict[str, Any] | None = None
        self.extractor: FeatureExtractor | None = None
        self.solver: AnswerSolver | None = None
        self.solving = threading.Lock()  # a solver is used by one thread at a time
        self._changed, self._stopped = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._reported = self._began = 0.0
        self._detector: NoveltyDetector | None = None

    def start(self) -> None:
        self._begin(self._work, BEFORE_OTHERS)

    @property
    def computing(self) -> list[str]:
        """What of STAGES is not there yet, or not for the labels as they are."""
        return [stage for stage in STAGES if stage in self._unfinished]

    def labels_changed(self) -> None:
        """Answer again, as soon as the last answers are there."""
        if self.solver is not None:
            self._unfinished.add(ANSWERS)
        self._changed.set()

    def stop(self) -> None:
        self._stopped.set()
        self._changed.set()
        for thread in self._threads:
            thread.join()  # it asks often whether it should stop; who looks around is not waited for

    def novelty_detector(self) -> NoveltyDetector | None:
        """Of the photos of classes that are learned from; made when it is first asked for. None where there are too
        few."""
        if self._detector is None and self.extractor is not None and self.known.split is not None:
            from headstart.studio.computing import Photos, detector_of

            photos = Photos.of(self._catalogue)
            is_test = (self.known.split == SPLITS.index(TEST))[photos.rows]
            of_class = ~self._labelled().columns.other[photos.rows]
            learned, held_out = np.flatnonzero(of_class & ~is_test), np.flatnonzero(of_class & is_test)
            self._detector = detector_of(photos, learned, held_out, self.extractor)
        return self._detector

    def _begin(self, work: Callable[[], None], niceness: int) -> None:
        def guarded() -> None:
            step_aside(niceness)
            try:
                work()
            except CancelledError:
                return  # the collection was closed
            except HeadstartError as error:
                self._learn(problem=told(error))
                if isinstance(error, ImageError):  # a photo was changed since it was read
                    self._on_changed_photo()
            except Exception:  # noqa: BLE001 - the page learns that it failed, the log says why
                log("fault", trace=traceback.format_exc())
                text = "The photos could not be analysed: the studio's log has the reason."
                self._learn(problem={"detail": text, "reason": "analysis-failed"})
            else:
                return
            self._finished(*STAGES)

        thread = threading.Thread(target=guarded, name=work.__name__, daemon=True)
        if work == self._work:
            self._threads.append(thread)
        thread.start()

    def _learn(self, **news: Any) -> None:
        if self._stopped.is_set():
            return
        self.known = replace(self.known, **news)
        for name in news.keys() - {"told", "of", "change"}:
            self._publish({"problem": "analysis", "flags": "findings"}.get(name, name))

    def _finished(self, *stages: str) -> None:
        self._unfinished.difference_update(stages)
        if not self._stopped.is_set():
            self._publish("computing", stages=self.computing)
        if not self._unfinished:
            return_freed_memory()

    def _work(self) -> None:
        from headstart.studio import computing
        from headstart.studio.computing import Photos, Reporting, extractor_of, photo_features
        from headstart.studio.solving import AnswerSolver

        photos = Photos.of(self._catalogue)
        if not len(photos):
            self._finished(*STAGES)
            return
        listener = Reporting(self._report, self._stopped.is_set)
        self.extractor = extractor = extractor_of(photos, listener)
        previous, self._previous = self._previous, None
        before = previous.known.features if previous else None
        basis = before.basis if before else None
        features = aside(lambda: photo_features(photos, extractor, self._folder, basis))
        self.progress = None
        self._learn(features=features)
        self._finished(FEATURES)
        copies = aside(lambda: computing.copies_of(photos, extractor, listener))
        groups = self._spread_groups(photos, copies.groups)
        self._photos, self._copies = photos, computing.copy_groups(photos, copies, extractor, listener)
        self._drawn = split = aside(lambda: computing.drawn_splits(photos, self._copies))
        self._learn(split=split, pairs=self._with_ids(photos, copies.pairs))
        self._on_split(split)
        self._finished(COPIES)
        self._groups = groups
        if previous and previous.solver and before:
            places = np.where(np.arange(photos.count) < len(before), np.arange(photos.count), -1)
            self.solver = previous.solver.moved(features, groups, places)
        else:
            self.solver = AnswerSolver(features, groups)
        self._answer(first=True)
        self._begin(self._look_around, LAST)
        while not self._stopped.is_set():
            self._answer()
            if not self._changed.is_set():
                self._finished(ANSWERS)
            self._changed.wait()
            self._changed.clear()

    def _look_around(self) -> None:
        """What takes longer, and no label changes."""
        from headstart.studio.map_of_collection import first_map, map_of_collection
        from headstart.studio.neighbourhood import Neighbourhood

        features = self.known.features
        if features is None or not features.known.any():
            self._finished(NEIGHBOURS, MAP)
            return
        self._learn(map=first_map(features.directions))
        neighbourhood = Neighbourhood.of(features.directions)
        self._learn(neighbourhood=neighbourhood)
        with self.solving:
            if self.solver:
                places = np.arange(len(features))
                self.solver = self.solver.moved(features, self._groups, places, neighbourhood=neighbourhood)
        self.labels_changed()  # the queue asks more now
        self._finished(NEIGHBOURS)
        self._learn(map=map_of_collection(features.directions, cancelled=self._stopped.is_set))
        self._finished(MAP)

    def _answer(self, *, first: bool = False) -> None:
        """Answers, findings and queue for the labels as they are."""
        from headstart.studio.change import change
        from headstart.studio.flags import flags
        from headstart.studio.queue.build import build_queue
        from headstart.studio.run_answers import run_answers

        known, labelled = self.known, self._labelled()
        if self.solver is None or known.features is None or self._stopped.is_set():
            return
        count = len(known.features)
        around = known.neighbourhood if known.neighbourhood and len(known.neighbourhood) == count else None
        labels, class_names = labels_of(labelled.columns)
        split = self._split_by(labelled.columns)[:count]
        labels, held_out = labels[:count], split == SPLITS.index(TEST)
        with self.solving:
            if first:
                answers = self.solver.first(labels, class_names, held_out=held_out)
            else:
                answers = self.solver.answers(
                    labels,
                    class_names,
                    held_out=held_out,
                    waiting=labelled.columns.unlabelled[:count],
                    cancelled=self._stopped.is_set,
                )
        changed = known.change
        if known.answers is not None and known.of is not None and known.of.state != labelled.state:
            changed = change(known.answers, answers)
        self._learn(answers=answers, told=answers.to_json(), of=labelled, change=changed)
        names, digests = np.array([*SPLITS, ""]), Digests(self._catalogue)
        found = flags(
            answers, around, known.pairs, labels, names[split], lambda photo: digests[photo] in labelled.confirmed
        )
        self._learn(flags=found)
        queue = build_queue(
            answers,
            known.features,
            around,
            labels,
            class_names,
            digests,
            copies=known.pairs,
            answered=labelled.answered,
            excluded=np.flatnonzero((labelled.columns.excluded | labelled.columns.other)[:count]).tolist(),
            proposed=run_answers(self._catalogue),
            limit=QUEUE,
        )
        self._learn(queue=queue)

    def split_for(self, columns: Columns) -> Int[np.ndarray, " n"] | None:
        """The splits with these labels: a class that they make has photos to learn from, and to measure. None: they are
        not drawn yet."""
        from headstart.studio.computing import splits_with_labels

        if self._drawn is None:
            return None
        split = columns.split.copy()
        split[: len(self._drawn)] = splits_with_labels(self._photos, self._drawn, self._copies, columns)
        return split

    def _split_by(self, columns: Columns) -> Int[np.ndarray, " n"]:
        split = self.split_for(columns)
        if split is None:
            return columns.split
        if not np.array_equal(split, columns.split):
            self._learn(split=split)
            self._on_split(split)
        return split

    def _report(self, done: int, total: int, seconds_left: float | None) -> None:
        now = time.monotonic()
        if done == 0:
            self._began = now
        speed = done / max(now - self._began, 1e-3) if done else None
        self.progress = {"done": done, "total": total, "seconds_left": seconds_left, "photos_per_second": speed}
        if now - self._reported > SECONDS_BETWEEN_REPORTS or done in (0, total):
            self._reported = now
            self._publish("features", **self.progress)

    @staticmethod
    def _spread_groups(photos: Photos, groups: np.ndarray) -> np.ndarray:
        """Copies have the same number; photos that are not among them one of their own."""
        found = np.arange(photos.count) + int(groups.max(initial=0)) + 1
        found[photos.rows] = groups
        return found

    @staticmethod
    def _with_ids(photos: Photos, pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
        ids = photos.rows
        return tuple(replace(pair, first=int(ids[pair.first]), second=int(ids[pair.second])) for pair in pairs)
