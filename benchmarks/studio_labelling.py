"""Labelling from nothing by the studio's queue, against random order: how many photos must be asked until the
classifier is as good as with all labels?

    python benchmarks/studio_labelling.py FOLDER... [--seeds 5] [--planted]

FOLDER: a collection of class folders. A fifth of the photos (no copies across) is held out to measure on; of the others
labels are asked for, and given as the folders say, until the held-out accuracy has reached 99% of what all labels give,
and stays there for two more rounds. A cluster counts as one photo asked, its most typical one, and only that one is
labelled: what naming a whole cluster at once saves comes on top. Heads, weight and C are those of the studio.

--planted: instead, 5% of all labels are set to another class, and the queue is answered as the folders say, ten
questions between two solutions: how many of the planted errors are found by how many answers, and where the bar says
that it is time to stop.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import headstart as hs
from headstart.data.dataset import Split
from headstart.data.folder import list_images
from headstart.data.loading import read_collection
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.inspection.duplicate_cache import cached_duplicates
from headstart.models.backbones import DEFAULT, get_backbone
from headstart.studio.answers import NO_LABEL
from headstart.studio.folds import NO_FOLD, extended
from headstart.studio.neighbourhood import Neighbourhood
from headstart.studio.photo_features import PhotoFeatures
from headstart.studio.queue.build import build_queue
from headstart.studio.queue.items import BULK
from headstart.studio.solving import AnswerSolver

ENOUGH = 0.99  # of the accuracy with all labels
ROUNDS = 3  # in which the accuracy must be enough
PLANTED = 0.05  # share of the labels
SHOWN = (20, 50, 100, 200, 400, 800)  # photos asked, at which accuracies are printed


@dataclass(frozen=True, eq=False)
class Material:
    images: Split
    photos: PhotoFeatures
    groups: np.ndarray


def material(folder: Path) -> Material:
    images = read_collection(list_images(folder), hs.Quiet()).images()
    spec = FeatureSpec(DEFAULT, get_backbone(DEFAULT).image_size, depths=True)
    extractor = FeatureExtractor(spec, listener=hs.Quiet())
    photos = PhotoFeatures.of(rows_of(extractor.features(images)), spec.block_sizes)
    return Material(images, photos, cached_duplicates(images, extractor, listener=hs.Quiet()).groups)


def batch_size(asked: int) -> int:
    """Photos between two solutions, so that a simulation ends: at most a twentieth of those that were asked."""
    return 10 if asked < 200 else asked // 20


def simulated(found: Material, test: np.ndarray, method: str, seed: int) -> Iterator[tuple[int, float]]:
    """Photos asked, and the accuracy on the held-out ones, round for round."""
    truth, names = found.images.labels.astype(np.int64), found.images.class_names
    solver = AnswerSolver(found.photos, found.groups, seed=seed)
    given, answers = np.full(len(truth), NO_LABEL), None
    order = np.random.default_rng(seed).permutation(np.flatnonzero(~test)).tolist()
    held_out = np.flatnonzero(test).tolist()
    asked = 0
    while asked < len(order):
        size = batch_size(asked)
        if method == "random":
            chosen = order[asked : asked + size]
        else:
            queue = build_queue(
                answers, found.photos, None, given, names, found.images.digests, excluded=held_out, limit=200,
                seed=seed + asked,
            )  # fmt: skip
            items = [item for item in queue.items if given[item.photos[0]] == NO_LABEL and item.kind != BULK]
            chosen = [item.photos[0] for item in items[:size]] or [p for p in order if given[p] == NO_LABEL][:size]
        given[chosen] = truth[chosen]
        asked += len(chosen)
        answers = solver.answers(given, names, held_out=test)
        known = len(np.unique(given[given >= 0])) > 1
        yield asked, solver.of_test(truth, test).accuracy.value if known else 0.0


def photos_needed(rounds: list[tuple[int, float]], wanted: float) -> int | None:
    """Photos asked when the accuracy is enough, and stays so."""
    for place, (asked, _) in enumerate(rounds[: len(rounds) - ROUNDS + 1]):
        if all(accuracy >= wanted for _, accuracy in rounds[place : place + ROUNDS]):
            return asked
    return rounds[-1][0]


def corrected(found: Material, seed: int) -> None:
    truth, names = found.images.labels.astype(np.int64), found.images.class_names
    rng = np.random.default_rng(seed)
    labels = truth.copy()
    wrong = rng.permutation(len(truth))[: round(PLANTED * len(truth))]
    labels[wrong] = (labels[wrong] + rng.integers(1, len(names), len(wrong))) % len(names)
    near = Neighbourhood.of(found.photos.directions)
    solver, done = AnswerSolver(found.photos, found.groups, seed=seed), set()
    start, asked, mended, stopped = solver.answers(labels, names), 0, [], None
    answers = start
    while asked < 4 * len(wrong):
        queue = build_queue(answers, found.photos, near, labels, names, found.images.digests, answered=done, limit=10)
        if queue.expected.stop and stopped is None:
            stopped = asked
        if not queue.items:
            break
        for item in queue.items:
            done.add(item.key)
            asked += 1
            for photo in item.photos:
                mended += [asked] if labels[photo] != truth[photo] == names.index(item.suggested or "") else []
                labels[photo] = truth[photo]
        answers = solver.answers(labels, names)
    at = {share: int(np.sum(np.array(mended) <= share * len(wrong))) for share in (0.5, 1, 1.5, 2)}
    shares = ", ".join(f"{share:g}x: {count / len(wrong):.0%}" for share, count in at.items())
    found_then = np.sum(np.array(mended) <= (asked if stopped is None else stopped)) / len(wrong)
    print(
        f"  seed {seed}: {len(wrong)} planted; found by as many answers as there are errors {shares}; stops at "
        f"{stopped} ({found_then:.0%} found); accuracy {start.accuracy.value:.1%} -> {answers.accuracy.value:.1%}",
        flush=True,
    )


def look(folder: Path, seeds: int, most: float) -> None:
    found = material(folder)
    truth, names = found.images.labels.astype(np.int64), found.images.class_names
    needed: dict[str, list[int]] = {"random": [], "queue": []}
    curves: dict[str, list[list[float]]] = {"random": [], "queue": []}
    fulls = []
    for seed in range(seeds):
        test = extended(np.full(len(truth), NO_FOLD), truth, found.groups, seed=seed) == 0
        solver = AnswerSolver(found.photos, found.groups, seed=seed)
        solver.answers(truth, names, held_out=test)
        full = solver.of_test(truth, test).accuracy.value
        fulls.append(full)
        for method, counts in needed.items():
            start, rounds = time.perf_counter(), []
            for step in simulated(found, test, method, seed):
                rounds.append(step)
                enough = [accuracy >= ENOUGH * full for _, accuracy in rounds[-ROUNDS:]]
                if (len(enough) == ROUNDS and all(enough)) or step[0] > most * (~test).sum():
                    break
            counts.append(photos_needed(rounds, ENOUGH * full))
            asked, accuracies = zip(*rounds, strict=True)
            curves[method].append(
                [float(np.interp(at, asked, accuracies)) if at <= asked[-1] else np.nan for at in SHOWN]
            )
            print(
                f"  {folder.name} seed {seed} {method}: {counts[-1]} ({time.perf_counter() - start:.0f} s)", flush=True
            )
    pool = int((~test).sum())
    print(f"{folder.name}: {pool:,} photos to ask, {len(names)} classes, all labels {np.mean(fulls):.1%}")
    for method, counts in needed.items():
        shown = ", ".join(f"{at}: {v:.1%}" for at, v in zip(SHOWN, np.nanmean(curves[method], axis=0), strict=True))
        print(
            f"  {method}: {np.mean(counts):.0f} asked (median {np.median(counts):.0f}, {counts}); {shown}", flush=True
        )
    print(f"  ratio {np.mean(needed['queue']) / np.mean(needed['random']):.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--planted", action="store_true", help="find planted wrong labels instead")
    parser.add_argument("--most", type=float, default=1.0, help="share of the photos that are asked at most")
    settings = parser.parse_args()
    for folder in settings.folders:
        if not settings.planted:
            look(folder, settings.seeds, settings.most)
            continue
        print(folder.name)
        found = material(folder)
        for seed in range(settings.seeds):
            corrected(found, seed)


if __name__ == "__main__":
    main()
