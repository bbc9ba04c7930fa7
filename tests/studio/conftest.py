"""Running studios that several tests ask or show in a browser."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.real_features import RealFeatures, real_features
from support.studio import StudioServer


@pytest.fixture(scope="session")
def studio_photos(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Path:
    """A copy of `photos` (two classes of 40 real images) that the studio's tests may label."""
    return Path(shutil.copytree(photos, tmp_path_factory.mktemp("studio") / "cells"))


@pytest.fixture(scope="session")
def studio(studio_photos: Path) -> Iterator[StudioServer]:
    """A studio with `studio_photos` open. It is shared: tests that change labels undo them, or open their own."""
    with StudioServer(studio_photos) as server:
        server.wait_for(lambda collection: collection["photos"] == 80)
        yield server


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[Callable[..., StudioServer]]:
    """open_studio(photos) gives a studio of its own; it is stopped after the test."""
    servers = []

    def start(*arguments: object, **environment: str) -> StudioServer:
        servers.append(StudioServer(*arguments, **environment))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory, cells: dict[str, list[Path]]) -> RealFeatures:
    """Real photos of three classes with their features, for what is computed without a server."""
    return real_features(cells, tmp_path_factory.mktemp("real"))
