"""How fast is the studio in a browser: first thumbnails, scrolling, a label to its new accuracy, live camera, memory?

    python benchmarks/studio.py cats_and_dogs_filtered --thumbnails 3000 100000 --labels 2000 20000

Makes collections of so many different photos from the real ones, as scale.py does, opens each with `headstart studio`
in a process of its own, and looks at its page with Chromium through Playwright, at 1280 x 860. Collections, features
and thumbnails are kept in `--work`, so that a second run measures only. For each figure it prints a line of JSON:

- thumbnails: seconds from the start of the command to the moment when all thumbnails in view are drawn, at the second
  opening, when they are kept ("kept"), and at the first ("new"). The browser is running already.
- computed: seconds from there until features, copies, answers, neighbours and map are all there: the figures that
  follow wait for them, but for those "while" they are computed.
- scrolling: of the frames while the grid is scrolled, by the wheel and by its bar, the share that took over 50 ms; and
  the longest one.
- label: seconds from the click to the frame that shows the accuracy with the label changed; the median of `--times`.
  While features are still extracted there is no accuracy: then it is to the frame that shows the label, once it is on
  the disk.
- camera: frames answered a second, of a video of these photos as Chromium's fake camera, over ten seconds; of the
  smallest collection of `--labels`.
- memory: resident MB of the server with all photos open, now, of its own (anonymous) and at most; after a first photo
  was tried, too.
- page: kilobytes that the page is, compressed, and how many requests.

Needs a quiet machine: the browser and the server share it. Expected: see LOG.md.
"""

import argparse
import gzip
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright
from scale import make

DESK = {"width": 1280, "height": 860}
KINDS_OF_MEMORY = (("now", "VmRSS"), ("own", "RssAnon"), ("at_most", "VmHWM"))
VIDEO = (640, 480, 30)  # width, height, frames a second
SECONDS_OF_VIDEO = 10
LONG = 50  # milliseconds of a frame
LOOKING_AROUND = frozenset({"neighbours", "map"})  # stages that no label waits for
EXTRACTING, COMPUTED = "features are extracted", "all is computed"
DRAWN = """() => {
    const inView = [...document.querySelectorAll('.grid img')].filter(image => {
        const box = image.getBoundingClientRect();
        return image.src && box.bottom > 0 && box.top < innerHeight;
    });
    return inView.length > 5 && inView.every(image => image.complete && image.naturalWidth);
}"""
SCROLL = """async how => {
    const grid = document.querySelector('.grid');
    const times = [];
    let isOver = false;
    const count = now => (times.push(now), isOver || requestAnimationFrame(count));
    requestAnimationFrame(count);
    const steps = how === 'wheel' ? 600 : 200;  // frames
    for (let step = 0; step < steps; step++) {
        if (how === 'wheel') grid.scrollTop += 120;
        else grid.scrollTop = (grid.scrollHeight - innerHeight) * Math.abs(((step * 7) % (2 * steps)) / steps - 1);
        await new Promise(requestAnimationFrame);
    }
    isOver = true;
    return times.slice(1).map((time, place) => time - times[place]);
}"""
SET = """async ([id, label]) => {
    const [{ setLabel }, store] = await Promise.all([import('./labelling.js'), import('./store.js')]);
    const [start, before] = [performance.now(), store.labels.value.state];
    await setLabel([id], label);
    while (store.labels.value.state === before) await new Promise(done => setTimeout(done, 5));
    await new Promise(requestAnimationFrame);  // drawn in this frame
    await new Promise(requestAnimationFrame);
    return (performance.now() - start) / 1000;
}"""
LABEL = """async ([id, label]) => {
    const [{ setLabel }, store] = await Promise.all([import('./labelling.js'), import('./store.js')]);
    const start = performance.now();
    await setLabel([id], label);
    const isNew = () => store.answers.value && !store.answers.value.stale
        && store.answers.value.labels_state === store.labels.value.state;
    while (!isNew()) await new Promise(done => setTimeout(done, 5));
    await new Promise(requestAnimationFrame);  // drawn in this frame
    await new Promise(requestAnimationFrame);
    return (performance.now() - start) / 1000;
}"""


