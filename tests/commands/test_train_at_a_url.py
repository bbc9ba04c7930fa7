"""Training on photos at a URL gives the run that the folder gives, and writes no secret."""

import json
import re
from collections import Counter

import numpy as np

import headstart as hs
from headstart.storage.filesystems import filesystem
from support.recording import Recorder
from support.sizes import SMALL


def test_training_at_a_url_gives_the_same_run_and_writes_no_secret(photos, object_store, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim0123")
    filesystem("s3://bucket/x")[0].clear_instance_cache()
    url = object_store.put_folder(photos, f"{tmp_path.name}/cells")
    listener = Recorder()
    settings = {"image_size": SMALL, "fine_tune": "never", "seed": 1}
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    with object_store.requests() as requests:
        hs.make_run(url, tmp_path / "there", listener=listener, **settings)
    fetched = Counter(found[1] for line in requests if (found := re.search(r'"GET (/[^ ?]+\.jpg|/[^ ?]+\.png) ', line)))
    assert (len(fetched), set(fetched.values())) == (80, {1}), "each photo is fetched once"
    hs.make_run(photos, tmp_path / "here", listener=listener, **settings)
    here, there = (json.loads((tmp_path / out / "metrics.json").read_text()) for out in ("here", "there"))
    for name in ("train", "validation", "test", "certainty", "findings", "outlook", "data"):
        assert there[name] == here[name], name
    answers = [np.genfromtxt(tmp_path / out / "predictions.csv", delimiter=",", dtype=str) for out in ("here", "there")]
    assert np.array_equal(answers[0][1:, 1:], answers[1][1:, 1:])
    kept = [file.read_bytes() for file in (tmp_path / "there").rglob("*") if file.is_file()]
    assert not any(b"geheim0123" in content for content in kept)
    assert "geheim0123" not in repr(listener.events)
    table = (tmp_path / "there" / "splits.csv").read_text()
    assert table.count(f"{url}/") == 80
    again = hs.load_dataset(tmp_path / "there" / "splits.csv", listener=hs.Quiet())
    assert [row[1:] for row in again.rows()] == [tuple(line.split(",")[1:]) for line in table.splitlines()[1:]]
