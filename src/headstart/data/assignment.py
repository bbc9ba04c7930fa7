"""Which split each image goes to: as the collection gives it, or drawn. Knows listed items, opens no file."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from headstart.data import splits
from headstart.data.folder import Item
from headstart.data.splits import TEST, TRAIN, VALIDATION
from headstart.errors import DatasetError

MIN_TRAIN = 0.1  # of a class: what validation and test leave for training


def assign(
    items: list[Item],
    groups: Sequence[Hashable],
    seed: int,
    validation_fraction: float | None,
    test_fraction: float | None,
    shown: str,
) -> list[Item]:
    """The items, each with its split.

    Args:
        items: with the split that the collection gives them, all or none.
        groups: images with the same group, copies of one photo, are kept in one split where it is drawn.
        seed, validation_fraction, test_fraction: see `load_dataset`.
        shown: how messages name the collection.

    Raises:
        DatasetError: a class cannot be trained on, or the fractions leave too little to train on.
    """
    given = items[0].split is not None
    train_classes = Counter(item.label for item in items if item.split in (None, TRAIN))
    for label in sorted({item.label for item in items}):
        if train_classes[label] == 0:
            where = ", ".join(sorted({str(item.split) for item in items if item.label == label}))
            raise DatasetError(
                f"'{shown}' has the class '{label}' in {where}, but no readable image of it in train "
                f"(there: {', '.join(sorted(train_classes))}). Add it to train, or remove it."
            )
        if train_classes[label] < 2 and not given:
            raise DatasetError(
                f"'{label}' in '{shown}' holds 1 readable image; a split needs at least 2 in each class. "
                f"Add images, or leave '{label}' out."
            )
    has_test = any(item.split == TEST for item in items)
    if not any(item.split == VALIDATION for item in items):
        validation = splits.VALIDATION_FRACTION if validation_fraction is None else validation_fraction
        test = 0.0 if has_test else splits.TEST_FRACTION if test_fraction is None else test_fraction
        _check_fractions(validation, test)
        items = _draw_from_train(items, groups, VALIDATION, validation, seed)
        # of what is left, so that the fraction is one of all images
        items = _draw_from_train(items, groups, TEST, test / (1 - validation), seed)
    elif not has_test:
        fraction = splits.TEST_FRACTION_OF_VALIDATION if test_fraction is None else test_fraction
        _check_fractions(0, fraction)
        items = _move(
            items, groups, VALIDATION, TEST, seed,
            lambda labels: splits.proportional(labels, splits.size_of_test(len(labels), fraction)),
        )  # fmt: skip
    return items


def drawn_from(items: Sequence[Item]) -> list[int]:
    """Indices of the items whose split is not the one that the collection gives them, or may not be."""
    given = {item.split for item in items}
    if VALIDATION not in given:
        return [index for index, item in enumerate(items) if item.split in (None, TRAIN)]
    return [] if TEST in given else [index for index, item in enumerate(items) if item.split == VALIDATION]


def _move(
    items: list[Item],
    groups: Sequence[Hashable],
    source: str,
    target: str,
    seed: int,
    wanted: Callable[[list[str]], dict[str, int]],
) -> list[Item]:
    """Draw some of the images of split `source` (None counts as train) and put them into split `target`."""
    items = [replace(item, split=item.split or TRAIN) for item in items]
    indices = [index for index, item in enumerate(items) if item.split == source]
    labels = [items[index].label for index in indices]
    picked = splits.draw(
        [items[index].name for index in indices],
        labels,
        [groups[index] for index in indices],
        wanted=wanted(labels),
        seed=seed,
    )
    for index, is_picked in zip(indices, picked, strict=True):
        if is_picked:
            items[index] = replace(items[index], split=target)
    return items


def notes_on(items: list[Item], digests: Sequence[str], groups: Sequence[Hashable]) -> list[str]:
    """What the owner of the data should know about its splits, in sentences."""
    notes = []
    of_split = {
        name: [index for index, item in enumerate(items) if item.split == name] for name in (TRAIN, VALIDATION, TEST)
    }
    for seen, name in ((TRAIN, VALIDATION), (TRAIN, TEST), (VALIDATION, TEST)):
        same = {digests[index] for index in of_split[seen]}
        alike = {groups[index] for index in of_split[seen]}
        leaked = [index for index in of_split[name] if digests[index] in same]
        nearly = [index for index in of_split[name] if groups[index] in alike and digests[index] not in same]
        for found, how in ((leaked, f"byte for byte also in {seen}"), (nearly, f"nearly the same as others in {seen}")):
            if found:
                counted = f"1 image in {name} is" if len(found) == 1 else f"{len(found):,} images in {name} are"
                notes.append(
                    f"{counted} {how} (such as '{items[found[0]].name}'), "
                    f"which makes the accuracy there look better than it is"
                )
    for name in (VALIDATION, TEST):
        held_out = of_split[name]
        unseen = sorted({item.label for item in items} - {items[index].label for index in held_out})
        if held_out and unseen:
            notes.append(f"{name} holds no image of {', '.join(unseen)}, so nothing is measured there")
    return notes


def _draw_from_train(
    items: list[Item], groups: Sequence[Hashable], target: str, fraction: float, seed: int
) -> list[Item]:
    return _move(items, groups, TRAIN, target, seed, lambda labels: splits.fraction_of_each(labels, fraction, keep=1))


def _check_fractions(validation: float, test: float) -> None:
    if min(validation, test) < 0 or validation + test > 1 - MIN_TRAIN:
        raise DatasetError(
            f"A validation fraction of {validation:g} and a test fraction of {test:g} were asked for: expected 0 or "
            f"more, and together at most {1 - MIN_TRAIN:g}, so that something is left to train on."
        )
