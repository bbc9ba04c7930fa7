"""What makes a Keras model -> the engine that runs it. Its compiled form is kept in the cache, if it has a key.

Opening a kept one needs no Keras. Knows no images.
"""

from __future__ import annotations

import functools
import importlib.util
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.engines import keras, openvino
from headstart.engines.base import GPU, CompileError, Compute, Engine
from headstart.engines.keras import KerasEngine
from headstart.engines.openvino import NETWORK, OpenVINOEngine, write_network
from headstart.events import Listener, Message
from headstart.gpu import use_gpu
from headstart.storage import cache
from headstart.storage.hashing import sha256_of_file

if TYPE_CHECKING:
    from keras import Model

DIGESTS = "digest.txt"  # beside a network, of both of its files


def open_engine(
    build: Callable[[], Model],
    compute: Compute,
    *,
    key: str | None = None,
    outputs: int | None = None,
    write: Callable[[Path], None] | None = None,
    by_keras: bool = True,
    listener: Listener,
) -> Engine:
    """The engine of a network.

    Args:
        build: makes the Keras model, raw pixels (n, size, size, 3) -> tensors; called only if it is needed.
        compute: how the network is run.
        key: address of its compiled form in the cache: equal keys must mean equal networks. None: it is not kept.
        outputs: how many of the network's outputs are wanted, the first ones; None: all.
        write: writes the same network for OpenVINO, into an XML file with a BIN beside it, where that needs no Keras.
        by_keras: whether Keras can run it, too; else `build` raises what says why not.
        listener: is told if the cache cannot be written, or if Keras takes the place of OpenVINO.

    Raises:
        CompileError: OpenVINO was asked for, and cannot run it.
        MissingExtraError, ModelError: a GPU was asked for, and cannot be used.
    """
    built = functools.cache(build)
    check_device(compute)
    if not compute.by_keras:
        try:
            return _open_with_openvino(
                write or (lambda file: write_network(built(), file)), compute, key, outputs, listener
            )
        except CompileError as error:
            if compute.engine == "openvino" or not by_keras:
                raise
            listener.emit(Message(f"{error}. Keras computes the features instead, more slowly."))
    engine = KerasEngine(built(), compute, outputs=outputs)
    if engine.remark:
        listener.emit(Message(engine.remark))
    return engine


def check_device(compute: Compute) -> None:
    """Whether the device is there; a GPU is made that of Keras, which must not have been imported before.

    Raises:
        MissingExtraError, ModelError: a GPU was asked for, and cannot be used.
    """
    if compute.device == GPU and compute.by_keras:
        use_gpu()


def expected_identity(compute: Compute) -> str | None:
    """The identity of the engine that `open_engine` will most likely give; None where only opening it can tell."""
    if compute.by_keras:
        return keras.identity(compute)
    if importlib.util.find_spec("openvino") is None:
        return None
    return openvino.identity(compute)


def kept_network(key: str | None) -> Path | None:
    """The file of a compiled network in the cache; None where there is none. A damaged one is removed."""
    if key is None:
        return None
    folder = _folder(key)
    try:
        if (folder / DIGESTS).read_text("utf-8") == _digests(folder / NETWORK):
            cache.mark_used(folder)
            return folder / NETWORK
    except OSError:
        if not cache.is_folder(folder):
            return None
    shutil.rmtree(folder, ignore_errors=True)  # it is made again
    return None


def _open_with_openvino(
    write: Callable[[Path], None], compute: Compute, key: str | None, outputs: int | None, listener: Listener
) -> OpenVINOEngine:
    file = kept_network(key)
    if file:
        try:
            return OpenVINOEngine(file, compute=compute, outputs=outputs)
        except CompileError:
            shutil.rmtree(file.parent, ignore_errors=True)  # made again below
    with tempfile.TemporaryDirectory(prefix="headstart-") as temporary:
        written = Path(temporary, "network")
        written.mkdir()
        write(written / NETWORK)
        engine = OpenVINOEngine(written / NETWORK, compute=compute, outputs=outputs)
        (written / DIGESTS).write_text(_digests(written / NETWORK), "utf-8")
        if key and (problem := cache.store_folder(written, _folder(key))):
            listener.emit(Message(f"The engine cannot be kept in '{_folder(key).parent}' ({problem})."))
    return engine


def _folder(key: str) -> Path:
    return cache.cache_folder() / cache.ENGINES / key


def _digests(network: Path) -> str:
    """Of a network, and of the weights beside it."""
    return f"{sha256_of_file(network)} {sha256_of_file(network.with_suffix('.bin'))}"
