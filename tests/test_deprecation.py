"""Old names of arguments: they work, warn where they are used, and do not hide a mistake."""

import pytest

from headstart.deprecation import renamed_arguments


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
