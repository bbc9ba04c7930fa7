"""The command line: what goes to standard output, what to standard error, and with which status it ends."""

import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command

import headstart as hs
from headstart import cli, commands
from headstart.classifier.output_formats import FORMATS as PREDICTION_FORMATS
from headstart.classifier.output_formats import percent
from headstart.cli import choices
from headstart.cli.helping import GROUPS, summary
from headstart.commands.demo import free_place
from headstart.commands.storytelling import STORY
from headstart.data.resizing import RESIZINGS
from headstart.data.samples import SAMPLES
from headstart.data.splits import SPLITS
from headstart.engines.base import DEVICES
from headstart.engines.openvino import PRECISIONS
from headstart.errors import DownloadError
from headstart.events import KINDS
from headstart.export.export import PIXELS
from headstart.export.formats import FORMATS as EXPORT_FORMATS
from headstart.runs.held_out import ALL
from headstart.training.config import EXECUTIONS, OLD_EXECUTIONS, VIEW_CHOICES
from headstart.training.recipes import FINE_TUNE
from support.sizes import SMALL

Result = tuple[int, str, str]  # status, standard output, standard error


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """call("predict", ...) runs a command in this process and gives its status and what it wrote."""

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["headstart", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        output, errors = capfd.readouterr()
        return int(stopped.value.code or 0), output, errors

    return run


COMMANDS = [command.callback.__name__ for command in cli.app.registered_commands if command.callback]


def test_help_names_every_command(call):
    status, output, _ = call("--help")
    assert status == 0
    for command in COMMANDS:
        assert command in output
        status, text, _ = call(command, "--help")
        assert status == 0
        assert "--json" in text
    assert call("--version")[1] == f"headstart {hs.__version__}\n"


def test_help_is_instant():
    """Under 0.3 s of the processor as a whole process, each command: the best of ten, as others are busy."""
    for command in ([], *([name] for name in COMMANDS)):
        seconds = []
        while len(seconds) < 10 and min(seconds, default=1) >= 0.3:
            before = os.times()
            subprocess.run([sys.executable, "-m", "headstart", *command, "--help"], check=True, capture_output=True)
            after = os.times()
            seconds.append(sum(after[2:4]) - sum(before[2:4]))  # of ended child processes
        assert min(seconds) < 0.3, command


def test_help_imports_nothing_heavy():
    heavy = ("numpy", "rich", "pydantic", "keras", "jaxtyping", "cv2", "fastapi")
    code = f"""
import sys
from contextlib import suppress
from headstart.cli import main
for command in ([], *([name] for name in {COMMANDS!r})):
    sys.argv = ["headstart", *command, "--help"]
    with suppress(SystemExit):
        main()
    print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr.splitlines() == ["[]"] * (1 + len(COMMANDS))


def test_every_command_is_a_python_function_of_its_name():
    assert sorted(commands.__all__) == sorted(COMMANDS)
    for name in COMMANDS:
        function = getattr(commands, name)
        assert inspect.isfunction(function), f"headstart.commands.{name} is the module"
        assert function.__doc__
        assert function.__name__ == name
    for name in ("backbones", "cache", "compare", "export", "inspect", "serve"):
        assert getattr(hs, name) is getattr(commands, name)


def test_the_function_export_is_not_hidden_by_the_package():
    code = "import headstart.export.formats, headstart as hs; from headstart.export import export\n"
    code += "assert callable(hs.export), hs.export\nimport headstart.commands.train\nassert callable(hs.commands.train)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_summaries_are_whole_sentences(call):
    output = call("--help")[1]
    assert "..." not in output.partition("Commands:")[2]
    program = get_command(cli.app)
    for name, command in program.commands.items():  # pyright: ignore[reportAttributeAccessIssue]
        assert f"  {name:<9}  {summary(command)}\n" in output, "on a line of its own"


def test_options_are_in_groups_the_usual_ones_first(call):
    for command in COMMANDS:
        output = call(command, "--help")[1]
        groups = [line.removesuffix(":") for line in output.splitlines() if line.removesuffix(":") in GROUPS]
        assert groups == sorted(groups, key=GROUPS.index)
        shared = output.partition("Output and help:\n")[2]
        for option in ("--json", "--verbose", "--help"):
            assert option in shared, command
    output = call("train", "--help")[1]
    assert output.index("--recipe [fast|tutorial]") < output.index("--backbone") < output.index("Expert options:")
    assert output.index("--epochs") > output.index("Expert options:")


def test_choices_are_those_of_the_tables():
    """They stand twice, as importing the tables would take longer than all of the help."""
    assert choices.RECIPE.names == tuple(hs.RECIPES)
    assert choices.RESIZE.names == (*RESIZINGS, "auto")
    assert choices.FINE_TUNE.names == FINE_TUNE
    assert choices.EXECUTION.names == EXECUTIONS
    assert choices.EXECUTION.old == OLD_EXECUTIONS
    assert choices.PRECISION.names == ("auto", *PRECISIONS)
    assert set(choices.DEVICE.names) < set(DEVICES)
    assert choices.VIEWS.names == tuple(VIEW_CHOICES)
    assert choices.SAMPLE.names == tuple(SAMPLES)
    assert choices.SPLIT.names == (*SPLITS, ALL)
    assert choices.PREDICTION_FORMAT.names == tuple(PREDICTION_FORMATS)
    assert choices.EXPORT_FORMAT.names == tuple(EXPORT_FORMATS)
    assert choices.PIXELS.names == PIXELS
    assert {*choices.QUANTIZE.names, "float32"} == {kind for row in EXPORT_FORMATS.values() for kind in row.packages}


@pytest.mark.parametrize(("command", "option"), [
    ("train", "--recipe [fast|tutorial]"),
    ("train", "--resize [stretch|crop|pad|resize-crop|auto]"),
    ("train", "--fine-tune [auto|always|never]"),
    ("train", "--execution [cached|end_to_end]"),
    ("train", "--precision [auto|float32|bfloat16]"),
    ("demo", "--data [cats-and-dogs|solar-cells]"),
    ("evaluate", "--split [train|validation|test|all]"),
    ("predict", "--format [text|csv|jsonl|json]"),
    ("export", "--format [onnx|litert|openvino|saved-model|web]"),
    ("export", "--quantize [float16|int8]"),
    ("export", "--pixels [uint8|float32]"),
])  # fmt: skip
def test_choices_are_listed_in_help_checked_and_completed(command, option, call, tmp_path, monkeypatch):
    assert option in call(command, "--help")[1]
    name, _, listed = option.partition(" ")
    names = listed.strip("[]").split("|")
    required = {"train": ["x", "--out", tmp_path / "y"], "evaluate": ["x", "y"], "predict": ["x", "y"], "demo": []}
    required["export"] = ["x", "--out", "y", *([] if name == "--format" else ["--format", "onnx"])]
    status, output, errors = call(command, *required[command], name, "nonsense")
    assert (status, output) == (2, "")
    assert len(errors.splitlines()) == 1
    assert f"'nonsense'. Choose one of: {', '.join(names)}." in errors
    monkeypatch.setenv("_HEADSTART_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"headstart {command} {name} ")
    monkeypatch.setenv("COMP_CWORD", "3")
    assert call()[1].split() == names


def test_the_shell_completes_commands_options_and_backbones(call, monkeypatch):
    monkeypatch.setenv("_HEADSTART_COMPLETE", "complete_bash")
    for words, expected in (
        (["ba"], ["backbones"]),
        (["train", "--rec"], ["--recipe", "--recall"]),
        (["train", "--backbone", "vgg"], ["vgg16"]),
    ):
        monkeypatch.setenv("COMP_WORDS", " ".join(["headstart", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        assert call()[1].split() == expected
    monkeypatch.delenv("_HEADSTART_COMPLETE")
    for option in ("--install-completion", "--show-completion"):
        assert option in call("--help")[1]


def test_a_former_word_for_an_execution_works_and_is_said(call, photos, tmp_path):
    arguments = ["train", photos, "--out", tmp_path / "run", "--execution"]
    status, _, errors = call(*arguments, "whole")  # which the recipe 'fast' refuses
    assert status == 2
    assert "'whole' is now called 'end_to_end'" in errors
    assert "cannot be trained end to end" in errors
    assert "now called" not in call(*arguments, "end_to_end")[2]


def test_every_command_is_documented_and_every_documented_option_exists(call):
    readme = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")
    for command in COMMANDS:
        assert f"headstart {command}" in readme
    without_curl = re.sub("^curl .*$", "", readme, flags=re.MULTILINE)
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", without_curl)) - {"--help"}
    known = " ".join(call(command, "--help")[1] for command in COMMANDS)
    assert options
    for option in options:
        assert f"{option} " in known, option


@pytest.mark.training
def test_train_writes_results_only_to_standard_output(photos, tmp_path, call):
    status, output, errors = call(
        "train", photos, "--out", tmp_path / "run", "--epochs", 1, "--fine-tune", "never", "--image-size", 32,
        "--images", 40, "--test-fraction", 0, "--json",
    )  # fmt: skip
    assert status == 0, errors
    document = json.loads(output)
    assert document["run"] == str(tmp_path / "run")
    assert document["metrics"] == json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert document["metrics"]["test"] is None
    assert [phase["name"] for phase in document["metrics"]["phases"]] == ["feature_extraction"]
    assert "Solved head" in errors
    assert "\x1b" not in errors, "no control codes where nobody sees them"
    assert "\r" not in errors
    noise = [line for line in errors.splitlines() if "oneDNN" in line or "WARNING" in line or "E0000" in line]
    assert noise == []


@pytest.fixture
def odd_photo(photos, tmp_path, monkeypatch):
    """A JPEG of which the decoder writes to standard error, as libraries in C do: not by way of Python."""
    import simplejpeg
    from PIL import Image

    decode = simplejpeg.decode_jpeg

    def noisy(*arguments, **options):
        os.write(2, b"Corrupt JPEG data: 44 extraneous bytes\n")
        return decode(*arguments, **options)

    path = tmp_path / "odd.jpg"
    Image.open(next(photos.rglob("*.png"))).convert("RGB").save(path, "JPEG")
    monkeypatch.setattr(simplejpeg, "decode_jpeg", noisy)
    return path


def test_libraries_are_quiet_unless_verbose_is_said_before_or_after_the_command(run, odd_photo, call):
    status, output, errors = call("predict", run.folder, odd_photo)
    assert (status, errors) == (0, "")
    assert "odd.jpg" in output
    for arguments in (["predict", run.folder, odd_photo, "--verbose"], ["--verbose", "predict", run.folder, odd_photo]):
        status, _, errors = call(*arguments)
        assert status == 0
        assert "Corrupt JPEG data" in errors, "the same file, with --verbose: it would be noise"


def test_events_are_written_as_json_lines(run, photos, tmp_path, call):
    """The same results as without, and a file that is there already is left alone."""
    file = tmp_path / "events.jsonl"
    status, output, errors = call("evaluate", run.folder, photos, "--json", "--events", file)
    assert status == 0, errors
    assert json.loads(output)["accuracy"]["count"] > 0
    events = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert {event["event"] for event in events} <= set(KINDS.values())
    assert {event.get("task") for event in events} >= {"read", "evaluate"}
    before = file.read_bytes()
    status, output, errors = call("evaluate", run.folder, photos, "--events", file)
    assert (status, output) == (2, "")
    assert errors == f"'{file}' exists already. Choose another file for --events, or remove it first.\n"
    assert file.read_bytes() == before
    status, _, errors = call("backbones", "--events", tmp_path / "nowhere" / "events.jsonl")
    assert status == 2
    assert "cannot be written: No such file or directory" in errors


def test_predict_has_events_but_no_bar_for_a_few_photos(run, photos, tmp_path, call):
    status, output, errors = call("predict", run.folder, *sorted(photos.rglob("*.png"))[:3], "--events", tmp_path / "e")
    assert (status, errors) == (0, "")
    assert len(output.splitlines()) == 3
    counts = [json.loads(line) for line in (tmp_path / "e").read_text().splitlines()]
    assert counts[-1]["task"] == "predict"
    assert (counts[-1]["done"], counts[-1]["total"], counts[-1]["is_over"]) == (3, 3, True)


def test_whatever_reports_has_events(call):
    assert [name for name in COMMANDS if "--events" in call(name, "--help")[1]] == [
        "demo", "inspect", "train", "evaluate", "labels", "diff", "predict", "export", "backbones",
    ]  # fmt: skip


@pytest.mark.training
def test_python_gives_what_the_command_line_prints(run, photos, call):
    found = commands.evaluate(run.folder, photos, listener=hs.Quiet())
    assert call("evaluate", run.folder, photos)[1] == f"{found}\n"
    assert json.loads(call("evaluate", run.folder, photos, "--json")[1]) == json.loads(json.dumps(found.to_json()))
    compared = hs.compare(run.folder, run.folder)
    assert call("compare", run.folder, run.folder)[1] == f"{compared}\n"
    assert json.loads(call("compare", run.folder, run.folder, "--json")[1]) == compared.to_json()
    assert call("backbones")[1] == f"{hs.backbones()}\n"
    assert call("cache")[1] == f"{hs.cache()}\n"


def test_inspect(photos, tmp_path, call):
    """What is printed, and what is written, are the same findings; a folder that exists is left alone."""
    status, output, errors = call("inspect", photos, "--image-size", SMALL, "--out", tmp_path / "out", "--json")
    assert status == 0, errors
    document = json.loads(output)
    assert document == json.loads((tmp_path / "out" / "findings.json").read_text("utf-8"))
    assert (document["images"], document["classes"]["defective"]) == (80, {"all": 40})
    assert document["sizes"]["shorter_side"] == {"least": 300, "median": 300, "largest": 300}
    status, output, errors = call("inspect", photos, "--image-size", SMALL)
    assert status == 0
    assert output.startswith("80 images of 2 classes")
    assert "Written into" not in errors
    status, output, errors = call("inspect", photos, "--out", tmp_path / "out")
    assert (status, output) == (2, "")
    assert "exists already" in errors


def test_evaluate_leaves_out_what_the_run_has_seen(tiny, tiny_run, photos, call):
    run = tiny_run
    status, output, errors = call("evaluate", run.folder, photos)
    assert status == 0, errors
    accuracy = run.metrics["test"]["accuracy"]
    assert f"{accuracy['count']} images of" in output
    # the tiny base has not seen that two cells are nearly the same
    assert "68 that the run was trained or validated on are left out; 1 near copy of such photos is left out." in output
    assert f"of {accuracy['count'] - 1:,})" in output
    status, output, _ = call("evaluate", run.folder, photos, "--split", "test", "--json")
    assert json.loads(output)["accuracy"] == accuracy
    status, output, _ = call("evaluate", run.folder, photos, "--split", "train", "--json")
    document = json.loads(output)
    assert document["accuracy"] == run.metrics["train"]["accuracy"]
    status, output, _ = call("evaluate", run.folder, photos, "--split", "all", "--json")
    assert json.loads(output)["accuracy"]["count"] == 80


def test_evaluate_on_other_photos(tiny, tiny_run, tmp_path, make_folder, call):
    run = tiny_run
    new = make_folder(tmp_path / "new", {"train/defective": 2, "train/functional": 2, "test/defective": 3}, skip=200)
    status, output, _ = call("evaluate", run.folder, new, "--json")
    assert status == 0
    assert json.loads(output)["accuracy"]["count"] == 3, "the collection's own test images"
    status, output, _ = call("evaluate", run.folder, new / "test", "--json")
    assert json.loads(output)["per_class"][1]["support"] == 0
    seen = tmp_path / "seen"
    dataset = hs.load_dataset(run.folder / "splits.csv", listener=hs.Quiet())
    for path, label, split, _ in dataset.rows():
        if split == "train":
            (seen / label).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, seen / label)
    status, _, errors = call("evaluate", run.folder, seen)
    assert status == 2
    assert "None of the 56 images" in errors
    assert "--split all" in errors


def test_predict(run, classifier, photos, call):
    files = sorted(photos.rglob("*.png"))[:3]
    status, output, _ = call("predict", run.folder, *files, "--top", 2)
    assert status == 0
    lines = output.splitlines()
    assert len(lines) == 3
    for line, file in zip(lines, files, strict=True):
        answer = classifier.predict(file)
        sure = [] if answer.sure else ["not", "sure:"]
        assert line.split()[: len(sure) + 2] == [str(file), *sure, answer.label]
        assert percent(answer.probability) in line
        assert len(answer.probabilities) == 2
    status, output, _ = call("predict", run.folder, photos, "--json")
    rows = json.loads(output)["predictions"]
    assert len(rows) == 80
    shares = {row["path"]: row["probability"] for row in rows}
    for file in files:
        assert shares[str(file)] == pytest.approx(classifier.predict(file).probability, abs=1e-5)


def test_predict_reports_what_it_cannot_read_and_answers_the_rest(run, photos, tmp_path, call):
    (tmp_path / "words.jpg").write_text("words")
    file = next(photos.rglob("*.png"))
    status, output, errors = call("predict", run.folder, tmp_path / "words.jpg", file, tmp_path / "missing.png")
    assert status == 2
    assert len(output.splitlines()) == 1
    assert "words.jpg' is not an image" in errors
    assert "missing.png' cannot be opened: No such file" in errors
    status, output, _ = call("predict", run.folder, tmp_path / "words.jpg", "--json")
    assert json.loads(output)["unreadable"][0]["path"].endswith("words.jpg")


def test_predict_says_what_it_leaves_out_and_what_does_not_go_together(run, photos, tmp_path, call):
    shutil.copy(next(photos.rglob("*.png")), tmp_path)
    for name in ("a.cr2", "b.CR2", "c.psd"):
        (tmp_path / name).write_bytes(b"photo")
    for what in (tmp_path, tmp_path / "*"):
        status, output, errors = call("predict", run.folder, what)
        assert (status, len(output.splitlines())) == (0, 1)
        assert "files that headstart does not read are left out: 2 .cr2, 1 .psd" in errors
    for more in (("--out", tmp_path / "answers.csv"), ("--format", "csv")):
        status, output, errors = call("predict", run.folder, tmp_path, "--json", *more)
        assert (status, output) == (2, "")
        assert "--json prints one document" in " ".join(errors.replace("│", "").split())
    assert not (tmp_path / "answers.csv").exists()


@pytest.mark.parametrize(("arguments", "message"), [
    (["train", "{photos}/nowhere", "--out", "{tmp}/run"], "does not exist"),
    (["train", "{photos}", "--out", "{tmp}/run", "--backbone", "resnet"], "no backbone 'resnet'"),
    (["train", "{photos}", "--out", "{tmp}/run", "--image-size", "16"], "16 x 16 pixels are too small"),
    (["train", "{photos}", "--out", "{tmp}/run", "--recipe", "slow"], "no recipe 'slow'"),
    (
        ["train", "{photos}", "--out", "{tmp}/run", "--resize", "squash"],
        "no resizing 'squash'. Choose one of: stretch, crop, pad",
    ),
    (["train", "{photos}", "--out", "{tmp}/run", "--fine-tune", "perhaps"], "Choose one of: auto, always, never"),
    (["train", "{photos}", "--out", "{run}"], "exists already"),
    (["train", "{photos}", "--out", "{tmp}/run", "--weights", "{tmp}/x.h5"], "is not there"),
    (["train", "{photos}/defective", "--out", "{tmp}/run"], "no class folders"),
    (["inspect", "{photos}/nowhere"], "does not exist"),
    (["inspect", "{tmp}"], "holds no images"),
    (["inspect", "{photos}", "--out", "{photos}/findings"], "is inside"),
    (["train", "{photos}", "--out", "{photos}/run"], "is inside"),
    (["predict", "{run}", "{photos}", "--explain", "{photos}/defective/why"], "is inside"),
    (["inspect", "{photos}", "--class-level", "2"], "no images in folders at level 2; expected 1 to 1"),
    (["inspect", "{photos}", "--label-column", "kind"], "is no CSV, but --label-column is given"),
    (["backbones", "--class-level", "2"], "say how DATA is read"),
    (["inspect", "{photos}", "--image-size", "16"], "16 x 16 pixels are too small"),
    (["evaluate", "{tmp}", "{photos}"], "holds no classifier.json"),
    (["evaluate", "{run}", "{tmp}"], "holds no images"),
    (["evaluate", "{run}", "{photos}", "--split", "holdout"], "no split 'holdout'"),
    (["predict", "{tmp}/none", "x.jpg"], "does not exist; expected the folder of a run"),
    (["predict", "{run}", "{tmp}"], "holds no images"),
    (["demo", "--data", "birds", "--out", "{tmp}/demo"], "no sample collection 'birds'"),
])  # fmt: skip
def test_a_users_mistake_is_one_message_and_status_2(arguments, message, run, photos, tmp_path, call):
    filled = [each.format(photos=photos, tmp=tmp_path, run=run.folder) for each in arguments]
    status, output, errors = call(*filled)
    assert status == 2
    assert output == ""
    assert message in errors
    assert "Traceback" not in errors
    status, output, _ = call(*filled, "--json")
    assert status == 2
    assert message in json.loads(output)["error"]["message"]
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage(call):
    for arguments in (["nonsense"], ["train"], ["predict"], ["train", "x", "--seed", "-1", "--out", "y"]):
        status, output, errors = call(*arguments)
        assert status == 2
        assert "Usage:" in errors
        assert output == ""


def test_backbones(call):
    status, output, _ = call("backbones")
    assert status == 0
    for name in hs.BACKBONES:
        assert name in output
    assert json.loads(call("backbones", "--json")[1])["mobilenet_v2"]["features"] == 1280


def test_a_missing_backend_is_one_sentence(run, photos, tmp_path):
    """In a process where TensorFlow cannot be imported; predicting and evaluating do not need it."""
    start = "import sys; sys.modules['tensorflow'] = None\nfrom headstart.cli import main\n"
    folder, photo, out = str(run.folder), str(next(photos.rglob("*.png"))), str(tmp_path / "out")
    for arguments, status in (
        (["train", str(photos), "--recipe", "tutorial", "--out", out], 2),
        (["evaluate", folder, str(photos)], 0),
        (["predict", folder, photo], 0),
    ):
        code = f"{start}sys.argv = ['headstart', *{arguments!r}]\nmain()"
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert result.returncode == status, result.stderr
        assert ("pip install 'headstart[tune]'" in result.stderr) == bool(status)
        assert "Traceback" not in result.stderr


# The demo


@pytest.mark.training
def test_demo_falls_back_to_the_solar_cells_and_names_what_is_next(tmp_path, monkeypatch, call):
    def unreachable(url: str, *, again: bool = False) -> Path:
        raise DownloadError(f"{url} could not be downloaded (no route to host)")

    monkeypatch.setattr("headstart.storage.downloads.fetch", unreachable)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("headstart.training.trainer.FEW", 0)  # as with all photos, the validation images tell
    quick = ["--epochs", 1, "--images", 80]  # of 60, too few would be left to judge fine-tuning by
    status, output, errors = call("demo", *quick)
    assert status == 0, errors
    assert output == ""
    lines = errors.splitlines()
    fallback = next(line for line in lines if "could not be downloaded" in line)
    assert fallback.endswith("continuing with --data solar-cells.")
    assert "CC BY-NC-SA 4.0" in errors
    for title in ("Get the data", "Look at it", "Try next"):
        assert title in lines
    for text in STORY.values():
        assert text in errors
    for name in ("samples", "augmentation", "learning_curves", "confusion_matrix", "predictions", "mistakes"):
        assert f"  runs/demo/plots/{name}.png" in lines
    assert "  runs/demo/report.html" in lines

    commands = [shlex.split(line) for line in lines if line.startswith("  headstart ")]
    assert [command[1] for command in commands] == ["predict", "evaluate", "train", "studio"]
    status, output, errors = call(*commands[0][1:])
    assert status == 0, errors
    assert output.startswith(commands[0][3])
    assert hs.load(commands[1][2]).class_names == ("defective", "functional")
    assert Path(commands[1][3]).is_file(), "evaluate itself is tested above, on fewer images"

    status, _, errors = call("demo", *quick, "--data", "cats-and-dogs")
    assert status == 2, "what was asked for by name is not replaced by something else"
    assert "no route to host" in errors


def test_demo_finds_a_free_place(tmp_path):
    assert free_place(tmp_path / "demo") == tmp_path / "demo"
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo-2.partial").mkdir()
    assert free_place(tmp_path / "demo") == tmp_path / "demo-3"


def test_small_image_size_is_used(run):
    assert run.metrics["image_size"] == SMALL
    assert np.isfinite(run.metrics["test"]["loss"])


def test_labels_and_diff(photos, tmp_path, call):
    """Corrections that lie elsewhere: they are imported, shown, compared, and left out."""
    table, elsewhere = tmp_path / "labels.csv", ("--corrections", tmp_path / "mine.db")
    names = sorted(path.name for path in (photos / "functional").iterdir())[:3]
    table.write_text("path,label\n" + "".join(f"{photos / 'functional' / name},defective\n" for name in names))
    status, output, errors = call("labels", photos, "--import", table, *elsewhere, "--json")
    assert status == 0, errors
    assert json.loads(output)["classes"]["defective"] == {"own": 40, "now": 43}
    assert call("labels", photos, *elsewhere)[1] == str(
        commands.labels(hs.DataSource(photos, corrections=tmp_path / "mine.db"), listener=hs.Quiet())
    ) + "\n"  # fmt: skip
    compared = json.loads(call("diff", photos, *elsewhere, "--json")[1])
    assert compared["relabelled"] == 3
    assert call("diff", photos, "--from", "own")[0] == 2, "beside the photos there are no corrections"
    status, _, errors = call("inspect", photos, *elsewhere, "--no-corrections")
    assert status == 2
    assert "--corrections FILE and --no-corrections were both given" in errors
    assert call("labels", photos, "--undo", "--redo")[0] == 2
    assert call("labels", photos, "--export", tmp_path / "x", "--form", "zip")[0] == 2
