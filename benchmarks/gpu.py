"""How fast is a GPU, and are its answers those of a processor?

    python benchmarks/gpu.py --originals ORIGINALS.zip --reference REFERENCE.npz --collection CATS_AND_DOGS.zip
    python benchmarks/gpu.py --stage reference --originals ORIGINALS.zip --out REFERENCE.npz     # where OpenVINO is

For each of Keras' backends that sees a GPU: images/s of features (the default base, all depths, 224 pixels) of the
engine alone, of the steady middle of an extraction, and of a whole one with the engine's opening, as a ratio to what
decoding alone reaches on all cores with the same threads. Then `headstart train --device gpu` on cats and dogs: the
recipe `tutorial` with its 20 epochs, the recipe `fast` with its head alone and with fine-tuning; seconds of the whole
process, and accuracy; and `predict` on all of the collection. The photos of ORIGINALS are copied, each copy with
another byte behind its end, until there are --images of them.

Features must be those of the reference, made by OpenVINO on a processor, and, where Keras computes on the processor of
the same machine, of that: for each photo the norm of the difference is at most 0.001 of the norm. Fine-tuned and
head-only classifiers must answer as `predict` without a GPU does. Each stage is a process of its own with a time limit,
whose output is shown as it comes; the last lines are a table. Exit status: 1 where answers differ or a stage failed.
Expected: see LOG.md.
"""

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np

TOLERANCE = 1e-3  # of the norm of the features of a photo
COMPARED = 32  # photos
BACKBONE, SIZE = "efficientnet_lite0", 224
RESULT = "RESULT "


class NoEngine:
    """What is left of an extraction without a network: decoding, and batches."""

    identity, batch_size = "none", 128
    output_shapes = ((1,),)

    def run(self, batches):
        for images in batches:
            yield [np.zeros((len(images), 1), np.float32)]


def say(*words: object) -> None:
    print(*words, flush=True)


def result(**values: object) -> None:
    say(RESULT + json.dumps(values))


def spec(**changes: object):
    from headstart.features.spec import FeatureSpec

    return FeatureSpec(BACKBONE, SIZE, depths=True, **changes)


def originals(file: Path, folder: Path) -> list[Path]:
    """Unpacked once, sorted by name."""
    if not folder.is_dir():
        with zipfile.ZipFile(file) as archive:
            archive.extractall(folder)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def copies(files: list[Path], folder: Path, count: int):
    """So many different files with the same pictures, as a Split."""
    from headstart.data.dataset import Split
    from headstart.storage.hashing import sha256

    folder.mkdir(exist_ok=True)

    def make(index: int) -> tuple[str, str]:
        source = files[index % len(files)]
        data = source.read_bytes() + index.to_bytes(4, "big") + b"\xff\xd9"
        path = folder / f"{index}{source.suffix}"
        if not path.exists():
            path.write_bytes(data)
        return str(path), sha256(data)

    with ThreadPoolExecutor(32) as pool:
        paths, digests = zip(*pool.map(make, range(count)), strict=True)
    return Split(paths, np.zeros(count, np.int32), digests, ("photo",))


def pixels_of(files: list[Path]) -> np.ndarray:
    from headstart.data.images import read_image

    return np.stack([read_image(path, SIZE) for path in files])


