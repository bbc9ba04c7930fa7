"""The commands, in the order of their use: each parses its options, calls the function of its name, and prints."""

import os
import signal
import sys
from pathlib import Path

import typer

from headstart import commands
from headstart.cli import options as o
from headstart.cli.running import NO_BARS, Call, app, command, print_json
from headstart.cli.stakes_options import Cost, LabelPrecision, Ordinal, Recall, read_ordinal, read_promises
from headstart.commands.predict_parts import Answered
from headstart.events import Listener
from headstart.time_limit import TIME_IS_UP, TimeLimit, parse_duration

__all__ = ["app"]

BARS_FROM = 20  # photos to be answered: with fewer, a bar is not worth its import


def storyteller() -> Listener:
    from headstart.commands.storytelling import Storyteller

    return Storyteller()


@command(reports=True, console=storyteller)
def demo(
    call: Call,
    data: o.Sample = None,
    out: o.DemoOut = Path("runs/demo"),
    recipe: o.RecipeName = "fast",
    seed: o.Seed = 0,
    resume: o.Resume = False,
    images: o.Images = None,
    epochs: o.Epochs = None,
) -> None:
    """Tell the tutorial's story, on photos that it gets itself."""
    given = {"data": data, "recipe": recipe, "epochs": epochs, "images": images, "seed": seed, "resume": resume}
    call.show_json(commands.demo(out, listener=call.listener, **given))


@command(reports=True, reads=True)
def inspect(
    call: Call,
    data: o.DataPath,
    out: o.FindingsOut = None,
    backbone: o.Backbone = None,
    image_size: o.ImageSize = None,
    seed: o.Seed = 0,
    weights: o.Weights = None,
    value_range: o.ValueRange = None,
    device: o.Device = "auto",
    on: o.On = None,
    store: o.Store = None,
) -> None:
    """Find copies, leaks, doubtful labels and odd files. Changes none of your files."""
    given = {"backbone": backbone, "image_size": image_size, "weights": weights or "pretrained", "seed": seed}
    given |= {"value_range": value_range, "device": device, "on": on, "store": store}
    call.show(commands.inspect(data, out=out, listener=call.listener, **given))


@command(reports=True, reads=True)
def train(
    call: Call,
    data: o.DataPath,
    out: o.TrainOut,
    recipe: o.RecipeName = "fast",
    backbone: o.Backbone = None,
    at_least: o.AtLeast = None,
    image_size: o.ImageSize = None,
    fine_tune: o.FineTune = "auto",
    seed: o.Seed = 0,
    resume: o.Resume = False,
    resize: o.Resize = "stretch",
    value_range: o.ValueRange = None,
    test_fraction: o.TestFraction = None,
    balanced: o.Balanced = False,
    images: o.Images = None,
    views: o.Views = "auto",
    epochs: o.Epochs = None,
    weights: o.Weights = None,
    precision: o.Precision = "float32",
    execution: o.Execution = "cached",
    time_limit: o.TimeLimit = None,
    device: o.Device = "auto",
    on: o.On = None,
    store: o.Store = None,
    cost: Cost = None,
    recall: Recall = None,
    ordinal: Ordinal = None,
    label_precision: LabelPrecision = None,
) -> None:
    """Train a classifier on labelled photos. Everything about it is left in a folder."""
    given = {"device": device, "on": on, "store": store, "seed": seed, "images": images, "resume": resume}
    given |= {"precision": precision, "execution": execution, "views": views, "test_fraction": test_fraction}
    given |= {"backbone": backbone, "at_least": at_least, "image_size": image_size}
    given |= {"cost": cost, "recall": read_promises(recall or ()), "ordinal": read_ordinal(ordinal)}
    run = commands.train(
        data,
        out,
        recipe=recipe,
        fine_tune=fine_tune,
        epochs=epochs,
        balanced=balanced,
        resizing=resize,
        value_range=value_range,
        weights=weights or "pretrained",
        **given,
        label_precision=read_promises(label_precision or (), "--label-precision"),
        time_limit=_time_limit(time_limit),
        listener=call.listener,
    )
    call.show_json(run)


