"""The name of a folder, or a cell of a CSV -> the split it stands for: train, Validation, test_set, seg_train, 02_val.

Knows words, no files. The same words count in folders and in CSVs.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from headstart.data.splits import TEST, TRAIN, VALIDATION

SPLIT_OF_WORD = {
    **dict.fromkeys(("train", "training", "trainval", "treino", "treinamento"), TRAIN),
    **dict.fromkeys(("validation", "val", "valid", "eval", "evaluation", "dev", "validação", "validacao"), VALIDATION),
    **dict.fromkeys(("test", "testing", "teste"), TEST),
}
# Words that say nothing of what is in a folder
NEUTRAL_WORDS = frozenset(
    {"set", "sets", "data", "dataset", "split", "image", "images", "img", "imgs", "photo", "photos", "picture",
     "pictures", "pics", "folder", "files", "jpg", "jpeg", "png", "zip", "class", "classes", "my"}
)  # fmt: skip
# Folders of photos whose class is to be found out, as competitions have them
UNLABELLED_WORDS = frozenset({"pred", "predict", "prediction", "predictions", "unlabeled", "unlabelled", "unknown"})

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-zà-ÿ]+|[^\W\d_]+|\d+")  # also of names like TrainData and train2017
_LAST_WORD = re.compile(f"({'|'.join(SPLIT_OF_WORD)})({'|'.join(NEUTRAL_WORDS)})")  # trainset, testimages


@dataclass(frozen=True)
class SplitName:
    """rest: the other words of the name, without those that say nothing: ("seg",) of seg_train_images."""

    split: str
    rest: tuple[str, ...]

    @property
    def is_plain(self) -> bool:
        """Whether the name says nothing else: train, 01_train, test_set."""
        return not self.rest


def split_in(name: str) -> SplitName | None:
    """The split that a name stands for, word by word; None: it names none, or two that differ."""
    split, rest = None, []
    for word in words_of(name):
        compound = _LAST_WORD.fullmatch(word)
        found = SPLIT_OF_WORD.get(compound[1] if compound else word)
        if found and split not in (None, found):
            return None
        split = found or split
        if not found and word not in NEUTRAL_WORDS and not word.isdigit():
            rest.append(word)
    return SplitName(split, tuple(rest)) if split else None


def split_of(name: str) -> str | None:
    found = split_in(name)
    return found.split if found else None


def is_plain_split(name: str) -> bool:
    found = split_in(name)
    return found is not None and found.is_plain


def have_one_rest(names: Iterable[SplitName]) -> bool:
    """Whether names differ only in their splits: seg_train, seg_test, but not bullet_train, crash_test."""
    return len({name.rest for name in names if name.rest}) <= 1


def is_unlabelled(name: str) -> bool:
    """Whether a folder is named after photos without a class: seg_pred, unlabelled."""
    return bool(UNLABELLED_WORDS.intersection(words_of(name)))


def is_neutral(name: str) -> bool:
    """Whether a name says nothing of what is in the folder: images, 01_data."""
    words = words_of(name)
    return any(word in NEUTRAL_WORDS for word in words) and all(
        word in NEUTRAL_WORDS or word.isdigit() for word in words
    )


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case; a number is a word."""
    return [word.lower() for word in _WORD.findall(name)]
