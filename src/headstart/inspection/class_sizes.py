"""Labels and splits -> remarks on classes that are unbalanced, too small to learn, or too small to measure."""

from collections import Counter
from collections.abc import Sequence

from headstart.data.items import Item
from headstart.data.splits import TEST, TEST_FRACTION, TEST_FRACTION_OF_VALIDATION, TRAIN, VALIDATION
from headstart.statistics import wilson

UNBALANCED = 10  # largest class divided by smallest class
FEW_TO_LEARN = 10  # training photos of a class
FEW_TO_MEASURE = 20  # held-out photos of a class: even if all of them are correct, only 84% is certain


def remarks_on_class_sizes(items: Sequence[Item], *, may_balance: bool = True) -> list[str]:
    """Sentences without a full stop. may_balance: whether a training could make all classes count alike."""
    if not items:
        return []
    sizes = Counter(item.label for item in items)
    remarks = _unbalanced(sizes) if may_balance else []
    training = Counter(item.label for item in items if item.split in (None, TRAIN))
    few = [name for name in sorted(sizes) if training[name] < FEW_TO_LEARN]
    if few:
        remarks.append(
            f"Few photos to learn from: {_named(few, training)}; fewer than {FEW_TO_LEARN} of a class are hardly enough"
        )
    for place, held_out in _held_out(items, sizes).items():
        few = [name for name in sorted(sizes) if held_out[name] < FEW_TO_MEASURE]
        if few:
            remark, fewest = f"Few photos {place}: {_named(few, held_out)}", min(held_out[name] for name in few)
            if fewest:
                recall = wilson(fewest, fewest).low
                remark += f"; even if all of them are classified correctly, recall may be as low as {recall:.0%}"
            remarks.append(remark)
    return remarks


def _unbalanced(sizes: Counter[str]) -> list[str]:
    (large, most), (small, least) = sizes.most_common()[0], sizes.most_common()[-1]
    if most <= UNBALANCED * least:
        return []
    return [
        f"'{large}' has {most / least:.0f} times as many photos as '{small}' ({most:,} and {least:,}): a classifier "
        f"will rarely answer '{small}'; add photos, or train with --balanced"
    ]


def _held_out(items: Sequence[Item], sizes: Counter[str]) -> dict[str, Counter[str]]:
    """The images of each class that measure: in the splits as given, or in the test split that headstart will draw.

    The keys say which these are.
    """
    given = {split: Counter(item.label for item in items if item.split == split) for split in (VALIDATION, TEST)}
    found = {f"in the {split} split": counts for split, counts in given.items() if counts}
    if not given[TEST]:
        source, fraction = (
            (given[VALIDATION], TEST_FRACTION_OF_VALIDATION) if given[VALIDATION] else (sizes, TEST_FRACTION)
        )
        drawn = Counter({name: round(fraction * source[name]) for name in sizes})
        found["in the test split that headstart draws"] = drawn
    return found


def _named(names: Sequence[str], counts: Counter[str]) -> str:
    """ "'cats' (3), 'dogs' (5) and 2 more classes"."""
    shown, rest = ", ".join(f"'{name}' ({counts[name]:,})" for name in names[:3]), len(names) - 3
    return shown + (f" and {rest} more {'class' if rest == 1 else 'classes'}" if rest > 0 else "")
