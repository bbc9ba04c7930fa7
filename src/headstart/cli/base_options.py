"""The options of the commands that are about the base: which network, of which weights, how fast."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from typer import Argument

from headstart.cli import choices
from headstart.cli.helping import for_experts, usual

_backbones: Callable[[str], list[str]] = choices.backbones

Backbone = Annotated[
    str | None,
    usual(
        metavar="NAME",
        help="Pretrained base, by default efficientnet_lite0 (tutorial: mobilenet_v2); a+b: two, whose depths one head "
        "reads; auto (train): the best at hand; or FILE.onnx, FILE.xml, hub:PRESET. See `headstart backbones`.",
        autocompletion=_backbones,
    ),
]
AtLeast = Annotated[
    float | None,
    usual(min=0.001, metavar="N", help="Images per second that a base must compute here, without reading them."),
]
Weights = Annotated[
    Path | None,
    for_experts(
        metavar="FILE",
        help="Weights of the base (.weights.h5, .h5), instead of the published ones; of a+b: pretrained+FILE; with "
        "--backbone auto, a file or a folder of files to choose from.",
    ),
]
Measured = Annotated[
    Path | None,
    Argument(metavar="[DATA]", help="Photos, as for `headstart train`: measure the bases on these."),
]
Candidates = Annotated[
    list[str] | None,
    usual(
        metavar="NAME",
        help="With DATA: one to measure, or a network (ONNX, OpenVINO), the first one first; give it again for others. "
        "By default all whose weights need no download.",
        autocompletion=_backbones,
    ),
]
GivenWeights = Annotated[
    Path | None,
    usual(
        metavar="FILE",
        help="With DATA: a file or a folder of files: networks (ONNX, OpenVINO), and weights named as their backbones.",
    ),
]
MeasuredSize = Annotated[
    int | None, usual(min=1, metavar="PIXELS", help="With DATA: side of the images, instead of each base's own.")
]
