"""Is the page of a web export as good and as fast in a browser as the classifier in Python?

    python benchmarks/web_export.py RUN --work FOLDER [--photos DATA] [--quantize float16] [--count 200] [--rounds 7]

Exports RUN as a web page into FOLDER, serves that as any host of files does, and opens it in Chromium. Then

- the same 200 validation photos, as files, go through the page and through the classifier: the largest difference of a
  probability, changed answers, and how many are sure or familiar in one only. The browser decodes each file there,
  headstart here; so the same photos go through the page once more, as PNGs of headstart's own pixels.
- answers a second, of squares in memory: the page's network with one thread, as on a plain host at the first visit, and
  with threads, as at later visits, when the service worker isolates the page; in Python ONNX Runtime and OpenVINO, with
  one thread and with as many as there are cores. All in turn in each round; ratios to ONNX Runtime in Python with as
  many threads are of one round: median, least, largest. Then photos from files through the whole page, one by one.
- the size of the folder, as it is and compressed by gzip, as hosts send it.

Expected: see LOG.md.
"""

import argparse
import base64
import functools
import gzip
import http.server
import io
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

import headstart as hs
from headstart.concurrency import cpu_budget
from headstart.data.images import read_image
from headstart.data.splits import VALIDATION
from headstart.export.formats.web import NETWORK
from headstart.export.photos import PhotosOfRun

PIECE = 20  # photos that are sent to the page together
RUNS = 10  # of a network in a round
# The page's own network, and what it says of photos that come as base64
OPEN = """async () => {
    const { openNetwork } = await import("./network.js");
    window.facts = await (await fetch("facts.json")).json();
    window.ask = await openNetwork(window.facts, () => {});
}"""
ASK = """async (photos) => {
    const found = [];
    for (const content of photos) {
        const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
        const start = performance.now();
        const { probabilities, familiar } = await window.ask(new Blob([bytes]));
        found.push([[...probabilities], familiar, performance.now() - start]);
    }
    return found;
}"""
# The network alone, in the page's own thread
OPEN_ALONE = """async ([threads, size]) => {
    const { env, InferenceSession, Tensor } = await import("./onnxruntime.js");
    const [network, runtime] = await Promise.all(["network.onnx", "onnxruntime.wasm"].map(
        async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer())));
    env.wasm.wasmBinary = runtime;
    env.wasm.numThreads = threads;
    const session = await InferenceSession.create(network, { executionProviders: ["wasm"] });
    const pixels = Uint8Array.from({ length: 3 * size * size }, () => 256 * Math.random());
    window.run = () => session.run({ pixels: new Tensor("uint8", pixels, [1, size, size, 3]) });
}"""
RUN = """async (times) => {
    const start = performance.now();
    for (let time = 0; time < times; time++) await window.run();
    return (1000 * times) / (performance.now() - start);
}"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """A host of files. is_isolated: with the headers that the page's service worker adds."""

    def __init__(self, *arguments, is_isolated: bool, **settings) -> None:
        self.is_isolated = is_isolated
        super().__init__(*arguments, **settings)

    def end_headers(self) -> None:
        if self.is_isolated:
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def hosted(folder: Path, *, is_isolated: bool = False) -> Iterator[str]:
    handler = functools.partial(Handler, directory=folder, is_isolated=is_isolated)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    server.server_close()


def opened(browser: Browser, url: str, script: str, *arguments: object) -> Page:
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    page.goto(url)
    page.locator("#choose").wait_for(timeout=120_000)
    page.evaluate(script, *arguments)
    return page


def ask_page(page: Page, contents: Sequence[bytes]) -> list[tuple[list[float], bool, float]]:
    """Of each file: probabilities, whether it is familiar, milliseconds."""
    found = []
    for start in range(0, len(contents), PIECE):
        piece = [base64.b64encode(content).decode() for content in contents[start : start + PIECE]]
        found += page.evaluate(ASK, piece)
    return found


def png(pixels: np.ndarray) -> bytes:
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "PNG", compress_level=1)
        return file.getvalue()


def compare(classifier: hs.Classifier, page: Page, contents: Sequence[bytes], what: str) -> list[float]:
    """Prints how far the page is from the classifier. Gives milliseconds of each answer."""
    asked = ask_page(page, contents)
    predictions = classifier.predict(list(contents))
    names, least = classifier.class_names, classifier.calibration.least_probability
    usual = classifier.calibration.usual_accuracy
    distances, changed, sure, familiar = [], 0, 0, 0
    for (probabilities, is_familiar, _), prediction in zip(asked, predictions, strict=True):
        distances.append(max(abs(p - prediction.probabilities[n]) for n, p in zip(names, probabilities, strict=True)))
        best = names[int(np.argmax(probabilities))]
        changed += best != prediction.label
        familiar += is_familiar != prediction.familiar
        if usual is not None:
            is_sure = max(probabilities) >= least(usual) and is_familiar and best not in classifier.calibration.unsure
            sure += is_sure != prediction.sure
    order = np.sort(distances)
    print(
        f"{what}: {len(contents)} photos, probabilities differ by at most {order[-1]:.2g} "
        f"(median {np.median(order):.2g}, 95% below {np.quantile(order, 0.95):.2g}); "
        f"other answers: {changed}, other 'sure': {sure}, other 'familiar': {familiar}"
    )
    return [milliseconds for *_, milliseconds in asked]


