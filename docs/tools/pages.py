"""Repository -> pages of the site that are not files in docs/. MkDocs calls the functions `on_...`.

README.md, CHANGELOG.md and CONTRIBUTING.md become pages as they stand. The reference is generated from `__all__`, the
docstrings and the help of the command line, so it needs no edit when a module moves or an option changes.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from typer.main import get_command
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
ROOT_PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
FILE_TREE = re.compile(r"^## The file tree\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)  # for contributors: moved there
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?\)")
NOTE = re.compile(r"(.*?)(?:\s*\[((?:default: |required|[x\d]).*)\])?", re.DOTALL)  # a help text, [default: 3; x>=1]
BAR = r"\|"  # in a table
PORTUGUESE = ".pt-BR.md"

REFERENCE = "reference/"
FUNCTIONS, CLASSES, EXCEPTIONS, TABLES = "functions", "classes", "exceptions", "tables"
NAMESPACES = ("commands",)  # public modules, with an __all__ of their own
INTRODUCTIONS = {
    FUNCTIONS: "# Python functions\n\nData is positional, settings are keyword-only. An error of the user's "
    "raises one of the [exceptions](exceptions.md).\n",
    CLASSES: "# Python classes\n",
    EXCEPTIONS: "# Python exceptions\n\nThe message of each says what was found, what was expected and what to do.\n",
    TABLES: "# Backbones and recipes\n\nTwo dictionaries: from the name that `train(..., backbone=..., recipe=...)` "
    "takes to what it stands for.\n",
}


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for name, text in pages().items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(text: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links between files of the repository -> links between pages."""
    return with_links_of_the_site(text, page.file.src_uri)


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Tell screen readers, and the browser's hyphenation, which page is not English."""
    return f'<div lang="pt-BR">{html}</div>' if page.file.src_uri.endswith(PORTUGUESE) else html


def pages() -> dict[str, str]:
    """Path below docs/ -> Markdown, of each page that is generated."""
    texts = {page: (ROOT / name).read_text("utf-8") for name, page in ROOT_PAGES.items()}
    tree = FILE_TREE.search(texts["index.md"])
    if tree:
        texts["index.md"] = FILE_TREE.sub("", texts["index.md"])
        texts["contributing.md"] += "\n" + tree.group().replace("\n", " { data-search-exclude }\n", 1)
    return texts | {f"{REFERENCE}command-line.md": command_line()} | python_reference()


def with_links_of_the_site(text: str, page: str) -> str:
    """A link to a file that is no page of the site loses its target, and keeps its text."""
    sources = {page: name for name, page in ROOT_PAGES.items()}
    folder = posixpath.dirname(sources.get(page, f"docs/{page}"))

    def resolve(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, link["target"]))
        if target in ROOT_PAGES:
            target = ROOT_PAGES[target]
        elif target.startswith("docs/"):
            target = target.removeprefix("docs/")
        elif (ROOT / target).exists():
            return link["text"]
        else:
            return link[0]
        relative = posixpath.relpath(target, posixpath.dirname(page) or ".")
        return f"[{link['text']}]({relative}{link['anchor'] or ''})"

    return LINK.sub(resolve, text)


# The Python reference


def python_reference() -> dict[str, str]:
    """A page for each kind of public name; mkdocstrings replaces each `::: name` by its documentation."""
    package = griffe.load("headstart", search_paths=[ROOT / "src"], resolve_aliases=True)
    if not isinstance(package, griffe.Module):
        raise PluginError("src/headstart is no package.")
    texts = dict(INTRODUCTIONS)
    for name in map(str, package.exports or ()):
        if name not in NAMESPACES:
            kind, entry = documented(package, name)
            texts[kind] += entry
    for name in NAMESPACES:
        namespace = package.members.get(name)
        if isinstance(namespace, griffe.Module) and namespace.exports:
            described = namespace.docstring.value.partition("\n\n")[0] if namespace.docstring else ""
            texts[FUNCTIONS] += f"\n## headstart.{name} {{ #headstart.{name} }}\n\n{described}\n"
            texts[FUNCTIONS] += "".join(documented(namespace, str(member))[1] for member in namespace.exports)
    texts[TABLES] += f"\n## The backbones\n\n`headstart backbones` prints:\n\n```text\n{output_of('backbones')}```\n"
    return {f"{REFERENCE}{kind}.md": text for kind, text in texts.items()}


