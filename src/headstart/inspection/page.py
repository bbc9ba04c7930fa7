"""Inspection -> inspection.html: one page with small pictures of what was found, that needs nothing else."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from PIL import Image

from headstart.concurrency import cpu_budget
from headstart.data.images import read_thumbnail
from headstart.inspection.findings import KINDS, UNREADABLE, Finding
from headstart.inspection.report import Inspection, line_of
from headstart.pages.rendering import as_webp, render

ROOM = 400  # findings on the page; all are in findings.csv
THUMBNAIL = 144  # pixels
QUALITY = 60  # with which a picture takes some 4 KB, and a page less than 5 MB


def write_page(file: Path, inspection: Inspection) -> None:
    splits = list(dict.fromkeys(split for counts in inspection.classes.values() for split in counts))
    page = render(
        "inspection",
        "inspection.html.j2",
        title=Path(inspection.data).resolve().name,
        inspection=inspection,
        splits=splits,
        sections=sections(inspection, _room(list(inspection.counts.values()))),
    )
    file.write_text(page, "utf-8")


def _room(counts: list[int]) -> int:
    """Up to how many of each kind are shown: as many as there is room for."""
    return next(shown for shown in range(ROOM, 0, -1) if sum(min(count, shown) for count in counts) <= ROOM)


def sections(inspection: Inspection, shown: int) -> list[dict]:
    """Of each kind of finding that there is, what a page shows: up to `shown` of them, with their pictures."""
    with ThreadPoolExecutor(cpu_budget()) as pool:
        return [
            {
                "kind": kind,
                "meaning": KINDS[kind],
                "count": count,
                "pairs": bool(inspection.of_kind(kind)[0].other),
                "items": list(pool.map(partial(_item, inspection.data), inspection.of_kind(kind)[:shown])),
            }
            for kind, count in inspection.counts.items()
        ]


def _item(data: str, finding: Finding) -> dict:
    paths = [] if finding.kind == UNREADABLE else [path for path in (finding.path, finding.other) if path]
    named = replace(finding, path=_shown(finding.path, data), other=_shown(finding.other, data))
    return {"caption": line_of(named), "pictures": [_picture(path) for path in paths]}


def _shown(path: str, data: str) -> str:
    """A path as it stands under a picture: from the collection on, or where it does not lie there, its end."""
    root = Path(data).absolute()
    with suppress(ValueError):
        return str(Path(path).relative_to(root if root.is_dir() else root.parent)) if path else ""
    return "/".join(Path(path).parts[-3:])


def _picture(path: str) -> dict[str, str]:
    image = Image.fromarray(read_thumbnail(Path(path), THUMBNAIL))
    return {"data": as_webp(image, QUALITY), "alt": f"The photo {Path(path).name}"}
