"""The stage that decides what is kept: the head alone, or the fine-tuned network. Trains nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.models.summary import Summary
from headstart.statistics import Disagreement, disagreement
from headstart.training.recipes import Phase, SolvedHead
from headstart.training.state import TrainingState

DIVERGED = "The head alone is kept: fine-tuning diverged, its steps were too long for this collection."


@dataclass(frozen=True)
class PhaseResult:
    """A phase that is done.

    summary: of the network with the layers unfrozen that the phase trained.
    """

    phase: SolvedHead | Phase
    summary: Summary


@dataclass(frozen=True)
class Selection:
    """What is kept of a phase.

    kept: whether its weights are. entry: of `phases` in metrics.json. verdict: why, in a sentence, if there was a
        choice.
    """

    kept: bool
    entry: dict[str, Any]
    verdict: str | None = None


def select(result: PhaseResult, state: TrainingState) -> Selection:
    """Whether the weights of a phase are kept, and with which epoch it ends.

    A phase with patience ends with its best epoch, if that has a lower calibrated validation loss than the network
    before it; else with the weights from before it. Other phases are kept as they are.
    """
    phase, summary = result.phase, result.summary
    rows = state.rows_of(phase.name)
    chosen, kept, judgement, verdict = rows[-1], True, None, None
    if isinstance(phase, Phase) and phase.patience is not None:
        losses, before = state.losses_of(phase.name), state.loss_before(phase.name)
        chosen = rows[int(np.argmin(losses))]
        if before < math.inf:
            kept = min(losses) < before
            if min(losses) < math.inf:
                judgement = _judgement(
                    before, min(losses), chosen["epoch"], disagreement(state.correct[0], state.correct[1])
                )
            verdict = judgement["verdict"] if judgement else DIVERGED
            if not kept:
                chosen = next(row for row in reversed(state.history) if row["phase"] != phase.name)
    entry = {
        "name": phase.name,
        "epochs": len(rows),
        "kept": kept,
        "judgement": judgement,
        "depth_weight": state.depth_weight if _reads_depths(phase, state) else None,
        "parameters": summary.parameters,
        "trainable_parameters": summary.trainable_parameters,
        "trainable_variables": summary.trainable_variables,
        "seconds": round(sum(row["seconds"] for row in rows), 3),
        "validation": {"loss": chosen["val_loss"], "accuracy": chosen["val_accuracy"]},
    }
    return Selection(kept, entry, verdict)


def _reads_depths(phase: SolvedHead | Phase, state: TrainingState) -> bool:
    return isinstance(phase, SolvedHead) and not math.isnan(state.depth_weight)


def _judgement(before: float, best: float, epoch: int, between: Disagreement) -> dict[str, Any]:
    """Why a fine-tuning is kept or not, and whether its predictions are better; for metrics.json.

    before, best: calibrated validation losses of the head alone and of the best epoch: the lower one is kept.
    between: their predictions for the validation images.
    """
    distinguishable = "distinguishable" if between.is_distinguishable else "not distinguishable"
    verdict = (
        f"{'Fine-tuning is kept' if best < before else 'The head alone is kept'}: calibrated validation loss "
        f"{best:.4f} in epoch {epoch} against {before:.4f}; {between.only_second:,} predictions corrected, "
        f"{between.only_first:,} spoiled: {distinguishable} by McNemar's test (p = {between.p:.2g})."
    )
    return {
        "epoch": epoch,
        "loss": best,
        "loss_of_head_alone": before,
        "mended": between.only_second,
        "spoiled": between.only_first,
        "p": between.p,
        "verdict": verdict,
    }
