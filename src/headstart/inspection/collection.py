"""A path of labelled photos -> Inspection: what is odd about them. What `headstart inspect` does.

Looks at the files, at what a pretrained network says of the photos, and at the pixels of those that seem to be copies.
The features are those that a training uses, from the same cache. Nothing of the user's is changed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart.data.dataset import Split
from headstart.data.folder import Item, list_images
from headstart.data.loading import Collection, printable, read_collection, refusal
from headstart.data.resizing import STRETCH
from headstart.data.splits import SPLITS, TEST, TEST_FRACTION, TEST_FRACTION_OF_VALIDATION, TRAIN, VALIDATION
from headstart.events import Listener, Message
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import Rows
from headstart.inspection import label_issues
from headstart.inspection.duplicates import Duplicates, Pair, grouped
from headstart.inspection.files import inspect_files
from headstart.inspection.findings import CONFLICT, DOUBT, KINDS, LEAK, OUTLIER, UNREADABLE, Finding
from headstart.inspection.known_duplicates import copies
from headstart.inspection.report import Inspection, write_csv, write_json
from headstart.listeners.console import Console
from headstart.models import backbones
from headstart.statistics import wilson
from headstart.storage.atomic import atomic_folder, check_free
from headstart.training import recipes
from headstart.training.config import TrainingConfig

UNEVEN = 10  # largest class by smallest class
FEW_TO_LEARN = 10  # training photos of a class
FEW_TO_MEASURE = 20  # held-out photos of a class: if all are answered rightly, 84% is all that is known
BY_WAY = "by way of other copies"  # of a leak


def inspect(
    data: str | Path,
    *,
    out: str | Path | None = None,
    backbone: str = backbones.DEFAULT,
    image_size: int | None = None,
    weights: str | Path = "pretrained",
    seed: int = 0,
    listener: Listener | None = None,
) -> Inspection:
    """Find what is wrong, or odd, in a collection of labelled photos: copies, leaks, doubtful labels, odd files.

    Args:
        data: folder, zip or CSV, see `load_dataset`; also one that cannot be trained on.
        out: a new folder for findings.json, findings.csv and inspection.html; None: nothing is written.
        backbone, image_size, weights: of the network that looks at the photos; the same ones as in `headstart.train`
            share their features with it.
        seed: of the parts in which labels are judged.
        listener: where to report to; by default to standard error.

    Raises:
        HeadstartError: there are no images; the folder exists; with what is wrong and what to do.
    """
    listener = listener or Console()
    settings = TrainingConfig.of(
        recipe=recipes.DEFAULT,
        backbone=backbone,
        image_size=image_size,
        resizing=STRETCH,  # all of each photo is looked at
        weights=weights,
        seed=seed,
        execution="cached",
        precision="float32",
    )
    if out is not None:
        check_free(Path(out))
    start = time.perf_counter()
    found = read_collection(list_images(Path(data)), listener)
    inspection = inspect_collection(found, settings, listener)
    inspection = replace(inspection, seconds=time.perf_counter() - start)
    if out is not None:
        _write(Path(out), inspection)
        listener.emit(Message(f"Written into '{out}': inspection.html, findings.csv, findings.json."))
    return inspection


def inspect_collection(found: Collection, settings: TrainingConfig, listener: Listener) -> Inspection:
    """The same for files that were read already, and without the seconds; settings: of a training, whose features are
    those that are looked at."""
    images = found.images()
    files = inspect_files(images.paths, settings.image_size)
    duplicates, judgements = Duplicates((), np.zeros(len(images), dtype=np.int64)), []
    if len(images):  # else there is nothing that a network could look at
        features = FeatureExtractor(settings.feature_spec, listener=listener).features(images)
        duplicates = copies(images, settings, lambda: features, listener=listener)
        judgements = _judgements(images, features, duplicates, settings.seed)
    findings = [Finding(UNREADABLE, str(Path(bad.path).absolute()), detail=bad.reason) for bad in found.unreadable]
    findings += [*files.findings, *judgements, *_copies(images, duplicates)]
    findings += leaks(images, [item.split for item in found.items], duplicates)
    findings = _completed(findings, found.listing.items)
    refused = refusal(found)
    remarks = [f"`headstart train` would refuse this collection: {refused.rstrip('.')}"] if refused else []
    remarks += [*found.listing.notes, *_remarks_on_classes(found.items), *files.remarks]
    order = list(KINDS)
    return Inspection(
        data=found.listing.shown,
        images=len(images),
        classes=_classes(found.listing.items, found.items),
        sizes=files.sizes,
        remarks=tuple(remarks),
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.kind))),
        limit=duplicates.limit,
        compared=duplicates.looked_at,
        seconds=0.0,
    )


def _judgements(images: Split, features: Rows, duplicates: Duplicates, seed: int) -> list[Finding]:
    """Doubtful labels, and images that are unlike their class; none is both."""
    judged = label_issues.out_of_fold(features, images.labels, duplicates.groups, seed=seed)
    doubtful = label_issues.doubtful(judged, images.labels)
    found = [
        Finding(DOUBT, images.paths[d.image], suggested=images.class_names[d.suggested], score=-d.margin)
        for d in doubtful
    ]
    seen = {doubt.image for doubt in doubtful}
    for outlier in label_issues.outliers(features, images.labels, seed=seed):
        if outlier.image not in seen:
            found.append(Finding(OUTLIER, images.paths[outlier.image], score=outlier.distance))
    return found


def _copies(images: Split, duplicates: Duplicates) -> list[Finding]:
    """Each copy, and where the labels of two copies differ, that too."""
    found = []
    for pair in sorted(duplicates.pairs, key=lambda pair: -pair.similarity):
        paths = images.paths[pair.second], images.paths[pair.first]
        found.append(Finding(pair.kind, paths[0], other=paths[1], score=pair.similarity))
        if images.labels[pair.first] != images.labels[pair.second]:
            found.append(Finding(CONFLICT, paths[0], other=paths[1], score=pair.similarity, detail=pair.kind))
    return found


def leaks(images: Split, splits: Sequence[str | None], duplicates: Duplicates) -> list[Finding]:
    """Each held-out image of which a copy is in a split that is learned from, or chosen by.

    By the pairs that are reported, not by groups: what merely looks alike in a crowd is no leak.
    """
    copies_of: dict[int, dict[int, Pair]] = {}
    for pair in duplicates.pairs:
        copies_of.setdefault(pair.first, {})[pair.second] = pair
        copies_of.setdefault(pair.second, {})[pair.first] = pair
    groups = grouped(len(images), duplicates.pairs)
    in_split: dict[tuple[int, str | None], int] = {}  # any copy of a group there
    for image in copies_of:
        in_split.setdefault((groups[image], splits[image]), image)
    found = []
    for image, own in sorted(copies_of.items()):
        before = SPLITS[: SPLITS.index(str(splits[image]))] if splits[image] else ()
        others = [in_split[groups[image], split] for split in before if (groups[image], split) in in_split]
        seen = [*(other for other in own if splits[other] in before), *others]
        if seen:
            # in the first split, and one that it is a copy of itself, rather than one by way of others
            nearest = min(seen, key=lambda other: (SPLITS.index(str(splits[other])), other not in own))
            detail, score = (own[nearest].kind, own[nearest].similarity) if nearest in own else (BY_WAY, None)
            found.append(Finding(LEAK, images.paths[image], other=images.paths[nearest], score=score, detail=detail))
    return found


def _completed(findings: Sequence[Finding], items: Sequence[Item]) -> list[Finding]:
    """With the labels and splits of the images."""
    known = {printable(item.path.absolute()): (printable(item.label), item.split or "") for item in items}
    completed = []
    for finding in findings:
        label, split = known.get(finding.path, ("", ""))
        other_label, other_split = known.get(finding.other, ("", ""))
        completed.append(replace(finding, label=label, split=split, other_label=other_label, other_split=other_split))
    return completed


def _classes(listed: Sequence[Item], readable: Sequence[Item]) -> dict[str, dict[str, int]]:
    counts = Counter((item.label, item.split or "all") for item in readable)
    splits = [split for split in (*SPLITS, "all") if any(split == (item.split or "all") for item in listed)]
    labels = sorted({item.label for item in listed})
    return {printable(label): {split: counts[label, split] for split in splits} for label in labels}


def _remarks_on_classes(items: Sequence[Item]) -> list[str]:
    """Sentences on classes that are uneven, too small to learn, or too small to measure."""
    if not items:
        return []
    sizes = Counter(item.label for item in items)
    (large, most), (small, least) = sizes.most_common()[0], sizes.most_common()[-1]
    remarks = []
    if most > UNEVEN * least:
        remarks.append(
            f"'{large}' has {most / least:.0f} times as many photos as '{small}' ({most:,} and {least:,}): a "
            f"classifier will rarely answer '{small}'; add photos, or train with --balanced"
        )
    training = Counter(item.label for item in items if item.split in (None, TRAIN))
    few = [name for name in sorted(sizes) if training[name] < FEW_TO_LEARN]
    if few:
        remarks.append(f"{_named(few, training)} to learn from: fewer than {FEW_TO_LEARN} are hardly enough")
    for split, held_out in _held_out(items, sizes).items():
        few = [name for name in sorted(sizes) if held_out[name] < FEW_TO_MEASURE]
        if few:
            fewest = min(held_out[name] for name in few)
            sentence = f"{_named(few, held_out)} to measure by in {split}"
            if fewest:
                least = wilson(fewest, fewest).low
                sentence += f": even if all are answered rightly, all that is known is that {least:.0%} or more will be"
            remarks.append(sentence)
    return remarks


def _held_out(items: Sequence[Item], sizes: Counter[str]) -> dict[str, Counter[str]]:
    """Of each split that measures, the images of each class: as they are given, or as headstart will draw the test."""
    given = {split: Counter(item.label for item in items if item.split == split) for split in (VALIDATION, TEST)}
    found = {split: counts for split, counts in given.items() if counts}
    if not given[TEST]:
        source, share = (
            (given[VALIDATION], TEST_FRACTION_OF_VALIDATION) if given[VALIDATION] else (sizes, TEST_FRACTION)
        )
        found["the test that headstart draws"] = Counter({name: round(share * source[name]) for name in sizes})
    return found


def _named(names: Sequence[str], counts: Counter[str]) -> str:
    shown = ", ".join(f"'{name}' has {counts[name]:,}" for name in names[:3])
    return shown + (f", and {len(names) - 3} more classes have few" if len(names) > 3 else "") + " photos"


def _write(folder: Path, inspection: Inspection) -> None:
    from headstart.inspection.page import write_page

    with atomic_folder(folder) as content:
        write_json(content / "findings.json", inspection)
        write_csv(content / "findings.csv", inspection.findings)
        write_page(content / "inspection.html", inspection)
