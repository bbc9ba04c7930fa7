"""Which split each image goes to: as the collection gives it, or drawn. Knows listed items, opens no file."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace

from headstart.data import digest_splits, splits
from headstart.data.folder import Item
from headstart.data.groups import joined
from headstart.data.splits import SPLITS, TEST, TRAIN, VALIDATION
from headstart.data.steady_splits import unlabelled_groups, with_corrected_classes
from headstart.errors import DatasetError

MIN_TRAIN = 0.1  # of a class: what validation and test leave for training


def draw_splits(
    items: list[Item],
    groups: Sequence[Hashable],
    seed: int,
    validation_fraction: float | None = None,
    test_fraction: float | None = None,
) -> list[Item]:
    """The items, each with its split. It depends on the labels that the collection gives, not on those of the user: who
    corrects a label leaves all splits as they are. A photo without a label of the collection gets its split alone.

    Args:
        items: with the split that the collection gives them; either all have one, or none. Photos that the user labels
            beside splits of the collection are trained on.
        groups: images with the same group, copies of one photo, stay in one split where it is drawn. Of a large
            collection, see `digest_splits`, the least digest of the group.
        seed, validation_fraction, test_fraction: see `load_dataset`.

    Raises:
        DatasetError: the fractions leave too little to train on.
    """
    if any(item.split for item in items):
        items = [replace(item, split=item.split or TRAIN) for item in items]
    has_test = any(item.split == TEST for item in items)
    if not any(item.split == VALIDATION for item in items):
        validation = splits.VALIDATION_FRACTION if validation_fraction is None else validation_fraction
        test = 0.0 if has_test else splits.TEST_FRACTION if test_fraction is None else test_fraction
        _check_fractions(validation, test)
        items = _draw_from_train(items, groups, VALIDATION, validation, seed)
        # of the remaining images, so that it is the wanted fraction of all
        items = _draw_from_train(items, groups, TEST, test / (1 - validation), seed)
        return with_corrected_classes(items, groups, seed, wants_validation=validation > 0)
    if not has_test:
        fraction = splits.TEST_FRACTION_OF_VALIDATION if test_fraction is None else test_fraction
        _check_fractions(0, fraction)
        return _move(
            items, groups, VALIDATION, TEST, seed, fraction,
            lambda labels: splits.proportional(labels, splits.size_of_test(len(labels), fraction)),
        )  # fmt: skip
    return items


def draw_splits_beside_copies(
    items: list[Item],
    copies: Sequence[Hashable],
    given: Sequence[Hashable],
    digests: Sequence[str],
    seed: int,
    validation_fraction: float | None = None,
    test_fraction: float | None = None,
) -> tuple[list[Item], bool]:
    """The items, each with its split, see `draw_splits`; and whether copies were kept on one side of splits drawn so.

    copies: the same for copies of one photo. given: the groups that the collection names, if it names any. digests:
    SHA-256 of each image's bytes.
    """
    sides = joined(copies, given) if given else copies
    if len(items) >= digest_splits.LARGE:
        sides = digest_splits.names_by_digest(sides, digests)
    found = draw_splits(items, sides, seed, validation_fraction, test_fraction)
    if any(item.split == VALIDATION for item in found):
        return found, found != items
    # all are copies of one photo: better a leak than no split
    return draw_splits(items, given or digests, seed, validation_fraction, test_fraction), False


def indices_to_draw_from(items: Sequence[Item]) -> list[int]:
    """The items that may get another split than the collection gives them."""
    given = {item.split for item in items}
    if VALIDATION not in given:
        return [index for index, item in enumerate(items) if item.split in (None, TRAIN)]
    return [] if TEST in given else [index for index, item in enumerate(items) if item.split == VALIDATION]


def split_notes(
    items: list[Item], digests: Sequence[str], copies: Sequence[Hashable], groups: Sequence[str] = ()
) -> list[str]:
    """What the owner of the collection should know about its splits, in sentences.

    items: with their splits. digests: SHA-256 of their bytes. copies: the same for copies of one photo. groups: of
        images that belong together, if any are named.
    """
    of_split = {name: [index for index, item in enumerate(items) if item.split == name] for name in SPLITS}
    notes = []
    for seen, held_out in ((TRAIN, VALIDATION), (TRAIN, TEST), (VALIDATION, TEST)):
        for indices, how in _leaks(of_split[seen], of_split[held_out], digests, copies, groups):
            count = f"1 image in {held_out} is" if len(indices) == 1 else f"{len(indices):,} images in {held_out} are"
            notes.append(
                f"{count} {how} {seen} (such as '{items[indices[0]].name}'), "
                f"which makes the accuracy there look better than it is"
            )
    labels = {item.label for item in items}
    for name in (VALIDATION, TEST):
        missing = sorted(labels - {items[index].label for index in of_split[name]})
        if of_split[name] and missing:
            notes.append(f"{name} holds no image of {', '.join(missing)}, so nothing is measured there")
    return notes


def _leaks(
    seen: list[int],
    held_out: list[int],
    digests: Sequence[str],
    copies: Sequence[Hashable],
    groups: Sequence[str],
) -> Iterator[tuple[list[int], str]]:
    """The indices of held-out images that are copies of seen ones, byte for byte and near, or of the same group, each
    if there are any."""
    seen_digests, seen_copies = {digests[index] for index in seen}, {copies[index] for index in seen}
    equal = [index for index in held_out if digests[index] in seen_digests]
    near = [index for index in held_out if copies[index] in seen_copies and digests[index] not in seen_digests]
    of_group = []
    if groups:
        seen_groups = {groups[index] for index in seen}
        of_group = [index for index in held_out if groups[index] in seen_groups]
    if equal:
        yield equal, "byte for byte also in"
    if near:
        yield near, "nearly the same as others in"
    if of_group:
        yield of_group, "of a group that is also in"


def check_classes_to_train(items: Sequence[Item], source: str) -> None:
    """
    Raises:
        DatasetError: a class has too few images to train on. items: as the collection gives them, before splits are
            drawn.
    """
    counts = Counter(item.label for item in items if item.split in (None, TRAIN))  # to train on
    for label in sorted({item.label for item in items}):
        if counts[label] == 0:
            where = ", ".join(sorted({str(item.split) for item in items if item.label == label}))
            raise DatasetError(
                f"'{source}' has the class '{label}' in {where}, but no readable image of it in train "
                f"(there: {', '.join(sorted(counts))}). Add it to train, or remove it.",
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


def _check_fractions(validation: float, test: float) -> None:
    if min(validation, test) < 0 or validation + test > 1 - MIN_TRAIN:
        raise DatasetError(
            f"A validation fraction of {validation:g} and a test fraction of {test:g} were given: expected 0 or "
            f"more, and together at most {1 - MIN_TRAIN:g}, so that something is left to train on."
        )


def _draw_from_train(
    items: list[Item], groups: Sequence[Hashable], target: str, fraction: float, seed: int
) -> list[Item]:
    def wanted(labels: list[str]) -> dict[str, int]:
        return splits.fraction_of_each(labels, fraction, keep=1)

    return _move(items, groups, TRAIN, target, seed, fraction, wanted)


def _move(
    items: list[Item],
    groups: Sequence[Hashable],
    source: str,
    target: str,
    seed: int,
    fraction: float,
    wanted: Callable[[list[str]], dict[str, int]],
) -> list[Item]:
    """Draw some of the images of split `source` (None counts as train), and put them into split `target`.

    fraction: of those without a label of the collection, about. wanted: labels of the others -> how many images of each
        label to move.
    """
    items = [replace(item, split=item.split or TRAIN) for item in items]
    indices = [index for index, item in enumerate(items) if item.split == source]
    labelled = [index for index in indices if items[index].drawn_as]
    labels = [items[index].drawn_as for index in labelled]
    if len(items) >= digest_splits.LARGE:
        names = [str(groups[index]) for index in labelled]
        moved: set[Hashable] = set(digest_splits.draw_by_digest(names, labels, target, fraction, seed))
        return _moved(items, indices, groups, moved, target)
    picked = splits.draw(
        [items[index].name for index in labelled],
        labels,
        [groups[index] for index in labelled],
        wanted=wanted(labels),
        seed=seed,
    )
    moved = {groups[index] for index, is_picked in zip(labelled, picked, strict=True) if is_picked}
    moved |= unlabelled_groups(items, indices, groups, target, fraction, seed)
    return _moved(items, indices, groups, moved, target)


def _moved(
    items: list[Item], indices: Sequence[int], groups: Sequence[Hashable], moved: set[Hashable], target: str
) -> list[Item]:
    for index in indices:
        if groups[index] in moved:
            items[index] = replace(items[index], split=target)
    return items