def documented(module: griffe.Module, name: str) -> tuple[str, str]:
    """The kind of a public name of `module`, and the Markdown that documents it."""
    public = f"{module.path}.{name}"
    place = module.imports.get(name, public)
    try:
        found = module.modules_collection[place]
        found = found.final_target if found.is_alias else found
        shadowed = module.members[name].is_module and not found.is_module  # `train` of a module train.py, to griffe
    except (KeyError, griffe.AliasResolutionError) as error:
        raise PluginError(f"{module.path}.__all__ names '{name}', which is not found in src: {error!r}") from error
    if found.is_class:
        kind = EXCEPTIONS if name.endswith("Error") else CLASSES
    else:
        kind = FUNCTIONS if found.is_function else TABLES
    if not shadowed:
        return kind, f"\n::: {public}\n"
    options = f"    options:\n      heading: {public}\n      toc_label: {name}\n"
    return kind, f'\n<a id="{public}"></a>\n\n::: {place}\n{options}'


# The command line


def command_line() -> str:
    """The help of every command: usage, arguments, options."""
    from headstart.cli import app

    commands = get_command(app).commands  # type: ignore[attr-defined]
    lines = [
        "# Command line\n",
        "This page is generated from the help texts: `headstart COMMAND --help` prints the same.",
        "Results go to standard output, everything else to standard error.",
        "The exit status is 0 when the work is done, 2 for a mistake of yours (one message says how to fix it), "
        "and 1 for anything else.\n",
    ]
    for name, command in commands.items():
        if not command.hidden:
            lines += documentation_of(name, command)
    return "\n".join(lines)


def documentation_of(name: str, command: Any) -> Iterator[str]:
    """What `--help` prints, as tables. `command` is a click command, or one of the copy of click within Typer."""
    context = command.make_context(f"headstart {name}", [], resilient_parsing=True)
    yield f"## headstart {name}\n"
    yield f"{as_text(command.help)}\n"
    yield f"```text\n{' '.join([context.info_name, *command.collect_usage_pieces(context)])}\n```\n"
    for kind in ("argument", "option"):
        parameters = [found for found in command.params if found.param_type_name == kind]
        records = [record for found in parameters if (record := found.get_help_record(context))]
        if records:
            yield f"| {kind} | meaning |\n|---|---|"
            for names, help in records:
                yield f"| {as_code(names)} | {as_text(help)} |"
            yield ""


def as_code(text: str) -> str:
    """An option, and what it takes, in one piece of code each: a line may break between them."""
    return " ".join(f"`{part}`" for part in text.replace("|", BAR).split(" ", maxsplit=1))


def as_text(help: str | None) -> str:
    """A help text -> a cell of a Markdown table, in which only backticks mean something, and [default: 3; x>=1]."""
    text, note = NOTE.fullmatch(" ".join((help or "").split())).groups()  # type: ignore[union-attr]  # matches any text
    parts = text.split("`")
    parts[::2] = [re.sub(r"([\\*_{}\[\]<>#|])", r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [f"`{part.replace('|', BAR)}`" for part in parts[1::2]]
    return " ".join(["".join(parts), *([as_note(note)] if note else [])])


def as_note(note: str) -> str:
    """`default: 3; x>=1` -> `*Default: 3; at least 1.*`, the value as code."""
    note = re.sub(r"([\d.]+)<=x<=([\d.]+)", r"from \1 to \2", note).replace("x>=", "at least ")
    note = re.sub(r"^default: ([^;]+)", r"default: `\1`", note)
    return f"*{note[0].upper()}{note[1:]}.*"


def output_of(*arguments: str) -> str:
    from headstart.cli import app

    found = CliRunner().invoke(app, list(arguments))
    if found.exit_code:
        raise PluginError(f"headstart {' '.join(arguments)} ended with status {found.exit_code}.")
    return found.output
