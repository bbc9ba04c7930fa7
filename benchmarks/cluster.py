"""What does a cluster cost, against this machine alone, and what would ten million photos take?

    python benchmarks/cluster.py cats_and_dogs_filtered --photos 20000 --image-size 96
    python benchmarks/cluster.py cats_and_dogs_filtered --photos 2000 --only features head   # a quick look

features: of so many small photos (those of scale.py), by the local executor and by Ray with one node of one core for
each core of this machine, in turn, each with an empty cache. Ratios of the images per second: `whole` counts Ray's own
start, `steady` begins when each core has made a shard.
tasks: 100, 1,000 and 10,000 tasks that do nothing: what one costs the driver and Ray. From it, and the steady rate of a
core, the time for ten million photos on 8, 64 and 256 machines of `--cores` cores, its price, and how far that is from
linear.
driver: the memory of the process that is started, at most, for photos that it lists, whose digests it is told, that it
splits, and of whose features it knows where they lie. Of two numbers of photos, and from them of ten million.
head: the head by sums over shards on the cluster, against the local one.
tuning: steps of fine-tuning (MobileNetV2, batches of 32) whose gradients the nodes compute, against steps here on all
cores, in turn: images per second of the last of three epochs, without validation.
Expected: see LOG.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scale import make

PARTS = ("features", "tasks", "driver", "head", "tuning")
PHOTOS = 10_000_000
SHARD = 1_150  # photos of a task, with the features of the default base

# Each measurement is a process of its own: what is imported or started there counts, and is gone afterwards.
SETUP = """
import json, os, resource, sys, time
start = time.perf_counter()
import numpy as np
import headstart as hs
from contextlib import nullcontext
from local_cluster import cluster

def tell(**found):
    print("FOUND " + json.dumps(found))
"""
FEATURES = """
from headstart.data.loading import load_images
from headstart.features.executors.ray import RayExecutor
from headstart.features.extractor import FeatureExtractor
from headstart.training.config import TrainingConfig
folder, size, on_ray, cores = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "ray", int(sys.argv[4])

class Clock(hs.Quiet):
    times = []
    def emit(self, event):
        if isinstance(event, hs.Advanced):
            self.times.append((time.perf_counter(), event.done))

images, _ = load_images(folder, listener=hs.Quiet())
start = time.perf_counter()  # photos are read before in both
with cluster(cores) if on_ray else nullcontext():
    clock = Clock()
    executor = RayExecutor() if on_ray else None
    spec = TrainingConfig.of(image_size=size).feature_spec
    FeatureExtractor(spec, listener=clock, executor=executor).features(images)
    end = time.perf_counter()
