"""The documents are true: every bash and Python block of them runs, in order; so does the notebook.

And the site that is made of them is whole.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from typer.main import get_command

import headstart as hs
from headstart import cli
from headstart.training.recipes import RECIPES
from support.onnx_files import vision_transformer

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# document -> the folder of photos that its reader has
DOCUMENTS = {
    "README.md": {"photos/cats": 14, "photos/dogs": 14},
    "docs/quick-start.md": {"photos/cats": 14, "photos/dogs": 14},
    "docs/backbones.md": {"photos/cats": 14, "photos/dogs": 14},
    "docs/tutorial.pt-BR.md": {"fotos/cachorros": 24, "fotos/gatos": 24},
    "docs/mistakes.md": {"photos/cats": 20, "photos/dogs": 20},
    "docs/multi_label.md": {"photos/cats": 20, "photos/dogs": 20},
    "docs/soft_labels.md": {"photos/ok": 24, "photos/broken": 24},
    "docs/hierarchy.md": {"photos/birds/robin": 16, "photos/trash": 16, "photos/birds/wren": 16},
    "docs/deployment.md": {"photos/cats": 2, "photos/dogs": 2},
    "docs/scale.md": {"photos/cats": 14, "photos/dogs": 14},
    "docs/ecosystem.md": {"photos/cats": 14, "photos/dogs": 14},
    "docs/web.md": {"photos/cats": 2, "photos/dogs": 2},
}
DOCUMENTS_WITHOUT_BLOCKS = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/data.md",
    "docs/evaluation.md",
    "docs/inspection.md",
    "docs/performance.md",
    "docs/photos.md",
    "docs/studio.md",
]
NETWORKS = {"docs/backbones.md": "vit_small.onnx"}  # the network that its reader has
TRAINED = dict.fromkeys(("docs/deployment.md", "docs/web.md"), "runs/photos")  # the run that their reader has
IN_BUCKET = {"docs/scale.md": ("photos", "new")}  # where in a bucket its reader has these photos; and a cluster of Ray


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_runs(document, cells, run, tmp_path, monkeypatch, capsys, request):
    """As it stands, but for the recipes: one epoch instead of ten in each phase, on small images."""
    for name, recipe in RECIPES.items():
        size = 96 if name == "tutorial" else 32  # 96: a block asks for it, and finds the engine of a block before
        monkeypatch.setitem(RECIPES, name, replace(recipe.with_epochs(1), image_size=size))
    for number, (folder, count) in enumerate(DOCUMENTS[document].items()):
        (tmp_path / folder).mkdir(parents=True)
        some = cells[("functional", "defective")[number % 2]][number // 2 * count :]
        for index, path in enumerate(some[:count], start=1):
            shutil.copy(path, tmp_path / folder / f"{index}.jpg")
    if document in TRAINED:
        shutil.copytree(run.folder, tmp_path / TRAINED[document])
    if document in NETWORKS:
        vision_transformer(tmp_path / NETWORKS[document], side=32)
    if document in IN_BUCKET:
        store, _ = request.getfixturevalue("object_store"), request.getfixturevalue("cluster")
        for name in IN_BUCKET[document]:
            store.put_folder(tmp_path / "photos", name)
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
    assert {*DOCUMENTS, *DOCUMENTS_WITHOUT_BLOCKS} >= {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    for document in [*DOCUMENTS, *DOCUMENTS_WITHOUT_BLOCKS]:
        text = (ROOT / document).read_text("utf-8")
        for name in re.findall(r"`((?:docs|examples|benchmarks|tests)/[\w./-]+)`", text):
            assert (ROOT / name.rstrip("/")).exists(), f"{document} names {name}"
        for target in re.findall(r"\]\(([^):#\s]+)(?:#[^)\s]*)?\)", text):
            assert (ROOT / document).parent.joinpath(target).exists(), f"{document} links to {target}"


def test_the_file_tree_of_the_readme_is_that_of_the_source():
    text = (ROOT / "README.md").read_text("utf-8")
    tree = text[text.index("    src/headstart/") :]
    named = set(re.findall(r"^ {6,10}(\w+\.py) ", tree, re.MULTILINE))
    there = {path.name for path in (ROOT / "src" / "headstart").rglob("*.py")} - {"__init__.py", "__main__.py"}
    assert named == there


@pytest.mark.docs
def test_the_site_is_whole_and_needs_no_other_host(tmp_path):
    """Built as `make docs` builds it: a warning, such as of a link that leads nowhere, is an error."""
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path],
        cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    pages = {str(path.relative_to(tmp_path)): path.read_text("utf-8") for path in tmp_path.rglob("*.html")}
    for document in [*DOCUMENTS, *DOCUMENTS_WITHOUT_BLOCKS]:
        name = "index.html" if document == "README.md" else Path(document).with_suffix(".html").name
        assert (name if document.startswith("docs/") else name.lower()) in pages
    reference = "".join(text for name, text in pages.items() if name.startswith("reference/"))
    for name in hs.__all__:
        assert f'id="headstart.{name}"' in reference
    for command in get_command(cli.app).commands:  # pyright: ignore[reportAttributeAccessIssue]  # of a group
        assert f'id="headstart-{command}"' in reference
    for name, text in pages.items():
        for tag in re.findall(r"<(?:script|link|img|iframe|source|video)\b[^>]*>", text):
            assert not re.search(r"""(?:src|srcset|href)=["']?(?:https?:)?//""", tag), f"{name}: {tag}"
    styles = "".join(path.read_text("utf-8") for path in tmp_path.rglob("*.css"))
    assert not re.search(r"""url\(["']?(?:https?:)?//""", styles)
