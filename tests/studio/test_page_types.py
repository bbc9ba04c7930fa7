"""The types of the page: of its code, by the same check as `make check`; and that the server answers as they say."""

import ast
import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import headstart.errors
from headstart.data.views import VIEWS
from headstart.studio.problems import STATUSES
from support.npm import npm_package
from support.studio import StudioServer

ROOT = Path(__file__).parents[2]
TYPESCRIPT = "7.0.2"  # as in the Makefile

Check = Callable[..., str]


@pytest.fixture(scope="session")
def check(pytestconfig: pytest.Config) -> Check:
    """check(...) gives what the compiler has to say; "": nothing."""
    compiler = npm_package(pytestconfig, "typescript", TYPESCRIPT) / "bin" / "tsc"

    def run(*arguments: str | Path) -> str:
        command = [shutil.which("node") or "node", str(compiler), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
        assert done.returncode == 0 or done.stdout, done.stderr
        return done.stdout

    return run


def test_the_page_has_no_type_errors(check):
    assert check("-p", "jsconfig.json") == ""


def test_an_error_would_be_found(check, tmp_path):
    shutil.copytree(ROOT / "src/headstart/studio/page", tmp_path / "src/headstart/studio/page")
    shutil.copy(ROOT / "jsconfig.json", tmp_path)
    with (tmp_path / "src/headstart/studio/page/results.js").open("a") as file:
        file.write('\nexport const wrong = pValue("0.5");\n')
    assert "results.js" in check("-p", tmp_path / "jsconfig.json")


@pytest.mark.process
def test_the_server_answers_as_the_page_believes(check, tmp_path, studio: StudioServer):
    """Each answer is written down as a literal of the type that api.js has for it."""
    studio.wait_for(lambda answers: answers["accuracy"] and answers["final"], "/api/answers")
    details = studio.ask("/api/photos/details", ids=studio.ids()[:3])
    answers: dict[str, Any] = {
        "State": studio.ask("/api/state"),
        "Collection": studio.ask("/api/collection"),
        "Photo[]": details["photos"],
        "Queue": studio.wait_for(lambda queue: queue["left"] is not None, "/api/queue"),
        "Answers": studio.ask("/api/answers"),
        "Places": studio.ask("/api/places"),
        "Labels": studio.ask("/api/collection")["labels"],
        "Job[]": studio.ask("/api/jobs"),
    }
    page = (ROOT / "src/headstart/studio/page/api.js").as_posix()
    lines = []
    for number, (name, answer) in enumerate(answers.items()):
        kind, brackets = name.removesuffix("[]"), "[]" if name.endswith("[]") else ""
        literal = json.dumps(answer)
        lines.append(f"const answer{number}: import('{page}').{kind}{brackets} = {literal};")
    (tmp_path / "answers.ts").write_text("\n".join([*lines, "export {};"]), "utf-8")
    settings = json.loads((ROOT / "jsconfig.json").read_text())
    settings |= {"files": ["answers.ts"], "include": [], "exclude": []}
    settings["compilerOptions"] |= {"allowJs": True, "checkJs": False, "allowImportingTsExtensions": True}
    (tmp_path / "tsconfig.json").write_text(json.dumps(settings), "utf-8")
    assert check("-p", tmp_path / "tsconfig.json") == ""


def test_what_the_first_screen_imports_is_asked_for_at_once():
    """The links in index.html are those of the modules that app.js and the grid import."""
    page, found = ROOT / "src/headstart/studio/page", {Path("app.js"): None, Path("screens/photos.js"): None}
    for module in found.copy():
        _add_imports(page, module, found)
    links = re.findall(r'rel="modulepreload" href="([^"]+)"', (page / "index.html").read_text("utf-8"))
    assert links == sorted(each.as_posix() for each in found if each != Path("app.js"))


def _add_imports(page: Path, module: Path, found: dict[Path, None]) -> None:
    text = (page / module).read_text("utf-8")
    for name in re.findall(r'(?:^|[\n;])\s*(?:import|export)\b[^;"]*?"(\.[^"]+)"', text):
        imported = (page / module).parent.joinpath(name).resolve().relative_to(page)
        if imported not in found:
            found[imported] = None
            _add_imports(page, imported, found)


def test_colours_stand_in_one_place():
    """Reports, the page of the service and the studio have the same: only print has its own."""
    source = ROOT / "src/headstart"
    names = re.findall(r"(--[\w-]+):", (source / "pages/tokens.css").read_text("utf-8"))
    assert "--accent" in names
    for file in source.rglob("*.css"):
        text = file.read_text("utf-8").partition("@media print")[0]
        own = set(re.findall(r"(?:[{;]|^)\s*(--[\w-]+):", text, re.MULTILINE))
        assert file.name == "tokens.css" or own.isdisjoint(names), file


def words_of(language: str) -> set[str]:
    """The keys of a language's words."""
    text = (ROOT / f"src/headstart/studio/page/strings/{language}.js").read_text("utf-8")
    return {quoted or bare for quoted, bare in re.findall(r'(?:"([^"]+)"|\b([a-z]\w*)): (?="|{ )', text)}


def told_in_code() -> Iterator[tuple[str, str]]:
    """Of each error and message that has a code for pages: the prefix of its words, and the code."""
    for file in (ROOT / "src/headstart").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            given = [each.value for each in node.args if isinstance(each, ast.Constant)]
            reasons = [each.value for each in node.keywords if each.arg == "reason"]
            if node.func.id in ("Message", "Against") and len(node.args) > 1 and given:
                yield "says", str(given[-1])
            elif node.func.id.endswith("Error") and reasons and isinstance(reasons[0], ast.Constant):
                yield "problem", str(reasons[0].value)
                if node.func.id == "RefusalError":
                    yield "problem", str(given[0])


@pytest.mark.parametrize("language", ["en", "pt"])
def test_whatever_the_page_is_told_has_words(language):
    """Errors by their reason, their HTTP code or their type; messages of commands by their code."""
    words, expected = words_of(language), {f"{prefix}.{code}" for prefix, code in told_in_code()}
    assert {"problem.class-of-one", "says.views", "says.no-fine-tuning-easy", "problem.busy"} <= expected
    types = {name for name, kind in vars(headstart.errors).items() if isinstance(kind, type)}
    expected |= {f"error.{name}" for name in types} | {f"problem.{code}" for code in STATUSES}
    expected |= {
        "problem.killed",
        "problem.needs-keras",
        "problem.needs-export",
        "problem.analysis-failed",
        "add.reason.there-already",
    }
    expected |= {f"views.{name.replace('_', ' ')}" for name in VIEWS}
    assert expected - words == set()
    of_errors = {word for word in words if word.partition(".")[0] in ("problem", "error", "says", "views")}
    assert of_errors - expected == set(), "nobody says this"


def test_the_page_is_small():
    """What a browser loads, compressed as a server would: less than 300 kB in all."""
    page = ROOT / "src/headstart/studio/page"
    loaded = [file for file in page.rglob("*") if file.suffix in (".html", ".js", ".css", ".svg")]
    fonts = sum(file.stat().st_size for file in page.rglob("*.woff2"))  # compressed as they are
    assert sum(len(gzip.compress(file.read_bytes())) for file in loaded) + fonts < 300_000
