"""DATA, and the options that say how it is read: every command that reads a collection has them."""

from pathlib import Path
from typing import Annotated

from typer import Argument

from headstart.cli.helping import about_data

DataPath = Annotated[
    Path,
    Argument(
        metavar="DATA",
        help="Folder of class folders (with train/, validation/, test/ above them, or without), a zip of it, or a CSV "
        "with the columns path,label[,split]; also tar shards, Parquet, and URLs, such as s3://bucket/photos.",
    ),
]
PathColumn = Annotated[
    str | None, about_data(metavar="NAME", help="Column of a CSV that has the paths. By default 'path' or the like.")
]
LabelColumn = Annotated[
    str | None, about_data(metavar="NAME", help="Column of a CSV that has the labels. By default 'label' or the like.")
]
GroupColumn = Annotated[
    str | None,
    about_data(
        metavar="NAME",
        help="Column of a CSV that says which photos belong together, see --group-by. By default 'group', 'patient' or "
        "the like.",
    ),
]
WeightColumn = Annotated[
    str | None,
    about_data(
        metavar="NAME",
        help="Column of a CSV with the weight of each label, where labels are probabilities or votes. By default "
        "'weight' or the like, if several lines name the same photo.",
    ),
]
ImageRoot = Annotated[
    Path | None,
    about_data(
        metavar="FOLDER",
        help="Folder that the paths in a CSV start from, instead of the CSV's own; absolute paths of another computer "
        "are looked for below it.",
    ),
]
ClassLevel = Annotated[
    int | None,
    about_data(min=1, metavar="N", help="The folders N levels below DATA are the classes. By default it is found out."),
]
Hierarchy = Annotated[
    bool,
    about_data(
        "--hierarchy",
        help="Nested folders, or labels such as birds/robin, are a hierarchy of classes: if it is not sure which bird, "
        "the answer may be birds.",
    ),
]
GroupBy = Annotated[
    str | None,
    about_data(
        metavar="REGEX",
        help="Photos of one patient, plant, site or day stay together: what the expression finds in a photo's path is "
        "the name of its group; or parent-folder. A CSV may have a column instead.",
    ),
]
Corrections = Annotated[
    Path | None,
    about_data(
        metavar="FILE",
        help="Labels that you corrected, see `headstart labels`. By default those beside DATA: DATA.headstart.db.",
    ),
]
NoCorrections = Annotated[
    bool, about_data("--no-corrections", help="Use the labels of DATA as they are, without those that you corrected.")
]
MultiLabel = Annotated[
    bool,
    about_data(
        "--multi-label",
        help="A photo may have several labels, or none: a CSV with a|b in the label column, a column of 0 and 1 for "
        "each label, or several rows per photo.",
    ),
]
SOURCE = {
    "path_column": PathColumn,
    "label_column": LabelColumn,
    "group_column": GroupColumn,
    "weight_column": WeightColumn,
    "image_root": ImageRoot,
    "class_level": ClassLevel,
    "hierarchy": Hierarchy,
    "group_by": GroupBy,
    "corrections": Corrections,
    "no_corrections": NoCorrections,
    "multi_label": MultiLabel,
}  # how DATA is read, see `headstart.Source`
