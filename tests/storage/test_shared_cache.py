"""A cache of another user, who allows to read it, or nothing: a run does without, and says so once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# root may read everything, unless it gives up these rights
WITHOUT_RIGHTS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner",
                  "--inh-caps", "-dac_override,-dac_read_search,-fowner"]  # fmt: skip


def as_a_user(*arguments: object, cache: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "headstart", *map(str, arguments)]
    if os.getuid() == 0:
        command = [*WITHOUT_RIGHTS, *command]
    environment = os.environ | {"HEADSTART_CACHE": str(cache)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


LOOK = ("--image-size", 32)


@pytest.fixture(scope="module")
def kept(photos, tmp_path_factory) -> Path:
    """What a look at the photos keeps."""
    folder = tmp_path_factory.mktemp("kept") / "cache"
    assert as_a_user("inspect", photos, *LOOK, cache=folder).returncode == 0
    return folder


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="rights are others on Windows")
@pytest.mark.parametrize("allowed", ["reading", "nothing", "nothing inside"])
def test_the_cache_of_another_user(photos, request, tmp_path, allowed):
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may do everything, and there is no setpriv to give that up")
    cache = shutil.copytree(request.getfixturevalue("kept"), tmp_path / "cache")
    kinds = sorted(path for path in cache.rglob("*") if path.is_dir())
    closed = {"reading": [], "nothing": [cache], "nothing inside": [path for path in kinds if path.parent == cache]}
    for path in [*kinds, cache]:
        path.chmod(0o555)
    for path in closed[allowed]:
        path.chmod(0)
    try:
        found = as_a_user("inspect", photos, *LOOK, cache=cache)
        assert found.returncode == 0, found.stderr
        assert found.stdout.startswith("80 images of 2 classes")
        assert ("Permission denied" in found.stderr) == (allowed != "reading"), "what is kept by another is used"
        shown = as_a_user("cache", cache=cache)
        assert (shown.returncode, shown.stderr) == (0, "")
        cleared = as_a_user("cache", "--clear", cache=cache)
        assert cleared.returncode == 2
        assert cleared.stderr.startswith(f"'{cache}' cannot be cleared: Permission denied.")
    finally:
        for path in [cache, *kinds]:
            path.chmod(0o755)
