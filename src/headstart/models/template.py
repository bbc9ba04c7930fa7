"""Template: a network whose head is still to be set. Kept in the cache as Keras saved it; filled in without Keras.

As long as the base stays as it was pretrained, networks differ in the weights of their last layer alone. So the file of
one serves as a template for all: `model.keras` is a zip, which holds `model.weights.h5`, which holds kernel and bias.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from headstart.models.summary import Summary
from headstart.storage import cache

if TYPE_CHECKING:
    import keras

SCHEMA = 2  # changed whenever `compose` changes
MODEL, FACTS, WEIGHTS = "model.keras", "facts.json", "model.weights.h5"


@dataclass(frozen=True)
class Template:
    """model: the file of Keras. head: where the kernel and the bias lie in its weights."""

    model: Path
    head: tuple[str, str]
    summary: Summary

    def write(self, file: Path, kernel: np.ndarray, bias: np.ndarray) -> None:
        """The `.keras` file of the network with this head.

        Raises:
            OSError: the template was removed or damaged meanwhile, or the file cannot be written.
        """
        try:
            with zipfile.ZipFile(self.model) as template, zipfile.ZipFile(file, "w") as filled:
                for member in template.infolist():
                    content = template.read(member)
                    if member.filename == WEIGHTS:
                        content = self._filled(content, kernel, bias)
                    filled.writestr(member, content)
        except (zipfile.BadZipFile, zlib.error, KeyError) as error:
            raise OSError(f"'{self.model}' is damaged ({error})") from error

    def _filled(self, weights: bytes, kernel: np.ndarray, bias: np.ndarray) -> bytes:
        with io.BytesIO(weights) as content:
            with h5py.File(content, "r+") as opened:
                for place, values in zip(self.head, (kernel, bias), strict=True):
                    opened[place][...] = values
            return content.getvalue()


def find(key: str | None) -> Template | None:
    """The template of that key in the cache; None where there is none. A damaged one is removed, to be made again."""
    folder = cache.cache_folder() / cache.NETWORKS / str(key)
    try:
        facts = json.loads((folder / FACTS).read_text("utf-8"))
        with zipfile.ZipFile(folder / MODEL) as template:
            if template.testzip() is not None:
                raise zipfile.BadZipFile("a checksum is wrong")
        cache.mark_used(folder)
        shapes = tuple(tuple(shape) for shape in facts["summary"].pop("shapes"))
        return Template(folder / MODEL, tuple(facts["head"]), Summary(**facts["summary"], shapes=shapes))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error):
        shutil.rmtree(folder, ignore_errors=True)
        return None


def keep(key: str, network: keras.Model, head: tuple[np.ndarray, np.ndarray], summary: Summary) -> None:
    """Keep a Keras model as a template; without it, the next run needs Keras again.

    head: kernel and bias of the model; they tell where those lie in its file.
    """
    from headstart.models import composing

    with tempfile.TemporaryDirectory(prefix="headstart-") as temporary:
        folder = Path(temporary)
        composing.save(network, folder / MODEL)
        place = _place(folder / MODEL, head[0])
        if place is None:
            return
        facts = {"head": [f"{place}/0", f"{place}/1"], "summary": asdict(summary)}
        (folder / FACTS).write_text(json.dumps(facts), "utf-8")
        cache.store_folder(folder, cache.cache_folder() / cache.NETWORKS / key)


def _place(model: Path, kernel: np.ndarray) -> str | None:
    """The group of variables whose first one is this kernel."""
    found: list[str] = []

    def look(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.shape == kernel.shape and np.array_equal(item[()], kernel):
            found.append(name)

    with (
        zipfile.ZipFile(model) as template,
        io.BytesIO(template.read(WEIGHTS)) as content,
        h5py.File(content, "r") as opened,
    ):
        opened.visititems(look)
    group, _, number = found[0].rpartition("/") if len(found) == 1 else ("", "", "")
    return group if number == "0" else None
