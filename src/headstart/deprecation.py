"""Old names of arguments: they work for one more release, with a DeprecationWarning. Knows no names itself."""

import functools
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def renamed_arguments(**new_names: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A decorator: old name -> new name of a keyword argument. The old one still works, with a DeprecationWarning.

    Raises, when the function is called:
        TypeError: an argument is given under both names.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            for old, new in new_names.items():
                if old in kwargs:
                    if new in kwargs:
                        raise TypeError(f"{function.__name__}() got '{new}' and its old name '{old}': give one.")
                    warn_of_old_name(old, new)
                    kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate


def warn_of_old_name(old: str, new: str, *, stacklevel: int = 2) -> None:
    """Warn that a name is old, and say what to write instead. stacklevel: 1 is the caller, 2 who calls that one."""
    message = f"'{old}' is now called '{new}'; the old name will be removed in the next release."
    warnings.warn(message, DeprecationWarning, stacklevel=stacklevel + 1)
