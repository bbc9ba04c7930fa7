"""A collection that was read and an extractor -> Inspection: everything that looks wrong in the collection.

Checks the files, what a pretrained network makes of the photos, and the pixels of probable copies. The features are
those that training uses, from the same cache. Changes nothing, and writes nothing but the cache.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headstart.array_types import Int
from headstart.data.collection import Collection, printable
from headstart.data.dataset import Split
from headstart.data.groups import joined
from headstart.data.items import Item, column
from headstart.data.splits import OTHER, SPLITS
from headstart.data.targets import Kind
from headstart.data.trainable import refusal
from headstart.events import Listener
from headstart.features.compact import Compact
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import Chosen, Rows, rows_of
from headstart.features.spec import FeatureSpec
from headstart.features.store import Features
from headstart.inspection.class_sizes import remarks_on_class_sizes
from headstart.inspection.duplicate_cache import cached_duplicates
from headstart.inspection.duplicates import Duplicates
from headstart.inspection.files import inspect_files
from headstart.inspection.findings import CONFLICT, DOUBT, GROUPING, KINDS, OUTLIER, SHORTCUT, UNREADABLE, Finding
from headstart.inspection.headers import Header, read_headers
from headstart.inspection.label_issues import find_label_issues, probabilities_despite_wrong_labels
from headstart.inspection.leaks import find_leaks
from headstart.inspection.multi_label import NOT_LOOKED_FOR, doubtful_labels, items_by_label
from headstart.inspection.outliers import find_outliers
from headstart.inspection.report import Inspection
from headstart.inspection.shortcuts import Shortcut, find_shortcuts
from headstart.inspection.suspected_groups import find_suspected_groups
from headstart.storage.url_path import place_of
from headstart.storage.urls import split_member

APPROXIMATE = "copies were searched approximately: one pair in a hundred may be missing"
ENOUGH_MIRRORED = 3  # copies under another label, that show that mirroring changes the class


def inspect_collection(found: Collection, extractor: FeatureExtractor, *, seed: int, listener: Listener) -> Inspection:
    """Inspect a collection, also one that cannot be trained on. The caller fills in `seconds`, which are 0 here.

    Args:
        found: the files, as `read_collection` read them.
        extractor: of the features that copies, labels and outliers are found by; its image size is what "small" means.
        seed: of the folds in which labels are checked.

    Raises:
        ImageError: a file was changed, moved or damaged since it was read.
    """
    images, of_classes, several = found.images(), _of_classes(found), found.listing.multi_label
    headers = read_headers(images.paths, None if extractor.is_here else extractor.executor)
    files, shortcuts = inspect_files(images.paths, headers, extractor.spec.image_size), _shortcuts(found, headers, seed)
    duplicates, findings = Duplicates((), np.zeros(len(images), dtype=np.int64)), list(files.findings)
    confirmed = 0
    if len(images):  # otherwise there is nothing that a network could look at
        features = extractor.features(images)  # of which slices are those of the last layer
        duplicates = cached_duplicates(images, extractor, listener=listener)
        if len(of_classes):
            about_classes, confirmed = _about_classes(found, of_classes, features, duplicates, extractor.spec, seed)
            findings += about_classes
    by_label = items_by_label if several else list
    findings += [Finding(SHORTCUT, "", score=each.accuracy, detail=each.sentence) for each in shortcuts]
    findings += [Finding(UNREADABLE, str(place_of(bad.path).absolute()), detail=bad.reason) for bad in found.unreadable]
    findings += _copy_findings(images, duplicates)
    findings += find_leaks(images, [item.split for item in found.items], duplicates)
    return Inspection(
        data=found.listing.source,
        images=len(images),
        classes=_classes(*map(by_label, (found.items if found.labels.state else found.listing.items, found.items))),
        sizes=files.sizes,
        remarks=(
            *_refusal(found),
            *found.remarks_on_values,
            *found.notes,
            *([NOT_LOOKED_FOR] if several else []),
            *remarks_on_class_sizes(by_label(found.only(of_classes).items), may_balance=not several),
            *_note_on_others(len(found.items) - len(of_classes)),
            *files.remarks,
            *_note_on_confirmed(confirmed),
            *([] if duplicates.is_exact else [APPROXIMATE]),
        ),
        findings=_in_order(_with_labels(findings, [*found.listing.items, *found.items])),
        shortcuts=shortcuts,
        limit=duplicates.limit,
        compared=duplicates.compared,
        seconds=0.0,
        value_range=extractor.spec.value_range,
    )


def _about_classes(
    found: Collection,
    of_classes: Int[np.ndarray, " m"],
    features: Features,
    duplicates: Duplicates,
    spec: FeatureSpec,
    seed: int,
) -> tuple[list[Finding], int]:
    """What is wrong with labels and groups of images of classes; how many of these labels the user has confirmed."""
    known, copies = found.only(of_classes), duplicates.groups[of_classes]
    are_all = len(of_classes) == len(features)
    last, rows = (each if are_all else Chosen(each, of_classes) for each in (features, rows_of(features)))
    images, compact = known.images(), Compact.of(rows, spec.block_sizes, seed=seed)(rows)
    about_labels = _label_findings(images, last, compact, copies, seed)
    findings = _without_confirmed(about_labels, images, found.confirmed)
    confirmed = len(about_labels) - len(findings)
    if not images.groups and not found.listing.multi_label:
        findings += _grouping_findings(known, images, compact, copies, seed)
    return findings, confirmed


def shortcuts_of(found: Collection, *, seed: int) -> tuple[Shortcut, ...]:
    """The shortcuts alone, without a network.

    Raises:
        ImageError: a file was changed, moved or damaged since it was read.
    """
    return _shortcuts(found, read_headers([str(item.path) for item in found.items]), seed)


def _own_names(items: Sequence[Item]) -> list[str]:
    """Of the photos; what a shard is called says nothing of those in it."""
    return [split_member(item.name)[1] or item.name for item in items]


def _shortcuts(found: Collection, headers: Sequence[Header], seed: int) -> tuple[Shortcut, ...]:
    of_classes = _of_classes(found)
    if not len(of_classes) or found.listing.multi_label:
        return ()
    known, headers = found.only(of_classes), [headers[row] for row in of_classes.tolist()]
    return tuple(find_shortcuts(known.images(), _own_names(known.items), headers, seed=seed))


def _of_classes(found: Collection) -> Int[np.ndarray, " m"]:
    """The items that are not OTHER, which is no class."""
    labels = column(found.items, "label")
    return np.flatnonzero(np.fromiter((label != OTHER for label in labels), bool, len(found.items)))


def _grouping_findings(
    found: Collection, images: Split, compact: np.ndarray, copies: Int[np.ndarray, " n"], seed: int
) -> list[Finding]:
    groups = find_suspected_groups(
        _own_names(found.items), images.labels, images.class_names, compact, copies, seed=seed
    )
    return [Finding(GROUPING, "", score=groups.share, detail=groups.sentence)] if groups else []


def _label_findings(
    images: Split, features: Rows, compact: np.ndarray, copies: Int[np.ndarray, " n"], seed: int
) -> list[Finding]:
    """Doubtful labels, by what all depths say, and images that are unlike their class, by the last layer; no image is
    both. copies: the same number for copies of an image."""
    sides = np.array(joined(copies.tolist(), images.groups)) if images.groups else copies
    if images.kind is Kind.MULTI_LABEL:
        return doubtful_labels(images, compact, sides, seed=seed)
    out_of_fold = probabilities_despite_wrong_labels(compact, images.labels, sides, seed=seed)
    issues = find_label_issues(out_of_fold, images.labels)
    findings = [
        Finding(DOUBT, images.paths[issue.image], suggested=images.class_names[issue.suggested], score=-issue.margin)
        for issue in issues
    ]
    doubtful = {issue.image for issue in issues}
    for outlier in find_outliers(features, images.labels, seed=seed):
        if outlier.image not in doubtful:
            findings.append(Finding(OUTLIER, images.paths[outlier.image], score=outlier.distance))
    return findings


def _copy_findings(images: Split, duplicates: Duplicates) -> list[Finding]:
    """Each pair of copies and, where their labels differ, the conflict as well: but for mirrored copies where the
    classes differ by mirroring, as arrows to the left and to the right do."""
    findings = []
    mirrored_differ = _differ_by_mirroring(images, duplicates)
    for pair in sorted(duplicates.pairs, key=lambda pair: -pair.similarity):
        paths = images.paths[pair.second], images.paths[pair.first]
        findings.append(Finding(pair.kind, paths[0], other=paths[1], score=pair.similarity))
        differ = images.labels[pair.first] != images.labels[pair.second]
        if differ and not (pair.mirrored and mirrored_differ):
            findings.append(Finding(CONFLICT, paths[0], other=paths[1], score=pair.similarity, detail=pair.kind))
    return findings


def _differ_by_mirroring(images: Split, duplicates: Duplicates) -> bool:
    """Whether mirrored copies are mostly of another class, and there are enough of them to say so."""
    across = [images.labels[pair.first] != images.labels[pair.second] for pair in duplicates.pairs if pair.mirrored]
    return sum(across) >= ENOUGH_MIRRORED and 2 * sum(across) > len(across)


def _with_labels(findings: Sequence[Finding], items: Sequence[Item]) -> list[Finding]:
    """The findings with the labels and splits of their images."""
    known = {printable(item.path.absolute()): (printable(item.label), item.split or "") for item in items}
    completed = []
    for finding in findings:
        label, split = known.get(finding.path, ("", ""))
        other_label, other_split = known.get(finding.other, ("", ""))
        completed.append(replace(finding, label=label, split=split, other_label=other_label, other_split=other_split))
    return completed


def _in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """By kind; within a kind as they were found."""
    kinds = list(KINDS)
    return tuple(sorted(findings, key=lambda finding: kinds.index(finding.kind)))


def _without_confirmed(findings: list[Finding], images: Split, confirmed: frozenset[str]) -> list[Finding]:
    """Without doubts about labels that the user has said to be right. confirmed: digests of their images."""
    known = {path for path, digest in zip(images.paths, images.digests, strict=True) if digest in confirmed}
    return [finding for finding in findings if finding.kind != DOUBT or finding.path not in known]


def _note_on_confirmed(count: int) -> list[str]:
    if not count:
        return []
    if count == 1:
        return ["1 photo with a doubtful label is not listed: the user has confirmed it"]
    return [f"{count:,} photos with doubtful labels are not listed: the user has confirmed them"]


def _note_on_others(count: int) -> list[str]:
    if not count:
        return []
    photos = "1 photo" if count == 1 else f"{count:,} photos"
    return [f"'{OTHER}' holds {photos} of none of the classes: only files and copies were looked at there"]


def _refusal(found: Collection) -> list[str]:
    """The remark that a collection cannot be trained on, where that is so."""
    reason = refusal(found)
    return [f"`headstart train` would refuse this collection: {str(reason).rstrip('.')}"] if reason else []


def _classes(listed: Sequence[Item], readable: Sequence[Item]) -> dict[str, dict[str, int]]:
    """Class -> split -> how many images can be read."""
    counts = Counter((item.label, item.split or "all") for item in readable)
    splits = [split for split in (*SPLITS, "all") if any(split == (item.split or "all") for item in listed)]
    labels = sorted({item.label for item in listed} - {OTHER})
    return {printable(label): {split: counts[label, split] for split in splits} for label in labels}
