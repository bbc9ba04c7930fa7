"""What all commands share: --json, --events, --verbose, errors as one message and an exit status, quiet libraries."""

import functools
import gc
import inspect
import math
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol, TextIO, cast, get_args, runtime_checkable

import typer

from headstart import standard_streams
from headstart.cli.choices import choices_in
from headstart.cli.helping import OUTPUT, USUAL, Command, Group
from headstart.cli.source_options import SOURCE
from headstart.data.source import DataSource
from headstart.errors import DatasetError, HeadstartError, RunError, RunInterruptedError
from headstart.events import Advanced, Event, Listener
from headstart.json_text import json_text
from headstart.listeners.json_lines import JsonLines
from headstart.listeners.several import Several
from headstart.standard_streams import Forgiving, Output, OutputError

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Rich takes too long to import
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From a folder of labelled photos to a trustworthy image classifier.",
)

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output.", rich_help_panel=OUTPUT)
]
Events = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write what happens into this new file, as JSON lines.", rich_help_panel=OUTPUT),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", help="Show the messages of the libraries too.", rich_help_panel=OUTPUT)
]


@runtime_checkable
class Result(Protocol):
    """What a command gives, with `str` as its text."""

    def to_json(self) -> dict: ...


class LazyConsole:
    """A listener that is made, and Rich imported, with the first event that it is to hear.

    least_steps: tasks with fewer steps are not worth a bar.
    """

    def __init__(self, make: Callable[[], Listener], least_steps: float = 0) -> None:
        self._make, self._least_steps = functools.cache(make), least_steps

    def emit(self, event: Event) -> None:
        if not isinstance(event, Advanced) or event.total >= self._least_steps:
            self._make().emit(event)

    def cancelled(self) -> bool:
        return False

    def with_bars_from(self, steps: float) -> "LazyConsole":
        return LazyConsole(self._make, steps)


@dataclass(frozen=True)
class Call:
    """A call of a command. events: who hears what happens, besides the terminal."""

    as_json: bool
    console: LazyConsole
    events: Listener | None

    @property
    def listener(self) -> Listener:
        return Several(self.console, self.events) if self.events else self.console

    def with_bars_from(self, steps: float) -> Listener:
        """The listener, with no bar for a task of fewer steps; of infinitely many: no bars."""
        return Call(self.as_json, self.console.with_bars_from(steps), self.events).listener

    def show(self, result: Result) -> None:
        """Print a result on standard output."""
        if self.as_json:
            self.show_json(result)
        else:
            typer.echo(str(result))

    def show_json(self, result: Result) -> None:
        """Print a result if JSON is wanted; else it was told already."""
        if self.as_json:
            print_json(result.to_json())


NO_BARS = math.inf
FOLDER_IS_GONE = (
    "The working folder no longer exists: it was removed or renamed. Change into one that does, and try again."
)


def terminal() -> Listener:
    from headstart.listeners.console import Console

    return Console()


