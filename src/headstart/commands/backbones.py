"""`headstart backbones`: the table of pretrained bases, or how well each one does on a collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, overload

from headstart.errors import DatasetError

if TYPE_CHECKING:
    from headstart.commands.backbone_comparison import BackboneComparison
    from headstart.data.source import DataSource
    from headstart.events import Listener
    from headstart.models.backbones import Backbone


@dataclass(frozen=True)
class BackboneTable:
    """The pretrained bases, by name."""

    rows: Mapping[str, Backbone]

    def to_json(self) -> dict:
        return {name: asdict(row) for name, row in self.rows.items()}

    def __str__(self) -> str:
        lines = [f"{'name':<20}  {'image size':>10}  {'features':>8}  weights"]
        for name, row in self.rows.items():
            where = "in the package" if row.packaged else "downloaded on first use"
            lines.append(f"{name:<20}  {row.image_size:>10}  {row.features:>8}  {where}")
        return "\n".join(lines)


@overload
def backbones(data: None = None) -> BackboneTable: ...
@overload
def backbones(
    data: str | Path | DataSource,
    *,
    backbones: Sequence[str] = ...,
    image_size: int | None = ...,
    weights: str | Path = ...,
    at_least: float | None = ...,
    seed: int = ...,
    device: str = ...,
    listener: Listener | None = ...,
) -> BackboneComparison: ...
@overload
def backbones(
    data: str | Path | DataSource | None,
    *,
    backbones: Sequence[str] = ...,
    image_size: int | None = ...,
    weights: str | Path = ...,
    at_least: float | None = ...,
    seed: int = ...,
    device: str = ...,
    listener: Listener | None = ...,
) -> BackboneTable | BackboneComparison: ...
def backbones(
    data: str | Path | DataSource | None = None,
    *,
    backbones: Sequence[str] = (),
    image_size: int | None = None,
    weights: str | Path = "pretrained",
    at_least: float | None = None,
    seed: int = 0,
    device: str = "auto",
    listener: Listener | None = None,
) -> BackboneTable | BackboneComparison:
    """List the pretrained bases; or with `data`, compare them on its training photos.

    Args:
        data: folder, zip or CSV, see `load_dataset`. None: nothing is measured.
        backbones: names of rows of BACKBONES, or ONNX or OpenVINO files, the first one first; their weights are
            downloaded if need be. By default all whose weights are on this computer.
        image_size: side in pixels; by default the size that each was pretrained at.
        weights: a file, or a folder of files: networks, and weights whose names begin with those of their backbones.
        at_least: images per second that a base must compute on this computer; slower ones are left out.
        seed: of the splits, as in `headstart.train`, and of the cross-validation.
        device: what computes the features: "gpu", or "auto": the processor; see `headstart.train`.
        listener: where to report to; by default to standard error.

    Raises:
        HeadstartError: with what is wrong and what to do.
    """
    if data is None:
        if backbones or image_size or at_least or weights != "pretrained":
            raise DatasetError(
                "--backbone, --image-size, --weights and --at-least need photos to measure on: give DATA, or leave "
                "them out."
            )
        from headstart.models.backbones import BACKBONES

        return BackboneTable(BACKBONES)
    from headstart.commands.backbone_comparison import compare_backbones
    from headstart.listeners.console import Console

    return compare_backbones(
        data,
        backbones=backbones,
        image_size=image_size,
        weights=weights,
        at_least=at_least,
        seed=seed,
        device=device,
        listener=listener or Console(),
    )
