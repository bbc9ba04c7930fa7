"""Would the classifier answer better if it averaged over the views that it was trained on? `predict --views` does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headstart.evaluation.metrics import Evaluation
from headstart.statistics import Disagreement, Interval, disagreement, percent


@dataclass(frozen=True)
class Averaging:
    """The answers to the held-out images, averaged over views.

    views: their names, the original first. loss, accuracy: of the averaged answers.
    between: the first answers are those of the original view alone, the second the averaged ones.
    """

    views: tuple[str, ...]
    loss: float
    accuracy: Interval
    between: Disagreement

    @classmethod
    def of(cls, views: Sequence[str], alone: Evaluation, averaged: Evaluation) -> "Averaging":
        between = disagreement(alone.correct, averaged.correct, alone.groups or None)
        return cls(tuple(views), averaged.loss, averaged.accuracy, between)

    @property
    def sentence(self) -> str:
        more, less, p = self.between.only_second, self.between.only_first, self.between.p
        return (
            f"Averaged over {len(self.views)} views (predict --views): accuracy {percent(self.accuracy.value)}, loss "
            f"{self.loss:.4f}; {more:,} predictions corrected, {less:,} spoiled (p = {p:.2g})."
        )

    def to_json(self) -> dict:
        return {
            "names": list(self.views),
            "loss": self.loss,
            "accuracy": self.accuracy.to_json(),
            "mended": self.between.only_second,
            "spoiled": self.between.only_first,
            "p": self.between.p,
        }

    @classmethod
    def from_json(cls, content: Mapping) -> "Averaging":
        between = Disagreement(only_first=content["spoiled"], only_second=content["mended"], p=content["p"])
        return cls(tuple(content["names"]), content["loss"], Interval(**content["accuracy"]), between)