class Rate:
    """A listener that remembers when how many images were done."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, int]] = []

    def emit(self, event: object) -> None:
        done = getattr(event, "done", None)
        if done is not None:
            self.seen.append((time.perf_counter(), done))
        elif getattr(event, "text", None):
            say("  said:", event.text)

    def cancelled(self) -> bool:
        return False

    def steady(self) -> float:
        """Images/s between the first and the last fifth."""
        total = self.seen[-1][1]
        middle = [(when, done) for when, done in self.seen if 0.2 * total <= done <= 0.8 * total]
        (start, first), (end, last) = (middle or self.seen)[0], (middle or self.seen)[-1]
        return (last - first) / max(end - start, 1e-9)


def stage_decode(options: argparse.Namespace) -> None:
    """Decoding alone, by the threads of an extraction, in the same process, and in one thread."""
    from headstart.concurrency import cpu_budget
    from headstart.features.executors.local import LocalExecutor
    from headstart.features.extractor import FeatureExtractor

    images = copies(originals(options.originals, options.work / "originals"), options.work / "copies", options.images)
    say(f"{cpu_budget()} cores, {len(images)} photos")
    start = time.process_time(), time.perf_counter()
    few = pixels_of([Path(path) for path in images.paths[:200]])
    alone = len(few) / (time.perf_counter() - start[1])
    say(f"one thread: {alone:.0f} images/s, {1000 * (time.process_time() - start[0]) / len(few):.2f} ms of CPU each")
    found = {}
    for side_by_side in (1, 2):
        for turn in range(2):
            listener = Rate()
            executor = LocalExecutor(side_by_side)
            extractor = FeatureExtractor(spec(), engine=NoEngine(), executor=executor, listener=listener)
            begin = time.perf_counter(), time.process_time()
            os.environ["HEADSTART_CACHE"] = str(options.work / f"cache-none-{side_by_side}-{turn}")
            extractor.features(images)
            seconds = time.perf_counter() - begin[0]
            cores = (time.process_time() - begin[1]) / seconds
            found[f"whole {side_by_side}"] = max(found.get(f"whole {side_by_side}", 0), len(images) / seconds)
            found[f"steady {side_by_side}"] = max(found.get(f"steady {side_by_side}", 0), listener.steady())
            say(f"  {side_by_side} side by side: whole {len(images) / seconds:.0f}, steady {listener.steady():.0f} "
                f"images/s, {cores:.1f} cores busy")  # fmt: skip
    result(whole=max(found["whole 1"], found["whole 2"]), steady=max(found["steady 1"], found["steady 2"]), one=alone)


def stage_features(options: argparse.Namespace) -> None:
    """The engine of a backend: its time to open, alone, in an extraction; and its features."""
    from headstart.engines.base import Compute
    from headstart.features.extractor import FeatureExtractor

    images = copies(originals(options.originals, options.work / "originals"), options.work / "copies", options.images)
    compute, listener = Compute(device="gpu"), Rate()
    extractor = FeatureExtractor(spec(), compute=compute, listener=listener)
    begin = time.perf_counter()
    engine = extractor.engine
    opened = time.perf_counter() - begin
    say(f"{engine.identity}: opened in {opened:.1f} s; {getattr(engine, 'remark', None) or 'nothing to remark'}")
    alone = engine_alone(engine)
    extractor.features(images)
    whole = len(images) / (time.perf_counter() - begin)
    again = Rate()
    os.environ["HEADSTART_CACHE"] += "-again"
    second = FeatureExtractor(spec(), compute=compute, engine=engine, listener=again)
    begin = time.perf_counter(), time.process_time()
    second.features(images)
    seconds = time.perf_counter() - begin[0]
    say(f"  extraction with the engine open: {len(images) / seconds:.0f} images/s, steady {again.steady():.0f}, "
        f"first {listener.steady():.0f}; {(time.process_time() - begin[1]) / seconds:.1f} cores busy")  # fmt: skip
    worst = compared(features_by(engine, options), options)
    variants(extractor, options)
    result(opened=opened, alone=alone, whole=whole, steady=max(again.steady(), listener.steady()),
           open_already=len(images) / seconds, difference=worst, identity=engine.identity)  # fmt: skip


def features_by(engine, options: argparse.Namespace) -> np.ndarray:
    """Of the first photos, as the engine gives them: the cache would round them to 16 bits."""
    from headstart.engines.base import in_batches, run_all

    pixels = pixels_of(originals(options.originals, options.work / "originals")[:COMPARED])
    return np.hstack(run_all(engine, in_batches(pixels, engine.batch_size), len(pixels), outputs=2))


def engine_alone(engine, seconds: float = 2.0) -> float:
    """Images/s on pixels in memory."""
    from headstart.engines.base import run_all

    rng = np.random.default_rng(0)
    batches = [rng.integers(0, 256, (engine.batch_size, SIZE, SIZE, 3), dtype=np.uint8) for _ in range(4)]
    begin = time.perf_counter()
    run_all(engine, batches, 4 * engine.batch_size, outputs=2)
    say(f"  first 4 batches of {engine.batch_size}: {1000 * (time.perf_counter() - begin):.0f} ms")
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        run_all(engine, batches * 4, 16 * engine.batch_size, outputs=2)
        count += 16 * engine.batch_size
    rate = count / (time.perf_counter() - begin)
    say(f"  engine alone: {rate:.0f} images/s, {1000 * engine.batch_size / rate:.1f} ms a batch")
    return rate


def compared(features: np.ndarray, options: argparse.Namespace) -> float:
    """The largest difference from the reference, and from Keras on this processor, relative to the norm of a photo's
    features: the last layer, and what is known of the others, each by itself."""
    others = {}
    if options.reference:
        with np.load(options.reference) as stored:
            others["OpenVINO elsewhere"] = stored["features"]
    here = options.work / "keras-on-the-processor.npy"
    if here.is_file():
        others["Keras on the processor"] = np.load(here)
    worst = 0.0
    for name, other in others.items():
        count = min(len(other), len(features))
        parts = [slice(0, 1280), slice(1280, None)]
        differences = [
            np.linalg.norm(features[:count, part] - other[:count, part], axis=1)
            / np.linalg.norm(other[:count, part], axis=1)
            for part in parts
        ]
        shown = [f"{each.max():.1e} (mean {each.mean():.1e})" for each in differences]
        say(f"  against {name}: largest relative difference {shown[0]} of the last layer, {shown[1]} of the others")
        worst = max(worst, *(float(each.max()) for each in differences))
    return worst if others else float("nan")


def variants(extractor, options: argparse.Namespace) -> None:
    """What other settings of PyTorch would bring, and cost in exactness; nothing is asserted of them."""
    if os.environ.get("KERAS_BACKEND") != "torch":
        return
    import torch

    if not torch.cuda.is_available():
        return

    from headstart.engines.base import Compute
    from headstart.engines.keras import KerasEngine
    from headstart.models.weights import load_base

    base = load_base(BACKBONE, SIZE)
    for name, tf32, searched in (("TF32", True, False), ("kernels searched for", False, True)):
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.benchmark = searched
        begin = time.perf_counter()
        engine = KerasEngine(extractor.spec.frozen_network(base), Compute(device="gpu"), outputs=2)
        say(f"  {name}: opened in {time.perf_counter() - begin:.1f} s")
        engine_alone(engine, 1.0)
        compared(features_by(engine, options), options)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.benchmark = False
    profiled(KerasEngine(extractor.spec.frozen_network(base), Compute(device="gpu"), outputs=2))


def profiled(engine) -> None:
    """Which kernels take the time of a batch."""
    from torch.profiler import ProfilerActivity, profile

    from headstart.engines.base import run_all

    batches = [np.zeros((engine.batch_size, SIZE, SIZE, 3), np.uint8)] * 4
    with profile(activities=[ProfilerActivity.CUDA]) as found:
        run_all(engine, batches, 4 * engine.batch_size, outputs=2)
    say(found.key_averages().table(sort_by="cuda_time_total", row_limit=14, max_name_column_width=70))


def stage_processor(options: argparse.Namespace) -> None:
    """Features by Keras on the processor, from the plain model."""
    from headstart.features.cut import frozen_part
    from headstart.models.preprocessing import preprocess
    from headstart.models.weights import load_base

    pixels = pixels_of(originals(options.originals, options.work / "originals")[:COMPARED])
    network = frozen_part(load_base(BACKBONE, SIZE), None, lambda x: preprocess(BACKBONE, x), depths=True)
    found = network.predict(pixels.astype(np.float32), batch_size=16, verbose=0)
    np.save(options.work / "keras-on-the-processor.npy", np.hstack([np.asarray(each) for each in found[:2]]))


def stage_reference(options: argparse.Namespace) -> None:
    """Features by the engine of a processor, to be kept in a file."""
    from headstart.features.extractor import FeatureExtractor

    engine = FeatureExtractor(spec(), listener=Rate()).engine
    np.savez_compressed(options.out, features=features_by(engine, options))
    say(f"{engine.identity}: {options.out}")


def stage_train(options: argparse.Namespace) -> None:
    """`headstart train` in a process of its own, each line with the seconds since its start."""
    out = options.work / f"run-{options.name}"
    command = [sys.executable, "-m", "headstart", "train", str(options.collection), "--out", str(out)]
    command += [
        "--device",
        options.device,
        "--events",
        str(options.work / f"events-{options.name}"),
        *options.arguments,
    ]
    seconds, status = shown(command)
    if status:
        raise SystemExit(f"exit status {status}")
    metrics = json.loads((out / "metrics.json").read_text("utf-8"))
    with (out / "history.csv").open() as file:
        for row in csv.DictReader(file):
            numbers = [f"{float(row[name]):.4f}" for name in ("loss", "accuracy", "val_loss", "val_accuracy")]
            say("  ", row["phase"], row["epoch"], f"{float(row['seconds']):.2f} s", *numbers)
    say("  seconds by metrics.json:", json.dumps(metrics["seconds"]))
    both = [metrics[name]["accuracy"] for name in ("validation", "test") if metrics.get(name)]
    correct, count = sum(each["correct"] for each in both), sum(each["count"] for each in both)
    result(seconds=seconds, accuracy=correct / count, count=count)


def shown(command: list[str], **environment: str) -> tuple[float, int]:
    """Run a command: the seconds that it took, and its status."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=os.environ | environment)  # fmt: skip
    assert process.stdout
    for line in process.stdout:
        say(f"  [{time.perf_counter() - start:6.2f}] {line.rstrip()}")
    return time.perf_counter() - start, process.wait()


