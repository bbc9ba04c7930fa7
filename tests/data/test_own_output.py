"""What headstart writes is kept out of the photos, however its place is written."""

from pathlib import Path

import pytest

from headstart.data.own_output import check_outside
from headstart.errors import RunError
from support.small_collections import collection, zipped


@pytest.mark.parametrize("out", ["p/run", "p/a/why", "q/../p/run", "link/run", "p"])
def test_results_inside_of_the_photos_are_refused(tmp_path, monkeypatch, out):
    collection(tmp_path / "p", {"a": 1})
    (tmp_path / "q").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "p", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    for data in (tmp_path / "p", Path("p"), Path("link"), Path("q/../p")):
        with pytest.raises(RunError, match=r"is inside .* where the photos are.* Choose a folder outside"):
            check_outside(Path(out), data)


@pytest.mark.parametrize("out", ["run", "p2/run", "p.run", "q/run"])
def test_results_beside_the_photos_are_not(tmp_path, monkeypatch, out):
    root = collection(tmp_path / "p", {"a": 1})
    archive = zipped(root, tmp_path / "p.zip")
    monkeypatch.chdir(tmp_path)
    for data in (root, Path("p"), archive, tmp_path / "missing", Path("x" * 300)):
        check_outside(Path(out), data)