class Server:
    """`headstart studio FOLDER`. start: when the command was started."""

    def __init__(self, folder: Path, cache: Path) -> None:
        environment = os.environ | {"HEADSTART_CACHE": str(cache), "HEADSTART_CACHE_GB": "50"}
        command = [sys.executable, "-m", "headstart", "studio", str(folder), "--port", "0", "--no-browser", "--json"]
        self.start = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        text = ""
        for line in self.process.stdout or ():
            text += line
            if line.startswith("}"):
                break
        self.address = json.loads(text)["address"]

    def megabytes(self) -> dict[str, float]:
        """Resident: now, of that anonymous (the rest are files that are mapped), and at most."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        lines = dict(line.split(":", 1) for line in status.splitlines())
        return {name: int(lines[key].split()[0]) / 1024 for name, key in KINDS_OF_MEMORY}

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)


@contextmanager
def opened(browser: Browser, folder: Path, cache: Path) -> Iterator[tuple[Server, Page]]:
    server = Server(folder, cache)
    context = browser.new_context(viewport=DESK, permissions=["camera"])
    page = context.new_page()
    page.set_default_timeout(3_600_000)  # features of 100,000 photos take long
    page.goto(server.address)
    try:
        yield server, page
    finally:
        context.close()
        server.stop()


def tell(figure: str, **facts: Any) -> None:
    print(json.dumps({"figure": figure} | facts), flush=True)


def ask(page: Page, path: str, **body: Any) -> Any:
    """The API's answer, as JSON."""
    code = """async ([path, body]) => (await fetch(path, body && {method: 'POST', body: JSON.stringify(body),
        headers: {'Content-Type': 'application/json'}})).json()"""
    return page.evaluate(code, [path, body or None])


def wait_until_computed(page: Page, but: frozenset[str] = frozenset()) -> None:
    """but: stages that need not be over."""
    while True:
        collection = ask(page, "api/collection")
        if collection["problem"]:
            raise SystemExit(collection["problem"]["detail"])
        if collection["reading"] is None and but.issuperset(collection["computing"]):
            return
        time.sleep(1)


def wait_for_extraction(page: Page) -> bool:
    """Until features are being extracted; whether they are: where they are kept, there is nothing to wait for."""
    while "features" in (collection := ask(page, "api/collection"))["computing"]:
        if collection["features"]:
            return True
        time.sleep(0.2)
    return False


def first_thumbnails(browser: Browser, folder: Path, cache: Path, which: str) -> None:
    with opened(browser, folder, cache) as (server, page):
        page.wait_for_function(DRAWN)
        seconds = time.perf_counter() - server.start
        tell("thumbnails", photos=folder.name, which=which, seconds=round(seconds, 2))


def scrolling(page: Page, photos: str, when: str) -> None:
    for how in ("wheel", "bar"):
        frames = page.evaluate(SCROLL, how)
        share = sum(frame > LONG for frame in frames) / len(frames)
        facts = {"long": round(share, 4), "longest_ms": round(max(frames)), "n": len(frames)}
        tell("scrolling", photos=photos, when=when, how=how, **facts)


def label_changes(page: Page, photos: str, times: int, when: str, script: str) -> None:
    seconds = []
    for turn in range(times):
        (photo,) = ask(page, "api/photos/details", ids=[17 * turn])["photos"]
        names = page.evaluate("import('./store.js').then(store => store.classNames.value)")
        other = next(name for name in names if name != photo["label"])
        seconds += [page.evaluate(script, [photo["id"], name]) for name in (other, photo["label"])]
    facts = {"median_s": round(statistics.median(seconds), 2), "most_s": round(max(seconds), 2)}
    tell("label", photos=photos, when=when, **facts)


def memory(server: Server, photos: str, when: str) -> None:
    tell("memory", photos=photos, when=when, **{key: round(mb) for key, mb in server.megabytes().items()})


