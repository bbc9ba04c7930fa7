"""The first line of a CSV -> which column is what: path, label (or one column a class), split. Knows no files.

A further column of a collection is found here, and read in `tables.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from headstart.data.formats import FORMAT_OF_SUFFIX
from headstart.data.label_sets import SIGN, label_of, names_in
from headstart.data.source import DataSource
from headstart.data.split_names import split_in
from headstart.data.splits import SPLITS, TRAIN, VALIDATION
from headstart.errors import DatasetError

# Usual names, of which the first is also looked for first
PATH_NAMES = ("path", "filename", "file_name", "filepath", "file_path", "file", "image_path", "image_name", "image",
              "img_path", "img_name", "img", "image_id", "id_code", "image_file", "url", "image_url")  # fmt: skip
LABEL_NAMES = ("label", "class", "class_name", "label_name", "category", "target", "species", "diagnosis")
LABELS_NAMES = ("labels", "tags", "classes", "categories")  # of several labels per photo
GROUP_NAMES = (
    "group",
    "group_id",
    "patient",
    "patient_id",
    "subject",
    "subject_id",
)  # of images that belong together, see `groups.py`
WEIGHT_NAMES = ("probability", "weight", "share", "votes")  # of a label, see `shares.py`
ANSWER_NAMES = ("answer", "prediction", "predicted")  # of a classifier, as in a run's predictions.csv
PROBABILITY = WEIGHT_NAMES[0]  # that says the same of one line per photo
SPLIT_NAMES = ("split", "subset", "partition", "set")
HASH = "hash"  # of a splits.csv, which is not read from it
IS_VALIDATION = "is_valid"  # fastai's
TRUE, FALSE = frozenset({"1", "1.0", "true", "yes"}), frozenset({"0", "0.0", "false", "no", ""})

Cells = Mapping[str, str]  # column -> what stands there, without spaces around


@dataclass(frozen=True)
class Columns:
    """The columns of a CSV. classes: of labels that are one-hot; then `label` is None. unused: the others."""

    path: str
    label: str | None
    classes: tuple[str, ...]
    split: str | None
    group: str | None
    unused: tuple[str, ...]
    weight: str | None = None
    multi_label: bool = False

    def label_of(self, cells: Cells) -> tuple[str | None, str | None]:
        """The label of a line, see `label_sets.label_of` where it may be several; or what is wrong with it."""
        if self.multi_label:
            return label_of(names_in(cells[self.label]) if self.label else self._marked(cells)), None
        if self.label is not None:
            return (cells[self.label], None) if cells[self.label] else (None, "no label")
        marked = self._marked(cells)
        if len(marked) == 1:
            return marked[0], None
        return None, f"several labels ({', '.join(marked)}), where one is expected" if marked else "no label"

    def _marked(self, cells: Cells) -> list[str]:
        return [name for name in self.classes if cells[name].lower() in TRUE]

    def split_of(self, cells: Cells) -> tuple[str | None, str | None]:
        """The split of a line, None where it says none, or what is wrong with it."""
        if self.split is None or not (given := cells[self.split]):
            return None, None
        if self.split.lower() == IS_VALIDATION and given.lower() in TRUE | FALSE:
            return VALIDATION if given.lower() in TRUE else TRAIN, None
        found = split_in(given)
        return (found.split, None) if found else (None, f"unknown split '{given}' (expected {', '.join(SPLITS)})")

    @property
    def _others(self) -> tuple[tuple[str | None, str], ...]:
        return (self.weight, "weights of the labels"), (self.split, "splits"), (self.group, "groups")

    @property
    def text(self) -> str:
        """In words, which column is what."""
        label = f"'{self.label}' (labels)" if self.label else f"{len(self.classes)} columns of labels, one a class"
        others = [f"'{name}' ({what})" for name, what in self._others if name]
        *first, last = f"'{self.path}' (paths)", label, *others
        unused = f"; not used: {', '.join(map(repr, self.unused))}" if self.unused else ""
        return f"{', '.join(first)} and {last}{unused}"


def find_columns(names: Sequence[str], lines: Iterable[Cells], source: DataSource) -> Columns:
    """Which column is what.

    Args:
        names: of the columns. Upper and lower case are the same.
        lines: of the CSV, to find labels that are one-hot.
        source: says which columns are meant, where their names are unusual.

    Raises:
        DatasetError: a column is missing, or several may be meant.
    """
    path = _column(names, source.path_column, PATH_NAMES)
    label = _column(names, source.label_column, (*LABEL_NAMES, *LABELS_NAMES) if source.multi_label else LABEL_NAMES)
    split = _column(names, None, (*SPLIT_NAMES, IS_VALIDATION))
    group = _column(names, source.group_column, GROUP_NAMES)
    weight = _column(names, source.weight_column, ())
    if path and label and source.weight_column is None and not source.multi_label:
        weight = _weights_in(names, lines, path, label)
    others = [name for name in names if name not in (path, label, split, group, weight, "", HASH)]
    classes = () if label or not path else _one_hot(others, lines)
    missing = [what for what, found in (("path", path), ("label", label or classes)) if not found]
    missing += ["group"] if source.group_column and not group else []
    missing += ["weight"] if source.weight_column and not weight else []
    missing += ["label"] if weight and not label and "label" not in missing else []
    if not path or missing:
        raise DatasetError(_message(names, missing, source))
    unused = tuple(name for name in others if name not in classes)
    if source.multi_label and weight:
        raise DatasetError(
            f"For '{source}', --multi-label (each label is there or not) and --weight-column (labels have weights) "
            f"were both given. Leave one of them out."
        )
    if source.multi_label and (wrong := [name for name in classes if SIGN in name]):
        raise DatasetError(f"'{source}' has the label {wrong[0]!r}. '{SIGN}' separates labels: give it another name.")
    return Columns(path, label, classes, split, group, unused, weight, source.multi_label)


def _column(names: Sequence[str], wanted: str | None, usual: Sequence[str]) -> str | None:
    known = {name.lower(): name for name in reversed(names)}
    if wanted is not None:
        return known.get(wanted.strip().lower())
    return next((known[name] for name in usual if name in known), None)


def _weights_in(names: Sequence[str], lines: Iterable[Cells], path: str, label: str) -> str | None:
    """The column with the weights of labels, if its name is usual for it and its lines are such: several for a photo;
    or one, which has a probability, for each photo of two classes. Beside answers, it says how sure these are."""
    weight = _column(names, None, WEIGHT_NAMES)
    if weight is None or _column(names, None, ANSWER_NAMES):
        return None
    listed = [(cells[path], cells[label]) for cells in lines]
    several = len({photo for photo, _ in listed}) < len(listed)
    of_two = weight.lower() == PROBABILITY and len({name for _, name in listed}) == 2
    return weight if several or of_two else None


def _one_hot(names: Sequence[str], lines: Iterable[Cells]) -> tuple[str, ...]:
    """Of the columns, those that hold only 0 and 1, if there are at least two, and a 1 in each."""
    possible, marked = list(names), set()
    for cells in lines:
        possible = [name for name in possible if cells[name].lower() in TRUE | FALSE]
        marked |= {name for name in possible if cells[name].lower() in TRUE}
    classes = tuple(name for name in possible if name in marked)
    return classes if len(classes) > 1 else ()


def _message(names: Sequence[str], missing: Sequence[str], source: DataSource) -> str:
    wanted = {what: getattr(source, f"{what}_column") for what in missing}
    columns = " and ".join(f"no column '{wanted[what] or what}'" for what in missing)
    if any(PurePath(name).suffix.lower() in FORMAT_OF_SUFFIX for name in names):
        return (
            f"'{source}' has {columns}: its first line ({', '.join(names)}) is that of an image already. Put a line "
            f"above it that names the columns: path,label or path,label,split."
        )
    options = " ".join(f"--{what}-column NAME" for what in missing)
    several = next((name for name in names if name.lower() in LABELS_NAMES), None)
    if several and not source.multi_label and missing == ["label"]:
        options = f"--multi-label, if a photo may have several labels, in '{several}'; or --label-column {several}"
    return (
        f"'{source}' has {columns} (found: {', '.join(names)}). Say which column it is: {options}; or name the columns "
        f"in its first line: path,label or path,label,split."
    )
