"""Runs: the classifiers that belong to a collection: those of its runs folder, and those that were opened by path."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headstart.data.source import DataSource
from headstart.errors import RunError
from headstart.runs.folder import CARD, RunFolder
from headstart.storage.names import portable
from headstart.studio.problems import RefusalError


def runs_folder(source: DataSource) -> Path:
    """Where the studio leaves the runs of a collection: photos -> photos-runs, beside it."""
    path = source.local_path.resolve()
    return path.with_name(f"{path.stem if path.is_file() else path.name}-runs")


def is_run(path: Path) -> bool:
    return os.path.isfile(path / CARD)  # noqa: PTH113 - Path.is_file raises where a name is too long


def collection_of(run: Path) -> Path:
    """The collection that a run was trained on.

    Raises:
        RunError: it is not where it was.
    """
    folder = RunFolder(run)
    name, photos = str(folder.metrics.get("data") or ""), folder.splits
    for parent in Path(photos[0].path).parents if photos and name else ():
        for path in (parent, parent / name):
            if path.name == name and path.exists():
                return path
    raise RunError(
        f"The photos that '{run}' was trained on are not where they were. Open these; the run is shown then, "
        f"if it lies in '{runs_folder(DataSource(run.parent / 'PHOTOS')).name}' beside them.",
        reason="run-without-photos",
        path=str(run),
    )


class Runs:
    """Runs by name. folder: gets the new ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._others: dict[str, Path] = {}

    def add(self, run: Path) -> str:
        """One that lies elsewhere. Returns its name here.

        Raises:
            RunError: it is no run.
        """
        _ = RunFolder(run).card
        run = run.resolve()
        if run.parent != self.folder:
            self._others[run.name] = run
        return run.name

    def new(self, name: Any) -> Path:
        """The folder for a run of that name.

        Raises:
            RefusalError: it is no name.
        """
        if not isinstance(name, str) or not name.strip() or portable(name) != name or name.startswith("."):
            raise RefusalError(
                "invalid-parameter",
                f"{name!r} cannot be the name of a run. Choose letters and digits.",
                reason="run-name",
            )
        return self.folder / name

    def get(self, name: Any) -> Path:
        """
        Raises:
            RefusalError: there is no such run.
        """
        path = self._others.get(name) or self.new(name)
        if not (path / CARD).is_file():
            raise RefusalError("not-found", f"There is no run '{name}'.", reason="no-such-run")
        return path

    def all(self) -> list[dict[str, Any]]:
        """The rows of GET /api/runs, the newest first."""
        found = []
        with suppress(OSError):
            found = [Path(entry.path) for entry in os.scandir(self.folder) if Path(entry.path, CARD).is_file()]
        rows = [_row(path) for path in [*found, *self._others.values()]]
        return sorted(filter(None, rows), key=lambda row: row["made"], reverse=True)

    def compare(self, first: str, second: str, id_of: Mapping[str, int]) -> dict[str, Any]:
        """As POST /api/runs/compare answers. id_of: photos by digest.

        Raises:
            RunError: they have no held-out photo with the same label in common.
        """
        from headstart.runs.differences import difference_of_runs

        found = difference_of_runs(self.get(first), self.get(second))

        def ids(digests: Sequence[str]) -> list[int]:
            return sorted(id_of[digest] for digest in digests if digest in id_of)

        counts = {"both_right": found.both_right, "only_a": found.only_first, "only_b": found.only_second,
                  "neither": found.neither}  # fmt: skip
        compared = found.change.compared
        return {name: len(digests) for name, digests in counts.items()} | {
            "p": compared.between.p,
            "distinguishable": compared.between.is_distinguishable,
            "text": compared.verdict,
            "a": compared.first.to_json(),
            "b": compared.second.to_json(),
            "photos": found.split,
            "relabelled": found.change.relabelled,
            "ids_only_a": ids(found.only_first),
            "ids_only_b": ids(found.only_second),
        }


def _formats(base_file: str | None) -> list[str] | None:
    """What a run whose base is the network of a file can be exported to; None: everything. See `no_keras_model`."""
    if base_file is None:
        return None
    return ["onnx", "openvino", "web"] if base_file.lower().endswith(".onnx") else ["openvino"]


def _row(path: Path) -> dict[str, Any] | None:
    """None where something is damaged: the others are shown all the same."""
    try:
        run = RunFolder(path)
        card, metrics = run.card, run.metrics
        split = metrics.get("test") or metrics.get("validation") or {}
        made = datetime.fromtimestamp((path / CARD).stat().st_mtime, UTC)
        return {
            "name": path.name,
            "path": str(path),
            "made": made.isoformat(timespec="seconds"),
            "accuracy": split.get("accuracy"),
            "labels_state": metrics.get("labels", {}).get("state", ""),
            "backbone": card.get("backbone"),
            "formats": _formats(card.get("base_file")),
            "fine_tuned": any(phase.get("name") == "fine_tuning" for phase in metrics.get("phases", ())),
            "classes": list(card.get("class_names", ())),
            "stakes": split.get("stakes"),
            "hierarchy": split.get("hierarchy"),
        }
    except (RunError, OSError, AttributeError, TypeError):
        return None
