"""Packages of npm that tests of the page need, and no user does."""

import shutil
import subprocess
from pathlib import Path

import pytest

SECONDS = 120


def npm_package(config: pytest.Config, name: str, version: str) -> Path:
    """The folder of an installed package; from npm the first time, then from pytest's cache.

    Where there is no npm, or it cannot be reached, the test is skipped.
    """
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is missing")
    place = config.cache.mkdir("npm") / f"{name.replace('/', '-')}-{version}"  # type: ignore[union-attr]
    found = place / "node_modules" / name
    if not (found / "package.json").is_file():
        command = [npm, "install", "--prefix", str(place), "--no-audit", "--no-fund", "--silent", f"{name}@{version}"]
        if subprocess.run(command, capture_output=True, timeout=SECONDS).returncode:
            pytest.skip(f"{name} cannot be fetched from npm")
    return found
