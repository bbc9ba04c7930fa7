"""`headstart export`: a run -> a file for another runtime. The work is in `export/`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from headstart.deprecation import renamed_arguments

if TYPE_CHECKING:
    from headstart.data.source import DataSource
    from headstart.events import Listener
    from headstart.export.export import Export
    from headstart.export.proof import Tolerance


@renamed_arguments(progress="listener")
def export(
    run: str | Path,
    out: str | Path,
    *,
    format: str,
    quantize: str | None = None,
    pixels: str = "uint8",
    fixed_size: bool = False,
    data: str | Path | DataSource | None = None,
    tolerance: Tolerance | None = None,
    listener: Listener | None = None,
) -> Export:
    """Write a classifier for another runtime, and prove that it gives the same answers there.

    Args:
        run: folder of a run.
        out: what to write: a file for onnx (*.onnx) and litert (*.tflite), with a JSON beside it; a folder for
            openvino, saved-model and web. It must not exist yet.
        format: "onnx", "litert", "openvino", "saved-model", or "web": a page that answers in the browser.
        quantize: "float16", or "int8", calibrated on training photos; None: float32.
        pixels: what the file is given, "uint8" or "float32", 0 to 255.
        fixed_size: take squares only, for small devices; otherwise photos of any size, which the file resizes itself.
        data: where the photos of the run are now: folder, zip or CSV. None: where they were in the training.
        tolerance: how far the answers may differ; None: what the format and the precision allow.
        listener: where to report to; by default to standard error.

    Raises:
        HeadstartError: with what is wrong and what to do. Nothing is written then.
    """
    from headstart.export.export import export as write

    return write(
        run,
        out,
        format=format,
        quantize=quantize,
        pixels=pixels,
        fixed_size=fixed_size,
        data=data,
        tolerance=tolerance,
        listener=listener,
    )
