"""`headstart train`: a collection of labelled photos -> a run folder. The work itself is in `run_stages.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.data.source import DataSource
from headstart.deprecation import renamed_arguments
from headstart.runs.folder import Run

if TYPE_CHECKING:
    from headstart.events import Listener
    from headstart.time_limit import TimeLimit
    from headstart.training.recipes import Recipe

__all__ = ["Run", "make_run", "train"]


@renamed_arguments(progress="listener")
def train(
    data: str | Path | DataSource,
    out: str | Path,
    *,
    recipe: str | Recipe = "fast",
    backbone: str | None = None,
    at_least: float | None = None,
    image_size: int | None = None,
    fine_tune: str = "auto",
    epochs: int | None = None,
    balanced: bool | None = None,
    resizing: str = "stretch",
    value_range: str | None = None,
    weights: str | Path = "pretrained",
    precision: str = "float32",
    execution: str = "cached",
    views: str = "auto",
    device: str = "auto",
    on: str | None = None,
    store: str | Path | None = None,
    test_fraction: float | None = None,
    images: int | None = None,
    seed: int = 0,
    time_limit: float | TimeLimit | None = None,
    cost: str | Path | Mapping[str, Mapping[str, float]] | None = None,
    recall: Mapping[str, float] | None = None,
    ordinal: bool | Sequence[str] = False,
    label_precision: Mapping[str, float] | None = None,
    resume: bool = False,
    listener: Listener | None = None,
) -> Run:
    """Train a classifier on a collection, and leave everything about it in a folder.

    Args:
        data: folder, zip or CSV, see `load_dataset`.
        out: the folder of the run; it must not exist yet, and be outside of the photos.
        recipe: name of a row of RECIPES, or a Recipe.
        fine_tune: "auto": as the recipe says; "always": keep the fine-tuning whether it helps or not; "never": train
            the head alone.
        epochs: in each phase, instead of the recipe's.
        balanced: whether all classes count alike in training, however many images they have. None: as in the recipe.
        backbone, at_least: see `headstart.train`.
        image_size, resizing, value_range, weights, precision, execution, views, device, seed: see `headstart.train`.
        cost, recall, ordinal, label_precision: see `headstart.train`.
        on: the cluster that reads the photos, computes their features and, where they are too many for the memory of
            this machine, adds up what the head is solved by: "ray", or an address; None: this machine, which does
            everything else in any case, also fine-tuning.
        store: a folder or URL that all machines of the cluster reach, for what they compute; None: the cache, if this
            machine is all of the cluster.
        test_fraction: see `load_dataset`.
        images: use only about so many of the images, for a quick look. Near copies are not kept together then, because
            finding them needs the features of all images. None: all.
        time_limit: seconds for all of it, see `headstart.train`, or a TimeLimit, which can be ended; in any case the
            photos are read, copies looked for and the report is written.
        resume: resume the partial run for `out`, if there is one.
        listener: where to report to; by default to standard error.

    Raises:
        HeadstartError: with what is wrong and what to do. What was trained so far is kept.
    """
    from headstart.classifier.stakes import Stakes
    from headstart.commands.run_stages import RunRequest, make
    from headstart.data.own_output import check_outside
    from headstart.features.executors.ray import executor_on
    from headstart.listeners.console import Console
    from headstart.training.config import TrainingConfig
    from headstart.training.recipes import adjusted

    check_outside(Path(out), data)
    given: dict[str, Any] = {"backbone": backbone, "at_least": at_least, "image_size": image_size, "weights": weights}
    given |= {"resizing": resizing, "value_range": value_range, "views": views, "device": device, "seed": seed}
    config = TrainingConfig.of(
        recipe=adjusted(recipe, epochs=epochs, fine_tune=fine_tune, balanced=balanced),
        **given | dict[str, Any](execution=execution, precision=precision),
        executor=executor_on(on, store, device, listener or Console()),
        stakes=Stakes.of(cost, recall, ordinal, label_precision),
    )
    request = RunRequest(DataSource.of(data).absolute(), config, test_fraction, images)
    return make(request, Path(out), resume=resume, listener=listener or Console(), time_limit=time_limit)


make_run = train  # its name until 0.2
