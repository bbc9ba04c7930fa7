"""The documents are true: every bash and Python block of them runs, in order; so does the notebook."""

import re
import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from headstart import cli
from headstart.training.recipes import RECIPES

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# document -> the folder of photos that its reader has
DOCUMENTS = {
    "README.md": {"photos/cats": 14, "photos/dogs": 14},
    "docs/tutorial.pt-BR.md": {"fotos/cachorros": 24, "fotos/gatos": 24},
    "docs/deployment.md": {"photos/cats": 2, "photos/dogs": 2},
}
TRAINED = {"docs/deployment.md": "runs/photos"}  # the run that its reader has


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_runs(document, cells, run, tmp_path, monkeypatch, capsys):
    """As it stands, but for the recipes: one epoch instead of ten in each phase, on small images."""
    for name, recipe in RECIPES.items():
        monkeypatch.setitem(RECIPES, name, replace(recipe.with_epochs(1), image_size=32))
    for number, (folder, count) in enumerate(DOCUMENTS[document].items()):
        (tmp_path / folder).mkdir(parents=True)
        for index, path in enumerate(cells[("functional", "defective")[number]][:count], start=1):
            shutil.copy(path, tmp_path / folder / f"{index}.jpg")
    if document in TRAINED:
        shutil.copytree(run.folder, tmp_path / TRAINED[document])
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    blocks = FENCE.findall((ROOT / document).read_text("utf-8"))
    assert {language for language, _ in blocks} == {"bash", "python"}
    for language, block in blocks:
        if language == "python":
            exec(compile(block, f"{document}, a Python block", "exec"), namespace)
            continue
        for line in filter(None, map(str.strip, block.splitlines())):
            command = shlex.split(line, comments=True)
            assert command[0] == "headstart"
            monkeypatch.setattr(sys, "argv", command)
            with pytest.raises(SystemExit) as stopped:
                cli.main()
            assert not stopped.value.code, f"{line}\n{capsys.readouterr().err}"


def test_the_notebook_runs_and_keeps_its_outputs(tmp_path):
    path = ROOT / "examples" / "transfer_learning.ipynb"
    kept = nbformat.read(path, as_version=4)
    code = [cell for cell in kept.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code), "execute it before you commit it"
    assert sum(any("image/png" in output.get("data", {}) for output in cell.outputs) for cell in code) >= 4
    assert not any(output.output_type == "error" for cell in code for output in cell.outputs)
    fresh = nbformat.read(path, as_version=4)
    NotebookClient(fresh, timeout=400, resources={"metadata": {"path": str(tmp_path)}}).execute()


def test_documents_name_no_file_that_is_missing():
    for document in ["README.md", "CONTRIBUTING.md", "docs/inspection.md", *DOCUMENTS]:
        text = (ROOT / document).read_text("utf-8")
        for name in re.findall(r"`((?:docs|examples|benchmarks|tests)/[\w./-]+)`", text):
            assert (ROOT / name.rstrip("/")).exists(), f"{document} names {name}"


def test_the_file_tree_of_the_readme_is_that_of_the_source():
    text = (ROOT / "README.md").read_text("utf-8")
    tree = text[text.index("    src/headstart/") :]
    named = set(re.findall(r"^ {6,10}(\w+\.py) ", tree, re.MULTILINE))
    there = {path.name for path in (ROOT / "src" / "headstart").rglob("*.py")} - {"__init__.py", "__main__.py"}
    assert named == there
