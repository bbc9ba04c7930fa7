"""Whether a collection can be trained on: checks of its names, before it is read, and of what was read."""

from collections import Counter
from collections.abc import Iterable
from itertools import groupby

from headstart.data.assignment import check_classes_to_train, check_shared_classes
from headstart.data.class_tree import check_class_tree
from headstart.data.collection import Collection, printable
from headstart.data.folder import Listing
from headstart.data.items import column, drawn_as
from headstart.data.label_sets import all_classes, check_several, classes_in
from headstart.data.splits import OTHER, TEST, VALIDATION
from headstart.errors import DatasetError

MAX_UNREADABLE = 0.10  # of all files: with more than that, something else is wrong


def refusal(collection: Collection) -> DatasetError | None:
    """Why `load_dataset` would refuse a collection; None if it would not."""
    try:
        check_listing(collection.listing)
        check_readable(collection)
        listing = collection.listing
        check_classes_to_train(collection.items, listing.source, multi_label=listing.multi_label)
    except DatasetError as error:
        return error
    return None


def check_listing(listing: Listing) -> None:
    """
    Raises:
        DatasetError: it cannot be trained on, whatever is in the files.
    """
    if listing.items and all(name in (VALIDATION, TEST) for name in column(listing.items, "split")):
        raise DatasetError(
            f"'{listing.source}' has split folders, but no images in 'train'. Add them, to train on.",
            reason="nothing-to-train-on",
        )
    if not listing.corrections:  # which may make classes, and end others
        check_shared_classes(listing.items, listing.source)
        _check_classes(column(listing.items, "label"), listing)


def check_readable(collection: Collection) -> None:
    """
    Raises:
        DatasetError: it cannot be trained on, for what was read of it.
    """
    if collection.items or collection.excluded:
        _check_no_class_lost(collection)  # first: it names the class
    check_unreadable(collection)
    if collection.listing.corrections:
        _check_classes(column(collection.items, "label"), collection.listing)


def check_unreadable(collection: Collection) -> None:
    """
    Raises:
        DatasetError: too many files cannot be read.
    """
    count = len(collection.unreadable)
    total = count + len(collection.items) + len(collection.excluded) + collection.labels.unlabelled
    if count > MAX_UNREADABLE * total:
        first = "\n  ".join(f"'{file.path}' {file.reason}" for file in collection.unreadable[:5])
        raise DatasetError(
            f"{count} of {total} files in '{collection.listing.source}' cannot be read, more than "
            f"{MAX_UNREADABLE:.0%}. Repair or remove them:\n  {first}" + ("\n  ..." if count > 5 else ""),
            reason="many-unreadable",
            unreadable=count,
            total=total,
        )


def _check_classes(labels: Iterable[str], listing: Listing) -> None:
    if listing.multi_label:
        labels = {*labels}
        check_several(labels, listing.source)
        labels = all_classes(labels)
    counts = Counter(labels)
    del counts[OTHER]
    names, source = set(counts), listing.source
    if len(names) < 2:
        found = f"one class, '{next(iter(names))}'" if names else "no class"
        remedy = f" Or give some photos the label of another class, in `headstart studio {source}`."
        raise DatasetError(
            f"'{source}' holds {found}; a classifier needs at least two. "
            f"Add a folder of images of something else (such as 'other').{remedy if listing.corrections else ''}",
            reason="one-class",
        )
    for _, same in groupby(sorted(names, key=lambda name: (_folded(name), name)), key=_folded):
        twins = list(same)
        if len(twins) > 1:
            raise DatasetError(
                f"'{source}' holds the classes {' and '.join(map(repr, twins))}, which differ only in upper and lower "
                f"case, or in spaces. Give them one name if they are one class, or clearly different names.",
                reason="names-alike",
                labels=", ".join(twins),
            )
    if listing.hierarchy:
        check_class_tree(counts, source)


def _folded(name: str) -> str:
    """Without what a reader does not see: case, spaces around, invisible characters."""
    return " ".join("".join(sign for sign in name if sign.isprintable() or sign.isspace()).lower().split())


def _check_no_class_lost(collection: Collection) -> None:
    """No class may vanish because none of its files can be read."""
    several = collection.listing.multi_label
    counts = _counts(column(collection.listing.items, "label"), several)
    reasons = {file.path: file.reason for file in collection.unreadable}
    readable = _counts([*drawn_as(collection.items), *(each.item.drawn_as for each in collection.excluded)], several)
    for label in sorted(counts.keys() - readable.keys()):
        listed = collection.listing.items
        first = next(printable(item.path) for item in listed if label in classes_in(item.label, several=several))
        raise DatasetError(
            f"None of the {counts[label]} files of the class '{label}' in '{collection.listing.source}' can be read. "
            f"Repair or convert them, or remove the class:\n  '{first}' {reasons[first]}",
            reason="class-unreadable",
            label=label,
            count=counts[label],
        )


def _counts(labels: Iterable[str], several: bool) -> Counter[str]:
    """Class -> how many photos it has. several: see `label_sets.classes_in`."""
    if not several:
        return Counter(labels)
    return Counter(name for label in labels for name in classes_in(label, several=True))
