"""The command line: parse, call, print. Heavy modules are imported inside the commands, so that --help is instant.

Standard output: the results; with --json one JSON document and nothing else. Standard error: everything else.
Exit status: 0 done, 2 the user's mistake (one message), 1 anything else.
"""

import gc
import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from headstart.errors import DatasetError, HeadstartError, ImageError, ModelError, RunInterruptedError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From a folder of labelled photos to a trustworthy image classifier.",
)

T = TypeVar("T")

MANY = 20  # photos to be answered, from which on a bar is worth its import

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show what the libraries below have to say, too.")]
Seed = Annotated[int, typer.Option(min=0, help="Of everything that is drawn: splits, head, order, random views.")]
Images = Annotated[int | None, typer.Option(min=8, help="Use only about so many images, for a quick look.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Epochs in each phase, instead of the recipe's.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")]
RecipeName = Annotated[
    str, typer.Option("--recipe", help="fast: solve the head, then fine-tune if it helps; tutorial.")
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder that `headstart train` wrote.")]
DataPath = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="Folder of class folders (with train/, validation/, test/ above them, or without), a zip of it, "
        "or a CSV with the columns path,label[,split].",
    ),
]


@app.command()
def demo(
    data: Annotated[
        str | None,
        typer.Option(help="cats-and-dogs (downloaded) or solar-cells (from the package elpv-dataset). "
                          "By default the first, or the second where there is no network."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder to write the run into.")] = Path("runs/demo"),
    recipe: RecipeName = "fast",
    epochs: Epochs = None,
    images: Images = None,
    seed: Seed = 0,
    resume: Resume = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:  # fmt: skip
    """The tutorial's story from end to end, on photos that it gets itself."""
    from headstart.commands.demo import Storyteller, next_commands, tell

    run, path = tell(
        out if resume else _free(out),
        data=data,
        recipe=_recipe(recipe, epochs),
        images=images,
        seed=seed,
        resume=resume,
        listener=Storyteller(),
    )
    if as_json:
        _print_json(_run_json(run.folder, run.metrics) | {"data": str(path), "next": next_commands(run, path)})


@app.command()
def inspect(
    data: DataPath,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write the findings into this new folder, with a page of pictures."),
    ] = None,
    backbone: Annotated[str, typer.Option(help="Pretrained base that looks at the photos.")] = "mobilenet_v2",
    image_size: Annotated[int | None, typer.Option(min=1, help="Side in pixels, instead of the base's.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help="File with the base's weights (.weights.h5, .h5), instead of the usual ones.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the parts in which labels are judged.")] = 0,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Find what is wrong with labelled photos: copies, leaks, doubtful labels, odd files. Changes none of them."""
    from headstart.inspection.collection import inspect as look

    found = look(
        data, out=out, backbone=backbone, image_size=image_size, weights=weights or "pretrained", seed=seed
    )  # fmt: skip
    if as_json:
        _print_json(found.to_json())
    else:
        typer.echo(str(found))


@app.command()
def train(
    data: DataPath,
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder to write the run into; it must not exist yet.")],
    recipe: RecipeName = "fast",
    backbone: Annotated[str, typer.Option(help="Pretrained base; `headstart backbones` lists them.")] = "mobilenet_v2",
    image_size: Annotated[int | None, typer.Option(min=1, help="Side in pixels, instead of the recipe's.")] = None,
    resize: Annotated[
        str, typer.Option(help="How a photo becomes a square: stretch it, crop out its middle, or pad it with grey.")
    ] = "stretch",
    fine_tune: Annotated[
        str, typer.Option(help="auto: keep it if the recipe says so or it helps; always; never: train the head only.")
    ] = "auto",
    weights: Annotated[
        Path | None, typer.Option(help="File with the base's weights (.weights.h5, .h5), instead of the usual ones.")
    ] = None,
    balanced: Annotated[
        bool, typer.Option("--balanced", help="All classes count alike, however many images they have.")
    ] = False,
    epochs: Epochs = None,
    execution: Annotated[
        str, typer.Option(help="split: frozen layers by a compiled engine; whole: all of the Keras model, slowly.")
    ] = "split",
    precision: Annotated[
        str, typer.Option(help="Of the engine: float32, or bfloat16 where the processor has it.")
    ] = "float32",
    test_fraction: Annotated[
        float | None,
        typer.Option(min=0, max=0.9, help="Share that is held out for the test where DATA has none; 0: no test."),
    ] = None,
    images: Images = None,
    seed: Seed = 0,
    resume: Resume = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Train a classifier on labelled photos and leave everything about it in a folder."""
    from headstart.commands.train import make_run

    run = make_run(
        data,
        out,
        recipe=_recipe(recipe, epochs, fine_tune, balanced=balanced),
        backbone=backbone,
        image_size=image_size,
        resizing=resize,
        weights=weights or "pretrained",
        execution=execution,
        precision=precision,
        test_fraction=test_fraction,
        images=images,
        seed=seed,
        resume=resume,
    )
    if as_json:
        _print_json(_run_json(run.folder, run.metrics))


@app.command()
def evaluate(
    run: RunFolder,
    data: DataPath,
    split: Annotated[
        str | None,
        typer.Option(help="train, validation, test or all. By default DATA's test images, or where it has none, "
                          "all images that RUN was neither trained nor validated on."),
    ] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:  # fmt: skip
    """Measure a classifier on labelled photos."""
    from headstart.classifier.metadata import read_card
    from headstart.runs.held_out import choose

    read_card(run)  # before the images are read: it may not be there
    chosen = choose(data, run, split)
    from headstart.classifier.classifier import load
    from headstart.evaluation.evaluate import evaluate as measure
    from headstart.listeners.console import Console

    evaluation = measure(load(run), chosen.images, listener=Console())
    if as_json:
        _print_json({"run": str(run), "data": str(data), "images": chosen.description, **evaluation.to_json()})
    else:
        typer.echo(f"{chosen.description}\n{evaluation}")


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="FIRST", help="Folder of a run.")],
    second: Annotated[Path, typer.Argument(metavar="SECOND", help="Folder of another run.")],
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Say whether one run is better than another, on the held-out images that both have, or whether nobody can tell."""
    from headstart.runs.predictions import compare_runs

    found, split = compare_runs(first, second)
    if as_json:
        _print_json({"first_run": str(first), "second_run": str(second), "images": split, **found.to_json()})
        return
    width = max(len(str(first)), len(str(second)))
    typer.echo(f"{found.first.count:,} {split} images that both have")
    for run, accuracy in ((first, found.first), (second, found.second)):
        typer.echo(f"{run!s:<{width}}  {accuracy}")
    typer.echo(found.verdict)


@app.command()
def predict(
    run: RunFolder,
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Image files, folders of them, or patterns: 'photos/**/*.jpg'."),
    ],
    top: Annotated[
        int | None, typer.Option(min=1, metavar="K", help="Show the K most probable classes (with JSON: all).")
    ] = None,
    accuracy: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Say 'not sure' so often that this share of all other answers is right. "
                                           "By default 0.95, where that can be promised."),
    ] = None,
    coverage: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Name so many classes that the right one is among them in this share of "
                                           "photos; 'not sure' where that is not exactly one."),
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write each photo into this new folder, dark where nothing on it speaks "
                                            "for the answer."),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="text, csv, jsonl (JSON lines), json; else as FILE ends, or text.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the answers into this new file, as they come.")
    ] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:  # fmt: skip
    """Say what is on photos: one, or any number of them."""
    from headstart.classifier.output_formats import FORMATS, Layout, new_file, predict_files
    from headstart.classifier.predictor import Predictor
    from headstart.data.folder import images_among

    if as_json and (out or form):
        raise typer.BadParameter("--json prints one document on standard output; leave it out where --out or --format "
                                 "say what is written (--out answers.json).")  # fmt: skip
    ending = out.suffix.removeprefix(".") if out else ""
    form = "json" if as_json else form or (ending if ending in FORMATS else "text")
    if form not in FORMATS:
        raise ModelError(f"There is no format '{form}'. Choose one of: {', '.join(FORMATS)}.")
    files, left_out = images_among(images)
    for note in left_out:
        typer.echo(note, err=True)
    answers = predict_files(Predictor(run), files, accuracy=accuracy, coverage=coverage, explain=explain)
    layout = Layout(top, coverage is not None, explain is not None, width=max(map(len, files)))
    faults = []

    def rows():
        for answer in _with_a_bar(answers, len(files), seen=out is None and sys.stdout.isatty()):
            if isinstance(answer.found, ImageError):
                faults.append(str(answer.found))
            yield answer

    with new_file(out) if out else nullcontext(sys.stdout) as stream:
        FORMATS[form](rows(), stream, layout)
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(2)


