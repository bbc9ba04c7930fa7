"""What an option can be: the names, for its help, its check, and the shell's completion. Imports nothing heavy.

The names are those of tables elsewhere, which would take long to import here; a test compares them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import typer

from headstart.errors import DatasetError, ExportError, HeadstartError, ModelError


@dataclass(frozen=True)
class OneOf:
    """The values that an option takes.

    what: the word for a value, such as "recipe". error: its type, for --json. old: former names -> names.
    """

    names: tuple[str, ...]
    what: str
    error: type[HeadstartError] = ModelError
    old: Mapping[str, str] = field(default_factory=dict)

    @property
    def metavar(self) -> str:
        return f"[{'|'.join(self.names)}]"

    def check(self, value: str) -> str:
        """The value by its present name.

        Raises:
            HeadstartError: it is none of these.
        """
        if value in self.old:
            typer.echo(
                f"'{value}' is now called '{self.old[value]}'; the old name will be removed in the next release.",
                err=True,
            )
            return self.old[value]
        if value not in self.names:
            raise self.error(f"There is no {self.what} '{value}'. Choose one of: {', '.join(self.names)}.")
        return value

    def complete(self, incomplete: str) -> list[str]:
        return [name for name in self.names if name.startswith(incomplete)]


RECIPE = OneOf(("fast", "tutorial"), "recipe")
RESIZE = OneOf(("stretch", "crop", "pad", "resize-crop", "auto"), "resizing")
FINE_TUNE = OneOf(("auto", "always", "never"), "fine-tuning")
EXECUTION = OneOf(("cached", "end_to_end"), "execution", old={"split": "cached", "whole": "end_to_end"})
PRECISION = OneOf(("auto", "float32", "bfloat16"), "precision")
DEVICE = OneOf(("auto", "gpu"), "device")
VIEWS = OneOf(("auto", "original", "mirrored", "all"), "choice of views")
SAMPLE = OneOf(("cats-and-dogs", "solar-cells"), "sample collection", DatasetError)
SPLIT = OneOf(("train", "validation", "test", "all"), "split", DatasetError)
PREDICTION_FORMAT = OneOf(("text", "csv", "jsonl", "json"), "format")
LABEL_FORM = OneOf(("csv", "links", "copies"), "form", DatasetError)
EXPORT_FORMAT = OneOf(("onnx", "litert", "openvino", "saved-model", "web"), "format", ExportError)
QUANTIZE = OneOf(("float16", "int8"), "quantization", ExportError)
LANGUAGE = OneOf(("en", "pt"), "language")
PIXELS = OneOf(("uint8", "float32"), "kind of pixels", ExportError)


def option(*flags: str, choice: OneOf, help: str, group: str | None = None) -> Any:
    """A `typer.Option` that takes one of these names; `choice` has to stand in its `Annotated` too."""
    return typer.Option(
        *flags, metavar=choice.metavar, help=help, autocompletion=choice.complete, rich_help_panel=group
    )


def backbones(incomplete: str) -> list[str]:
    """Names of backbones, for the shell's completion; of several side by side, of the last one."""
    from headstart.models.backbones import BACKBONES, SIDE_BY_SIDE

    before, separator, last = incomplete.rpartition(SIDE_BY_SIDE)
    return [before + separator + name for name in BACKBONES if name.startswith(last)]


def choices_in(annotations: Mapping[str, Any]) -> dict[str, Callable[[str], str]]:
    """Parameter -> the check of its value, for those whose `Annotated` has a OneOf."""
    found = {}
    for name, annotation in annotations.items():
        for each in getattr(annotation, "__metadata__", ()):
            if isinstance(each, OneOf):
                found[name] = each.check
    return found
