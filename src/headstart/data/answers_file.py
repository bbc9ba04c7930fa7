"""answers.csv beside photos: what a run answered for each, as `headstart serve --keep-samples` writes it. No labels.

The photos wait for labels; the answers are suggestions. A line that was not written to its end is passed over.
"""

import csv
from pathlib import Path
from typing import NamedTuple

TABLE = "answers.csv"
COLUMNS = ("file_name", "answer", "probability", "sure", "familiar", "model", "model_digest", "time")


class RunAnswer(NamedTuple):
    """answer: the most probable class. probability: of it, 0..1. model: the name of the run."""

    answer: str
    probability: float
    model: str


def read_answers(folder: Path) -> dict[str, RunAnswer]:
    """File name -> the last answer; empty where there is no such table."""
    try:
        text = (folder / TABLE).read_text("utf-8", errors="replace")
    except OSError:
        return {}
    found = {}
    rows = csv.DictReader(text.splitlines(keepends=True))
    if not set(COLUMNS) <= set(rows.fieldnames or ()):
        return {}
    for row in rows:
        try:
            found[row["file_name"]] = RunAnswer(row["answer"], float(row["probability"]), row["model"])
        except (TypeError, ValueError):
            continue
    return found
