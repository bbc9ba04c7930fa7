"""Which split each image goes to: as the collection gives it, or drawn. Knows listed items, opens no file."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from headstart.array_types import Bool, Int64
from headstart.data import digest_splits, splits
from headstart.data.groups import joined
from headstart.data.items import Item, column, drawn_as, shared_classes
from headstart.data.label_sets import all_classes, classes_in, names_in
from headstart.data.packed import Names, chosen, numbered
from headstart.data.splits import OTHER, SPLITS, TEST, TRAIN, VALIDATION
from headstart.data.steady_splits import unlabelled_groups, with_corrected_classes
from headstart.data.stratification import draw_share
from headstart.errors import DatasetError

MIN_TRAIN = 0.1  # of a class: what validation and test leave for training


def draw_splits(
    items: Sequence[Item],
    groups: Names,
    seed: int,
    validation_fraction: float | None = None,
    test_fraction: float | None = None,
    *,
    multi_label: bool = False,
) -> list[str | None]:
    """The split of each item. It depends on the labels that the collection gives, not on those of the user: who
    corrects a label leaves all splits as they are. A photo without a label of the collection gets its split alone.

    Args:
        items: with the split that the collection gives them; either all have one, or none. Photos that the user labels
            beside splits of the collection are trained on.
        groups: images with the same group, copies of one photo, stay in one split where it is drawn. Of a large
            collection, see `digest_splits`, the least digest of the group.
        seed, validation_fraction, test_fraction: see `load_dataset`.
        multi_label: whether labels are several each, see `label_sets.py`.

    Raises:
        DatasetError: the fractions leave too little to train on.
    """
    given = list(column(items, "split"))
    if any(given):
        given = [name or TRAIN for name in given]
    has_test = TEST in given
    if VALIDATION not in given:
        validation = splits.VALIDATION_FRACTION if validation_fraction is None else validation_fraction
        test = 0.0 if has_test else splits.TEST_FRACTION if test_fraction is None else test_fraction
        _check_fractions(validation, test)
        drawn = _draw_from_train(items, given, groups, VALIDATION, validation, seed, multi_label)
        # of the remaining images, so that it is the wanted fraction of all
        drawn = _draw_from_train(items, drawn, groups, TEST, test / (1 - validation), seed, multi_label)
        if multi_label:
            return drawn
        return with_corrected_classes(items, drawn, groups, seed, wants_validation=validation > 0)
    if not has_test:
        fraction = splits.TEST_FRACTION_OF_VALIDATION if test_fraction is None else test_fraction
        _check_fractions(0, fraction)
        return _move(
            items, given, groups, VALIDATION, TEST, seed, fraction,
            lambda labels: splits.proportional(labels, splits.size_of_test(len(labels), fraction)), multi_label,
        )  # fmt: skip
    return given


def draw_splits_beside_copies(
    items: Sequence[Item],
    copies: Names,
    groups: Names,
    digests: Sequence[str],
    seed: int,
    validation_fraction: float | None = None,
    test_fraction: float | None = None,
    *,
    multi_label: bool = False,
) -> tuple[list[str | None], bool]:
    """The split of each item, see `draw_splits`; and whether copies were kept on one side of splits drawn so.

    copies: the same for copies of one photo. groups: those that the collection names, if it names any. digests: SHA-256
    of each image's bytes.
    """
    sides = joined(copies, groups) if groups else copies
    if len(items) >= digest_splits.LARGE:
        sides = digest_splits.names_by_digest(sides, digests)
    drawn = draw_splits(items, sides, seed, validation_fraction, test_fraction, multi_label=multi_label)
    if VALIDATION in drawn:
        return drawn, drawn != list(column(items, "split"))
    # all are copies of one photo: better a leak than no split
    alone = draw_splits(items, groups or digests, seed, validation_fraction, test_fraction, multi_label=multi_label)
    return alone, False


def indices_to_draw_from(given: Sequence[str | None]) -> list[int]:
    """Those that may get another split than the collection gives them. given: these splits."""
    names = set(given)
    if VALIDATION not in names:
        return [index for index, name in enumerate(given) if name in (None, TRAIN)]
    return [] if TEST in names else [index for index, name in enumerate(given) if name == VALIDATION]


def split_notes(
    items: Sequence[Item],
    split_names: Sequence[str | None],
    digests: Sequence[str],
    copies: Names,
    groups: Sequence[str] = (),
    *,
    multi_label: bool = False,
) -> list[str]:
    """What the owner of the collection should know about its splits, in sentences.

    split_names: of the items. digests: SHA-256 of their bytes. copies: the same for copies of one photo. groups: of
        images that belong together, if any are named. multi_label: see `draw_splits`.
    """
    of_split = {name: np.flatnonzero([each == name for each in split_names]) for name in SPLITS}
    photos, near = numbered(digests), numbered(copies)
    named = numbered(groups) if groups else None
    notes = []
    for seen, held_out in ((TRAIN, VALIDATION), (TRAIN, TEST), (VALIDATION, TEST)):
        for indices, how in _leaks(of_split[seen], of_split[held_out], photos, near, named):
            count = f"1 image in {held_out} is" if len(indices) == 1 else f"{len(indices):,} images in {held_out} are"
            notes.append(
                f"{count} {how} {seen} (such as '{items[int(indices[0])].name}'), "
                f"which makes the accuracy there look better than it is"
            )
    labels: dict[str | None, set[str]] = defaultdict(set)
    for label, name in set(zip(column(items, "label"), split_names, strict=True)):
        labels[name].update(classes_in(label, several=multi_label))
    for name in (VALIDATION, TEST):
        missing = sorted(set().union(*labels.values()) - labels[name])
        if len(of_split[name]) and missing:
            notes.append(f"{name} holds no image of {', '.join(missing)}, so nothing is measured there")
    return notes


def _leaks(
    seen: np.ndarray, held_out: np.ndarray, photos: np.ndarray, copies: np.ndarray, groups: np.ndarray | None
) -> Iterator[tuple[np.ndarray, str]]:
    """The indices of held-out images that are copies of seen ones, byte for byte and near, or of the same group, each
    if there are any. photos, copies, groups: a number for each image, equal for those that are the same."""
    equal, near = (np.isin(numbers[held_out], numbers[seen]) for numbers in (photos, copies))
    of_group = np.isin(groups[held_out], groups[seen]) if groups is not None else np.zeros(len(held_out), bool)
    if equal.any():
        yield held_out[equal], "byte for byte also in"
    if (near & ~equal).any():
        yield held_out[near & ~equal], "nearly the same as others in"
    if of_group.any():
        yield held_out[of_group], "of a group that is also in"


def check_classes_to_train(items: Sequence[Item], source: str, *, multi_label: bool = False) -> None:
    """
    Raises:
        DatasetError: a class has too few images to train on. items: as the collection gives them, before splits are
            drawn. multi_label: see `draw_splits`.
    """
    check_shared_classes(items, source)
    pairs = Counter[tuple[str, str | None]]()
    for (given, name), count in Counter(zip(column(items, "label"), column(items, "split"), strict=True)).items():
        for label in classes_in(given, several=multi_label):
            pairs[label, name] += count
    counts = Counter[str]()  # to train on
    for (label, name), count in pairs.items():
        counts[label] += count if name in (None, TRAIN) else 0
    for label in sorted({label for label, _ in pairs}):
        if counts[label] == 0:
            where = ", ".join(sorted({str(name) for each, name in pairs if each == label}))
            raise DatasetError(
                f"'{source}' has the class '{label}' in {where}, but no readable image of it in train "
                f"(there: {', '.join(sorted(+counts))}). Add it to train, or remove it.",
                reason="class-not-in-training",
                label=label,
            )
        if counts[label] < 2 and items[0].split is None:
            raise DatasetError(
                f"'{label}' in '{source}' holds 1 readable image; a split needs at least 2 in each class. "
                f"Add images, or leave '{label}' out.",
                reason="class-of-one",
                label=label,
            )


def check_shared_classes(items: Sequence[Item], source: str) -> None:
    """
    Raises:
        DatasetError: a class has shares of photos, and could not be trained for them.
    """
    shared = shared_classes(items)
    if OTHER in shared:
        raise DatasetError(
            f"'{source}' gives '{OTHER}' a share of photos, but a photo is either of none of the classes or not. Give "
            f"'{OTHER}' all of such a photo, or nothing."
        )
    if missing := sorted(shared.difference(column(items, "label"))):
        raise DatasetError(
            f"'{source}' gives '{missing[0]}' shares of photos, but the largest share of none, and training needs "
            f"such photos of each class. Leave '{missing[0]}' out, or merge it with a similar class.",
            reason="never-most-probable",
            label=missing[0],
        )


def _check_fractions(validation: float, test: float) -> None:
    if min(validation, test) < 0 or validation + test > 1 - MIN_TRAIN:
        raise DatasetError(
            f"A validation fraction of {validation:g} and a test fraction of {test:g} were given: expected 0 or "
            f"more, and together at most {1 - MIN_TRAIN:g}, so that something is left to train on."
        )


def _draw_from_train(
    items: Sequence[Item],
    given: Sequence[str | None],
    groups: Names,
    target: str,
    fraction: float,
    seed: int,
    multi_label: bool,
) -> list[str | None]:
    def wanted(labels: list[str]) -> dict[str, int]:
        return splits.fraction_of_each(labels, fraction, keep=1)

    return _move(items, given, groups, TRAIN, target, seed, fraction, wanted, multi_label)


def _move(
    items: Sequence[Item],
    given: Sequence[str | None],
    groups: Names,
    source: str,
    target: str,
    seed: int,
    fraction: float,
    wanted: Callable[[list[str]], dict[str, int]],
    multi_label: bool,
) -> list[str | None]:
    """Draw some of the images of split `source` (None counts as train), and put them into split `target`.

    given: the split of each item until now. fraction: of those without a label of the collection, about; of several
        labels per photo, of each label. wanted: labels of the others -> how many images of each label to move.
    """
    names = [name or TRAIN for name in given]
    own = [label if name == source else "" for label, name in zip(drawn_as(items), names, strict=True)]
    labelled = np.flatnonzero([bool(label) for label in own])
    labels = [label for label in own if label]
    numbers = numbered(groups)
    if len(items) >= digest_splits.LARGE:
        among = groups if len(labelled) == len(groups) else chosen(groups, labelled)
        picked = digest_splits.draw_by_digest(among, labels, target, fraction, seed)
        moved = np.unique(numbers[labelled[picked]])
    else:
        if multi_label:
            picked = _drawn_by_each_label(items, labelled, labels, numbers, fraction, seed)
        else:
            picked = splits.draw(
                [items[index].name for index in labelled.tolist()],
                labels,
                numbers[labelled].tolist(),
                wanted=wanted(labels),
                seed=seed,
            )
        indices = [index for index, name in enumerate(names) if name == source]
        alone = unlabelled_groups(items, indices, numbers.tolist(), target, fraction, seed)
        moved = np.union1d(numbers[labelled[picked]], np.array([*alone], np.int64))
    is_moved = np.isin(numbers, moved)
    return [target if name == source and there else name for name, there in zip(names, is_moved, strict=True)]


def _drawn_by_each_label(
    items: Sequence[Item],
    rows: Int64[np.ndarray, " n"],
    labels: Sequence[str],
    groups: Int64[np.ndarray, " all"],
    fraction: float,
    seed: int,
) -> Bool[np.ndarray, " n"]:
    """Which of some items are drawn, of each of their labels the same fraction. It depends on their names, not on their
    order. groups: of all items."""
    names = all_classes(labels)
    column = {name: place for place, name in enumerate(names)}
    targets = np.zeros((len(rows), len(names)), bool)
    for row, label in enumerate(labels):
        targets[row, [column[name] for name in names_in(label)]] = True
    order = np.array(sorted(range(len(rows)), key=lambda row: items[int(rows[row])].name), np.int64)
    first = np.unique(groups[rows[order]], return_index=True, return_inverse=True)[1:]
    by_name = np.argsort(np.argsort(first[0]))[first[1]]  # groups, numbered as their first images are named
    picked = np.zeros(len(rows), bool)
    picked[order] = draw_share(targets[order], by_name, fraction, seed)
    return picked
