"""Headers of image files -> what is unusual about the files, and how large and how elongated the photos are.

Knows no model and reads no file. What most files of a collection have in common is said once, in a remark; what
sets a few of them apart is a finding for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.data.formats import FORMAT_OF_SUFFIX
from headstart.inspection.findings import COLOURS, SHAPE, SMALL, WRONG_ENDING, Finding
from headstart.inspection.headers import Header

FEW = 0.1  # share of the photos
ELONGATED = 1.5  # aspect ratio; beyond it, stretching to a square distorts what a photo shows
VERY_ELONGATED = 2.0  # times the median aspect ratio

Found = tuple[list[Finding], list[str]]  # a finding for each unusual file; remarks on all of them


@dataclass(frozen=True)
class Sizes:
    """(smallest, median, largest) of the photos: shorter side in pixels, and aspect ratio (longer by shorter side)."""

    shorter: tuple[int, int, int]
    aspect_ratio: tuple[float, float, float]

    @property
    def oblong(self) -> tuple[float, float, float]:
        """The older name of `aspect_ratio`."""
        return self.aspect_ratio

    @property
    def cropped(self) -> tuple[float, float, float]:
        """(smallest, median, largest) share of a photo that is lost where its middle square is cut out."""
        least, median, largest = (1 - 1 / ratio for ratio in self.aspect_ratio)
        return least, median, largest

    def to_json(self) -> dict:
        names = ("least", "median", "largest")
        numbers = {"shorter_side": self.shorter, "aspect_ratio": self.aspect_ratio, "lost_by_centre_crop": self.cropped}
        return {name: dict(zip(names, values, strict=True)) for name, values in numbers.items()}


@dataclass(frozen=True)
class Files:
    """The result of `inspect_files`. `sizes` is None where there are no images."""

    findings: tuple[Finding, ...]
    sizes: Sizes | None
    remarks: tuple[str, ...]  # on the collection as a whole; sentences without a full stop


def inspect_files(paths: Sequence[str], headers: Sequence[Header], image_size: int) -> Files:
    """
    Args:
        paths: of files that can be read. headers: theirs.
        image_size: side in pixels of the squares that a network will see.
    """
    if not paths:
        return Files((), None, ())
    parts = [
        _wrong_endings(paths, headers),
        _colours(paths, headers),
        _small(paths, headers, image_size),
        _shapes(paths, headers),
    ]
    findings = tuple(finding for found, _ in parts for finding in found)
    return Files(findings, _sizes(headers), tuple(remark for _, remarks in parts for remark in remarks))


def _sizes(headers: Sequence[Header]) -> Sizes:
    shorter = np.array([min(header.width, header.height) for header in headers])
    ratios = np.array([_aspect_ratio(header) for header in headers])
    return Sizes(
        (int(shorter.min()), int(np.median(shorter)), int(shorter.max())),
        (float(ratios.min()), float(np.median(ratios)), float(ratios.max())),
    )


def _wrong_endings(paths: Sequence[str], headers: Sequence[Header]) -> Found:
    findings = []
    for path, header in zip(paths, headers, strict=True):
        expected = FORMAT_OF_SUFFIX.get(Path(path).suffix.lower())  # a CSV may list files with other endings, or none
        actual = {"MPO": "JPEG"}.get(header.format, header.format)  # MPO: several JPEGs in one file
        if expected not in (actual, None):
            findings.append(Finding(WRONG_ENDING, path, detail=f"named as {expected}, but contains {actual}"))
    return findings, []


def _colours(paths: Sequence[str], headers: Sequence[Header]) -> Found:
    of_each = [_colour_traits(header) for header in headers]
    findings, remarks = [], []
    for trait in sorted({each for traits in of_each for each in traits}):
        having = [path for path, traits in zip(paths, of_each, strict=True) if trait in traits]
        if 2 * len(having) < len(paths):
            findings += [Finding(COLOURS, path, detail=trait) for path in having]
        else:
            remarks.append(f"{len(having):,} of {len(paths):,} photos: {trait}")
            others = [path for path, traits in zip(paths, of_each, strict=True) if trait not in traits]
            if len(others) <= FEW * len(paths):
                findings += [Finding(COLOURS, path, detail=f"unlike most photos, not {trait}") for path in others]
    return findings, remarks


def _colour_traits(header: Header) -> list[str]:
    """In words. Every GIF has a palette, so that is no trait of one."""
    traits = []
    if header.mode in ("1", "L", "LA"):
        traits.append("greyscale")
    elif header.mode.startswith("I"):
        traits.append("greyscale with 16 bits per pixel")
    elif header.mode == "CMYK":
        traits.append("in print colours (CMYK)")
    elif header.mode in ("P", "PA") and header.format != "GIF":
        traits.append("with a palette of at most 256 colours")
    if header.transparent:
        traits.append("transparent (shown on white)")
    if header.animated:
        traits.append("animated (the first frame is used)")
    return traits


def _small(paths: Sequence[str], headers: Sequence[Header], image_size: int) -> Found:
    shorter = np.array([min(header.width, header.height) for header in headers])
    smaller, remarks = int((shorter < image_size).sum()), []
    if 2 * smaller >= len(paths):
        remarks.append(
            f"{smaller:,} of {len(paths):,} photos are smaller than the {image_size} pixels that the network sees: "
            f"enlarging them adds no detail, and a smaller --image-size may work as well"
        )
    findings = []
    for path, header in zip(paths, headers, strict=True):
        if 2 * min(header.width, header.height) < min(image_size, np.median(shorter)):
            findings.append(Finding(SMALL, path, detail=f"{header.width} x {header.height} pixels"))
    return findings, remarks


def _shapes(paths: Sequence[str], headers: Sequence[Header]) -> Found:
    ratios = [_aspect_ratio(header) for header in headers]
    median = float(np.median(ratios))
    elongated = [ratio for ratio in ratios if ratio > ELONGATED]
    remarks = []
    if len(elongated) > FEW * len(ratios):
        usual = float(np.median(elongated))
        remarks.append(
            f"{len(elongated):,} of {len(ratios):,} photos are far from square, with a median aspect ratio of "
            f"{usual:.1f}, and are stretched into a square, which distorts them: `headstart train --resize crop` uses "
            f"only the middle and loses {1 - 1 / usual:.0%} of these photos, `--resize pad` keeps all of it, smaller; "
            f"better still, crop the photos to what matters"
        )
    findings = []
    for path, ratio, header in zip(paths, ratios, headers, strict=True):
        if ratio > VERY_ELONGATED * median:
            detail = f"{header.width} x {header.height} pixels; --resize crop would lose {1 - 1 / ratio:.0%}"
            findings.append(Finding(SHAPE, path, score=ratio, detail=detail))
    return findings, remarks


def _aspect_ratio(header: Header) -> float:
    return max(header.width, header.height) / min(header.width, header.height)
