"""Would fine-tuning help? Asked of the training images, where the validation images are too few to tell.

Of some folds, each is answered by networks that have seen neither its images nor copies of them: one with a head alone,
and the same fine-tuned. Both are trained as the network itself is, by the same stages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from headstart.array_types import Float64
from headstart.classifier.calibration import fit_temperature
from headstart.events import Task, advancing
from headstart.features import linear_head
from headstart.numerics import Truth, cross_entropies, log_probabilities, most_probable, two_sided
from headstart.statistics import Disagreement, disagreement
from headstart.training.context import TrainingContext
from headstart.training.execution import execution_of
from headstart.training.fit_phase import fit_phase
from headstart.training.fold import Fold
from headstart.training.recipes import Phase, SolvedHead
from headstart.training.solve_head import solve_head
from headstart.training.state import TrainingState

PARTS = 3  # of the folds that are answered: three fifths of the images, in the time of two and a half fine-tunings
CLEAR = 1.0  # standard errors by which fine-tuning has to be better


@dataclass(frozen=True)
class Gain:
    """What a fine-tuning changes for images that were not trained on.

    before, after: mean calibrated cross-entropy of the head alone, and of the fine-tuned network. error: the standard
    error of their difference. between: their answers.
    """

    before: float
    after: float
    error: float
    between: Disagreement
    images: int

    @property
    def is_clear(self) -> bool:
        return self.before - self.after > CLEAR * self.error

    @property
    def facts(self) -> dict[str, float]:
        """Of a `Message`. mended, spoiled, p: see `Disagreement`."""
        mended, spoiled, p = self.between.only_second, self.between.only_first, self.between.p
        losses = {"before": self.before, "after": self.after}
        return {"count": self.images, "mended": mended, "spoiled": spoiled, "p": p, **losses}

    def __str__(self) -> str:
        return (
            f"on {self.images:,} training images, answered by cross-validation, it changes the loss from "
            f"{self.before:.4f} to {self.after:.4f} (standard error {self.error:.4f}); {self.between.only_second:,} "
            f"predictions corrected, {self.between.only_first:,} spoiled"
        )


def gain_of(context: TrainingContext, head: SolvedHead, phase: Phase) -> Gain:
    """What the phase changes after a solved head. The network's weights are as before, afterwards.

    Which layers are trained is set already, for the phase.
    """
    train, network = context.dataset.train, context.network
    weights, phase = network.model.get_weights(), replace(phase, patience=None)
    parts = linear_head.folds(train.labels, context.config.seed, train.photos)[:PARTS]
    answers = []
    with advancing(context.listener, Task.VALIDATE, "Cross-validating fine-tuning", len(parts)) as advance:
        for fitted, held_out in parts:
            answers.append(_answered(Fold.of(context, train.take(fitted), train.take(held_out)), head, phase))
            network.model.set_weights(weights)
            advance(1)
    truth = train.truth[np.concatenate([held_out for _, held_out in parts])]
    before, after = (np.concatenate(logits) for logits in zip(*answers, strict=True))
    if not np.isfinite(after).all():
        after = np.zeros_like(after)  # it diverged, and knows nothing
    differences = _losses(before, truth) - _losses(after, truth)
    correct = [two_sided(logits).argmax(axis=1) == most_probable(truth) for logits in (before, after)]
    return Gain(
        before=float(_losses(before, truth).mean()),
        after=float(_losses(after, truth).mean()),
        error=float(differences.std() / np.sqrt(len(truth))),
        between=disagreement(*correct),
        images=len(truth),
    )


def _answered(fold: Fold, head: SolvedHead, phase: Phase) -> tuple[np.ndarray, np.ndarray]:
    """The logits of the held-out images: of the head alone, and after the fine-tuning."""
    execution, held_out = execution_of(fold), fold.dataset.validation
    solved = solve_head(fold, head, TrainingState())
    before = solved.head.logits(execution.features(held_out, fine_tuned=False))
    fold.network.set_head(solved.head.kernel, solved.head.bias)
    fit_phase(fold, execution, phase, solved.state)
    return before, linear_head.logits(execution.features(held_out, fine_tuned=True), *fold.network.head)


def _losses(logits: np.ndarray, truth: Truth) -> Float64[np.ndarray, " n"]:
    """The cross-entropy of each answer, once calibrated."""
    scaled = np.asarray(logits, np.float64) / fit_temperature(logits, truth)
    return cross_entropies(log_probabilities(scaled), truth)