def _time_limit(text: str | None) -> TimeLimit:
    """It is also up when the process gets a signal."""
    limit = TimeLimit.of(parse_duration(text) if text else None)
    signal.signal(TIME_IS_UP, lambda number, frame: limit.end())
    return limit


@command(reports=True, reads=True)
def evaluate(
    call: Call, run: o.RunFolder, data: o.DataPath, split: o.SplitName = None, device: o.Device = "auto"
) -> None:
    """Measure a classifier on labelled photos."""
    call.show(commands.evaluate(run, data, split=split, device=device, listener=call.listener))


@command()
def compare(call: Call, first: o.First, second: o.Second) -> None:
    """Say which of two runs is better, if that can be told. By the held-out images that both have."""
    call.show(commands.compare(first, second))


@command(reports=True, reads=True)
def labels(
    call: Call,
    data: o.Collected,
    export: o.ExportedLabels = None,
    form: o.LabelForm = "csv",
    table: o.ImportedLabels = None,
    undo: o.Undo = False,
    redo: o.Redo = False,
) -> None:
    """Show the labels that you corrected, export or import them. Your photos are never changed."""
    given = {"export": export, "form": form, "table": table, "undo": undo, "redo": redo}
    call.show(commands.labels(data, listener=call.listener, **given))


@command(reports=True, reads=True)
def diff(
    call: Call,
    data: o.DataOrRun,
    other: o.OtherRun = None,
    before: o.FromState = None,
    after: o.ToState = None,
    seed: o.Seed = 0,
    device: o.Device = "auto",
) -> None:
    """Say what corrected labels bring. Two states of the labels of DATA are compared, or two runs."""
    given = {"before": before, "after": after, "seed": seed, "device": device}
    call.show(commands.diff(data, other, listener=call.listener, **given))


@command(reports=True)
def predict(
    call: Call,
    run: o.RunFolder,
    images: o.Photos,
    top: o.Top = None,
    accuracy: o.Accuracy = None,
    coverage: o.Coverage = None,
    views: o.AverageViews = False,
    explain: o.Explain = None,
    form: o.PredictionFormat = None,
    out: o.AnswersOut = None,
    on: o.On = None,
    device: o.Device = "auto",
) -> None:
    """Say what is on photos: one, or any number of them."""
    if on or _is_for_parquet(out):
        if explain or form or not out:
            raise typer.BadParameter("Answers of a cluster, or in a folder, are Parquet: give --out FOLDER/ or a URL, "
                                     "and leave --explain and --format out.")  # fmt: skip
        given = {"accuracy": accuracy, "coverage": coverage, "views": views, "top": top, "on": on, "device": device}
        _show_parts(call, commands.predict_parts(run, images, out, listener=call.listener, **given))
        return
    if call.as_json and (out or form):
        raise typer.BadParameter("--json prints one document on standard output; leave it out where --out or --format "
                                 "say what is written (--out answers.json).")  # fmt: skip
    answers_are_seen = out is None and sys.stdout.isatty()
    listener = call.with_bars_from(NO_BARS if answers_are_seen else BARS_FROM)
    given = {"accuracy": accuracy, "coverage": coverage, "views": views, "explain": explain, "device": device}
    found = commands.predict(run, images, listener=listener, **given)
    for note in found.left_out:
        typer.echo(note, err=True)
    found.write(out, format="json" if call.as_json else form, top=top)
    for fault in found.unreadable:
        typer.echo(str(fault), err=True)
    if found.unreadable:
        raise typer.Exit(2)


def _is_for_parquet(out: str | None) -> bool:
    """Whether it is a folder, a URL or a file of Parquet: written by parts, or whole, and never as answers come."""
    return bool(out) and (out.endswith(("/", os.sep, ".parquet")) or "://" in out or Path(out).is_dir())


