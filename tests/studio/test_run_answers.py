"""Photos that a service has kept open in the studio as a queue, with what the run answered."""

import shutil
from pathlib import Path

from headstart.serving.samples import SampleKeeper, SampleSettings


def test_kept_photos_are_a_queue(cells, tmp_path, open_studio):
    folder = tmp_path / "samples"
    keeper = SampleKeeper(SampleSettings(folder, rate=1.0))
    photos = [path for name in ("defective", "functional") for path in cells[name][:4]]
    for number, path in enumerate(photos):
        answer = {"label": "functional", "probability": 0.9 - number / 100, "sure": True, "familiar": True}
        keeper.keep(Path(path).read_bytes(), answer, "cells", "d" * 64)
    with open_studio(folder) as studio:
        opened = studio.wait_for(lambda collection: collection["photos"] == 8)
        assert opened["unlabelled"] == 8
        assert [each["name"] for each in opened["classes"]] == ["functional"]
        queue = studio.wait_for(lambda queue: queue["items"], "/api/queue")
        item = queue["items"][0]
        assert (item["suggested"], item["confidence"]) == ("functional", 0.83), "the least sure one"
        assert item["reason"]["code"] == "answered"
        studio.ask("/api/queue/answer", key=item["key"], answer="yes")
        assert studio.ask("/api/collection")["unlabelled"] == 7
        other = studio.ask("/api/queue")["items"][0]
        studio.ask("/api/queue/answer", key=other["key"], answer="yes", label="defective")
        labelled = {each["name"]: each["photos"] for each in studio.ask("/api/collection")["classes"]}
        assert labelled == {"defective": 1, "functional": 1}
    shutil.rmtree(folder)
