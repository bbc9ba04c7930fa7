"""jaxtyping's array types for signatures: `Float[np.ndarray, "n classes"]`. Knows nothing of headstart.

They are jaxtyping's own where it is imported already: for a type checker, and in the tests, where beartype checks the
shape of every argument. Elsewhere they are the plain array: importing jaxtyping takes 60 ms, and the first answer of
`headstart predict` is not to wait for annotations.
"""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Float, Float16, Float32, Float64, Int, Int32, Int64, Num, Real, Shaped, UInt8, UInt16
else:

    class _ArrayType:
        """`Float[np.ndarray, "n"]` is np.ndarray."""

        def __class_getitem__(cls, item: tuple[Any, str]) -> Any:
            return item[0]

    Bool = Float = Float16 = Float32 = Float64 = Int = Int32 = Int64 = Num = Real = Shaped = UInt8 = UInt16 = _ArrayType

__all__ = [
    "Bool", "Float", "Float16", "Float32", "Float64", "Int", "Int32", "Int64", "Num", "Real", "Shaped", "UInt8",
    "UInt16",
]  # fmt: skip
