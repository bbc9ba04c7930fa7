"""`headstart evaluate`: a run and labelled photos -> its accuracy on those that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headstart.data.source import DataSource
    from headstart.evaluation.label_evaluation import LabelEvaluation
    from headstart.evaluation.metrics import Evaluation
    from headstart.evaluation.others import OthersMetrics
    from headstart.events import Listener
    from headstart.storage.url_path import Location


@dataclass(frozen=True)
class RunEvaluation:
    """images: a sentence that says which images the run was measured on. others: how photos of none of the classes are
    recognised; None where the photos have no `_other`."""

    run: Path
    data: Location
    images: str
    evaluation: Evaluation | LabelEvaluation
    others: OthersMetrics | None = None

    def to_json(self) -> dict:
        found = {"run": str(self.run), "data": str(self.data), "images": self.images, **self.evaluation.to_json()}
        return found | {"others": self.others.to_json()} if self.others else found

    def __str__(self) -> str:
        return "\n".join([self.images, str(self.evaluation), *([self.others.sentence] if self.others else [])])


def evaluate(
    run: str | Path,
    data: str | Path | DataSource,
    *,
    split: str | None = None,
    device: str = "auto",
    listener: Listener | None = None,
) -> RunEvaluation:
    """Measure a run on labelled photos.

    Args:
        run: folder of a run.
        data: folder, zip or CSV, see `load_dataset`.
        split: "train", "validation", "test" or "all". None: the test images of `data`, or where it has none, all that
            the run was neither trained nor validated on; near copies of such photos are left out as well.
        device: what runs the network: "gpu", or "auto": the processor; see `headstart.train`.
        listener: where to report to; by default to standard error.

    Raises:
        HeadstartError: there is no such run, no such images, or a class that the run does not know.
    """
    from headstart.data.source import DataSource
    from headstart.engines.base import Compute
    from headstart.engines.opening import check_device
    from headstart.listeners.console import Console
    from headstart.runs.folder import RunFolder
    from headstart.runs.held_out import choose
    from headstart.runs.unseen import without_copies
    from headstart.storage.copies import keeping_copies

    run, source, listener = Path(run), DataSource.of(data), listener or Console()
    check_device(Compute(device=device))
    source = RunFolder(run).as_trained(source)  # before the images are read: there may be no run
    with keeping_copies():
        chosen = choose(source, run, split, listener=listener)
        if split is None:
            chosen = without_copies(chosen, run, listener=listener)
        from headstart.classifier.predictor import Predictor
        from headstart.evaluation.evaluate import evaluate as measure
        from headstart.evaluation.evaluate import evaluate_others

        predictor, others = Predictor(run, device=device, listener=listener), None
        evaluation = measure(predictor, chosen.images, listener=listener)
        if chosen.others:
            others = evaluate_others(predictor, chosen.images, chosen.others, listener=listener)
        return RunEvaluation(run, source.path, chosen.description, evaluation, others)
