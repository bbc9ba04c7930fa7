"""The classifier on the network of a file, but for its head: what there is to say of it, and what a run keeps of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from headstart.models.network_files.base import FileBase
from headstart.models.network_files.frozen import write_frozen
from headstart.models.summary import Summary


@dataclass(frozen=True)
class FileTemplate:
    """path: of the file. logits: how many the head gives. depths: whether it reads all of them."""

    path: Path
    image_size: int
    logits: int
    depths: bool = True

    @cached_property
    def base(self) -> FileBase:
        return FileBase.read(self.path)

    @cached_property
    def summary(self) -> Summary:
        base, (_, maps) = self.base, self.base.opened(self.image_size)
        maps = maps if self.depths else maps[-1:]
        last = maps[-1]
        numbers = last.channels + 2 * sum(each.channels for each in maps[:-1])
        head = (numbers + 1) * self.logits
        pixels = (self.image_size, self.image_size, 3)
        rows = [(each.tensor, "class token" if each.of_class_token else "", each.grid, each.channels) for each in maps]
        lines = [f"{'depth':<40}  {'rows x columns':>14}  {'channels':>8}"]
        lines += [f"{name + (kind and ', ' + kind):<40}  {f'{grid.rows} x {grid.columns}':>14}  {channels:>8,}"
                  for name, kind, grid, channels in rows]  # fmt: skip
        return Summary(
            base=str(base),
            base_layers=base.operations,
            base_parameters=base.parameters,
            shapes=(pixels, (last.grid.rows, last.grid.columns, last.channels), (numbers,), (self.logits,)),
            parameters=base.parameters + head,
            trainable_parameters=head,
            trainable_variables=2,
            table="",
            nested_table="\n".join([str(base), "", *lines, "", f"head: {numbers:,} numbers -> {self.logits:,} logits"]),
        )

    def write_frozen(self, file: Path) -> None:
        """The frozen network of the base, see `frozen.py`."""
        write_frozen(self.base, file, self.image_size, depths=self.depths)

    def write_base(self, folder: Path) -> None:
        """Copy the file, with its weights and a JSON that says how it sees pixels, into a new folder: it is then as
        good a backbone as before.

        Raises:
            OSError: they cannot be copied.
        """
        folder.mkdir()
        for file in self.base.files:
            shutil.copyfile(file, folder / file.name)
        said = json.dumps(self.base.input.to_json(), indent=2)
        folder.joinpath(f"{self.path.name}.json").write_text(said + "\n", "utf-8")