@app.command()
def export(
    run: RunFolder,
    format: Annotated[str, typer.Option("--format", help="onnx, litert, openvino or saved-model.")],
    out: Annotated[
        Path,
        typer.Option(metavar="PATH", help="What to write: a file (onnx, litert) with a JSON beside it, or a folder "
                                          "(openvino, saved-model); it must not exist yet."),
    ],
    quantize: Annotated[
        str | None, typer.Option(help="float16, or int8: calibrated on the training photos. Not for saved-model.")
    ] = None,
    pixels: Annotated[str, typer.Option(help="What the file is given: uint8 or float32, 0 to 255.")] = "uint8",
    data: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Where the photos of RUN are now, if they were moved since its training."),
    ] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:  # fmt: skip
    """Write a classifier for another runtime, with its preprocessing, and prove that it answers the same there."""
    from headstart.export.export import export as write

    found = write(run, out, format=format, quantize=quantize, pixels=pixels, data=data)
    if as_json:
        _print_json({"path": str(found.path), **found.card})
    else:
        typer.echo(found)


@app.command()
def serve(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...", help="Folders of runs, each as RUN or NAME=RUN; the first answers by default."
        ),
    ],
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0: everybody who can reach it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0: one that is free.")] = 8000,
    api_key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File with a key that each request must bear; or set HEADSTART_API_KEY."),
    ] = None,
    cors: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="Origin of web pages elsewhere that may ask; several times for several."),
    ] = None,
    max_megabytes: Annotated[
        float, typer.Option(min=0.001, help="Of an image file; a request of several may hold four times as much.")
    ] = 20,
    max_megapixels: Annotated[float, typer.Option(min=0.001, max=178, help="Of an image.")] = 50,
    max_files: Annotated[int, typer.Option(min=1, help="Images in a request.")] = 32,
    queue: Annotated[int, typer.Option(min=1, help="Images that may wait; more are refused for a second.")] = 64,
    show_training_images: Annotated[
        bool, typer.Option("--show-training-images", help="Show those most like an image, with the answer, to anybody.")
    ] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Answer over HTTP, with a page for people and an interface for programs. Ends at Ctrl-C or SIGTERM."""
    from headstart.serving.starting import api_key, need_extra

    need_extra()
    from headstart.serving.config import ServiceConfig
    from headstart.serving.limits import MEGABYTE, Limits
    from headstart.serving.listening import is_private, serve
    from headstart.serving.served import named_runs

    limits = Limits(
        file_bytes=int(max_megabytes * MEGABYTE),
        files=min(max_files, queue),
        pixels=int(max_megapixels * 1_000_000),
        queue=queue,
    )
    settings = ServiceConfig(limits, api_key(api_key_file), cors or (), show_training_images)
    named = named_runs(runs)
    if not settings.api_key and not is_private(host):
        typer.echo("Everybody who can reach this address may ask: there is no API key (--api-key-file).", err=True)

    def tell(address: str) -> None:
        if as_json:
            _print_json({"address": address, "models": list(named)})
        else:
            typer.echo(f"{', '.join(named)} at {address} (the page; the interface is described at /openapi.json)")

    serve(named, settings, host=host, port=port, announce=tell)


@app.command()
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove what is kept to be fast; it is made again.")] = False,
    as_json: Json = False,
) -> None:
    """Show, or clear, what is kept to be fast: engines, features, networks, copies and readable files found."""
    from headstart.storage import cache as kept

    folder, sizes = kept.cache_folder(), kept.sizes()
    if clear:
        kept.clear()
    if as_json:
        _print_json({"folder": str(folder), "bytes": sizes, "cleared": clear})
    else:
        for kind, size in sizes.items():
            typer.echo(f"{folder / kind}  {size / 1e6:,.1f} MB" + (", removed" if clear else ""))


@app.command()
def backbones(
    data: Annotated[
        Path | None,
        typer.Argument(metavar="[DATA]", help="Photos, as for `headstart train`: measure the bases on these."),
    ] = None,
    backbone: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="With DATA: one to be measured, the first one first; give it several times. "
                                          "By default all whose weights need no download."),
    ] = None,
    image_size: Annotated[int | None, typer.Option(min=1, help="With DATA: side in pixels, instead of theirs.")] = None,
    seed: Seed = 0,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:  # fmt: skip
    """List the pretrained bases; or, with DATA, say which of them tells its classes apart best."""
    from headstart.models.backbones import BACKBONES

    if data is not None:
        from headstart.commands.backbones import choose_backbone

        found = choose_backbone(data, backbones=backbone or (), image_size=image_size, seed=seed)
        if as_json:
            _print_json(found.to_json())
        else:
            typer.echo(str(found))
        return
    if backbone or image_size:
        raise DatasetError("--backbone and --image-size measure bases on photos: give DATA, or leave them out.")
    if as_json:
        from dataclasses import asdict

        _print_json({name: asdict(row) for name, row in BACKBONES.items()})
        return
    typer.echo(f"{'name':<20}  {'image size':>10}  {'features':>8}  weights")
    for name, row in BACKBONES.items():
        where = "in the package" if row.packaged else "downloaded on first use"
        typer.echo(f"{name:<20}  {row.image_size:>10}  {row.features:>8}  {where}")


@app.callback(invoke_without_command=True)
def version(
    context: typer.Context,
    show: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    if show:
        import headstart

        typer.echo(f"headstart {headstart.__version__}")
        raise typer.Exit


def main() -> None:
    """The entry point: run a command, and turn what the user can mend into one message."""
    verbose = "--verbose" in sys.argv
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0" if verbose else "3"
    with nullcontext() if verbose else _quiet_libraries():
        try:
            app()
        except HeadstartError as error:
            if "--json" in sys.argv:
                _print_json({"error": {"type": type(error).__name__, "message": str(error)}})
            typer.echo(str(error), err=True)
            sys.exit(1 if isinstance(error, RunInterruptedError) else 2)
        except SystemExit as stopped:
            sys.exit(1 if stopped.code == 130 else stopped.code)  # 130 is Typer's for Ctrl-C
        finally:
            gc.freeze()  # or Python looks through all objects once more before it ends: 0.4 s, 0.9 after a training


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Only Python writes to standard error here: not TensorFlow, nor the JPEG decoder for each odd file.

    Such libraries write to file descriptor 2, past Python; it leads nowhere for the time being. Warnings go as well.
    """
    sys.stderr.flush()
    outside, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    encoding = sys.stderr.encoding
    with (
        open(outside, "w", buffering=1, encoding=encoding, errors="backslashreplace") as stream,
        redirect_stderr(stream),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            stream.flush()
            os.dup2(outside, 2)


def _recipe(name: str, epochs: int | None, fine_tune: str = "auto", *, balanced: bool = False):
    from dataclasses import replace

    from headstart.errors import ModelError
    from headstart.training.recipes import get_recipe

    recipe = replace(get_recipe(name), balanced=balanced)
    if fine_tune not in ("auto", "always", "never"):
        raise ModelError(f"--fine-tune {fine_tune} is not known. Choose one of: auto, always, never.")
    if fine_tune == "never":
        recipe = recipe.without_fine_tuning()
    elif fine_tune == "always":
        recipe = recipe.always_fine_tuned()
    return recipe.with_epochs(epochs) if epochs else recipe


def _free(out: Path) -> Path:
    """runs/demo, or where that exists runs/demo-2, ...: the demo can be run again."""
    names = (out if number == 1 else out.with_name(f"{out.name}-{number}") for number in range(1, 10_000))
    return next(name for name in names if not name.exists() and not name.with_name(name.name + ".partial").exists())


def _with_a_bar(items: Iterable[T], count: int, *, seen: bool) -> Iterator[T]:
    """The same items, with a bar on standard error where they are many and are not seen to come."""
    if count < MANY or seen:
        yield from items
        return
    from headstart.events import Task, track
    from headstart.listeners.console import Console

    yield from track(Console(), items, Task.PREDICT, "Predicting", count)


def _run_json(folder: Path, metrics: dict) -> dict:
    return {"run": str(folder), "metrics": metrics}


def _print_json(document: dict) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
