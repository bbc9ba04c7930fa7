"""DataSource: where a collection is, and what its owner says about how it is to be read. Reads nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from headstart.errors import DatasetError
from headstart.storage.url_path import Location, Url, place_of


@dataclass(frozen=True)
class DataSource:
    """A collection whose layout has to be explained. It can stand wherever a function takes `data`.

    path: a folder, zip or CSV, see `load_dataset`; also the URL of one.
    path_column, label_column, group_column: columns of a CSV. None: by their usual names, such as path, label and, of
        images that belong together, group or patient.
    weight_column: the column with the weights of labels, which are then probabilities, see `shares.py`. None: by its
        usual names, such as weight, if several lines name the same photo.
    image_root: the folder that the paths in a CSV start from. None: the CSV's own. Absolute paths of another computer
        are looked for below it by their last parts.
    class_level: the class is the name of the folder at this level below `path`, from 1. None: it is found out.
    hierarchy: whether nested folders, or labels such as "birds/robin", are a hierarchy of classes; predictions that are
        not sure may then have a `parent`.
    group_by: which images belong together, see `group_names`. None: as a column of a CSV says.
    corrections: the user's corrections of labels: True: those that lie beside the collection, see `corrections_file`;
        False: none; or their file.
    multi_label: a photo may have several labels, or none: "a|b" in the column of labels, a column of 0 and 1 for each
        label, or several rows per photo.
    """

    path: Location
    path_column: str | None
    label_column: str | None
    group_column: str | None
    image_root: Location | None
    class_level: int | None
    group_by: str | None
    corrections: Path | bool
    weight_column: str | None
    hierarchy: bool
    multi_label: bool

    def __init__(
        self,
        path: str | Path | Url,
        *,
        path_column: str | None = None,
        label_column: str | None = None,
        group_column: str | None = None,
        image_root: str | Path | Url | None = None,
        class_level: int | None = None,
        group_by: str | None = None,
        corrections: str | Path | bool = True,
        weight_column: str | None = None,
        hierarchy: bool = False,
        multi_label: bool = False,
    ) -> None:
        object.__setattr__(self, "path", place_of(path))
        object.__setattr__(self, "path_column", path_column)
        object.__setattr__(self, "label_column", label_column)
        object.__setattr__(self, "image_root", None if image_root is None else place_of(image_root))
        object.__setattr__(self, "class_level", class_level)
        object.__setattr__(self, "group_column", group_column)
        object.__setattr__(self, "group_by", group_by)
        object.__setattr__(self, "weight_column", weight_column)
        object.__setattr__(self, "corrections", Path(corrections) if isinstance(corrections, str) else corrections)
        object.__setattr__(self, "hierarchy", hierarchy)
        object.__setattr__(self, "multi_label", multi_label)

    @staticmethod
    def of(data: str | Path | Url | DataSource) -> DataSource:
        return data if isinstance(data, DataSource) else DataSource(data)

    @property
    def local_path(self) -> Path:
        """
        Raises:
            DatasetError: the collection is at a URL.
        """
        if isinstance(self.path, Path):
            return self.path
        raise DatasetError(
            f"'{self.path}' is at a URL, and this works on photos on this machine's disks. Copy them here, or use "
            f"`headstart train`, `inspect` and `labels`, which read URLs."
        )

    def check_one_label(self, what: str) -> None:
        """
        Raises:
            DatasetError: photos have several labels each, which `what` cannot work with yet.
        """
        if self.multi_label:
            raise DatasetError(
                f"'{self}' has several labels per photo (--multi-label), which {what} cannot work with yet. `headstart "
                f"inspect`, `train` and `evaluate` can; `headstart serve RUN` has a page to try a classifier."
            )

    def absolute(self) -> DataSource:
        """The same in any working folder."""
        return replace(
            self,
            path=self.path.absolute(),
            image_root=self.image_root.absolute() if self.image_root else None,
            corrections=self.corrections.absolute() if isinstance(self.corrections, Path) else self.corrections,
        )

    def settings(self) -> dict[str, str | int]:
        """What was said besides the path."""
        usual = {"corrections": True, "hierarchy": False, "multi_label": False}  # of the others: None
        said = {name: value for name, value in asdict(self).items() if value is not usual.get(name) and name != "path"}
        return {name: str(value) if isinstance(value, Path | Url) else value for name, value in said.items()}

    def __str__(self) -> str:
        return str(self.path)
