"""`headstart inspect`: a collection of labelled photos -> what is wrong with it. The checks are in `inspection/`."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.deprecation import renamed_arguments
from headstart.storage.copies import keeping_copies

if TYPE_CHECKING:
    from headstart.data.source import DataSource
    from headstart.events import Listener
    from headstart.inspection.report import Inspection


@renamed_arguments(progress="listener")
@keeping_copies()
def inspect(
    data: str | Path | DataSource,
    *,
    out: str | Path | None = None,
    backbone: str | None = None,
    image_size: int | None = None,
    weights: str | Path = "pretrained",
    value_range: str | None = None,
    seed: int = 0,
    device: str = "auto",
    on: str | None = None,
    store: str | Path | None = None,
    listener: Listener | None = None,
) -> Inspection:
    """Find what is wrong, or odd, in a collection of labelled photos: copies, leaks, doubtful labels, odd files.

    Args:
        data: folder, zip or CSV, see `load_dataset`; also one that cannot be trained on.
        out: a new folder, outside of the photos, for findings.json, findings.csv and inspection.html. None: nothing is
            written.
        backbone, image_size, weights: of the network whose features are used; by default those of the recipe "fast".
            With the same ones, `headstart.train` shares these features.
        value_range: what is black and white in photos with 16 bits a value, such as "0:4095"; None: as found in them.
        seed: of the cross-validation that judges the labels.
        device: what computes the features: "gpu", or "auto": the processor; see `headstart.train`.
        on, store: the cluster that reads the photos and computes their features; see `headstart.commands.train`.
        listener: where to report to; by default to standard error.

    Raises:
        HeadstartError: there are no images; the folder exists; with what is wrong and what to do.
    """
    from headstart.data.folder import list_images
    from headstart.data.loading import read_collection
    from headstart.data.own_output import check_outside
    from headstart.data.source import DataSource
    from headstart.data.value_range import parse_value_range
    from headstart.engines.base import Compute
    from headstart.events import Message
    from headstart.features.executors.ray import executor_on
    from headstart.features.executors.reading import looking_on
    from headstart.features.extractor import FeatureExtractor
    from headstart.features.spec import FeatureSpec
    from headstart.inspection.collection import inspect_collection
    from headstart.inspection.writing import write_inspection
    from headstart.listeners.console import Console
    from headstart.models import at_hand, backbones
    from headstart.storage.atomic import check_free

    listener = listener or Console()
    base = at_hand.resolved(backbone or backbones.DEFAULT, image_size)
    spec = FeatureSpec(base, image_size or backbones.get_backbone(base).image_size, weights=weights, depths=True)
    said = None if value_range is None else parse_value_range(value_range)
    compute = Compute(device=device)
    executor = executor_on(on, store, device, listener)
    if out is not None:
        check_free(Path(out))
        check_outside(Path(out), data)
    start = time.perf_counter()
    found = read_collection(list_images(DataSource.of(data), listener), listener, look=looking_on(executor))
    spec = replace(spec, value_range=said or found.value_range)
    extractor = FeatureExtractor(spec, listener=listener, compute=compute, executor=executor)
    inspection = inspect_collection(found, extractor, seed=seed, listener=listener)
    inspection = replace(inspection, seconds=time.perf_counter() - start)
    if out is not None:
        write_inspection(Path(out), inspection)
        listener.emit(Message(f"Written into '{out}': inspection.html, findings.csv, findings.json."))
    return inspection
