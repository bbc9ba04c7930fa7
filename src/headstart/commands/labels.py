"""`headstart labels`: the labels of a collection as its user has corrected them: shown, exported, imported, undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.errors import DatasetError

if TYPE_CHECKING:
    from headstart.data.collection import Collection, Read
    from headstart.data.corrections import Journal, Step
    from headstart.data.label_state import LabelSummary
    from headstart.data.source import DataSource
    from headstart.events import Listener
    from headstart.storage.url_path import Location

SHOWN = 10  # steps


@dataclass(frozen=True)
class Labels:
    """The labels of a collection.

    file: of the corrections. summary: which labels count. classes: class -> how many photos the collection gives that
    label, and how many have it now. steps: all of them, the first one first. undone: of which of them it holds that
    they were undone.
    done: what this call has done, in sentences.
    """

    data: Location
    file: Path
    summary: LabelSummary
    classes: dict[str, tuple[int, int]]
    steps: tuple[Step, ...]
    undone: frozenset[int]
    done: tuple[str, ...] = ()

    def to_json(self) -> dict:
        return {
            "data": str(self.data),
            "corrections": str(self.file),
            "labels": self.summary.to_json(),
            "classes": {name: {"own": own, "now": now} for name, (own, now) in self.classes.items()},
            "steps": [asdict(step) | {"undone": step.id in self.undone} for step in self.steps],
            "done": list(self.done),
        }

    def __str__(self) -> str:
        width = max(map(len, (*self.classes, "without a label")))
        rows = [f"{'':<{width}}  {'own':>7}  {'now':>7}"]
        rows += [f"{name:<{width}}  {own:>7,}  {now:>7,}" for name, (own, now) in self.classes.items()]
        for what, count in (("left out", self.summary.excluded), ("without a label", self.summary.unlabelled)):
            rows += [f"{what:<{width}}  {'':>7}  {count:>7,}"] if count else []
        return "\n".join([*self.done, *self._history(), *rows])

    def _history(self) -> list[str]:
        if not self.steps:
            return [f"No label of '{self.data}' was corrected."]
        state = f"state {self.summary.state}" if self.summary.state else "the collection's own labels"
        more = [f"  ... and {len(self.steps) - SHOWN:,} before"] if len(self.steps) > SHOWN else []
        steps = [f"  {self._told(step)}" for step in self.steps[-SHOWN:][::-1]]
        return [f"'{self.file}', {len(self.steps):,} steps: {state}", *steps, *more]

    def _told(self, step: Step) -> str:
        photos = f"{step.photos:,} photo{'' if step.photos == 1 else 's'}"
        what = f" of {step.of}" if step.of else f" {', '.join(step.classes)}" if step.classes else ""
        into = f" -> {step.into}" if step.into and not step.of else ""
        undone = " (undone)" if step.id in self.undone else ""
        return f"{step.id}  {step.at[:16].replace('T', ' ')} UTC  {step.by}  {step.kind}{what}: {photos}{into}{undone}"


def labels(
    data: str | Path | DataSource,
    *,
    export: str | Path | None = None,
    form: str = "csv",
    table: str | Path | None = None,
    undo: bool = False,
    redo: bool = False,
    listener: Listener | None = None,
) -> Labels:
    """Show the labels of a collection; or export them, import some, undo or redo the last step.

    Args:
        data: folder, zip or CSV, see `load_dataset`; also a folder of photos without labels.
        export: a new CSV, or a new folder outside of the photos, for the labels that count.
        form: "csv": a table of paths and labels; "links": a folder of class folders with links to the photos; "copies":
            the same with copies.
        table: a CSV with the columns path,label, whose labels the photos are to have. Photos that are not in it stay as
            they are.
        undo, redo: the last step.
        listener: where to report to; by default to standard error.

    Raises:
        HeadstartError: with what is wrong and what to do.
    """
    from headstart.data.collection import corrected
    from headstart.data.corrections import Journal
    from headstart.data.corrections_file import corrections_file
    from headstart.data.folder import list_images
    from headstart.data.label_export import export_labels
    from headstart.data.loading import read_photos
    from headstart.data.source import DataSource
    from headstart.listeners.console import Console

    source, listener = DataSource.of(data), listener or Console()
    source.check_one_label("`headstart labels`")
    if sum((export is not None, table is not None, undo, redo)) > 1:
        raise DatasetError("Of --export, --import, --undo and --redo, one at a time can be done. Leave out the others.")
    listing = list_images(source, listener, unlabelled=True)
    file = corrections_file(source)
    if file is None:
        raise DatasetError("--no-corrections leaves nothing to show here. Leave it out.")
    journal, (photos, unreadable) = Journal(file), read_photos(listing, listener)
    done: list[str] = []
    if table is not None:
        done = _import(Path(table), journal, photos, source)
    elif undo or redo:
        done = _move(journal, undo=undo)
    collection = corrected(listing, photos, unreadable, journal)
    if export is not None:
        export_labels(collection, Path(export), form, listener)
        done = [f"Written: '{export}', {len(collection.items):,} photos with their labels."]
    undone = frozenset(step.id for step in journal.state().undone)
    steps = tuple(journal.steps())
    return Labels(source.path, file, collection.labels, _classes(collection, photos), steps, undone, tuple(done))


def _import(table: Path, journal: Journal, photos: Sequence[Read], source: DataSource) -> list[str]:
    from headstart.data.corrections import IMPORT
    from headstart.data.label_import import read_labels

    found = read_labels(table, photos, journal.labels, source)
    journal.record(found.corrections, kind=IMPORT)
    done = [f"Imported '{table}': {len(found.corrections):,} labels changed, {found.same:,} were the same already."]
    if found.unknown:
        done.append(f"{found.unknown:,} photos in it are not in '{source}'.")
    return done


def _move(journal: Journal, *, undo: bool) -> list[str]:
    step = journal.undo() if undo else journal.redo()
    if step is None:
        return [f"There is nothing to {'undo' if undo else 'redo'}."]
    return [f"{'Undone' if undo else 'Redone'}: step {step.of}, {step.photos:,} photos."]


def _classes(collection: Collection, photos: Sequence[Read]) -> dict[str, tuple[int, int]]:
    from collections import Counter

    own = Counter(photo.item.label for photo in photos if photo.item.label)
    now = Counter(item.label for item in collection.items)
    return {name: (own[name], now[name]) for name in sorted({*own, *now})}
