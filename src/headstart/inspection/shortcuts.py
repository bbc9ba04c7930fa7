"""Technical properties of photos and their labels -> shortcuts: properties that tell the classes apart.

If all photos of one class are greyscale PNGs and all others colour JPEGs, a classifier learns that, and measures well
on photos of the same collection. A property is named where it tells classes apart by more than chance (mutual
information, permutation test, corrected for the number of properties) and clearly enough to matter (cross-
validation). Decodes pixels of a few photos only, to look for borders.
"""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np

from headstart.array_types import Float64, Int, Int64
from headstart.concurrency import cpu_budget
from headstart.data.dataset import Split
from headstart.data.images import read_thumbnail
from headstart.inspection.borders import SIDE, border
from headstart.inspection.headers import Header
from headstart.inspection.properties import PROPERTIES, Technical, Values, values_of
from headstart.statistics import SIGNIFICANT, percent, wilson
from headstart.storage.locations import Fetched, map_fetched

FOLDS = 5
PERMUTATIONS = 999
TABLES = 50_000_000  # numbers, that are drawn together
LEAST = 0.2  # share of a class that is told by a property, less the share of others that is taken for it
# Photos, as many of each class, in which borders are looked for: 1 ms each. At first few: of a class of which 30% have
# a border, 20 are all without one in 1 of 1,000 collections.
LOOKED_AT_FIRST, LOOKED_AT = 40, 200
SHOWN = 3  # classes that are named


@dataclass(frozen=True)
class Shortcut:
    """A technical property that tells classes apart.

    name: a row of PROPERTIES.
    accuracy: share of the photos that the property alone would classify correctly, by cross-validation; the mean over
        the classes.
    chance: the same by guessing: 1 / number of classes.
    p: of the permutation test, corrected for the number of properties (Bonferroni).
    values: what the property is for which class, in words.
    """

    name: str
    accuracy: float
    chance: float
    p: float
    values: str

    @property
    def sentence(self) -> str:
        """Without a full stop."""
        return (
            f"{self.name}: it alone tells the class of {percent(self.accuracy)} of the photos (guessing: "
            f"{percent(self.chance)}); {self.values}"
        )

    def to_json(self) -> dict:
        return asdict(self)


def find_shortcuts(images: Split, names: Sequence[str], headers: Sequence[Header], *, seed: int) -> list[Shortcut]:
    """The properties that tell classes apart, the most telling first.

    Args:
        images: at least one. names: of their files. headers: of their files.
        seed: of the photos in which borders are looked for, and of the permutations.

    Raises:
        ImageError: a photo was changed or moved since the collection was read.
    """
    rng = np.random.default_rng(seed)
    borders = _borders(images, rng)
    photos = [
        Technical(name, images.class_names[label], header, borders.get(place))
        for place, (name, label, header) in enumerate(zip(names, images.labels, headers, strict=True))
    ]
    found = [_shortcut(name, values_of(name, photos), images, rng) for name in PROPERTIES]
    return sorted((each for each in found if each), key=lambda each: -each.accuracy)


def said_in_a_line(shortcuts: Sequence[Shortcut]) -> str:
    """For a training: what tells the classes apart, and what that means. At least one shortcut."""
    first, *others = shortcuts
    names = _listed([each.name for each in others])
    more = f"; so {'does' if len(others) == 1 else 'do'} {names}" if others else ""
    return (
        f"Note: the {first.name} alone tells the class of {percent(first.accuracy)} of the photos (guessing: "
        f"{percent(first.chance)}){more}. The accuracy may come from that rather than from what the photos show."
    )


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _borders(images: Split, rng: np.random.Generator) -> dict[int, str]:
    """Of some photos, as many of each class: image -> its border; where the first ones hardly differ, of these."""
    order = rng.permutation(len(images))
    order = order[np.argsort(images.labels[order], kind="stable")]
    position = np.arange(len(order)) - np.searchsorted(images.labels[order], images.labels[order])  # within its class
    chosen = [int(place) for place in order[np.argsort(position, kind="stable")][:LOOKED_AT]]
    first = max(LOOKED_AT_FIRST, 2 * len(images.class_names))
    with ThreadPoolExecutor(cpu_budget()) as pool:

        def look(places: Sequence[int]) -> dict[int, str]:
            found = map_fetched(pool, _border_of, [images.paths[place] for place in places])
            return dict(zip(places, found, strict=True))

        found = look(chosen[:first])
        usual = Counter(found.values()).most_common(1)[0][1]
        return found if len(found) - usual < 2 else found | look(chosen[first:])


