"""A catalogue -> what a run answered for its photos before, as answers.csv beside them says: suggestions, no labels."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from headstart.data.answers_file import TABLE, RunAnswer, read_answers
from headstart.studio.catalogue import Catalogue


def run_answers(catalogue: Catalogue) -> dict[int, RunAnswer]:
    """Photo -> the answer; empty where there is no such table."""
    folders = {Path(entry.path).parent for entry in catalogue.entries[:1]}
    tables = {folder: _read(folder, _stamp(folder)) for folder in folders}
    answers = next(iter(tables.values()), {})
    if not answers:
        return {}
    names = [Path(entry.path).name for entry in catalogue.entries]
    return {photo: answers[name] for photo, name in enumerate(names) if name in answers}


def _stamp(folder: Path) -> tuple[int, int] | None:
    try:
        status = (folder / TABLE).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=4)
def _read(folder: Path, stamp: tuple[int, int] | None) -> dict[str, RunAnswer]:
    """stamp: changes with the table."""
    return read_answers(folder) if stamp else {}
