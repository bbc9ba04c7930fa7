"""Old names of arguments: they work, warn where they are used, and do not hide a mistake."""

import pytest

import headstart as hs
from headstart.deprecation import renamed_arguments
from headstart.training.config import TrainingConfig


@renamed_arguments(strength="C")
def solve(rows: int, *, C: float = 1.0) -> tuple[int, float]:
    """Solve."""
    return rows, C


def test_the_new_name_is_silent():
    assert solve(3, C=2.0) == (3, 2.0)
    assert solve(3) == (3, 1.0)


def test_the_old_name_works_and_warns_where_it_is_used():
    with pytest.warns(DeprecationWarning, match=r"'strength' is now called 'C'.*removed in the next release") as caught:
        assert solve(3, strength=2.0) == (3, 2.0)  # pyright: ignore[reportCallIssue]
    assert caught[0].filename == __file__


def test_both_names_at_once_are_a_mistake():
    with pytest.raises(TypeError, match="got 'C' and its old name 'strength'"):
        solve(3, C=1.0, strength=2.0)  # pyright: ignore[reportCallIssue]


def test_the_function_keeps_its_name_and_help():
    assert (solve.__name__, solve.__doc__) == ("solve", "Solve.")


# The old names of headstart


def test_the_old_names_of_a_phase():
    with pytest.warns(DeprecationWarning, match="'thaws_base' is now called 'unfreeze'"):
        old = hs.Phase("fine_tuning", 2, "adam", 1e-3, thaws_base=True)  # pyright: ignore[reportCallIssue]
    with pytest.warns(DeprecationWarning, match="'(averaging|views)' is now called"):
        averaged = hs.Phase("fine_tuning", 2, "adam", 1e-3, True, averaging=0.9, views=100)  # pyright: ignore[reportCallIssue]
    assert old == hs.Phase("fine_tuning", 2, "adam", 1e-3, unfreeze=True)
    assert (averaged.ema_decay, averaged.max_images) == (0.9, 100)


def test_a_recipe_of_phases():
    head = hs.Phase("feature_extraction", 1, "adam", 1e-3, unfreeze=False)
    tuning = hs.Phase("fine_tuning", 1, "adam", 1e-3, unfreeze=True)
    expected = hs.Recipe("mine", head, tuning)
    with (
        pytest.warns(DeprecationWarning, match="'phases' is now called 'head'"),
        pytest.warns(DeprecationWarning, match=r"is now Recipe\(name, head, fine_tuning\)"),
    ):
        assert hs.Recipe("mine", phases=(head, tuning)) == expected  # pyright: ignore[reportCallIssue]
    with pytest.warns(DeprecationWarning, match="Recipe"):
        assert hs.Recipe("mine", (head, tuning)) == expected  # pyright: ignore[reportArgumentType]
    assert expected.phases == (head, tuning)
    with pytest.raises(hs.ModelError, match="give that phase as fine_tuning"):
        hs.Recipe("mine", tuning)
    with pytest.raises(hs.ModelError, match="set unfreeze=True"):
        hs.Recipe("mine", None, head)
    with pytest.raises(hs.ModelError, match="trains nothing"):
        hs.Recipe("mine", None)
    with pytest.raises(hs.ModelError, match=r"Give SolvedHead\(\) as the recipe's head"):
        hs.Phase("feature_extraction", 1, "lbfgs", 0.0, unfreeze=False)


@pytest.mark.parametrize(("old", "new"), [("split", "cached"), ("whole", "end_to_end")])
def test_the_old_names_of_executions(old, new):
    with pytest.warns(DeprecationWarning, match=f"'{old}' is now called '{new}'"):
        assert TrainingConfig.of(recipe="tutorial", execution=old).execution == new


def test_progress_is_called_listener(run, photos):
    with pytest.warns(DeprecationWarning, match="'progress' is now called 'listener'"):
        hs.load_images(photos, progress=hs.Quiet())  # pyright: ignore[reportCallIssue]
    with pytest.warns(DeprecationWarning, match="'progress' is now called 'listener'"):
        predictor = hs.Predictor(run.folder, progress=hs.Quiet())  # pyright: ignore[reportCallIssue]
    with pytest.warns(DeprecationWarning, match="'certainty' is now called 'calibration'"):
        assert predictor.certainty is predictor.calibration
    with pytest.warns(DeprecationWarning, match="'familiar' is now called 'novelty_detector'"):
        assert predictor.familiar is predictor.novelty_detector
