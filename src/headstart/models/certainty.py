"""How far answers can be trusted: calibrated probabilities, and "not sure" as an answer. NumPy only; knows no images.

Everything here was measured on the validation images (`training/calibration.py`) and is kept in classifier.json.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from headstart.errors import ModelError
from headstart.models.outputs import Prediction, predictions, probabilities

# What can be promised. A level in between is served by the next stricter one.
LEVELS = (0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
DEFAULT_ACCURACY = 0.95  # of the answers that are given as sure where nothing else is asked for
NEVER = float("inf")  # a threshold that no probability reaches


@dataclass(frozen=True)
class Certainty:
    """What is known of a classifier's answers.

    temperature: what logits are divided by, above 0. At 1 they are as the network gives them.
    accuracy: promised accuracy -> least probability of an answer that is given, 0..1, or infinity where it could not be
        promised for any; of all answers that are given, at least that share is right (with 90% confidence).
    coverage: promised coverage -> least probability of a class in the set of answers, 0..1; the right class is in the
        set for at least that share of images.
    """

    temperature: float = 1.0
    accuracy: Mapping[float, float] = field(default_factory=dict)
    coverage: Mapping[float, float] = field(default_factory=dict)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Logits (n, 1) or (n, classes) -> float64 (n, classes), calibrated, each row adding up to 1."""
        return probabilities(np.asarray(logits, np.float64) / self.temperature)

    def answerer(
        self, class_names: Sequence[str], *, accuracy: float | None = None, coverage: float | None = None
    ) -> Callable[[np.ndarray], list[Prediction]]:
        """What turns logits (n, 1) or (n, classes) into n answers, with what is promised of them.

        accuracy, coverage: at most one of them; see `Classifier.predict`.

        Raises:
            ModelError: it cannot be promised.
        """
        if accuracy is not None and coverage is not None:
            raise ModelError("An accuracy and a coverage were asked for: expected one of them, as each is a promise.")
        in_set = None if coverage is None else self.least_in_set(coverage)
        if accuracy is None:
            least = self.accuracy.get(DEFAULT_ACCURACY, 0.0)
            least = 0.0 if least == NEVER else least  # nobody asked for a promise that cannot be given
        else:
            least = self.least_probability(accuracy)

        def answer(logits: np.ndarray) -> list[Prediction]:
            found = []
            for prediction in predictions(self.probabilities(logits), class_names):
                if in_set is None:
                    found.append(replace(prediction, sure=prediction.probability >= least))
                else:
                    candidates = tuple(name for name, p in prediction.probabilities.items() if p >= in_set)
                    found.append(replace(prediction, sure=len(candidates) == 1, candidates=candidates))
            return found

        return answer

    def least_probability(self, accuracy: float) -> float:
        """Of an answer that may be given, so that the given ones are right in that share.

        Raises:
            ModelError: nothing was measured, or it is stricter than what can be promised.
        """
        return self.accuracy[_level(self.accuracy, accuracy, "accuracy")]

    def least_in_set(self, coverage: float) -> float:
        """Of a class in the set of answers, so that the right one is among them in that share of images.

        Raises:
            ModelError: nothing was measured, or it is stricter than what can be promised.
        """
        return self.coverage[_level(self.coverage, coverage, "coverage")]

    def to_json(self) -> dict:
        """With null for what could not be promised."""
        return {
            "temperature": self.temperature,
            "accuracy": {f"{level:g}": None if least == NEVER else least for level, least in self.accuracy.items()},
            "coverage": {f"{level:g}": least for level, least in self.coverage.items()},
        }

    @classmethod
    def from_json(cls, content: Mapping) -> "Certainty":
        """Raises ValueError, TypeError, KeyError or AttributeError for what `to_json` did not make."""
        temperature = float(content["temperature"])
        if not 0 < temperature < NEVER:
            raise ValueError(f"a temperature of {temperature:g}; expected a number above 0")
        return cls(
            temperature,
            {float(level): NEVER if least is None else float(least) for level, least in content["accuracy"].items()},
            {float(level): float(least) for level, least in content["coverage"].items()},
        )


def _level(table: Mapping[float, float], wanted: float, name: str) -> float:
    """The least level of the table that is at least what is wanted."""
    if not 0 < wanted < 1:
        raise ModelError(f"A {name} of {wanted:g} was asked for; expected a share between 0 and 1, such as 0.95.")
    levels = sorted(table)
    if not levels:
        raise ModelError(
            f"No {name} can be promised: this classifier was saved without what its validation images showed. "
            f"Train it again with this headstart."
        )
    place = bisect_left(levels, wanted)
    if place == len(levels):
        raise ModelError(f"A {name} of {wanted:g} was asked for; at most {levels[-1]:g} can be promised.")
    return levels[place]
