"""Inspection, what an inspection found: as text for a terminal, as findings.json and as findings.csv."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from headstart.data.archives import member_of
from headstart.data.value_range import FULL, ValueRange
from headstart.inspection.files import Sizes
from headstart.inspection.findings import DOUBT, GROUPING, KINDS, LEAK, ON_THE_COLLECTION, SHORTCUT, Finding
from headstart.inspection.shortcuts import Shortcut
from headstart.json_text import json_text

SCHEMA = 1
SHOWN = 5  # findings of a kind, in the terminal; those on the collection as a whole are few
COUNTED = (LEAK, SHORTCUT, GROUPING, DOUBT)  # kinds whose names have a plural


@dataclass(frozen=True, eq=False)
class Inspection:
    """What to know about a collection before training on it.

    data: the path of the collection, as it was given.
    images: how many files can be read.
    classes: class -> split -> how many images; the split is "all" where the collection gives none.
    sizes: of the photos; None where there are none.
    remarks: sentences on the collection as a whole, without a full stop, the most important first.
    findings: on single images, but for kinds ON_THE_COLLECTION, in the order of KINDS; within a kind, the surest first.
    shortcuts: the same as the findings of that kind, as data.
    limit, compared: the cosine of features from which on pairs of images were compared, and how many were.
    seconds: how long the inspection took.
    value_range: what is black and white in photos with 16 bits a value.
    """

    data: str
    images: int
    classes: dict[str, dict[str, int]]
    sizes: Sizes | None
    remarks: tuple[str, ...]
    findings: tuple[Finding, ...]
    shortcuts: tuple[Shortcut, ...]
    limit: float
    compared: int
    seconds: float
    value_range: ValueRange = FULL

    def of_kind(self, kind: str) -> list[Finding]:
        """kind: a row of KINDS."""
        return [finding for finding in self.findings if finding.kind == kind]

    def named(self, kind: str | None = None) -> list[Finding]:
        """The findings, or those of a kind, as they are told: files of a zip by their names in it."""
        found = self.findings if kind is None else self.of_kind(kind)
        return [replace(each, path=self._told(each.path), other=self._told(each.other)) for each in found]

    def _told(self, path: str) -> str:
        member = member_of(path) if path else None
        return path if member is None else f"{self.data}/{member}"

    @property
    def counts(self) -> dict[str, int]:
        """Kind -> how many findings, in the order of KINDS; without kinds that were not found."""
        counts = Counter(finding.kind for finding in self.findings)
        return {kind: counts[kind] for kind in KINDS if counts[kind]}

    @property
    def verdict(self) -> str:
        """The result in a sentence."""
        images, classes = _counted(self.images, "image", "images"), _counted(len(self.classes), "class", "classes")
        counted = [
            f"{count:,} {kind}{'s' if count > 1 and kind in COUNTED else ''}" for kind, count in self.counts.items()
        ]
        return f"{images} of {classes}: {', '.join(counted) or 'no problems found'}."

    def to_json(self) -> dict:
        return {
            "schema": SCHEMA,
            "data": self.data,
            "images": self.images,
            "classes": self.classes,
            "sizes": self.sizes.to_json() if self.sizes else None,
            "remarks": list(self.remarks),
            "counts": self.counts,
            "shortcuts": [shortcut.to_json() for shortcut in self.shortcuts],
            "compared": {"pairs": self.compared, "similarity_from": round(self.limit, 4)},
            "seconds": round(self.seconds, 2),
            "findings": [asdict(finding) for finding in self.named()],
        }

    def __str__(self) -> str:
        lines = [self.verdict]
        lines += [f"  {line}" for line in self._class_table()]
        on_the_collection = self._listed([kind for kind in self.counts if kind in ON_THE_COLLECTION])
        lines += [*on_the_collection, ""] if on_the_collection else []
        if self.sizes:
            shorter, ratio = self.sizes.shorter, self.sizes.aspect_ratio
            lines.append(
                f"shorter side {shorter[0]} to {shorter[2]} pixels, median {shorter[1]}; "
                f"aspect ratio {ratio[0]:.2f} to {ratio[2]:.2f}, median {ratio[1]:.2f}"
            )
        lines += [f"Note: {remark}." for remark in self.remarks]
        lines += self._listed([kind for kind in self.counts if kind not in ON_THE_COLLECTION])
        return "\n".join(lines)

    def _listed(self, kinds: Sequence[str]) -> list[str]:
        lines = []
        for kind in kinds:
            count = self.counts[kind]
            shown = count if kind in ON_THE_COLLECTION else SHOWN
            lines += ["", f"{kind} ({count:,})"]
            lines += [f"  {line_of(finding)}" for finding in self.named(kind)[:shown]]
            if count > shown:
                lines.append(f"  ... and {count - shown:,} more")
        return lines

    def _class_table(self) -> list[str]:
        width = max((len(name) for name in self.classes), default=0)
        counted = {
            name: ", ".join(f"{count:,}" + (f" {split}" if split != "all" else "") for split, count in counts.items())
            for name, counts in self.classes.items()
        }
        return [f"{name:<{width}}  {text}" for name, text in counted.items()]


def line_of(finding: Finding) -> str:
    """A finding in one line."""
    if finding.kind in ON_THE_COLLECTION:
        return finding.detail
    parts = [finding.path]
    if finding.label:
        parts.append(f"[{finding.label}{', ' + finding.split if finding.split else ''}]")
    if finding.suggested:
        parts.append(f"probably {finding.suggested}")
    if finding.other:
        parts.append(f"= {finding.other} [{finding.other_label}"
                     f"{', ' + finding.other_split if finding.other_split else ''}]")  # fmt: skip
    if finding.score is not None:
        parts.append(f"({finding.score:.2f})")
    if finding.detail:
        parts.append(finding.detail)
    return " ".join(parts)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def write_json(file: Path, inspection: Inspection) -> None:
    file.write_text(json_text(inspection.to_json()) + "\n", "utf-8")


def write_csv(file: Path, findings: Sequence[Finding]) -> None:
    """Write one row for each finding, in the same order."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, fieldnames=[field.name for field in fields(Finding)])
        writer.writeheader()
        writer.writerows(asdict(finding) for finding in findings)
