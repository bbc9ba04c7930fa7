"""Headers of image files -> what is odd about the files, and how large and how oblong the photos are.

Knows no model and decodes no pixels. What most files of a collection have in common is said once, in a sentence; what
sets a few apart is a finding for each of them.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.concurrency import cpu_budget
from headstart.data.images import ENDINGS, Header, read_header
from headstart.inspection.findings import COLOURS, SHAPE, SMALL, WRONG_ENDING, Finding

FEW = 0.1  # share of the photos
OBLONG = 1.5  # longer side by shorter side; beyond it, stretching to a square distorts what is seen
VERY_OBLONG = 2.0  # times the usual

Found = tuple[list[Finding], list[str]]  # of each odd file; sentences on all of them


@dataclass(frozen=True)
class Sizes:
    """(least, median, largest) of the photos: pixels of the shorter side, and longer side by shorter side."""

    shorter: tuple[int, int, int]
    oblong: tuple[float, float, float]

    @property
    def cropped(self) -> tuple[float, float, float]:
        """(least, median, largest) share of a photo that is lost where its middle square is cut out."""
        least, median, largest = (1 - 1 / ratio for ratio in self.oblong)
        return least, median, largest

    def to_json(self) -> dict:
        names = ("least", "median", "largest")
        numbers = {"shorter_side": self.shorter, "aspect_ratio": self.oblong, "lost_by_centre_crop": self.cropped}
        return {name: dict(zip(names, values, strict=True)) for name, values in numbers.items()}


@dataclass(frozen=True)
class Files:
    """What the headers say. `sizes` is None where there are no images."""

    findings: tuple[Finding, ...]
    sizes: Sizes | None
    remarks: tuple[str, ...]  # sentences on the collection as a whole


def inspect_files(paths: Sequence[str], image_size: int) -> Files:
    """
    Args:
        paths: of files that can be read.
        image_size: side in pixels of the squares that a network will see.

    Raises:
        ImageError: a file was changed or moved since the collection was read.
    """
    if not paths:
        return Files((), None, ())
    with ThreadPoolExecutor(cpu_budget()) as pool:
        headers = list(pool.map(read_header, paths))
    parts = [
        _wrong_endings(paths, headers),
        _colours(paths, headers),
        _small(paths, headers, image_size),
        _shapes(paths, headers),
    ]
    findings = tuple(finding for found, _ in parts for finding in found)
    return Files(findings, _sizes(headers), tuple(sentence for _, said in parts for sentence in said))


def _sizes(headers: Sequence[Header]) -> Sizes:
    shorter = np.array([min(header.width, header.height) for header in headers])
    oblong = np.array([_oblong(header) for header in headers])
    return Sizes(
        (int(shorter.min()), int(np.median(shorter)), int(shorter.max())),
        (float(oblong.min()), float(np.median(oblong)), float(oblong.max())),
    )


def _wrong_endings(paths: Sequence[str], headers: Sequence[Header]) -> Found:
    found = []
    for path, header in zip(paths, headers, strict=True):
        named = ENDINGS.get(Path(path).suffix.lower())  # a CSV may list files with others, or none
        real = {"MPO": "JPEG"}.get(header.format, header.format)  # MPO: several JPEGs in one file
        if named not in (real, None):
            found.append(Finding(WRONG_ENDING, path, detail=f"is {real} inside; its ending says {named}"))
    return found, []


def _colours(paths: Sequence[str], headers: Sequence[Header]) -> Found:
    of_each = [_peculiarities(header) for header in headers]
    found, sentences = [], []
    for peculiarity in sorted({each for some in of_each for each in some}):
        having = [path for path, some in zip(paths, of_each, strict=True) if peculiarity in some]
        if 2 * len(having) < len(paths):
            found += [Finding(COLOURS, path, detail=peculiarity) for path in having]
        else:
            sentences.append(f"{len(having):,} of {len(paths):,} photos: {peculiarity}")
            others = [path for path, some in zip(paths, of_each, strict=True) if peculiarity not in some]
            if len(others) <= FEW * len(paths):
                found += [Finding(COLOURS, path, detail=f"unlike most photos not: {peculiarity}") for path in others]
    return found, sentences


def _peculiarities(header: Header) -> list[str]:
    """In words; a GIF has a palette always, so that says nothing."""
    found = []
    if header.mode in ("1", "L", "LA"):
        found.append("grey")
    elif header.mode.startswith("I"):
        found.append("grey, 16 bits a pixel")
    elif header.mode == "CMYK":
        found.append("the colours of print (CMYK)")
    elif header.mode in ("P", "PA") and header.format != "GIF":
        found.append("a palette of at most 256 colours")
    if header.transparent:
        found.append("transparent, and shown on white")
    if header.animated:
        found.append("several pictures, of which the first is used")
    return found


def _small(paths: Sequence[str], headers: Sequence[Header], image_size: int) -> Found:
    shorter = np.array([min(header.width, header.height) for header in headers])
    smaller, sentences = int((shorter < image_size).sum()), []
    if 2 * smaller >= len(paths):
        sentences.append(
            f"{smaller:,} of {len(paths):,} photos are smaller than the {image_size} pixels that the network sees: "
            f"enlarging them adds no detail, and a smaller --image-size may do as well"
        )
    found = []
    for path, header in zip(paths, headers, strict=True):
        if 2 * min(header.width, header.height) < min(image_size, np.median(shorter)):
            found.append(Finding(SMALL, path, detail=f"{header.width} x {header.height} pixels"))
    return found, sentences


def _shapes(paths: Sequence[str], headers: Sequence[Header]) -> Found:
    ratios = [_oblong(header) for header in headers]
    median = float(np.median(ratios))
    oblong = [ratio for ratio in ratios if ratio > OBLONG]
    sentences = []
    if len(oblong) > FEW * len(ratios):
        usual = float(np.median(oblong))
        sentences.append(
            f"{len(oblong):,} of {len(ratios):,} photos are far from square, usually {usual:.1f} times as long as "
            f"wide, and are squeezed into a square, which distorts them: `headstart train --resize crop` cuts out the "
            f"middle instead and loses {1 - 1 / usual:.0%} of these, `--resize pad` keeps all, smaller; or crop the "
            f"photos to what matters in them, if you can"
        )
    found = []
    for path, ratio, header in zip(paths, ratios, headers, strict=True):
        if ratio > VERY_OBLONG * median:
            detail = f"{header.width} x {header.height} pixels; --resize crop would lose {1 - 1 / ratio:.0%}"
            found.append(Finding(SHAPE, path, score=ratio, detail=detail))
    return found, sentences


def _oblong(header: Header) -> float:
    return max(header.width, header.height) / min(header.width, header.height)
