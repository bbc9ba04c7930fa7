"""Array shapes in signatures, checked while the tests run: jaxtyping's import hook, with beartype."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import GenericAlias, UnionType
from typing import Any, Union, get_args, get_origin

from beartype import beartype
from jaxtyping import AbstractArray, install_import_hook

# where signatures say shapes
CHECKED = [
    f"headstart.{name}"
    for name in ("data", "features", "classifier", "evaluation", "inspection", "engines", "numerics", "statistics")
]  # fmt: skip


def names_an_array(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, AbstractArray):
        return True
    return any(names_an_array(each) for each in get_args(annotation))


def checkable(annotation: Any) -> Any:
    """The same, with Any for what cannot be checked at runtime: protocols, functions, names that are text."""
    origin, parts = get_origin(annotation), tuple(map(checkable, get_args(annotation)))
    if origin in (Union, UnionType):
        return Union[parts]  # noqa: UP007
    if origin in (tuple, list, dict, Sequence, Iterable, Iterator, Mapping):
        return GenericAlias(origin, parts)
    is_class = isinstance(annotation, type) and not getattr(annotation, "_is_protocol", False)
    return annotation if is_class or annotation is Ellipsis else Any


def arrays_only(function: Callable) -> Callable:
    """beartype, for the annotations that say the shape of an array; the others are pyright's, which sees more of them
    (names that are imported for it alone) and costs no time here."""
    found = function.__annotations__
    function.__annotations__ = {name: checkable(each) for name, each in found.items() if names_an_array(each)}
    return beartype(function)


def check_shapes() -> None:
    """From here on. Before headstart is imported."""
    install_import_hook(CHECKED, "support.shapes.arrays_only")
