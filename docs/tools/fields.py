"""What headstart's docstrings say in their own way -> what mkdocstrings shows. Changes no source.

A field is described by a comment on its line (`label: str  # the most probable class`), or by an entry in the docstring
of its class (`label: the most probable class`): the class gets one list of them. One entry may describe several
parameters (`weights, seed: as for train`): each gets its own.
"""

import re

import griffe

COMMENT = re.compile(r"""^(?:[^#"']|"[^"]*"|'[^']*')*#\s*(?P<text>.+)$""")  # no '#' of a string
ENTRY = re.compile(r"^(?P<name>[a-z_]\w*): (?P<text>.*)$")
SHARED = re.compile(r"^(?P<indent> +)(?P<names>\w+(?:, \w+)+): (?P<text>.*)$")
FOR_TOOLS = ("type:", "noqa", "pyright:", "fmt:")


class Fields(griffe.Extension):
    def on_function(self, *, func: griffe.Function, **_: object) -> None:
        if func.docstring:
            func.docstring.value = "\n".join(_separated(func.docstring.value.splitlines(), func.parameters))

    def on_package(self, *, pkg: griffe.Module, **_: object) -> None:
        """After griffe's own `dataclasses`, which makes the signatures from the fields."""
        _list_fields(pkg)


def _list_fields(module: griffe.Module | griffe.Class) -> None:
    for member in list(module.members.values()):
        if isinstance(member, griffe.Class):
            _list_fields_of(member)
        if isinstance(member, (griffe.Module, griffe.Class)):
            _list_fields(member)


def _list_fields_of(cls: griffe.Class) -> None:
    fields = {
        name: member
        for name, member in cls.members.items()
        if isinstance(member, griffe.Attribute) and "property" not in member.labels and member.annotation
    }
    entries = _cut_out(cls.docstring, fields) if cls.docstring else {}
    lines = []
    for name, field in fields.items():
        text = entries.get(name) or (field.docstring.value if field.docstring else _comment(field))
        if not name.startswith("_"):
            lines.append(f"    {name} ({field.annotation}): {' '.join(text.split()) if text else ''}")
        del cls.members[name]
    if lines:
        docstring = cls.docstring or griffe.Docstring("", parent=cls)
        docstring.value = "\n".join([docstring.value, "", "Attributes:", *lines]).strip()
        cls.docstring = docstring


def _cut_out(docstring: griffe.Docstring, fields: dict[str, griffe.Attribute]) -> dict[str, str]:
    """Field -> its entry, which the docstring loses."""
    kept: list[str] = []
    entries: dict[str, str] = {}
    current = None
    for line in docstring.value.splitlines():
        entry = ENTRY.match(line)
        if entry and entry["name"] in fields:
            current = entry["name"]
            entries[current] = entry["text"]
        elif current and line.startswith("    "):
            entries[current] += " " + line.strip()
        else:
            current = None
            kept.append(line)
    docstring.value = "\n".join(kept).strip()
    return entries


def _comment(field: griffe.Attribute) -> str | None:
    file = field.filepath
    if isinstance(file, list) or field.lineno is None or field.lineno != field.endlineno:
        return None
    found = COMMENT.match(field.lines_collection[file][field.lineno - 1])
    return found["text"].strip() if found and not found["text"].startswith(FOR_TOOLS) else None


def _separated(lines: list[str], parameters: griffe.Parameters) -> list[str]:
    """The same lines, an entry of several parameters repeated for each of them."""
    separated: list[str] = []
    for number, line in enumerate(lines):
        entry = SHARED.match(line)
        names = entry["names"].split(", ") if entry else []
        if not entry or not all(name in parameters for name in names):
            separated.append(line)
            continue
        rest = _continuation(lines[number + 1 :], len(entry["indent"]))
        for name in names[:-1]:
            separated += [f"{entry['indent']}{name}: {entry['text']}", *rest]
        separated.append(f"{entry['indent']}{names[-1]}: {entry['text']}")  # its continuation follows anyway
    return separated


def _continuation(lines: list[str], indent: int) -> list[str]:
    end = next((i for i, line in enumerate(lines) if len(line) - len(line.lstrip()) <= indent), len(lines))
    return lines[:end]
