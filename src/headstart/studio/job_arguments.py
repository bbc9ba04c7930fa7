"""What a job is to do, as the page says it -> the arguments of the command line that does it. Knows no processes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from headstart.data.source import DataSource
from headstart.errors import RunError
from headstart.runs.partial import partial_of
from headstart.studio.problems import RefusalError
from headstart.studio.runs import Runs

TRAIN, EXPORT, INSPECT, PREDICT, SERVE = "train", "export", "inspect", "predict", "serve"
LABELS, DIFF = "labels", "diff"
# Settings of a training -> options of `headstart train`
OPTIONS = {
    "recipe": "--recipe", "backbone": "--backbone", "image_size": "--image-size", "resizing": "--resize",
    "views": "--views", "fine_tune": "--fine-tune", "seed": "--seed", "test_fraction": "--test-fraction",
    "epochs": "--epochs", "precision": "--precision", "device": "--device", "value_range": "--value-range",
    "images": "--images",
}  # fmt: skip
SUFFIXES = {"onnx": ".onnx", "litert": ".tflite", "openvino": "-openvino", "saved-model": "-saved-model", "web": "-web"}


@dataclass(frozen=True)
class Work:
    """arguments: of `python -m headstart`. has_events: whether the command writes events. at_once: whether it need not
    wait for other jobs. result: what is known of it beforehand."""

    arguments: list[str]
    result: dict[str, Any]
    has_events: bool = True
    at_once: bool = False


def work_of(kind: str, settings: Mapping[str, Any], source: DataSource, runs: Runs) -> Work:
    """
    Raises:
        RefusalError: a setting is not known, or missing, or of the wrong type.
    """
    makers: dict[str, Callable[[Mapping[str, Any], DataSource, Runs], Work]] = {
        TRAIN: _train, EXPORT: _export, INSPECT: _inspect, PREDICT: _predict, SERVE: _serve,
        LABELS: _labels, DIFF: _diff,
    }  # fmt: skip
    if kind not in makers:
        raise RefusalError("invalid-parameter", f"There is no kind of job '{kind}': {', '.join(makers)}.")
    return makers[kind](settings, source, runs)


def _train(settings: Mapping[str, Any], source: DataSource, runs: Runs) -> Work:
    _check(settings, {*OPTIONS, "name", "time_limit", "balanced", "group_by", "recall"})
    out = runs.new(settings.get("name") or _free(runs.folder, "run-{}"))
    if out.exists() or partial_of(out).exists():
        raise RunError(f"There is a run '{out.name}' already. Choose another name.", reason="run-exists", name=out.name)
    arguments = ["train", *_data(source), f"--out={out}"]
    for name, option in OPTIONS.items():
        if settings.get(name) is not None:
            arguments.append(f"{option}={_plain(name, settings[name])}")
    if settings.get("time_limit") is not None:
        arguments.append(f"--time-limit={_plain('time_limit', settings['time_limit'])}")
    if settings.get("balanced"):
        arguments.append("--balanced")
    arguments += [f"--recall={promise}" for promise in _recall(settings.get("recall") or [])]
    if group_by := settings.get("group_by"):
        arguments.append(f"--group-by={group_by}")
    return Work(arguments, {"run": out.name, "path": str(out)})


def _recall(promises: Any) -> list[str]:
    """CLASS=SHARE of each."""
    if not isinstance(promises, list) or not all(isinstance(each, str) and "=" in each for each in promises):
        raise RefusalError("invalid-parameter", f"recall: {promises!r} is no list of CLASS=SHARE.")
    return promises


def _export(settings: Mapping[str, Any], source: DataSource, runs: Runs) -> Work:
    _check(settings, {"run", "format", "quantize", "pixels", "fixed_size", "out"})
    run, form = runs.get(settings.get("run")), settings.get("format")
    if form not in SUFFIXES:
        raise RefusalError("invalid-parameter", f"There is no format '{form}': {', '.join(SUFFIXES)}.")
    quantize = settings.get("quantize")
    stem = f"{run.name}-{_plain('quantize', quantize)}" if quantize else run.name
    folder = Path(settings["out"]) if settings.get("out") else runs.folder / "exports"
    out = folder / _free(folder, f"{stem}-{{}}{SUFFIXES[form]}")
    arguments = ["export", str(run), f"--format={form}", f"--out={out}"]
    for name in ("quantize", "pixels"):
        if settings.get(name) is not None:
            arguments.append(f"--{name}={_plain(name, settings[name])}")
    if settings.get("fixed_size"):
        arguments.append("--fixed-size")
    return Work(arguments, {"run": run.name, "path": str(out)})


def _inspect(settings: Mapping[str, Any], source: DataSource, runs: Runs) -> Work:
    _check(settings, set())
    out = runs.folder / _free(runs.folder, "inspection-{}")
    return Work(["inspect", *_data(source), f"--out={out}"], {"path": str(out)})


def _predict(settings: Mapping[str, Any], source: DataSource, runs: Runs) -> Work:
    _check(settings, {"run", "folder", "out"})
    run, folder = runs.get(settings.get("run")), settings.get("folder")
    if not isinstance(folder, str) or not Path(folder).is_absolute():
        raise RefusalError("invalid-parameter", "Say the folder of the photos, by its whole path.")
    out = Path(settings["out"]) if settings.get("out") else runs.folder / _free(runs.folder, "predictions-{}.csv")
    return Work(["predict", str(run), folder, f"--out={out}"], {"run": run.name, "path": str(out)})


def _serve(settings: Mapping[str, Any], source: DataSource, runs: Runs) -> Work:
    _check(settings, {"run", "port"})
    run = runs.get(settings.get("run"))
    port = _plain("port", settings.get("port") or 0)
    return Work(["serve", str(run), f"--port={port}"], {"run": run.name, "path": str(run)}, False, True)


def _labels(settings: Mapping[str, Any], source: DataSource, runs: Runs) -> Work:
    _check(settings, {"to", "form"})
    to = settings.get("to")
    if not isinstance(to, str) or not Path(to).is_absolute():
        raise RefusalError("invalid-parameter", "Say where to export, by its whole path.")
    form = _plain("form", settings.get("form", "csv"))
    return Work(["labels", *_data(source), f"--export={to}", f"--form={form}"], {"path": to}, at_once=True)


def _diff(settings: Mapping[str, Any], source: DataSource, runs: Runs) -> Work:
    """before, after: states of the labels, see `commands.diff`."""
    _check(settings, {"before", "after"})
    arguments = ["diff", *_data(source)]
    for name, option in (("before", "--from"), ("after", "--to")):
        if settings.get(name):
            arguments.append(f"{option}={_plain(name, settings[name])}")
    return Work(arguments, {})


def _data(source: DataSource) -> list[str]:
    """The collection, and how it is read."""
    said = {name: value for name, value in source.settings().items() if isinstance(value, (str, int))}
    options = {f"--{name.replace('_', '-')}": value for name, value in said.items()}
    return [str(source.path), *(name if value is True else f"{name}={value}" for name, value in options.items())]


def _check(settings: Mapping[str, Any], known: set[str]) -> None:
    unknown = set(settings) - known
    if unknown:
        raise RefusalError("invalid-parameter", f"Settings that are not known: {', '.join(sorted(unknown))}.")


def _plain(name: str, value: Any) -> str:
    """A number or a word, as text."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (str, int, float))
        or not re.fullmatch(r"[\w.:+-]+", str(value))
    ):
        raise RefusalError("invalid-parameter", f"{name}: {value!r} is neither a number nor a word.")
    return str(value)


def _free(folder: Path, pattern: str) -> str:
    """The first name of a pattern, numbered from 1, that is not taken."""
    names = (pattern.format(number) for number in count(1))
    return next(name for name in names if not ((folder / name).exists() or partial_of(folder / name).exists()))
