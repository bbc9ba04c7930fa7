"""What headstart writes must not become photos of the next training: it is known again, and kept out of collections."""

import os
from pathlib import Path

from headstart.data.source import DataSource
from headstart.errors import RunError
from headstart.storage.url_path import Location, Url

# A file in a folder that headstart wrote -> what the folder is
OWN_FILES = {
    "classifier.json": "a classifier",
    "inspection.html": "an inspection",
    ".headstart-explanations": "a folder of explanations",  # written for this purpose
}
PARTIAL = ".partial"  # the ending of a run's folder until the run is complete
EXPLANATIONS = next(name for name, what in OWN_FILES.items() if what == "a folder of explanations")


def what_headstart_wrote(folder: Location) -> str | None:
    """What a folder is if headstart wrote it: "a classifier", ..."""
    if folder.name.endswith(PARTIAL):
        return "an unfinished run"
    return next((what for name, what in OWN_FILES.items() if (folder / name).is_file()), None)


def check_outside(out: Path, data: str | Path | Url | DataSource) -> None:
    """
    Raises:
        RunError: `out` is inside a folder of photos.
    """
    folder = DataSource.of(data).path
    if isinstance(folder, Url):
        return
    is_folder = os.path.isdir(folder)  # noqa: PTH112  Path.is_dir raises where a name is too long
    if is_folder and Path(os.path.realpath(out)).is_relative_to(os.path.realpath(folder)):
        raise RunError(
            f"'{out}' is inside '{folder}', where the photos are: its pictures would be taken for photos. Choose a "
            f"folder outside."
        )
