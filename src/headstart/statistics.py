"""Is a difference in accuracy more than chance, and how sure is one? Counts -> McNemar's test, intervals, bounds.

Knows neither images nor classifiers.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from math import sqrt

import numpy as np

from headstart.array_types import Bool, Float, Int64

SIGNIFICANT = 0.05  # p values below it are called a difference
Hashables = Sequence[Hashable]
DRAWS = 1_000  # of a bootstrap: its limits are then within some hundredths of their own width
Z = 1.959963984540054  # the standard normal's 97.5% quantile: two-sided 95%


@dataclass(frozen=True)
class Disagreement:
    """Two classifiers that answer the same images.

    only_first, only_second: how many images only the one gets correct.
    p: McNemar's exact test: the probability of counts at least this uneven if both were equally good. Where images come
        in groups, of counts of groups: those of which the one gets more images correct.
    """

    only_first: int
    only_second: int
    p: float

    @property
    def is_distinguishable(self) -> bool:
        return self.p < SIGNIFICANT


def disagreement(
    first_correct: Bool[np.ndarray, " n"], second_correct: Bool[np.ndarray, " n"], groups: Hashables | None = None
) -> Disagreement:
    """Compare two classifiers by whether each of the same n images is correct.

    groups: of the images, if they come in groups, see `proportion`: images of a group are no independent witnesses.

    Q. McNemar, Note on the sampling error of the difference between correlated proportions, Psychometrika 12 (1947);
    exact, by the binomial distribution, as in A. L. Edwards (1948). Images on which both agree carry no information.
    """
    from scipy.special import bdtr  # and not scipy.stats, which takes a second to import

    only_first = int((first_correct & ~second_correct).sum())
    only_second = int((second_correct & ~first_correct).sum())
    net = first_correct.astype(int) - second_correct
    if groups is not None:
        net = np.bincount(numbered(groups), weights=net)
    for_first, uneven = int((net > 0).sum()), int((net != 0).sum())
    p = min(1.0, 2 * float(bdtr(min(for_first, uneven - for_first), uneven, 0.5))) if uneven else 1.0
    return Disagreement(only_first, only_second, p)


@dataclass(frozen=True)
class Interval:
    """The proportion of `correct` in `count`, with its 95% confidence interval."""

    value: float
    low: float
    high: float
    correct: int
    count: int

    def __str__(self) -> str:
        between = f"{percent(self.low)} to {percent(self.high)}"
        return f"{percent(self.value)} ({between}; {self.correct:,} of {self.count:,})"

    def to_json(self) -> dict:
        return {
            "value": self.value, "low": self.low, "high": self.high, "correct": self.correct, "count": self.count,
        }  # fmt: skip


def percent(share: float) -> str:
    """0.986 -> "98.6%". A share below 1 gets as many digits as it takes not to read as 100%."""
    digits = 1
    while share < 1 and f"{share:.{digits}%}".startswith("100"):
        digits += 1
    return f"{share:.{digits}%}"


def wilson(correct: int, count: int) -> Interval:
    """A proportion with Wilson's 95% score interval, which stays within 0..1 and holds for small counts too.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), 209-212.
    """
    if count < 1:
        raise ValueError(f"A count of {count} has no proportion: expected at least 1.")
    low, high = _score_interval(correct / count, count, Z)
    return Interval(correct / count, low, high, correct, count)


def proportion(hits: Bool[np.ndarray, " n"], groups: Hashables | None = None) -> Interval:
    """The share of n images that are hits, with Wilson's 95% interval.

    groups: where images come in groups (of one patient, one plant, one day), the group of each. Images of a group are
        alike, so that they show less than as many images of different groups: the interval is that of as many
        independent images as vary as much. It is as wide as if each group were one image where all or none are hits.

    J. Rao and A. Scott, A simple method for the analysis of clustered binary data, Biometrics 48 (1992), 577-585. The
    variance is that of a bootstrap of whole groups (which alone would give an interval of no width where all are hits),
    and half a group more, half of it hits, as few groups often vary less than all of their kind. For few groups,
    Student's distribution takes the place of the normal one. In simulations 97% to 99% of such intervals hold the
    truth, where those that take images for independent hold it in 25% to 95%.
    """
    correct, count = int(hits.sum()), len(hits)
    if groups is None:
        return wilson(correct, count)
    place = _place(groups, count)
    share = correct / count
    if place.max() == 0:
        return Interval(share, 0.0, 1.0, correct, count)  # one group says nothing of others
    low, high = _score_interval(share, _effective(hits, place), _quantile(int(place.max()) + 1))
    return Interval(share, low, high, correct, count)


def groups_at(groups: Hashables | None, places: Int64[np.ndarray, " m"]) -> list[Hashable] | None:
    """The groups of some images, by their indices; None where images come in none."""
    return [groups[place] for place in places.tolist()] if groups else None


def least_share(hits: Bool[np.ndarray, " n"], confidence: float, groups: Hashables | None = None) -> float:
    """What the share of hits is at least, with this confidence (one-sided): the bound of C. Clopper and E. Pearson,
    Biometrika 26 (1934). n is at least 1.

    groups: as for `proportion`; the bound is then that of as many independent images as vary as much.
    """
    from scipy.special import betaincinv  # and not scipy.stats, which takes a second to import

    share, count = float(hits.mean()), float(len(hits))
    if groups is not None:
        count = _effective(hits, _place(groups, len(hits)))
    found = share * count
    return float(betaincinv(found, count - found + 1, 1 - confidence)) if found else 0.0


@dataclass(frozen=True)
class MeanInterval:
    """A number about `count` images, such as the mean of one of each, with its 95% confidence interval."""

    value: float
    low: float
    high: float
    count: int

    def to_json(self) -> dict:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g}; {self.count:,} images)"


def mean(values: Float[np.ndarray, " n"], highest: float, groups: Hashables | None = None) -> MeanInterval:
    """The mean of n numbers from 0 to `highest`, which is above 0, with an interval that is never too narrow.

    No such numbers vary more than a proportion with the same mean does, so that it is Wilson's of that. Where none of a
    few images costs much, it still says what a rare costly one could make of the mean. groups: see `proportion`.
    """
    shares, count = values / highest, float(len(values))
    share, z = min(float(shares.mean()), 1.0), Z
    if groups is not None:
        place = _place(groups, len(values))
        if place.max() == 0:
            return MeanInterval(share * highest, 0.0, highest, len(values))
        sizes = np.bincount(place)
        count, z = count**2 / float((sizes**2).sum()), _quantile(len(sizes))
    low, high = _score_interval(share, count, z)
    return MeanInterval(share * highest, low * highest, high * highest, len(values))


def bootstrap(
    statistic: Callable[[Int64[np.ndarray, " m"]], float],
    count: int,
    groups: Hashables | None = None,
    *,
    lowest: float,
    highest: float,
    seed: int = 0,
) -> MeanInterval:
    """A statistic of `count` images with its percentile interval.

    statistic: indices of images, perhaps some more than once -> a number from `lowest` to `highest`. groups: of the
        images, if they come in groups: these are drawn as a whole.

    B. Efron, Bootstrap methods: another look at the jackknife, Annals of Statistics 7 (1979), with DRAWS draws. One
    image, or one group, says nothing of others: the interval is all there is.
    """
    place = np.arange(count) if groups is None else _place(groups, count)
    order = np.argsort(place, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(place[order])) + 1)
    value = float(statistic(np.arange(count)))
    if len(members) < 2:
        return MeanInterval(value, lowest, highest, count)
    rng, found = np.random.default_rng(seed), []
    for _ in range(DRAWS):
        drawn = rng.integers(0, len(members), len(members))
        found.append(statistic(order[drawn] if groups is None else np.concatenate([members[i] for i in drawn])))
    low, high = np.quantile(found, [0.025, 0.975])
    return MeanInterval(value, min(value, float(low)), max(value, float(high)), count)


def share_of_groups(share: float, count: int, groups: Hashables | None) -> Interval:
    """The interval of a share of `count` images of which nothing else is known, as if all of a group were the same."""
    correct = round(share * count)
    if not groups:
        return wilson(correct, count)
    sizes = np.bincount(numbered(groups))
    if len(sizes) < 2:
        return Interval(correct / count, 0.0, 1.0, correct, count)
    low, high = _score_interval(correct / count, count**2 / float((sizes**2).sum()), _quantile(len(sizes)))
    return Interval(correct / count, low, high, correct, count)


def _place(groups: Hashables, count: int) -> Int64[np.ndarray, " n"]:
    """The number of each image's group.

    Raises:
        ValueError: there are not as many as images.
    """
    if count != len(groups):
        raise ValueError(f"{len(groups)} groups of {count} images were given; expected one for each.")
    return numbered(groups)


def _effective(hits: Bool[np.ndarray, " n"], place: Int64[np.ndarray, " n"]) -> float:
    """How many independent images vary as much as those of these groups; see `proportion`."""
    count, share = len(hits), float(hits.mean())
    sizes, of_group = np.bincount(place), np.bincount(place, weights=hits)
    least = count**2 / float((sizes**2).sum())  # independent images, if all of a group were the same
    if len(sizes) == 1:
        return least
    # half a group more, of the usual size
    spread = float(((of_group - share * sizes) ** 2).sum()) + ((0.5 - share) * count / len(sizes)) ** 2 / 2
    variance = len(sizes) / (len(sizes) - 1) * spread / count**2
    return min(max(share * (1 - share) / variance, least), count) if variance else least


def numbered(groups: Hashables) -> Int64[np.ndarray, " n"]:
    """The same number for images of a group, from 0 on."""
    number: dict[Hashable, int] = {}
    return np.array([number.setdefault(group, len(number)) for group in groups], np.int64)


def _quantile(groups: int) -> float:
    """Student's 97.5%, which takes the place of the normal one for few groups."""
    from scipy.special import stdtrit

    return float(stdtrit(groups - 1, 0.975))


def _score_interval(share: float, count: float, z: float) -> tuple[float, float]:
    """Wilson's interval of a share in `count`, which is a fraction for images that are not independent."""
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))
