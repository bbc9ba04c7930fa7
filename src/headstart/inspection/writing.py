"""Inspection -> a folder with findings.json, findings.csv and inspection.html."""

from pathlib import Path

from headstart.inspection.page import write_page
from headstart.inspection.report import Inspection, write_csv, write_json
from headstart.storage.atomic import atomic_folder


def write_inspection(folder: Path, inspection: Inspection) -> None:
    """Write an inspection into a new folder, which appears whole or not at all.

    Raises:
        RunError: the folder exists, or cannot be written.
        ImageError: a photo was changed, moved or damaged since it was inspected.
    """
    with atomic_folder(folder) as content:
        write_json(content / "findings.json", inspection)
        write_csv(content / "findings.csv", inspection.named())
        write_page(content / "inspection.html", inspection)
