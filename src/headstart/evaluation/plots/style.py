"""What all figures share: colours, fonts, sizes, how names and shares are written, and how a figure becomes a file.

The colours are those of Okabe and Ito, which people with any kind of colour vision can tell apart. Text is shortened or
turned rather than laid over other text, with 2 classes and with 100.
"""

import warnings
from pathlib import Path
from typing import Any

from matplotlib import font_manager
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

# M. Okabe, K. Ito, Color Universal Design (2008)
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#767676"
SHADES = LinearSegmentedColormap.from_list("white_to_blue", ["#FFFFFF", "#9CC9E6", "#0072B2", "#003B5C"])

DPI = 120
NAME_WIDTH = 30  # characters that fit above a thumbnail

# matplotlib's own font has no Chinese, Japanese, Korean, Arabic or Hindi: use the first ones installed that do.
_MORE_FONTS = (
    "Noto Sans CJK JP",
    "Microsoft YaHei",
    "Hiragino Sans",
    "PingFang SC",
    "Arial Unicode MS",
    "WenQuanYi Zen Hei",
)
_INSTALLED = {font.name for font in font_manager.fontManager.ttflist}
FONTS = ["DejaVu Sans", *(name for name in _MORE_FONTS if name in _INSTALLED)]

# class names are shown as they are: a dollar sign in one begins no formula
STYLE: dict[Any, Any] = {"font.family": FONTS, "text.parse_math": False}


def new_figure(width: float, height: float) -> Figure:
    """width, height: in inches."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def save(figure: Figure, file: Path) -> None:
    """Write a figure as PNG. A character that no installed font has is drawn as a box."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(file, dpi=DPI, pil_kwargs={"compress_level": 1})  # half the time, a quarter larger


def shortened(name: str, width: int) -> str:
    """A long name without its middle: names usually differ at their ends."""
    if len(name) <= width:
        return name
    return f"{name[: width // 2]}…{name[-((width - 1) // 2) :]}"


def percent(share: float) -> str:
    """Without digits; but 0.9996 is not 100%."""
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"
