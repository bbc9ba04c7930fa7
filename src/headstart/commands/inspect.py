"""`headstart inspect`: a collection of labelled photos -> what is wrong with it. The work is in `inspection/`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from headstart.deprecation import renamed_arguments

if TYPE_CHECKING:
    from headstart.events import Listener
    from headstart.inspection.report import Inspection


@renamed_arguments(progress="listener")
def inspect(
    data: str | Path,
    *,
    out: str | Path | None = None,
    backbone: str = "mobilenet_v2",
    image_size: int | None = None,
    weights: str | Path = "pretrained",
    seed: int = 0,
    listener: Listener | None = None,
) -> Inspection:
    """Find what is wrong, or odd, in a collection of labelled photos: copies, leaks, doubtful labels, odd files.

    Args:
        data: folder, zip or CSV, see `load_dataset`; also one that cannot be trained on.
        out: a new folder for findings.json, findings.csv and inspection.html; None: nothing is written.
        backbone, image_size, weights: of the network whose features are used. With the same ones, `headstart.train`
            shares these features.
        seed: of the cross-validation that judges the labels.
        listener: where to report to; by default to standard error.

    Raises:
        HeadstartError: there are no images; the folder exists; with what is wrong and what to do.
    """
    from headstart.inspection import collection

    return collection.inspect(
        data, out=out, backbone=backbone, image_size=image_size, weights=weights, seed=seed, listener=listener
    )