def _border_of(path: str, content: Fetched) -> str:
    return border(read_thumbnail(path, SIDE, content=content))


def _shortcut(name: str, values: Values, images: Split, rng: np.random.Generator) -> Shortcut | None:
    """None where the property tells nothing, or too little to matter."""
    labels = images.labels[values.photos]
    classes, labels = np.unique(labels, return_inverse=True)
    if len(classes) < 2 or len(values.words) < 2:
        return None
    tables = np.zeros((FOLDS, len(values.words), len(classes)), np.int64)
    np.add.at(tables, (rng.permutation(len(labels)) % FOLDS, values.codes, labels), 1)
    recall, mistaken = told_apart(tables)
    table = tables.sum(axis=0)
    sizes = table.sum(axis=0)
    surely = np.array([wilson(round(share * size), size).low for share, size in zip(recall, sizes, strict=True)])
    told = np.flatnonzero(surely - mistaken >= LEAST)
    if not len(told):
        return None
    p = min(1.0, len(PROPERTIES) * permutation_test(table, rng))
    if p >= SIGNIFICANT:
        return None
    best = told[np.argsort(mistaken[told] - surely[told], kind="stable")]
    words = [_of_class(table, column, images.class_names[classes[column]], values.words) for column in best[:SHOWN]]
    more = f", and {len(best) - SHOWN} more classes" if len(best) > SHOWN else ""
    return Shortcut(name, float(recall.mean()), 1 / len(classes), p, ", ".join(words) + more)


def _of_class(table: Int64[np.ndarray, "values classes"], column: int, name: str, words: Sequence[str]) -> str:
    """The value that is most typical of a class, or of all others; if there are both, the former."""
    own, others = table[:, column], table.sum(axis=1) - table[:, column]
    difference = own / own.sum() - others / others.sum()
    value = int(np.lexsort((difference, np.abs(difference).round(6)))[-1])
    return (
        f"{words[value]} in {own[value]:,} of {own.sum():,} photos of '{name}' and in {others[value]:,} of "
        f"{others.sum():,} others"
    )


def told_apart(
    tables: Int[np.ndarray, "folds values classes"],
) -> tuple[Float64[np.ndarray, " classes"], Float64[np.ndarray, " classes"]]:
    """How well a value alone tells the class, by cross-validation.

    The answer to a photo is the class in which its value is most frequent, in the other folds.

    Args:
        tables: how many photos of each class have each value; no class is empty.

    Returns:
        of each class the share that is recognized, and the share of all others that is taken for it.
    """
    sizes, others = tables.sum(axis=(0, 1)), tables.sum(axis=0) - tables
    shares = others / np.maximum(others.sum(axis=1, keepdims=True), 1)
    is_known = shares.max(axis=2, keepdims=True) > 0
    is_answer = is_known & (shares.argmax(axis=2)[..., None] == np.arange(len(sizes)))
    right = np.where(is_answer, tables, 0).sum(axis=(0, 1))
    answers = np.where(is_answer, tables.sum(axis=2, keepdims=True), 0).sum(axis=(0, 1))
    return right / sizes, (answers - right) / (sizes.sum() - sizes)


def permutation_test(table: Int[np.ndarray, "values classes"], rng: np.random.Generator) -> float:
    """p: how often shuffled labels have as much mutual information with the values. Tables of the same margins are
    what shuffling gives (W. M. Patefield, Algorithm AS 159, Applied Statistics 30 (1981))."""
    from scipy.stats import random_table  # takes a second to import, and few collections need it

    drawn = random_table(table.sum(axis=1), table.sum(axis=0), seed=rng)
    least, at_least = mutual_information(table[None])[0], 0
    together = max(1, TABLES // table.size)
    for start in range(0, PERMUTATIONS, together):
        shuffled = mutual_information(drawn.rvs(min(together, PERMUTATIONS - start)))
        at_least += int((shuffled >= least - 1e-12).sum())
    return (1 + at_least) / (1 + PERMUTATIONS)


def mutual_information(tables: Int[np.ndarray, "n values classes"]) -> Float64[np.ndarray, " n"]:
    """Of values and classes, in nats, but for a constant factor and what is the same in tables of the same margins."""
    logarithms = np.log(tables, out=np.zeros(tables.shape), where=tables > 0)
    return (tables * logarithms).sum(axis=(1, 2))
