"""Inspection -> inspection.html: one self-contained page with thumbnails of what was found."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from PIL import Image

from headstart.concurrency import cpu_budget
from headstart.data.archives import member_of
from headstart.data.images import read_thumbnail
from headstart.data.value_range import ValueRange
from headstart.inspection.findings import KINDS, ON_THE_COLLECTION, UNREADABLE, Finding
from headstart.inspection.report import Inspection, line_of
from headstart.pages.rendering import as_webp, render
from headstart.storage.locations import is_url
from headstart.storage.url_path import name_of

MAX_FINDINGS = 400  # on the page; all of them are in findings.csv
THUMBNAIL = 144  # pixels
QUALITY = 60  # of WebP: a thumbnail takes some 4 KB, and a page less than 5 MB


def write_page(file: Path, inspection: Inspection) -> None:
    """Write inspection.html.

    Raises:
        ImageError: a photo was changed, moved or damaged since it was inspected.
    """
    splits = list(dict.fromkeys(split for counts in inspection.classes.values() for split in counts))
    page = render(
        "inspection",
        "inspection.html.j2",
        title=name_of(inspection.data) if is_url(inspection.data) else Path(inspection.data).resolve().name,
        inspection=inspection,
        splits=splits,
        sections=sections(inspection, _limit_per_kind(list(inspection.counts.values()))),
    )
    file.write_text(page, "utf-8")


def _limit_per_kind(counts: list[int]) -> int:
    """How many findings of each kind are shown at most, so that MAX_FINDINGS are shown in all."""
    limits = range(MAX_FINDINGS, 0, -1)
    return next((limit for limit in limits if sum(min(count, limit) for count in counts) <= MAX_FINDINGS), 1)


def sections(inspection: Inspection, shown: int) -> list[dict]:
    """What a page shows of each kind of finding: up to `shown` findings, with thumbnails.

    Raises:
        ImageError: a photo was changed, moved or damaged since it was inspected.
    """
    with ThreadPoolExecutor(cpu_budget()) as pool:
        return [
            {
                "kind": kind,
                "meaning": KINDS[kind],
                "count": count,
                "on_the_collection": kind in ON_THE_COLLECTION,
                "pairs": bool(inspection.of_kind(kind)[0].other),
                "items": list(pool.map(partial(_item, inspection), inspection.of_kind(kind)[:shown])),
            }
            for kind, count in inspection.counts.items()
        ]


def _item(inspection: Inspection, finding: Finding) -> dict:
    data = inspection.data
    paths = [] if finding.kind == UNREADABLE else [path for path in (finding.path, finding.other) if path]
    named = replace(finding, path=_shown(finding.path, data), other=_shown(finding.other, data))
    return {"caption": line_of(named), "pictures": [_picture(path, inspection.value_range) for path in paths]}


def _shown(path: str, data: str) -> str:
    """A path for a caption: relative to the collection; of a file elsewhere, only the end."""
    if is_url(data):
        return path.removeprefix(f"{data.rstrip('/')}/")
    if path and (member := member_of(path)):
        return member
    root = Path(data).absolute()
    with suppress(ValueError):  # the file lies elsewhere
        return str(Path(path).relative_to(root if root.is_dir() else root.parent)) if path else ""
    return "/".join(Path(path).parts[-3:])


def _picture(path: str, value_range: ValueRange) -> dict[str, str]:
    image = Image.fromarray(read_thumbnail(path, THUMBNAIL, value_range=value_range))
    return {"data": as_webp(image, QUALITY), "alt": f"The photo {name_of(path)}"}
