"""`headstart cache`: what is kept to be fast, and how to remove it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CacheContents:
    """bytes: of each kind of what is kept. cleared: whether it was removed."""

    folder: Path
    bytes: dict[str, int]
    cleared: bool

    def to_json(self) -> dict:
        return {"folder": str(self.folder), "bytes": self.bytes, "cleared": self.cleared}

    def __str__(self) -> str:
        end = ", removed" if self.cleared else ""
        return "\n".join(f"{self.folder / kind}  {size / 1e6:,.1f} MB{end}" for kind, size in self.bytes.items())


def cache(clear: bool = False) -> CacheContents:
    """Show what is kept to be fast: engines, features, networks, found copies, files known to be
    readable, and classifiers that were sent here to predict.

    clear: remove it. It is made again when it is needed.

    Raises:
        DatasetError: the folder cannot be changed.
    """
    from headstart.storage import cache as kept

    contents = CacheContents(kept.cache_folder(), kept.sizes(), clear)
    if clear:
        kept.clear()
    return contents
