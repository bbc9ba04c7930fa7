"""Collections whose photos have several labels each, or none."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

SIDE = 64


def side_by_side(folder: Path, cells: dict[str, list[Path]], count: int) -> Path:
    """Photos of two halves, each of which is a real solar cell, in grey or in colour, or so blurred that it shows
    nothing -> the table of their labels: cell, tinted, both or none."""
    folder.mkdir(parents=True)
    rng, files, rows = np.random.default_rng(0), [*cells["functional"], *cells["defective"]], []
    for number in range(count):
        picture, labels = Image.new("RGB", (SIDE, SIDE), (40, 40, 40)), set()
        for at in range(2):
            kind, file = int(rng.integers(3)), files[(2 * number + at) % len(files)]
            half = ImageOps.fit(Image.open(file).convert("L"), (SIDE // 2, SIDE))
            if kind == 0:
                picture.paste(half.filter(ImageFilter.GaussianBlur(12)), (SIDE // 2 * at, 0))
                continue
            colours = ("#402000", "#ffb040") if kind == 2 else ("black", "white")
            picture.paste(ImageOps.colorize(half, *colours), (SIDE // 2 * at, 0))
            labels.add("tinted" if kind == 2 else "cell")
        picture.save(folder / f"{number:03}.png")
        rows.append((f"{number:03}.png", "|".join(sorted(labels))))
    table = folder / "labels.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "labels"), *rows])
    return table
