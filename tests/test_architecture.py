"""The order of imports, the public names, and what may not import Keras."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import headstart

SOURCE = Path(headstart.__file__).parent
# A package may import those before it in this list, never those behind it.
ORDER = [
    "allocator",
    "errors",
    "progress",
    "cache",
    "new_folder",
    "data",
    "models",
    "training",
    "evaluation",
    "deployment",
    "inspecting",
    "unfinished",
    "runs",
    "choosing",
    "demo",
    "cli",
]
WITHOUT_KERAS = [
    "headstart.data.loading", "headstart.data.batches", "headstart.data.samples", "headstart.models.backbones",
    "headstart.numerics", "headstart.classifier.metadata", "headstart.engines.openvino", "headstart.models.network",
    "headstart.classifier.classifier", "headstart.training.recipes", "headstart.training.trainer",
    "headstart.features.cut", "headstart.features.store", "headstart.features.linear_head",
    "headstart.evaluation.metrics", "headstart.runs.held_out", "headstart.evaluation.report",
    "headstart.evaluation.gallery", "headstart.inspection.page", "headstart.inspection.label_issues",
    "headstart.inspection.collection", "headstart.commands.train", "headstart.cli", "headstart.classifier.predictor",
    "headstart.classifier.output_formats", "headstart.serving.app", "headstart.serving.listening",
    "headstart.serving.client", "headstart.export.export",
]  # fmt: skip


def imports(file: Path) -> set[str]:
    """The parts of headstart that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("headstart"):
            parts = (node.module or "").split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("headstart.")}
    return found


@pytest.mark.parametrize("file", sorted(SOURCE.rglob("*.py")), ids=lambda file: str(file.relative_to(SOURCE)))
def test_imports_never_go_up(file):
    own = file.relative_to(SOURCE).parts[0].removesuffix(".py")
    if own in ("__init__", "__main__"):
        return
    allowed = set(ORDER[: ORDER.index(own) + 1])
    assert imports(file) <= allowed


def test_the_guarded_modules_do_not_load_keras():
    code = f"import importlib, sys\nfor name in {WITHOUT_KERAS}: importlib.import_module(name)\n"
    code += "print([name for name in ('keras', 'tensorflow', 'matplotlib') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_public_names():
    assert sorted(headstart.__all__) == sorted(headstart._MODULES)
    for name in headstart.__all__:
        assert getattr(headstart, name).__doc__ or isinstance(getattr(headstart, name), dict)
    with pytest.raises(AttributeError, match="no 'nonsense'"):
        headstart.nonsense  # noqa: B018


def test_every_module_says_what_it_is():
    for file in SOURCE.rglob("*.py"):
        assert ast.get_docstring(ast.parse(file.read_text("utf-8"))), f"{file} has no docstring"


def test_no_assert_and_no_pickle_in_the_source():
    for file in SOURCE.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
        assert not any(isinstance(node, ast.Assert) for node in nodes), file
        modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        assert not modules & {"pickle", "joblib", "dill", "cloudpickle", "marshal", "shelve"}, file
        allowed = [
            isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            for node in nodes
            if isinstance(node, ast.Call)
            for keyword in node.keywords
            if keyword.arg == "allow_pickle"
        ]
        assert all(allowed), file
