"""Services that several tests ask. The one that most of them ask is in tests/conftest.py."""

from collections.abc import Iterator

import pytest

import headstart as hs
from support.serving import Service

KEY = "a-key-of-24-characters-x"


@pytest.fixture(scope="session")
def guarded(run: hs.Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that requires KEY, and that pages of https://shop.example may ask."""
    file = tmp_path_factory.mktemp("key") / "key"
    file.write_text(KEY + "\n")
    with Service(run.folder, "--api-key-file", file, "--cors", "https://shop.example") as started:
        yield started


@pytest.fixture(scope="session")
def showing(run: hs.Run) -> Iterator[Service]:
    """A service that shows training images."""
    with Service(run.folder, "--show-training-images") as started:
        yield started