def in_python(file: Path, size: int, threads: int) -> Callable[[], float]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    return timed(lambda: session.run(None, {"pixels": pixels}))


def in_openvino(file: Path, size: int, threads: int) -> Callable[[], float]:
    from headstart.engines.openvino import import_openvino

    openvino = import_openvino()
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(file, "CPU", settings)
    pixels = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    return timed(lambda: compiled(pixels))


def timed(run: Callable[[], object]) -> Callable[[], float]:
    """What gives runs a second."""

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(RUNS):
            run()
        return RUNS / (time.perf_counter() - start)

    return measure


def race(browser: Browser, folder: Path, size: int, rounds: int) -> None:
    threads = cpu_budget()
    with hosted(folder) as plain, hosted(folder, is_isolated=True) as isolated:
        one = opened(browser, plain, OPEN_ALONE, [1, size])
        several = opened(browser, isolated, OPEN_ALONE, [threads, size])
        racers = {
            "ONNX Runtime, 1 thread": in_python(folder / NETWORK, size, 1),
            "browser, 1 thread": lambda: one.evaluate(RUN, RUNS),
            "OpenVINO, 1 thread": in_openvino(folder / NETWORK, size, 1),
            f"ONNX Runtime, {threads} threads": in_python(folder / NETWORK, size, threads),
            f"browser, {threads} threads": lambda: several.evaluate(RUN, RUNS),
            f"OpenVINO, {threads} threads": in_openvino(folder / NETWORK, size, threads),
        }
        found: dict[str, list[float]] = {name: [] for name in racers}
        for number in range(rounds + 1):
            for name, measure in racers.items():
                speed = measure()
                if number:  # the first is for what is made only once
                    found[name].append(speed)
    for name, speeds in found.items():
        peer = found[f"ONNX Runtime, {name.partition(', ')[2]}"]
        ratios = [speed / other for speed, other in zip(speeds, peer, strict=True)]
        print(f"{name:<26} {statistics.median(speeds):7.1f} images/s, {statistics.median(ratios):.2f} of ONNX Runtime "
              f"({min(ratios):.2f} to {max(ratios):.2f})")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--quantize")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    folder = options.work / f"{options.run.name}-{options.quantize or 'float32'}"
    if not folder.exists():
        settings = {"format": "web", "quantize": options.quantize, "data": options.photos}
        print(hs.export(options.run, folder, listener=hs.Quiet(), **settings))
    sizes = {file.name: (file.stat().st_size, len(gzip.compress(file.read_bytes(), 6))) for file in folder.iterdir()}
    for name in (NETWORK, "onnxruntime.wasm"):
        print(f"{name}: {sizes[name][0] / 1e6:.1f} MB, {sizes[name][1] / 1e6:.1f} compressed")
    print(f"all: {sum(one for one, _ in sizes.values()) / 1e6:.1f} MB, "
          f"{sum(other for _, other in sizes.values()) / 1e6:.1f} compressed")  # fmt: skip
    classifier = hs.load(options.run)
    paths = PhotosOfRun(options.run, options.photos, hs.Quiet()).draw(VALIDATION, options.count).paths
    contents = [Path(path).read_bytes() for path in paths]
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        print(
            f"Chromium {browser.version}, {os.cpu_count()} cores, {classifier.backbone}, {classifier.image_size} pixels"
        )
        with hosted(folder) as url:
            page = opened(browser, url, OPEN)
            milliseconds = compare(classifier, page, contents, "as files")
            shapes = [read_image(content) for content in contents]
            compare(classifier, page, [png(pixels) for pixels in shapes], "as PNGs of headstart's pixels")
        megapixels = statistics.median(pixels[..., 0].size for pixels in shapes) / 1e6
        print(f"from a file of {megapixels:.1f} megapixels (median) to the answer, 1 thread: "
              f"{statistics.median(milliseconds):.0f} ms, 95% below {np.quantile(milliseconds, 0.95):.0f}")  # fmt: skip
        race(browser, folder, classifier.image_size, options.rounds)
        browser.close()


if __name__ == "__main__":
    main()
