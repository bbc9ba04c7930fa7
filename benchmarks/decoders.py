"""How far does the program around an exported file move its answers: by decoding, and by resizing itself?

    python benchmarks/decoders.py RUN ... [--photos DATA] [--count 200] [--browser /usr/bin/chromium]

Each validation photo (JPEG) is decoded by others, with all of its pixels, and resized as in an export that takes any
size; then it is resized by others as well, as one has to for an export of a fixed size. The answers are compared with
the classifier's own for the file. Prints, for each way: the mean difference of the pixels of the square (of 255), how
many answers change, and how far probabilities move: median, 95 of 100, farthest.

"headstart, all pixels" is its own decoder without what it saves: from a large JPEG it decodes no more than it needs.
pyvips comes with `pip install 'pyvips[binary]'`, the browser is one that is there. Expected: see LOG.md.
"""

import argparse
import base64
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

import headstart as hs
from headstart.data.images import read_image
from headstart.data.resizing import STRETCH
from headstart.data.splits import VALIDATION
from headstart.export.photos import PhotosOfRun
from headstart.export.reference import square_of

Decoder = Callable[[bytes], np.ndarray]
BATCH = 8
IN_A_PAGE = """async (encoded) => {
  const image = new Image();
  image.src = "data:image/jpeg;base64," + encoded;
  await image.decode();
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
  let text = "";
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
  return [btoa(text), width, height];
}"""


def by_pillow(content: bytes) -> np.ndarray:
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB"))


def by_opencv(content: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def by_tensorflow(content: bytes) -> np.ndarray:
    return tf.io.decode_jpeg(content, channels=3).numpy()


def by_libvips(content: bytes) -> np.ndarray:
    import pyvips

    return pyvips.Image.new_from_buffer(content, "").autorot().colourspace("srgb").numpy()[..., :3]


@contextmanager
def in_browser(executable: str) -> Iterator[Decoder]:
    """A canvas, as a page does it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        page = browser.new_page()

        def decode(content: bytes) -> np.ndarray:
            text, width, height = page.evaluate(IN_A_PAGE, base64.b64encode(content).decode())
            pixels = np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)
            return np.ascontiguousarray(pixels[..., :3])

        yield decode
        browser.close()


def square_by_pillow(pixels: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR))


def square_by_opencv(pixels: np.ndarray, size: int) -> np.ndarray:
    return cv2.resize(pixels, (size, size))


def square_by_tensorflow(pixels: np.ndarray, size: int) -> np.ndarray:
    return np.round(tf.image.resize(pixels, (size, size)).numpy()).astype(np.uint8)


def probabilities(classifier: hs.Classifier, squares: np.ndarray) -> np.ndarray:
    batches = (squares[start : start + BATCH] for start in range(0, len(squares), BATCH))
    return classifier.calibration.probabilities(classifier.logits(batches))


def ways(contents: list[bytes], size: int, resizing: str, by_canvas: Decoder) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Who decodes, who resizes -> the squares."""
    decoders: dict[str, Decoder] = {
        "headstart, all pixels": read_image,
        "Pillow": by_pillow,
        "OpenCV": by_opencv,
        "libvips": by_libvips,
        "a browser's canvas": by_canvas,
        "TensorFlow": by_tensorflow,
    }
    for name, decode in decoders.items():
        yield f"{name}; the export", [square_of(decode(content), size, resizing) for content in contents]
    if resizing == STRETCH:
        whole = [by_pillow(content) for content in contents]
        yield "Pillow; Pillow", [square_by_pillow(pixels, size) for pixels in whole]
        yield "Pillow; OpenCV", [square_by_opencv(pixels, size) for pixels in whole]
        yield "Pillow; TensorFlow", [square_by_tensorflow(pixels, size) for pixels in whole]


def measure(run: Path, data: Path | None, count: int, by_canvas: Decoder) -> None:
    classifier = hs.load(run)
    photos = PhotosOfRun(run, data, hs.Quiet()).draw(VALIDATION, count)
    contents = [Path(path).read_bytes() for path in photos.paths]
    own = np.stack([read_image(content, classifier.image_size, classifier.resizing) for content in contents])
    expected = probabilities(classifier, own)
    print(
        f"\n{run.name}: {classifier.backbone}, {classifier.image_size} pixels, {classifier.resizing}, {len(own)} photos"
    )
    print(f"{'decoded by; resized by':<34} pixels  changed  median    95 of 100  farthest")
    for name, squares in ways(contents, classifier.image_size, classifier.resizing, by_canvas):
        found = probabilities(classifier, np.stack(squares))
        moved = np.abs(found - expected).max(axis=1)
        changed = (found.argmax(axis=1) != expected.argmax(axis=1)).sum()
        apart = np.abs(np.stack(squares).astype(int) - own).mean()
        spread = f"{np.median(moved):<8.2g}  {np.quantile(moved, 0.95):<9.2g}  {moved.max():<8.2g}"
        print(f"{name:<34} {apart:6.3f}  {changed:7}  {spread}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    arguments = parser.parse_args()
    with in_browser(arguments.browser) as by_canvas:
        for run in arguments.runs:
            measure(run, arguments.photos, arguments.count, by_canvas)


if __name__ == "__main__":
    main()