def whole(browser: Browser, folder: Path, cache: Path, *, times: int, labels: bool, with_camera: bool) -> None:
    """All figures of one collection but the first thumbnails. times: of labels."""
    with opened(browser, folder, cache) as (server, page):
        page.wait_for_function(DRAWN)
        if wait_for_extraction(page):
            scrolling(page, folder.name, EXTRACTING)
            label_changes(page, folder.name, times, EXTRACTING, SET)
        start = time.perf_counter()
        wait_until_computed(page, LOOKING_AROUND)
        if labels and LOOKING_AROUND.intersection(ask(page, "api/collection")["computing"]):
            label_changes(page, folder.name, 1, "neighbours and map are computed", LABEL)
        wait_until_computed(page)
        tell("computed", photos=folder.name, seconds=round(time.perf_counter() - start, 1))
        scrolling(page, folder.name, COMPUTED)
        memory(server, folder.name, COMPUTED)
        page.evaluate("async () => (await fetch('api/photos/0/map')).json()")  # as the first Try
        memory(server, folder.name, "a photo was tried")
        if labels:
            label_changes(page, folder.name, times, COMPUTED, LABEL)
        if with_camera:
            camera(page, server.address, folder.name)


def camera(page: Page, address: str, photos: str) -> None:
    page.goto(address.split("/?")[0] + "/#/try/camera")
    page.get_by_role("button", name="Start the camera").click()
    page.wait_for_selector(".live-answer")
    read = "() => Number(document.querySelector('[data-answered]').dataset.answered)"
    before, start = page.evaluate(read), time.perf_counter()
    page.wait_for_timeout(10_000)
    answered, seconds = page.evaluate(read) - before, time.perf_counter() - start
    tell("camera", photos=photos, answers_per_second=round(answered / seconds, 1))


def video_of(photos: list[Path], file: Path) -> None:
    """A video as Chromium's fake camera reads it (Y4M), a photo every half second, each slowly moving."""
    width, height, rate = VIDEO
    with file.open("wb") as out:
        out.write(f"YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(rate * SECONDS_OF_VIDEO):
            place = number // (rate // 2)
            photo = cv2.imread(str(photos[place % len(photos)]))
            large = cv2.resize(photo, (width + rate, height + rate))
            shift = number % rate
            frame = np.ascontiguousarray(large[shift : shift + height, shift : shift + width])
            out.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())


def size_of_page(browser: Browser, folder: Path, cache: Path) -> None:
    sizes: dict[str, int] = {}
    server = Server(folder, cache)
    page = browser.new_page()

    def note(response: Any) -> None:
        path = response.url.split("?")[0]
        if response.ok and path.endswith((".js", ".css", ".html", ".svg", ".woff2", "/")):
            content = response.body()
            sizes[path] = len(content) if path.endswith(".woff2") else len(gzip.compress(content))

    page.on("response", note)
    page.goto(server.address)
    for screen in ("photos", "queue", "map", "train", "understand", "try", "add"):
        page.goto(server.address.split("/?")[0] + f"/#/{screen}")
        page.wait_for_timeout(700)
    tell("page", kilobytes=round(sum(sizes.values()) / 1000), files=len(sizes))
    page.close()
    server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder with train/ of class folders of JPEG files")
    parser.add_argument("--thumbnails", type=int, nargs="*", default=[3000, 100_000])
    parser.add_argument("--labels", type=int, nargs="*", default=[2000, 20_000])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--work", type=Path, default=Path("studio-benchmark"))
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    folders, cache = {}, options.work / "cache"
    for count in sorted({*options.thumbnails, *options.labels}):
        folders[count] = options.work / f"{count}"
        if not folders[count].exists():
            make(options.source, folders[count], count)
    video = options.work / "camera.y4m"
    video_of(sorted((options.source / "train").rglob("*.jpg"))[::97], video)
    arguments = [
        "--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={video.resolve()}",
    ]  # fmt: skip
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=options.chromium, args=arguments)
        size_of_page(browser, folders[min(folders)], cache)
        for count in options.thumbnails:
            for which in ("new", "kept"):
                first_thumbnails(browser, folders[count], cache, which)
        for count, folder in folders.items():
            labels = count in options.labels
            with_camera = labels and count == min(options.labels)
            whole(browser, folder, cache, times=options.times, labels=labels, with_camera=with_camera)
        browser.close()


if __name__ == "__main__":
    main()
