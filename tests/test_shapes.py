"""The shapes of arrays that signatures of headstart say are checked while the tests run, and nothing else is."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from headstart import numerics
from headstart.classifier.calibration import fit_temperature


def test_an_array_of_another_shape_is_refused():
    assert fit_temperature(np.zeros((4, 1)), np.array([0, 1, 0, 1])) > 0
    with pytest.raises(TypeCheckError, match="fit_temperature"):
        fit_temperature(np.zeros((4, 1)), np.zeros((3, 3), int))
    with pytest.raises(TypeCheckError, match="log_probabilities"):
        numerics.log_probabilities(np.zeros(3))
