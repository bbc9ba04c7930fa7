"""What the tests of the numbers share."""

import pytest

from headstart.evaluation.document import RunMetrics
from support.drawn_metrics import drawn_evaluation, drawn_metrics


@pytest.fixture(scope="session")
def numbers() -> RunMetrics:
    """Of two classes, without a learning curve, cleaning or findings."""
    return drawn_metrics(drawn_evaluation(("defective", "functional"), 60))
