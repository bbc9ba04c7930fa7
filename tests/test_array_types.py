"""Array types: jaxtyping's where it is imported, the plain array elsewhere; running headstart does not import it."""

import ast
import subprocess
import sys
from pathlib import Path

from headstart import array_types


def test_the_stand_ins_are_the_plain_array_and_jaxtyping_is_not_imported():
    code = (
        "import sys, numpy as np\nfrom headstart import array_types\n"
        "assert all(getattr(array_types, name)[np.ndarray, 'n'] is np.ndarray for name in array_types.__all__)\n"
        "assert 'jaxtyping' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_with_jaxtyping_the_types_are_its_own():
    code = (
        "import jaxtyping, numpy as np\nfrom headstart import array_types\n"
        "assert all(getattr(array_types, name) is getattr(jaxtyping, name) for name in array_types.__all__)\n"
        "assert isinstance(np.zeros((2, 3), 'uint8'), array_types.UInt8[np.ndarray, 'h w'])\n"
        "assert not isinstance(np.zeros((2, 3)), array_types.UInt8[np.ndarray, 'h w'])\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_both_have_the_same_names():
    tree = ast.parse(Path(str(array_types.__file__)).read_text("utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "jaxtyping"
                for alias in node.names}  # fmt: skip
    assert imported == set(array_types.__all__)