def _show_parts(call: Call, found: Answered) -> None:
    for note in (*found.left_out, *found.problems):
        typer.echo(note, err=True)
    call.show(found)
    if found.unreadable:
        raise typer.Exit(2)


@command(reports=True, reads=True)
def export(
    call: Call,
    run: o.RunFolder,
    format: o.ExportFormat,
    out: o.ExportOut,
    quantize: o.Quantize = None,
    pixels: o.Pixels = "uint8",
    fixed_size: o.FixedSize = False,
    data: o.MovedData = None,
) -> None:
    """Write a classifier for another runtime, and prove it. The file answers as the classifier does."""
    given = {"format": format, "quantize": quantize, "pixels": pixels, "fixed_size": fixed_size, "data": data}
    found = commands.export(run, out, listener=call.listener, **given)
    if call.as_json:
        print_json({"path": str(found.path), **found.card})
    else:
        typer.echo(found)


@command()
def serve(
    call: Call,
    runs: o.Runs,
    host: o.Host = "127.0.0.1",
    port: o.Port = 8000,
    api_key_file: o.KeyFile = None,
    cors: o.Cors = None,
    path_prefix: o.PathPrefix = "",
    show_training_images: o.ShowTrainingImages = False,
    keep_samples: o.KeepSamples = None,
    rate: o.Rate = 0.01,
    keep_at_most: o.KeepAtMost = 1_000,
    max_megabytes: o.MaxMegabytes = 20,
    max_megapixels: o.MaxMegapixels = 50,
    max_files: o.MaxFiles = 32,
    queue: o.Queue = 64,
) -> None:
    """Answer over HTTP, for people and for programs. Ends at Ctrl-C or SIGTERM."""
    commands.serve(
        runs,
        host=host,
        port=port,
        api_key_file=api_key_file,
        cors=cors or (),
        path_prefix=path_prefix,
        max_megabytes=max_megabytes,
        max_megapixels=max_megapixels,
        max_files=max_files,
        queue=queue,
        show_training_images=show_training_images,
        keep_samples=keep_samples,
        rate=rate,
        keep_at_most=keep_at_most,
        tell=_print_address if call.as_json else None,
        listener=call.listener,
    )


def _print_address(address: str, names: list[str]) -> None:
    print_json({"address": address, "models": names})


@command(reads=True)
def studio(
    call: Call,
    data: o.StudioData = None,
    host: o.Host = "127.0.0.1",
    port: o.StudioPort = 0,
    password_file: o.PasswordFile = None,
    language: o.Language = None,
    no_browser: o.NoBrowser = False,
) -> None:
    """Look at photos, correct labels, train and try, in the browser. Ends at Ctrl-C or SIGTERM."""
    commands.studio(
        data,
        host=host,
        port=port,
        password_file=password_file,
        language=language,
        browser=not no_browser,
        tell=_print_studio if call.as_json else None,
    )


def _print_studio(address: str) -> None:
    print_json({"address": address})


@command(reports=True, reads=True)
def backbones(
    call: Call,
    data: o.Measured = None,
    backbone: o.Candidates = None,
    image_size: o.MeasuredSize = None,
    at_least: o.AtLeast = None,
    weights: o.GivenWeights = None,
    seed: o.Seed = 0,
    device: o.Device = "auto",
) -> None:
    """List the pretrained bases, or measure them on your photos."""
    given = {"backbones": backbone or (), "image_size": image_size, "seed": seed, "device": device}
    given |= {"at_least": at_least, "weights": weights or "pretrained"}
    call.show(commands.backbones(data, listener=call.listener, **given))


@command()
def cache(call: Call, clear: o.Clear = False) -> None:
    """Show, or clear, what is kept to be fast. These are engines, features, networks, classifiers and more."""
    call.show(commands.cache(clear))


@command()
def doctor(call: Call) -> None:
    """Say what this machine has, and what will be used of it. Cores, memory, GPUs, extras, weights, cache."""
    call.show(commands.doctor())
