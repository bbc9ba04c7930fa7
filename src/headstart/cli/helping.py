"""Help as plain text in groups: the usual options first. Typer's own need Rich, which takes too long to import."""

from typing import Any

import typer
from typer import Option
from typer.core import TyperCommand, TyperGroup

USUAL, DATA, EXPERT, OUTPUT = "Options", "Data options", "Expert options", "Output and help"
LIMITS = "Limits"
GROUPS = ("Arguments", USUAL, DATA, LIMITS, EXPERT, OUTPUT)  # in this order


def usual(*flags: str, **settings: Any) -> Any:
    return Option(*flags, rich_help_panel=USUAL, **settings)


def about_data(*flags: str, **settings: Any) -> Any:
    return Option(*flags, rich_help_panel=DATA, **settings)


def for_experts(*flags: str, **settings: Any) -> Any:
    return Option(*flags, rich_help_panel=EXPERT, **settings)


def limit(**settings: Any) -> Any:
    return Option(metavar="N", rich_help_panel=LIMITS, **settings)


def new_path(metavar: str, help: str) -> Any:
    return usual(metavar=metavar, help=help)


class Command(TyperCommand):
    """A command whose options are listed in groups."""

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        write_groups(self, ctx, formatter)


class Group(TyperGroup):
    """The program: its commands with their whole summaries, then its options."""

    def get_params(self, ctx: typer.Context) -> list[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        found = super().get_params(ctx)  # pyright: ignore[reportArgumentType]
        for parameter in found:
            if getattr(parameter, "is_flag", False) and parameter.default is None:
                parameter.default = False  # with None, Typer imports pydantic to check it, also for help: 0.1 s
        return found

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary(command)) for name, command in self.commands.items()])
        write_groups(self, ctx, formatter)


def summary(command: Any) -> str:
    """The first sentence of a command's help."""
    first = (command.help or "").strip().partition("\n\n")[0].replace("\n", " ")
    return first.partition(". ")[0].rstrip(".") + "."


def write_groups(command: Any, context: typer.Context, formatter: Any) -> None:
    """The arguments and options of a command, in the order of GROUPS; those without a group are in the last one."""
    groups: dict[str, list[tuple[str, str]]] = {name: [] for name in GROUPS}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            is_argument = parameter.param_type_name == "argument"
            group = "Arguments" if is_argument else getattr(parameter, "rich_help_panel", None) or OUTPUT
            groups[group].append(record)
    for name, records in groups.items():
        if records:
            with formatter.section(name):
                formatter.write_dl(records)