# from when each core has made a shard, to the last one
begun = min(1150 * cores, len(images) // 2)
(first, done), (last, all_done) = next(each for each in clock.times if each[1] >= begun), clock.times[-1]
tell(whole=len(images) / (end - start), steady=(all_done - done) / max(last - first, 1e-9))
"""
TASKS = """
from headstart.features.executors.ray import RayExecutor
count, cores = int(sys.argv[1]), int(sys.argv[2])
with cluster(cores):
    executor = RayExecutor()
    list(executor.map(len, [()] * 20 * cores))  # the workers are there
    start, used = time.perf_counter(), time.process_time()
    for _ in executor.map(len, [tuple(f"s3://bucket/photos/class/{number:09}.jpg" for number in range(1150))] * count):
        pass
    tell(seconds=time.perf_counter() - start, driver=time.process_time() - used)
"""
DRIVER = """
import gc
from headstart.data import folder, loading, walking
from headstart.data.collection import Read
from headstart.data.folder import list_images
from headstart.features.store import Shards, record_type
from headstart.storage.locations import Listed
from headstart.storage.url_path import Url
count, work = int(sys.argv[1]), sys.argv[2]
def memory(name):  # of this process at most until now
    stages[name] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
stages = {}
memory("start")
# a store with so many photos, which are all read, and have features
digests = np.random.default_rng(0).integers(0, 256, (count, 32), np.uint8)
np.save(f"{work}/digests.npy", digests)
del digests
digests = np.load(f"{work}/digests.npy", mmap_mode="r")
walking.list_files = lambda url: (
    Listed(f"{url}/{number % 10}/{number:09}.jpg", 100_000, f"{number:032x}") for number in range(count)
)
Url.exists = Url.is_dir = lambda url: True
folder.what_headstart_wrote = folder.corrections_file = lambda place: None
looked = lambda items, known: (
    Read(item, digest.tobytes().hex(), 0) for item, digest in zip(items, digests, strict=True)
)
collection = loading.collect(list_images(hs.DataSource("s3://bucket/photos"), hs.Quiet()), hs.Quiet(), look=looked)
memory("list and read")
data = loading.build_dataset(collection, seed=0, test_fraction=None, groups=None, listener=hs.Quiet())
memory("splits")
kind = record_type([(1,)])
shards = []
for start in range(0, count, 100_000):
    some = digests[start : start + 100_000]
    shard = np.zeros(len(some), kind)
    shard["digest"] = some.view("V32")[:, 0]
    np.save(f"{work}/{start}.npy", shard)
    shards.append(np.load(f"{work}/{start}.npy", mmap_mode="r"))
found = Shards.of_arrays(shards)
features = [found.of(split.digests) for split in data.splits().values()]
memory("places of features")
tell(**stages)
"""
HEAD = """
from headstart.features import depth_head
from headstart.features.depth_head import solve_depths
from headstart.features.executors import ray_sums
from headstart.features.executors.ray import RayExecutor
from headstart.features.extractor import FeatureExtractor
from headstart.data.loading import load_images
from headstart.features.rows import rows_of
from headstart.training.config import TrainingConfig
folder, size, cores = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
images, _ = load_images(folder, listener=hs.Quiet())
spec = TrainingConfig.of(image_size=size).feature_spec
depth_head.IN_MEMORY = ray_sums.IN_MEMORY = 0
depth_head.IN_GRAM = 0
with cluster(cores):
    executor = RayExecutor()
    rows = rows_of(FeatureExtractor(spec, listener=hs.Quiet(), executor=executor).features(images))
    counts, sizes = np.ones(len(images.class_names)), spec.block_sizes
    began = time.perf_counter()
    here = solve_depths([rows], sizes, images.labels, len(counts), seed=0)
    between = time.perf_counter()
    with ray_sums.sums_on(executor, [rows], images.labels, counts) as sums:
        there = solve_depths([rows], sizes, images.labels, len(counts), seed=0, sums=sums)
    ended = time.perf_counter()
    ours, theirs = here.logits(rows), there.logits(rows)
    probability = lambda logits: 1 / (1 + np.exp(-logits.astype(np.float64)))
    tell(
        local=between - began, cluster=ended - between,
        kernel=float(np.linalg.norm(here.kernel - there.kernel) / np.linalg.norm(here.kernel)),
        logits=float(np.linalg.norm(ours - theirs) / np.linalg.norm(ours)),
        probability=float(np.abs(probability(ours) - probability(theirs)).max()),
        same_choices=(here.C, here.weight) == (there.C, there.weight),
    )
"""
TUNING = """
import keras
from headstart.features.executors.ray import RayExecutor
from headstart.training import steps_on_cluster
from headstart.training.callbacks import Callbacks
from headstart.training.config import TrainingConfig
from headstart.training.trainer import train_classifier
folder, size, on_ray, cores = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "ray", int(sys.argv[4])
steps_on_cluster.MANY, steps_on_cluster.TRIALS = 0, 10**9  # whichever is faster

class Clock(keras.callbacks.Callback):
    times = []
    def on_train_batch_begin(self, batch, logs=None):
        if batch == 1:
            self.times.append([])
    def on_train_batch_end(self, batch, logs=None):
        if batch:
            self.times[-1].append(time.perf_counter())

data = hs.load_dataset(folder, listener=hs.Quiet())
recipe = hs.RECIPES["fast"].always_fine_tuned().with_epochs(3)
settings = {"recipe": recipe, "backbone": "mobilenet_v2", "image_size": size, "views": "original"}
with cluster(cores) if on_ray else nullcontext():
    config = TrainingConfig.of(**settings, executor=RayExecutor() if on_ray else None)
    found = train_classifier(data, config, callbacks=Callbacks((Clock(),)), listener=hs.Quiet()).classifier
last = Clock.times[-1]
step = (last[-2] - last[0]) / (len(last) - 2)  # the last batch is a small one
weights = np.concatenate([each.ravel() for each in found.model.get_weights()])
np.save(sys.argv[5], weights)
tell(rate=32 / step, step=1e3 * step)
"""


def measured(code: str, *arguments: object, cache: Path) -> dict:
    """What a process tells, with an empty cache."""
    places = [str(Path(__file__).resolve().parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {
        "HEADSTART_CACHE": str(cache), "HEADSTART_CACHE_GB": "50", "PYTHONPATH": os.pathsep.join(places),
    }  # fmt: skip
    command = [sys.executable, "-c", SETUP + code, *map(str, arguments)]
    found = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(next(line for line in found.splitlines() if line.startswith("FOUND "))[6:])


def predicted(machines: int, cores: int, rate: float, overhead: float, start: float) -> float:
    """Seconds for ten million photos: the work of the cores, in whole rounds of tasks, or what the driver can hand out,
    whichever is longer; and the start."""
    tasks = -(-PHOTOS // SHARD)
    rounds = -(-tasks // (machines * cores))
    return start + max(rounds * SHARD / rate, tasks * overhead)


def tell_features(photos: Path, given: argparse.Namespace, cores: int, work: Path) -> tuple[float, float]:
    """Images per second of a core on the cluster, and the seconds until the first of them work."""
    print(f"{'round':>5} {'executor':>8} {'whole':>7} {'steady':>7}  images per second")
    found: dict[str, list[dict]] = {"local": [], "ray": []}
    for number in range(given.rounds):
        for name in ("local", "ray") if number % 2 == 0 else ("ray", "local"):
            arguments = photos, given.image_size, name, cores
            one = measured(FEATURES, *arguments, cache=work / f"{name}{number}")
            found[name].append(one)
            print(f"{number:>5} {name:>8} {one['whole']:7.1f} {one['steady']:7.1f}")
    for what in ("whole", "steady"):
        ratios = sorted(b[what] / a[what] for a, b in zip(found["local"], found["ray"], strict=True))
        middle = ratios[len(ratios) // 2]
        print(f"{what}: Ray is {middle:.1%} of the local executor ({ratios[0]:.1%} to {ratios[-1]:.1%})")
    starts = [given.photos / one["whole"] - given.photos / one["steady"] for one in found["ray"]]
    return max(one["steady"] for one in found["ray"]) / cores, max(0.0, sorted(starts)[len(starts) // 2])


def tell_tasks(given: argparse.Namespace, cores: int, work: Path, rate: float, start: float) -> None:
    overhead = 0.0
    for count in (100, 1_000, 10_000):
        if count <= given.most_tasks:
            one = measured(TASKS, count, cores, cache=work)
            overhead = one["seconds"] / count
            driver = one["driver"] / count
            print(f"{count:>6} tasks: {1e3 * overhead:.2f} ms each, of which the driver {1e3 * driver:.2f} ms")
    alone = predicted(1, given.cores, rate, overhead, start)
    for machines in (8, 64, 256):
        seconds = predicted(machines, given.cores, rate, overhead, start)
        price = machines * given.cores * seconds / 3600 * given.price
        print(
            f"{machines:>4} machines of {given.cores} cores: ten million photos in {seconds / 60:.1f} min, "
            f"{price:.2f} dollars, {alone / machines / seconds:.0%} of linear "
            f"({rate:.0f} images/s a core, a start of {start:.1f} s)"
        )


def tell_driver(rows: tuple[int, int], work: Path) -> None:
    """Peaks of two numbers of photos; what a photo more takes; and ten million of them."""
    found = []
    for count in rows:
        folder = work / f"driver{count}"
        folder.mkdir()
        found.append(measured(DRIVER, count, folder, cache=folder / "cache"))
    for stage, size in found[0].items():
        of_a_photo = (found[1][stage] - size) / (rows[1] - rows[0])
        print(
            f"driver, {stage}: {size / 1e9:.2f} GB for {rows[0]:,} photos, {found[1][stage] / 1e9:.2f} GB for "
            f"{rows[1]:,}: {of_a_photo:.0f} MB for a million, {(size + of_a_photo * (PHOTOS - rows[0])) / 1e9:.2f} GB "
            f"for ten million"
        )


def tell_tuning(photos: Path, given: argparse.Namespace, cores: int, work: Path) -> None:
    ratios, weights = [], {}
    for number in range(given.rounds):
        steps = {}
        for name in ("local", "ray") if number % 2 == 0 else ("ray", "local"):
            file = work / f"tuned-{name}.npy"
            one = measured(TUNING, photos, given.image_size, name, cores, file, cache=work / "tuning")
            steps[name], weights[name] = one["step"], np.load(file)
            print(f"{number:>5} {name:>8} {one['rate']:7.1f} images/s, {one['step']:.1f} ms a step")
        ratios.append(steps["local"] / steps["ray"])
    apart = float(np.linalg.norm(weights["ray"] - weights["local"]) / np.linalg.norm(weights["local"]))
    ratios.sort()
    middle = ratios[len(ratios) // 2]
    print(f"tuning: Ray is {middle:.0%} of here ({ratios[0]:.0%} to {ratios[-1]:.0%}); weights differ by {apart:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs=2, default=(1_000_000, 2_000_000), help="of the driver's memory")
    parser.add_argument("--most-tasks", type=int, default=10_000)
    parser.add_argument("--cores", type=int, default=8, help="of a machine in the prediction")
    parser.add_argument("--price", type=float, default=0.04, help="of a core and an hour, in dollars: an assumption")
    parser.add_argument("--rate", type=float, default=100.0, help="images/s of a core, where `features` is left out")
    parser.add_argument("--start", type=float, default=10.0, help="seconds, where `features` is left out")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    given = parser.parse_args()
    cores, rate, start = len(os.sched_getaffinity(0)), given.rate, given.start
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        if {"features", "head", "tuning"} & set(given.only):
            make(given.source, work / "photos", given.photos)
        if "features" in given.only:
            rate, start = tell_features(work / "photos", given, cores, work)
        if "tasks" in given.only:
            tell_tasks(given, cores, work / "tasks", rate, start)
        if "driver" in given.only:
            tell_driver(given.rows, work)
        if "head" in given.only:
            found = measured(HEAD, work / "photos", given.image_size, cores, cache=work / "head")
            print(f"head, {given.photos:,} photos: {found}")
        if "tuning" in given.only:
            tell_tuning(work / "photos", given, cores, work)


if __name__ == "__main__":
    main()
