"""The order of imports, the limits of length, the public names, and what may not import Keras."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import headstart

SOURCE = Path(headstart.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))

# A part imports only parts of the lines above its own. The parts of one line do not know each other.
LINES = [
    {"errors", "deprecation", "array_types"},
    {"home"},
    {
        "events",
        "numerics",
        "statistics",
        "concurrency",
        "malloc",
        "keras_backend",
        "time_limit",
        "standard_streams",
        "json_text",
        "gpu",
    },
    {"listeners", "machine", "cluster"},
    {"storage"},
    {"data"},
    {"engines"},
    {"models"},
    {"features"},
    {"classifier"},
    {"pages"},
    {"inspection"},
    {"training", "evaluation"},
    {"runs", "estimators"},
    {"export", "serving"},
    {"studio"},
    {"commands"},
    {"cli"},
]
LINE_OF = {part: number for number, line in enumerate(LINES) for part in line}
ENTRANCES = ("__init__", "__main__")  # of the whole package: they import whatever is public

MAX_LINES_OF_A_FUNCTION = 50  # without its docstring
MAX_LINES_OF_A_FILE = 400

WITHOUT_KERAS = [
    "headstart.data.loading", "headstart.data.batches", "headstart.data.samples", "headstart.models.backbones",
    "headstart.numerics", "headstart.classifier.metadata", "headstart.engines.openvino", "headstart.models.network",
    "headstart.classifier.classifier", "headstart.training.recipes", "headstart.training.trainer",
    "headstart.features.cut", "headstart.features.store", "headstart.features.linear_head",
    "headstart.evaluation.metrics", "headstart.runs.held_out", "headstart.runs.folder", "headstart.evaluation.report",
    "headstart.evaluation.gallery", "headstart.inspection.page", "headstart.inspection.label_issues",
    "headstart.inspection.collection", "headstart.commands", "headstart.commands.run_stages",
    "headstart.commands.backbone_comparison", "headstart.cli", "headstart.classifier.predictor",
    "headstart.classifier.output_formats", "headstart.serving.app", "headstart.serving.listening",
    "headstart.serving.client", "headstart.export.export", "headstart.studio.app", "headstart.studio.starting",
    "headstart.estimators.image_classifier",
]  # fmt: skip


def name_of(file: Path) -> str:
    """src/headstart/data/images.py -> data.images; a package's __init__.py -> the package."""
    parts = file.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {name_of(file): file for file in FILES}


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def nodes_at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes, also in functions, but those below `if TYPE_CHECKING`."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not is_for_types(child):
            yield from nodes_at_run_time(child)


def imported(nodes: Iterator[ast.AST]) -> set[str]:
    """The modules of headstart that are imported, as in MODULES."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "headstart":
            place = (node.module or "").partition(".")[2]
            for alias in node.names:
                inside = f"{place}.{alias.name}".lstrip(".")
                found.add(inside if inside in MODULES else place)
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[2] for alias in node.names if alias.name.startswith("headstart.")}
    return found


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def test_every_part_has_its_line():
    parts = {name.partition(".")[0] for name in MODULES} - set(ENTRANCES)
    assert parts == set(LINE_OF)
    assert sum(map(len, LINES)) == len(LINE_OF), "a part stands on two lines"


@pytest.mark.parametrize("name", sorted(set(MODULES) - set(ENTRANCES)))
def test_imports_never_go_up_or_to_a_sibling(name):
    """Imports inside functions and for types alone count as well."""
    own = name.partition(".")[0]
    others = {module.partition(".")[0] for module in imported(ast.walk(parsed(MODULES[name])))} - {own, ""}
    assert {other for other in others if LINE_OF[other] >= LINE_OF[own]} == set()


def test_training_and_evaluation_do_not_know_each_other():
    """By way of others neither."""
    graph = {name: imported(nodes_at_run_time(parsed(file))) for name, file in MODULES.items()}

    def reached(start: str) -> set[str]:
        seen, waiting = set(), [start]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += graph.get(name, set())
        return seen

    for one, other in (("training", "evaluation"), ("evaluation", "training")):
        for name in MODULES:
            if name.partition(".")[0] == one:
                assert not {found for found in reached(name) if found.partition(".")[0] == other}, name


def test_no_module_imports_itself_by_way_of_others():
    graph = {name: imported(nodes_at_run_time(parsed(file))) - {""} for name, file in MODULES.items()}
    for entrance in ENTRANCES:
        graph.pop(entrance, None)
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_functions_and_files_are_short(file):
    assert len(file.read_text("utf-8").splitlines()) <= MAX_LINES_OF_A_FILE
    long = {}
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            has_docstring = ast.get_docstring(node, clean=False) is not None
            docstring = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
            lines = (node.end_lineno or 0) - node.lineno + 1 - docstring
            if lines > MAX_LINES_OF_A_FUNCTION:
                long[node.name] = lines
    assert long == {}


def test_the_guarded_modules_do_not_load_keras():
    code = f"import importlib, sys\nfor name in {WITHOUT_KERAS}: importlib.import_module(name)\n"
    code += "print([name for name in ('keras', 'tensorflow', 'matplotlib') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_commands_and_the_run_folder_import_next_to_nothing():
    """So that the command line, and a program that only reads runs, start at once."""
    code = "import sys, headstart.commands, headstart.runs.folder\n"
    code += "print([name for name in ('numpy', 'cv2', 'rich', 'jaxtyping', 'PIL') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_public_names():
    assert sorted(headstart.__all__) == sorted(headstart._MODULES)
    for name in headstart.__all__:
        assert getattr(headstart, name).__doc__ or isinstance(getattr(headstart, name), dict)
    with pytest.raises(AttributeError, match="no 'nonsense'"):
        headstart.nonsense  # noqa: B018


def test_public_names_for_types_are_those_at_run_time():
    """What pyright is told in `if TYPE_CHECKING` comes from the modules that `__getattr__` looks in."""
    [block] = [node for node in parsed(SOURCE / "__init__.py").body if is_for_types(node)]
    told = {
        alias.name: (node.module or "").partition(".")[2] or alias.name
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == headstart._MODULES


def test_every_module_says_what_it_is():
    for file in FILES:
        assert ast.get_docstring(parsed(file)), f"{file} has no docstring"


def test_no_assert_and_no_pickle_in_the_source():
    for file in FILES:
        nodes = list(ast.walk(parsed(file)))
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
