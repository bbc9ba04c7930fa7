"""Labels of a collection's photos are corrected, as in the studio, by the names of their files."""

from collections.abc import Iterable
from pathlib import Path

from headstart.data.corrections import Correction, Journal, Step
from headstart.data.corrections_file import corrections_file
from headstart.data.source import DataSource
from headstart.data.walking import images_below
from headstart.storage.hashing import sha256_of_file


def journal_of(data: str | Path | DataSource) -> Journal:
    file = corrections_file(DataSource.of(data))
    assert file
    return Journal(file, by="tests")


def correct(
    data: str | Path | DataSource, names: Iterable[str], label: str | None, *, root: Path | None = None
) -> Step | None:
    """Give photos a label. names: of files, such as "7.png". root: where the photos are, if not in `data`."""
    folder = root or DataSource.of(data).local_path
    paths = {path.name: Path(str(path)) for path in images_below(folder)}
    return journal_of(data).record(
        [Correction(sha256_of_file(paths[name]), name, paths[name].parent.name, label) for name in names]
    )
