"""Take the pictures of docs/studio.md: the studio's screens on photos that are nobody's (drawn_parts.py).

    python benchmarks/studio_pictures.py docs/studio --work /tmp/pictures

Draws the parts, opens them in `headstart studio`, goes through the loop as a user does (look, answer the queue, train,
understand, try), and writes a WebP of each screen, and one that moves. Expected: pictures worth looking at.
"""

import argparse
import io
from pathlib import Path

from drawn_parts import draw
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from studio import Server, video_of, wait_until_computed

SIZE = {"width": 1280, "height": 800}
MOVING = (960, 600)  # pixels of the picture that moves
QUALITY = 82


class Camera:
    """Keeps what a page shows, as pictures and as frames of the one that moves."""

    def __init__(self, page: Page, folder: Path) -> None:
        self._page, self._folder = page, folder
        self._frames: list[tuple[Image.Image, int]] = []

    def _shot(self) -> Image.Image:
        return Image.open(io.BytesIO(self._page.screenshot())).convert("RGB")

    def picture(self, name: str) -> None:
        self._page.wait_for_timeout(900)
        self._shot().save(self._folder / f"{name}.webp", quality=QUALITY, method=6)

    def frame(self, milliseconds: int) -> None:
        self._frames.append((self._shot().resize(MOVING, Image.Resampling.LANCZOS), milliseconds))

    def write_frames(self, name: str) -> None:
        first, *others = [frame for frame, _ in self._frames]
        durations = [milliseconds for _, milliseconds in self._frames]
        first.save(
            self._folder / f"{name}.webp", save_all=True, append_images=others, duration=durations, loop=0,
            quality=70, method=6,
        )  # fmt: skip


def tour(page: Page, server: Server, camera: Camera, photo: Path) -> None:
    def show(screen: str) -> None:
        page.goto(server.address.split("/?")[0] + f"/#/{screen}")
        page.wait_for_timeout(1200)

    show("photos")
    camera.picture("photos")
    camera.frame(1800)
    show("map")
    camera.picture("map")
    camera.frame(1500)
    show("queue")
    camera.picture("queue")
    camera.frame(1500)
    for _ in range(4):
        page.keyboard.press("y")
        page.wait_for_timeout(1500)
        camera.frame(900)
    show("understand")
    camera.picture("understand")
    camera.frame(2000)
    show("understand/mistakes")
    camera.picture("mistakes")
    camera.frame(1800)
    show("understand/sureness")
    page.get_by_role("button", name="99% right").click()
    camera.picture("when-to-answer")
    camera.frame(1800)
    show("train")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_timeout(6000)
    camera.frame(1200)
    page.get_by_role("heading", name="The classifier is ready").wait_for(timeout=600_000)
    camera.picture("train")
    camera.frame(2000)
    show("try")
    page.locator(".drop-zone input").set_input_files(photo)
    page.locator(".try-card .lookalikes").wait_for()
    page.get_by_role("button", name="Show what").click()
    camera.picture("try")
    camera.frame(2200)
    show("try/ship")
    page.get_by_role("button", name="Export", exact=True).click()
    page.locator(".exported .proof").wait_for(timeout=300_000)
    camera.picture("ship")
    show("try/camera")
    page.get_by_role("button", name="Start the camera").click()
    page.locator(".live-answer").wait_for()
    camera.picture("camera")
    camera.frame(1500)
    camera.write_frames("loop")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="a folder for photos, cache and runs")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    photos, others = options.work / "parts", options.work / "others"
    if not photos.exists():
        draw(photos, 60, 0, 8)
        draw(others, 5, 1, 0)  # to try
    options.out.mkdir(parents=True, exist_ok=True)
    video = options.work / "camera.y4m"
    video_of(sorted(others.rglob("*.jpg")), video)
    arguments = [
        "--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={video.resolve()}",
    ]  # fmt: skip
    server = Server(photos, options.work / "cache")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=options.chromium, args=arguments)
        context = browser.new_context(viewport=SIZE, permissions=["camera"], locale="en-US", color_scheme="light")
        page = context.new_page()
        page.goto(server.address)
        wait_until_computed(page)
        try:
            tour(page, server, Camera(page, options.out), next((others / "bolts").iterdir()))
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
