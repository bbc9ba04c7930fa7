"""How much longer than its features does a first `headstart train` take, as a whole process?

    python benchmarks/cold_train.py cats_and_dogs_filtered --repeats 3

In turn, each with an empty cache: the head is trained and everything written; and a process that imports what it needs,
decodes the same photos, and runs the same engine on them, with all depths. Prints the seconds of each, and the ratio of
each pair. Wanted: 1.25. Expected: see LOG.md.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from first_answer import whole_process

FEATURES = """
import sys
import headstart as hs
from headstart.features.extractor import FeatureExtractor
from headstart.features.spec import FeatureSpec
images = hs.load_images(sys.argv[1], listener=hs.Quiet())[0]
FeatureExtractor(FeatureSpec("efficientnet_lite0", 224, depths=True), listener=hs.Quiet()).features(images)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    ratios = []
    for number in range(arguments.repeats):
        seconds = []
        for what in ("train", "features"):
            with tempfile.TemporaryDirectory() as folder:
                environment = os.environ | {"HEADSTART_CACHE": str(Path(folder, "cache"))}
                out = str(Path(folder, "run"))
                command = {
                    "train": ["-m", "headstart", "train", str(arguments.data), "--out", out, "--fine-tune", "never"],
                    "features": ["-c", FEATURES, str(arguments.data)],
                }[what]
                seconds.append(whole_process([sys.executable, *command], environment)[0])
        ratios.append(seconds[0] / seconds[1])
        train, features = seconds
        print(f"{number + 1}: train {train:.1f} s, features {features:.1f} s, ratio {ratios[-1]:.2f}", flush=True)
    print(f"median {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