def stage_predict(options: argparse.Namespace) -> None:
    """All photos of the collection, as a folder, by the GPU and by the processor: seconds, and the same answers."""
    folder = options.work / "collection"
    if not folder.is_dir():
        with zipfile.ZipFile(options.collection) as archive:
            archive.extractall(folder)
    seconds, answers = {}, {}
    for device in ("gpu", "auto"):
        where = folder if device == "gpu" else min(path for path in folder.rglob("validation/*") if path.is_dir())
        out = options.work / f"answers-{options.name}-{device}.csv"
        command = [sys.executable, "-m", "headstart", "predict", str(options.work / f"run-{options.name}"), str(where)]
        hidden = {} if device == "gpu" else {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
        seconds[device], status = shown([*command, "--device", device, "--out", str(out)], **hidden)
        if status:
            raise SystemExit(f"exit status {status}")
        with out.open() as file:
            rows = list(csv.DictReader(file))
        answers[device] = {row["path"]: row for row in rows}
        say(f"  {device}: {len(rows)} photos in {seconds[device]:.1f} s")
    differences = []
    for path, row in answers["auto"].items():
        other = answers["gpu"][path]
        differences += [abs(float(other[key]) - float(value)) for key, value in row.items() if _is_number(value)]
    result(seconds=seconds["gpu"], images=len(answers["gpu"]), difference=max(differences))


def _is_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True


def stage_steps(options: argparse.Namespace) -> None:
    """Where the time of a training goes: the recipe `tutorial`, two epochs of each phase, under Python's profiler."""
    import cProfile
    import pstats

    import headstart as hs
    from headstart import commands

    profiler = cProfile.Profile()
    out = options.work / f"run-steps-{os.environ.get('KERAS_BACKEND')}"
    profiler.enable()
    commands.train(options.collection, out, recipe="tutorial", epochs=2, device="gpu", listener=hs.Quiet())
    profiler.disable()
    for order, rows in (("cumtime", 60), ("tottime", 40)):
        pstats.Stats(profiler, stream=sys.stdout).strip_dirs().sort_stats(order).print_stats(rows)
    result(done=True)


def run_stage(name: str, label: str, options: argparse.Namespace, *arguments: str, limit: float, **environment: str):
    """A stage in a process of its own -> what it found; None where it failed or took too long."""
    say(f"\n=== {label} (at most {limit:.0f} s)")
    command = [sys.executable, "-u", str(Path(__file__).resolve()), "--stage", name, "--work", str(options.work)]
    for option in ("originals", "reference", "collection", "images"):
        if getattr(options, option) is not None:
            command += [f"--{option}", str(getattr(options, option))]
    settings = os.environ | {"HEADSTART_CACHE": str(options.work / f"cache-{label.replace(' ', '-')}")} | environment
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=settings, start_new_session=True)  # fmt: skip
    watch = threading.Timer(limit, lambda: os.killpg(process.pid, 9))
    watch.start()
    start, found = time.perf_counter(), None
    assert process.stdout
    try:
        for line in process.stdout:
            if line.startswith(RESULT):
                found = json.loads(line.removeprefix(RESULT))
            else:
                say(line.rstrip())
        status = process.wait()
    finally:
        watch.cancel()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    say(f"--- {label}: {time.perf_counter() - start:.1f} s" + (f", FAILED with {status}" if status else ""))
    return None if status else found or {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--originals", type=Path, help="zip of photos in the size of a camera or of the web")
    parser.add_argument("--collection", type=Path, help="zip of cats and dogs, with train/ and validation/")
    parser.add_argument("--reference", type=Path, help="what the stage 'reference' wrote")
    parser.add_argument("--images", type=int, default=12_000)
    parser.add_argument("--backends", default="torch,jax")
    parser.add_argument("--stages", default="features,tutorial,fast,always,predict,steps")
    parser.add_argument("--epochs", help="in each phase of a training, for a quick look; by default the recipe's")
    parser.add_argument("--limit", type=float, default=90.0, help="seconds for each stage")
    parser.add_argument("--device", default="gpu")
    parser.add_argument("--work", type=Path, default=None)
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--name", default="", help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        options.work = options.work or Path(tempfile.mkdtemp(prefix="headstart-gpu-"))
        globals()[f"stage_{options.stage}"](options)
        return
    options.work = options.work or Path(tempfile.mkdtemp(prefix="headstart-gpu-"))
    options.work.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # which ends the stage, too
    sys.exit(measured(options))


def measured(options: argparse.Namespace) -> int:
    """All stages, and the table; 1 where answers differ or a stage failed."""
    stages, limit, rows, failed = options.stages.split(","), options.limit, [], []

    def stage(name: str, label: str, *arguments: str, **environment: str) -> dict:
        found = run_stage(name, label, options, *arguments, limit=limit, **environment)
        if found is None:
            failed.append(label)
        return found or {}

    kept = options.work / "decode.json"
    decode = json.loads(kept.read_text()) if kept.is_file() else {}
    if "features" in stages and not decode:
        decode = stage("decode", "decode")
        kept.write_text(json.dumps(decode))
    if decode:
        rows.append(("decoding alone", f"{decode['steady']:.0f} images/s steady, {decode['whole']:.0f} whole"))
    for number, backend in enumerate(options.backends.split(",")):
        chosen = {"KERAS_BACKEND": backend}
        if "features" in stages:
            if number == 0:
                stage("processor", "processor", **chosen, CUDA_VISIBLE_DEVICES="", JAX_PLATFORMS="cpu")
            found = stage("features", f"features {backend}", **chosen)
            if found and decode:
                steady, without = found["steady"] / decode["steady"], found["open_already"] / decode["whole"]
                rows += [
                    (f"{backend}: features, steady", f"{found['steady']:.0f} images/s, {steady:.0%} of decoding"),
                    (f"{backend}: features, all of them", f"{found['open_already']:.0f} images/s, {without:.0%}"),
                    (
                        f"{backend}: ... with the opening",
                        f"{found['whole']:.0f} images/s, {found['opened']:.1f} s for it",
                    ),
                    (f"{backend}: the engine alone", f"{found['alone']:.0f} images/s"),
                ]
                rows.append((f"{backend}: largest difference of features", f"{found['difference']:.1e}"))
                if not found["difference"] <= TOLERANCE:
                    failed.append(f"{backend}: features differ")
        trainings = {"tutorial": ["--recipe", "tutorial"], "fast": ["--fine-tune", "never"],
                     "always": ["--fine-tune", "always"]}  # fmt: skip
        for recipe in (name for name in trainings if name in stages):
            epochs = ["--epochs", options.epochs] if options.epochs else []
            arguments = ["--device", options.device, "--name", f"{recipe}-{backend}", "--", *trainings[recipe], *epochs]
            found = stage("train", f"{recipe} {backend}", *arguments, **chosen)
            if found:
                rows.append((f"{backend}: train {' '.join(trainings[recipe])}",
                             f"{found['seconds']:.1f} s, {found['accuracy']:.1%} of {found['count']}"))  # fmt: skip
        for recipe in ("always", "tutorial"):
            if "predict" in stages and (options.work / f"run-{recipe}-{backend}").is_dir():
                found = stage("predict", f"predict {recipe} {backend}", "--name", f"{recipe}-{backend}", **chosen)
                if found:
                    rows.append((f"{backend}: predict, run of {recipe}",
                                 f"{found['images']} photos in {found['seconds']:.1f} s; largest difference of a "
                                 f"probability {found['difference']:.1e}"))  # fmt: skip
                    if not found["difference"] <= TOLERANCE:
                        failed.append(f"{backend}: answers of {recipe} differ")
        if "steps" in stages:
            stage("steps", f"steps {backend}", **chosen)
    say("\n" + "=" * 100)
    for name, value in rows:
        say(f"{name:<45} {value}")
    say("FAILED: " + "; ".join(failed) if failed else "All answers agree.")
    return 1 if failed else 0


if __name__ == "__main__":
    main()
