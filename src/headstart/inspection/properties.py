"""The table PROPERTIES: what is technical about a photo -> a number for each photo that stands for its value.

Says nothing of what the photo shows, and knows no statistics.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from headstart.array_types import Int64
from headstart.inspection.headers import Header

MANY = 32  # different words; the rarer ones are one value
BINS = 8  # of numbers that are all different, with about as many photos each
FREQUENT = 0.05  # share of the photos, from which on a number is a value of its own
ABSENT = "none"
MODES = {
    "1": "black and white", "L": "grey", "LA": "grey, transparent", "I": "grey", "I;16": "grey", "I;16B": "grey",
    "P": "palette", "RGB": "colour", "RGBA": "colour, transparent", "CMYK": "print colours (CMYK)",
}  # fmt: skip
NAMED_AFTER_ITS_CLASS, NO_LETTERS = "name of the class", "no letters"
MIN_LETTERS = 3  # that a name and a class must have in common, if they are not the same
# File names that begin so were given by a camera, a scanner or a program, not by who sorted the photos.
GIVEN_BY_DEVICES = frozenset({
    NO_LETTERS, "cimg", "dcim", "dji", "dsc", "dscf", "dscn", "fb_img", "gopr", "im", "image", "img", "imgp", "mvi",
    "p", "photo", "pic", "pict", "picture", "pxl", "sam", "scan", "screenshot", "snap", "vid", "whatsapp image",
})  # fmt: skip
USUAL = 0.9  # share of a class, from which on its file names begin alike


@dataclass(frozen=True)
class Technical:
    """What is known of a photo without a look at it. name: of its file. border: None where it was not looked for."""

    name: str
    label: str
    header: Header
    border: str | None = None


Value = str | float | None  # None: not known, so that the photo does not count

# property -> its value for a photo; the visible ones first
PROPERTIES: dict[str, Callable[[Technical], Value]] = {
    "file format": lambda photo: {"MPO": "JPEG"}.get(photo.header.format, photo.header.format),
    "width": lambda photo: float(photo.header.width),
    "height": lambda photo: float(photo.header.height),
    "aspect ratio": lambda photo: round(photo.header.width / photo.header.height, 2),
    "colour mode": lambda photo: MODES.get(photo.header.mode, photo.header.mode),
    "bit depth": lambda photo: float(photo.header.bits),
    "compression quality": lambda photo: ABSENT if photo.header.quality is None else float(photo.header.quality),
    "border": lambda photo: photo.border,
    "date": lambda photo: float(photo.header.taken.toordinal()) if photo.header.taken else ABSENT,
    "camera": lambda photo: photo.header.camera or ABSENT,
    "beginning of the file name": lambda photo: _beginning(photo),
}


@dataclass(frozen=True, eq=False)
class Values:
    """The values of a property.

    photos: the indices of those in which it is known.
    codes: of each of these, a number from 0 on, the same for the same value (or, of numbers, for near ones).
    words: what each number stands for.
    """

    photos: Int64[np.ndarray, " n"]
    codes: Int64[np.ndarray, " n"]
    words: tuple[str, ...]


def values_of(name: str, photos: Sequence[Technical]) -> Values:
    """name: a row of PROPERTIES."""
    found = [PROPERTIES[name](photo) for photo in photos]
    known = [place for place, value in enumerate(found) if value is not None]
    words = [_words(name, found[place]) for place in known]
    if name == "beginning of the file name" and _are_labels(words, [photos[place].label for place in known]):
        words = [NAMED_AFTER_ITS_CLASS] * len(known)
    numbers = np.array([value if isinstance(value, float) else np.nan for value in (found[place] for place in known)])
    named = _binned(name, numbers, words) if len(set(words)) > MANY and not np.isnan(numbers).all() else _most(words)
    different, codes = np.unique(named, return_inverse=True) if named else ((), np.zeros(0, np.int64))
    return Values(np.array(known, np.int64), codes.astype(np.int64), tuple(map(str, different)))


def _words(name: str, value: Value) -> str:
    if isinstance(value, float):
        return date.fromordinal(int(value)).isoformat() if name == "date" else f"{value:g}"
    return str(value)


def _most(words: Sequence[str]) -> list[str]:
    """The frequent ones as they are."""
    frequent = {word for word, _ in Counter(words).most_common(MANY)}
    return [word if word in frequent else "others" for word in words]


def _binned(name: str, numbers: np.ndarray, words: Sequence[str]) -> list[str]:
    """Numbers that many photos have as they are; the others as "from to", by their quantiles. No labels are used."""
    frequent = {word for word, count in Counter(words).items() if count >= FREQUENT * len(words)}
    rest = np.array([word not in frequent for word in words]) & ~np.isnan(numbers)
    limits = np.unique(np.quantile(numbers[rest], np.linspace(0, 1, BINS + 1))[1:-1]) if rest.any() else np.zeros(0)
    bins = np.searchsorted(limits, numbers, side="right")
    ranges = {}
    for number in np.unique(bins[rest]):
        inside = numbers[rest & (bins == number)]
        ends = _words(name, float(inside.min())), _words(name, float(inside.max()))
        ranges[number] = f"{ends[0]} to {ends[1]}" if ends[0] != ends[1] else ends[0]
    return [ranges[bins[place]] if rest[place] else word for place, word in enumerate(words)]


def _beginning(photo: Technical) -> str:
    """The letters before the first digit; names that begin with their class are alike."""
    found = re.split(r"\d|\.[^.]*$", photo.name.rpartition("/")[2], maxsplit=1)[0].strip(" _-.()").casefold()
    letters, label = _letters(found), _letters(photo.label)
    long = min(len(letters), len(label)) >= MIN_LETTERS
    if letters and (letters == label or (long and (letters in label or label in letters))):
        return NAMED_AFTER_ITS_CLASS
    return found or NO_LETTERS


@lru_cache(maxsize=10_000)
def _letters(word: str) -> str:
    return re.sub(r"[\W\d_]", "", word.casefold())


def _are_labels(words: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether each class has one beginning of its own, which no device gave: the class in other words (cat_1.jpg in
    `gatos`)."""
    of_class: dict[str, Counter[str]] = {label: Counter() for label in labels}
    for word, label in zip(words, labels, strict=True):
        of_class[label][word] += 1
    usual = {label: counts.most_common(1)[0] for label, counts in of_class.items()}
    names = [word for word, _ in usual.values() if word != NAMED_AFTER_ITS_CLASS]
    return (
        all(count >= USUAL * of_class[label].total() for label, (_, count) in usual.items())
        and len(set(names)) == len(names)
        and not GIVEN_BY_DEVICES & set(names)
    )
