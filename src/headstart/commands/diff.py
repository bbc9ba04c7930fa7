"""`headstart diff`: two states of a collection's labels, or two runs -> what the difference brings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, overload

from headstart.errors import DatasetError

if TYPE_CHECKING:
    from headstart.commands.label_difference import State
    from headstart.data.source import DataSource
    from headstart.evaluation.label_change import LabelChange
    from headstart.events import Listener
    from headstart.runs.differences import RunDifference
    from headstart.storage.url_path import Location


@dataclass(frozen=True)
class StatesDiff:
    """Two states of the labels of one collection."""

    data: Location
    before: State
    after: State
    change: LabelChange

    def to_json(self) -> dict:
        states = {"before": self.before, "after": self.after}
        named = {name: {"state": state.id, "step": state.step} for name, state in states.items()}
        return {"data": str(self.data), "states": named, **self.change.to_json()}

    def __str__(self) -> str:
        return f"labels {self.before.id or '(own)'} -> {self.after.id or '(own)'}\n{self.change.text}"


@dataclass(frozen=True)
class RunsDiff:
    """Two runs, on the photos that both held out."""

    first: Path
    second: Path
    difference: RunDifference

    def to_json(self) -> dict:
        found = self.difference
        return {
            "first_run": str(self.first),
            "second_run": str(self.second),
            "images": found.split,
            "states": dict(zip(("before", "after"), found.states, strict=True)),
            "both_right": len(found.both_right),
            "only_first_right": list(found.only_first),
            "only_second_right": list(found.only_second),
            "neither": len(found.neither),
            **found.change.to_json(),
        }

    def __str__(self) -> str:
        found, states = self.difference, [state or "(own)" for state in self.difference.states]
        return (
            f"labels {states[0]} -> {states[1]}\n"
            f"Of the {found.split} photos that both have: both are right on {len(found.both_right):,}, only "
            f"'{self.first}' on {len(found.only_first):,}, only '{self.second}' on {len(found.only_second):,}, neither "
            f"on {len(found.neither):,}.\n{found.change.text}"
        )


@overload
def diff(
    data: str | Path | DataSource,
    other: None = None,
    *,
    before: str | None = ...,
    after: str | None = ...,
    seed: int = ...,
    device: str = ...,
    listener: Listener | None = ...,
) -> StatesDiff: ...
@overload
def diff(data: str | Path | DataSource, other: str | Path, *, listener: Listener | None = ...) -> RunsDiff: ...
@overload
def diff(
    data: str | Path | DataSource,
    other: str | Path | None,
    *,
    before: str | None = ...,
    after: str | None = ...,
    seed: int = ...,
    device: str = ...,
    listener: Listener | None = ...,
) -> StatesDiff | RunsDiff: ...
def diff(
    data: str | Path | DataSource,
    other: str | Path | None = None,
    *,
    before: str | None = None,
    after: str | None = None,
    seed: int = 0,
    device: str = "auto",
    listener: Listener | None = None,
) -> StatesDiff | RunsDiff:
    """Say what corrected labels bring: how many photos with unchanged labels are answered correctly, before and after.

    Args:
        data: a collection, see `load_dataset`; or the folder of a run.
        other: the folder of another run, which is compared with the first one by their answers to the photos that both
            held out.
        before, after: states of the collection's labels: "own": the collection's; "now"; the number of a step; or an
            id, as runs name the state that they were trained with. By default from "own" to "now". Heads are solved on
            the same features with the labels of each, and compared by cross-validation, without the test photos.
        seed: of the splits and the folds.
        device: what computes the features: "gpu", or "auto": the processor; see `headstart.train`.
        listener: where to report to; by default to standard error.

    Raises:
        HeadstartError: there is no such state or run, or nothing can be compared.
    """
    from headstart.data.source import DataSource

    source = DataSource.of(data)
    source.check_one_label("`headstart diff`")
    if other is not None:
        if before or after:
            raise DatasetError("--from and --to are states of one collection's labels: leave out the second run.")
        from headstart.runs.differences import difference_of_runs

        return RunsDiff(source.local_path, Path(other), difference_of_runs(source.local_path, Path(other)))
    from headstart.commands.label_difference import difference_of_labels
    from headstart.engines.base import Compute
    from headstart.engines.opening import check_device
    from headstart.listeners.console import Console

    check_device(Compute(device=device))
    listener = listener or Console()
    found = difference_of_labels(source, before, after, seed=seed, device=device, listener=listener)
    return StatesDiff(source.path, *found)
