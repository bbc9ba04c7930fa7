"""Copies and splits -> leaks: held-out images that the classifier has already seen. Knows only paths."""

from collections.abc import Sequence

from headstart.data.dataset import Split
from headstart.data.splits import SPLITS
from headstart.inspection.duplicates import Duplicates, Pair, grouped
from headstart.inspection.findings import LEAK, Finding

INDIRECT = "through other copies"  # detail of a leak


def find_leaks(images: Split, splits: Sequence[str | None], duplicates: Duplicates) -> list[Finding]:
    """The held-out images that have a copy in an earlier split, one that is trained on or selected by.

    splits: of each image, as the collection gives it. Only reported pairs count, not groups: images of a crowd that
    merely look alike are no leak.
    """
    copies = _copies(duplicates.pairs)
    groups = grouped(len(images), duplicates.pairs)
    one_in_split: dict[tuple[int, str | None], int] = {}  # (group, split) -> one of its images there
    for image in copies:
        one_in_split.setdefault((groups[image], splits[image]), image)
    leaks = []
    for image, direct in sorted(copies.items()):
        earlier = SPLITS[: SPLITS.index(str(splits[image]))] if splits[image] else ()
        indirect = [one_in_split[groups[image], split] for split in earlier if (groups[image], split) in one_in_split]
        seen = [*(other for other in direct if splits[other] in earlier), *indirect]
        if seen:
            # in the first split; and there a direct copy rather than an indirect one
            worst = min(seen, key=lambda other: (SPLITS.index(str(splits[other])), other not in direct))
            detail, score = (direct[worst].kind, direct[worst].similarity) if worst in direct else (INDIRECT, None)
            leaks.append(Finding(LEAK, images.paths[image], other=images.paths[worst], score=score, detail=detail))
    return leaks


def _copies(pairs: Sequence[Pair]) -> dict[int, dict[int, Pair]]:
    """Image -> its copies, each with the pair."""
    copies: dict[int, dict[int, Pair]] = {}
    for pair in pairs:
        copies.setdefault(pair.first, {})[pair.second] = pair
        copies.setdefault(pair.second, {})[pair.first] = pair
    return copies
