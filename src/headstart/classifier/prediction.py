"""Prediction: what is on one image, and how probabilities become predictions. NumPy only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from headstart.array_types import Float
from headstart.classifier.decision import Decision
from headstart.classifier.others import IS_OTHER


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one image."""

    label: str
    probability: float  # of that label, 0..1
    probabilities: dict[str, float]  # of every class, that label first, then the most probable ones
    sure: bool = True  # whether the guarantee of accuracy covers it; if not, it should be read as "not sure"
    familiar: bool = True  # whether the image is like those that were trained on; if not, the label means nothing
    candidates: tuple[str, ...] = ()  # if a coverage is guaranteed: the classes that the right one is among
    remark: str | None = None  # why it may be too dark or too bright to the classifier; then it is not sure
    rule: str | None = None  # "cost" or "recall": why the label is not the most probable class; see `Decision`
    cost: float | None = None  # the expected cost of the label, if the classifier was given a table of costs
    other: float | None = None  # the probability that it is none of the classes, if `_other` photos were trained on
    parent: str | None = None  # of a hierarchy, if the label is not sure: its lowest parent that is, if any
    parent_probability: float | None = None  # of that parent, 0..1: the sum over the classes in it
    # only from a classifier for several labels per photo: those that it answers, sorted. `label` then joins them
    # ("cats|dogs", "" for none), `probability` is that of exactly these, and `probabilities` has each label's own
    labels: tuple[str, ...] | None = None

    @property
    def is_other(self) -> bool:
        """Whether it is said to be none of the classes; then it is not familiar, either."""
        return self.other is not None and self.other >= IS_OTHER

    @property
    def answer(self) -> str | None:
        """What may be relied on: the label if it is sure, or else its parent, if that is; None: nothing."""
        return self.label if self.sure else self.parent

    def top(self, count: int) -> dict[str, float]:
        """The label and the most probable other classes, `count` in all."""
        return dict(list(self.probabilities.items())[:count])


def not_sure(prediction: Prediction) -> Prediction:
    """The same, of a photo for which no guarantee holds."""
    return replace(prediction, sure=False, parent=None, parent_probability=None)


def predictions(
    probabilities: Float[np.ndarray, "n classes"], class_names: Sequence[str], decision: Decision | None = None
) -> list[Prediction]:
    """The prediction for each row of probabilities. decision: None: the most probable class is answered."""
    if decision is None:
        answers, costs = probabilities.argmax(axis=1), None
    else:
        answers, costs = decision.answers(probabilities), decision.expected_costs(probabilities)
    found = []
    for number, (row, answer) in enumerate(zip(probabilities, map(int, answers), strict=True)):
        others = [i for i in map(int, np.argsort(-row, kind="stable")) if i != answer]
        ranked = {class_names[i]: float(row[i]) for i in (answer, *others)}
        prediction = Prediction(class_names[answer], float(row[answer]), ranked)
        if decision is not None:
            cost = None if costs is None else float(costs[number, answer])
            prediction = replace(prediction, rule=decision.rule(row, answer), cost=cost)
        found.append(prediction)
    return found
