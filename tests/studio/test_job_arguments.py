"""What a job is to do -> the arguments of the command line, which reads the collection as the studio does."""

from pathlib import Path

from headstart.data.source import DataSource
from headstart.studio.job_arguments import INSPECT, TRAIN, work_of
from headstart.studio.runs import Runs


def test_a_job_reads_the_collection_as_the_studio_does(tmp_path: Path):
    source = DataSource(tmp_path / "photos", hierarchy=True, group_by="(p[0-9]+)")
    for kind in (INSPECT, TRAIN):
        _, data, *options = work_of(kind, {}, source, Runs(tmp_path / "runs")).arguments
        assert data == str(tmp_path / "photos")
        assert {"--hierarchy", "--group-by=(p[0-9]+)"} <= set(options)
    plain = work_of(INSPECT, {}, DataSource(tmp_path / "photos"), Runs(tmp_path / "runs")).arguments
    assert not any(each.startswith("--hierarchy") for each in plain)
