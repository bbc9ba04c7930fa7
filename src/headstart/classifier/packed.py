"""The folder of a classifier -> bytes that another machine opens: what prediction needs of it, and nothing else."""

import io
import zipfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from headstart.classifier.metadata import BASE, ENGINE, FILE, MODEL, read_card
from headstart.classifier.predictor import Predictor
from headstart.engines.base import AUTO
from headstart.errors import RunError
from headstart.storage import cache
from headstart.storage.hashing import sha256


@dataclass(frozen=True)
class PackedClassifier:
    """A classifier that can be sent to a process. content: a zip of its files."""

    content: bytes = field(repr=False)
    device: str = AUTO

    @classmethod
    def of(cls, folder: Path, device: str = AUTO) -> "PackedClassifier":
        """
        Raises:
            RunError: there is no classifier, or a file of it is missing.
        """
        hashes = read_card(folder)["hashes"]
        has_engine = any(name.startswith(f"{ENGINE}/") for name in hashes)
        names = [name for name in hashes if not has_engine or device != AUTO or not _is_for_others(name)]
        packed = io.BytesIO()
        try:
            with zipfile.ZipFile(packed, "w") as archive:  # weights hardly shrink
                for name in (FILE, *names):
                    archive.writestr(zipfile.ZipInfo(name), (folder / name).read_bytes())
        except OSError as error:
            raise RunError(
                f"'{folder}' cannot be read: {error.strerror or error}. Copy the whole folder again."
            ) from None
        return cls(packed.getvalue(), device)

    def open(self) -> Predictor:
        """The classifier; a process opens it once.

        Raises:
            RunError: it cannot be unpacked into this machine's cache.
        """
        return _open(self.content, self.device)


def _is_for_others(name: str) -> bool:
    """Whether a file serves who trains on or exports, and not the engine."""
    return name == MODEL or name.startswith(f"{BASE}/")


@lru_cache(maxsize=2)
def _open(content: bytes, device: str) -> Predictor:
    folder = cache.cache_folder() / cache.CLASSIFIERS / sha256(content)[:32]
    if not folder.is_dir():
        with TemporaryDirectory() as unpacked:
            zipfile.ZipFile(io.BytesIO(content)).extractall(unpacked)
            if problem := cache.store_folder(Path(unpacked), folder):
                raise RunError(f"'{folder}' cannot be written: {problem}. Free some space, or set HEADSTART_CACHE.")
    return Predictor(folder, device=device)