def command(
    *, reports: bool = False, reads: bool = False, console: Callable[[], Listener] = terminal
) -> Callable[[Callable], Callable]:
    """A decorator: a function of a Call and options becomes a command of the app, with the options that all share.

    reports: whether it has --events. reads: whether its `data` is a collection, so that it has the options of how to
    read that, and gets a DataSource. console: makes who tells the user what happens.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]  # without the Call
        checks = choices_in({each.name: each.annotation for each in own})

        @functools.wraps(function)
        def run(
            context: typer.Context, as_json: bool, verbose: bool, events: Path | None = None, **given: Any
        ) -> None:  # fmt: skip
            verbose = verbose or bool(context.find_root().params.get("verbose"))
            os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0" if verbose else "3"
            with _one_message(as_json), nullcontext() if verbose else _quiet_libraries():
                for name, check in checks.items():
                    given[name] = None if given[name] is None else check(given[name])
                if reads:
                    given["data"] = _source(given["data"], {name: given.pop(name) for name in SOURCE})
                with _events(events) as listener:
                    function(Call(as_json, LazyConsole(console), listener), **given)

        parameters = [_parameter("context", typer.Context, inspect.Parameter.empty), *own, *_shared(reports, reads)]
        run.__signature__ = inspect.Signature(  # pyright: ignore[reportAttributeAccessIssue]
            [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        )
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        app.command(cls=Command)(run)
        return function

    return register


def _source(data: Path | None, settings: dict[str, Any]) -> DataSource | None:
    """
    Raises:
        DatasetError: it is said how to read a collection, but none is given.
    """
    corrections, none_wanted = settings.pop("corrections"), settings.pop("no_corrections")
    if corrections and none_wanted:
        raise DatasetError("--corrections FILE and --no-corrections were both given. Leave out one of them.")
    settings["corrections"] = corrections or not none_wanted
    if data is None and DataSource("", **settings).settings():
        options = ", ".join("--" + name.replace("_", "-") for name in SOURCE)
        raise DatasetError(f"The options {options} say how DATA is read: give DATA, or leave them out.")
    return None if data is None else DataSource(data, **settings)


def _shared(reports: bool, reads: bool) -> list[inspect.Parameter]:
    of_data = [_parameter(name, kind, False if get_args(kind)[0] is bool else None) for name, kind in SOURCE.items()]
    events = [_parameter("events", Events, None)] if reports else []
    return [
        *(of_data if reads else ()),
        _parameter("as_json", Json, False),
        *events,
        _parameter("verbose", Verbose, False),
    ]


def _parameter(name: str, annotation: object, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


@app.callback(invoke_without_command=True)
def program(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", rich_help_panel=USUAL)
    ] = False,
    verbose: Verbose = False,
) -> None:
    if version:
        import headstart

        typer.echo(f"headstart {headstart.__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """The entry point: run a command."""
    standard_streams.prepare()
    output = Output(sys.stdout)
    try:
        with redirect_stdout(cast(TextIO, output)), redirect_stderr(cast(TextIO, Forgiving(sys.stderr))):
            sys.exit(_status(output))
    finally:
        gc.freeze()  # or Python looks through all objects once more before it ends: 0.4 s, 0.9 after a training


def _status(output: Output) -> str | int | None:
    """Run the command. Where standard output cannot be written, one message says so; none if its reader has left."""
    try:
        try:
            app(prog_name="headstart")  # also for `python -m headstart`
        except SystemExit as stopped:
            output.flush()
            return 1 if stopped.code == 130 else stopped.code  # 130 is Typer's for Ctrl-C
    except BrokenPipeError:
        output.discard()
        return 1
    except OutputError as error:
        output.discard()
        typer.echo(str(error), err=True)
        return 2


def print_json(document: dict) -> None:
    with standard_streams.output_in_utf8():
        print(json_text(document))


@contextmanager
def _one_message(as_json: bool) -> Iterator[None]:
    """What the user can mend becomes one message and an exit status."""
    try:
        yield
    except (HeadstartError, OSError) as error:
        gone = not _has_working_folder()
        if isinstance(error, OSError) and not gone:
            raise
        message = " ".join([str(error)] * isinstance(error, HeadstartError) + [FOLDER_IS_GONE] * gone)
        if as_json:
            told = error.told() if isinstance(error, HeadstartError) else {"type": type(error).__name__}
            print_json({"error": told | {"message": message}})
        typer.echo(message, err=True)
        raise typer.Exit(1 if isinstance(error, RunInterruptedError) else 2) from None


def _has_working_folder() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - a path of it is not wanted
    except OSError:
        return False
    return True


@contextmanager
def _events(file: Path | None) -> Iterator[Listener | None]:
    """Who writes the events into a file.

    Raises:
        RunError: it exists, or cannot be written.
    """
    if file is None:
        yield None
        return
    try:
        stream = file.open("x", encoding="utf-8")
    except FileExistsError:
        raise RunError(f"'{file}' exists already. Choose another file for --events, or remove it first.") from None
    except OSError as error:
        raise RunError(
            f"'{file}' cannot be written: {error.strerror or error}. Choose another file for --events."
        ) from None
    with stream:
        yield JsonLines(stream)


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Only Python writes to standard error here: not TensorFlow, nor the JPEG decoder for each odd file.

    Such libraries write to file descriptor 2, past Python; meanwhile it leads nowhere. Warnings are not shown either.
    """
    sys.stderr.flush()
    outside, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    stream = open(outside, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")  # noqa: SIM115
    try:
        with redirect_stderr(cast(TextIO, Forgiving(stream))), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(outside, 2)
        with suppress(OSError):  # the rest of what could not be written
            stream.close()
