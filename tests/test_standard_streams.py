"""The command line where standard output is closed, full or of another encoding; where there is no home, no working
folder: in processes of their own."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from headstart.home import home_folder
from headstart.standard_streams import Forgiving, Output, OutputError, output_in_utf8

ON_UNIX = pytest.mark.skipif(sys.platform == "win32", reason="of Unix")
WITHOUT_NAME = "import pwd\ndef unknown(*asked): raise KeyError(asked)\npwd.getpwuid = pwd.getpwnam = unknown\n"


@pytest.fixture(scope="module")
def far(run, cells, tmp_path_factory) -> tuple[Path, Path]:
    """A run whose classes, and a photo whose path, have names that few encodings know."""
    folder = tmp_path_factory.mktemp("far")
    renamed = shutil.copytree(run.folder, folder / "run")
    card = json.loads((renamed / "classifier.json").read_text("utf-8"))
    (renamed / "classifier.json").write_text(json.dumps(card | {"class_names": ["日本", "Äpfel"]}), "utf-8")
    return renamed, Path(shutil.copy(cells["defective"][0], folder / "犬.png"))


def start(
    *arguments: object, shell: str = "", unset: tuple[str, ...] = (), folder: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """`headstart ARGUMENTS SHELL` in a process of its own."""
    command = [sys.executable, "-m", "headstart", *map(str, arguments)]
    if shell:
        command = ["sh", "-c", f'"$@" {shell}', "sh", *command]
    environment = {name: value for name, value in os.environ.items() if name not in unset} | environment
    return subprocess.run(command, capture_output=True, timeout=120, check=False, env=environment, cwd=folder)


@pytest.mark.process
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_text_is_written_in_any_encoding(far, encoding):
    run, photo = far
    result = start("predict", run, photo, "--top", 2, PYTHONIOENCODING=encoding)
    assert (result.returncode, result.stderr) == (0, b"")
    text = result.stdout.decode(encoding)
    assert r"\u72ac.png" in text
    assert r"\u65e5\u672c" in text
    assert ("Äpfel" if encoding == "cp1252" else r"\xc4pfel") in text


@pytest.mark.process
def test_json_and_csv_are_utf8_in_any_encoding(far):
    run, photo = far
    answers = {
        name: start("predict", run, photo, *given, PYTHONIOENCODING="cp1252").stdout.decode("utf-8")
        for name, given in {"csv": ("--format", "csv"), "json": ("--json",)}.items()
    }
    row = next(csv.DictReader(io.StringIO(answers["csv"])))
    document = json.loads(answers["json"])["predictions"][0]
    assert row["path"] == document["path"] == str(photo)
    assert row["label"] == document["label"]
    assert document["probabilities"].keys() == {"日本", "Äpfel"}
    refused = start("predict", run.parent / "無", photo, "--json", PYTHONIOENCODING="ascii")
    assert (refused.returncode, "無" in json.loads(refused.stdout.decode("utf-8"))["error"]["message"]) == (2, True)


@ON_UNIX
@pytest.mark.process
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_one_message(far, unbuffered):
    """One message where the disk is full, or nobody opened it; none where the reader has left."""
    run, photo = far
    full = b"Standard output cannot be written: No space left on device.\n"
    for shell, arguments, status, said in (
        (">/dev/full", ("predict", run, photo, "--json"), 2, full),
        (">/dev/full", ("--help",), 2, full),
        (">&-", ("predict", run, photo), 2, b"Standard output cannot be written: Bad file descriptor.\n"),
        (">&- 2>&-", ("predict", run, photo), 2, b""),
        ("<&- 2>&-", ("predict", run, photo), 0, b""),
        ("2>/dev/full", ("predict", run, "missing.png"), 2, b""),
    ):
        result = start(*arguments, shell=shell, PYTHONUNBUFFERED=unbuffered)
        assert (result.returncode, result.stderr) == (status, said), (shell, arguments)
    command = f'| true; "{sys.executable}" -c "print(1)"'
    assert start("predict", run, photo, shell=command, PYTHONUNBUFFERED=unbuffered).stderr == b""


@ON_UNIX
@pytest.mark.training
def test_a_terminal_that_is_gone_ends_no_training(photos, tmp_path):
    small = ("--image-size", 32, "--images", 40, "--fine-tune", "never", "--views", "original")
    for name, shell in (("full", "2>/dev/full"), ("left", "2>&1 | true")):
        start("train", photos, "--out", tmp_path / name, *small, shell=shell)
        assert (tmp_path / name / "report.html").is_file(), name


@ON_UNIX
@pytest.mark.process
def test_a_working_folder_that_is_gone_is_one_message(run, photos, tmp_path):
    gone = f'cd "{tmp_path}" && mkdir gone && cd gone && rmdir "{tmp_path}/gone" && '
    python = f'PYTHONPATH="{Path(__file__).parents[1]}/src" "{sys.executable}" -m headstart '
    for arguments in ("train photos --out run", "inspect photos", f"evaluate '{run.folder}' photos"):
        result = subprocess.run(["sh", "-c", gone + python + arguments], capture_output=True, check=False)
        assert result.returncode == 2
        assert result.stderr.startswith(b"The working folder no longer exists")
        assert result.stderr.count(b"\n") == 1
    small = f"--out '{tmp_path}/run' --image-size 32 --images 40 --fine-tune never --views original"
    command = ["sh", "-c", f"{gone}{python} train '{photos}' {small}"]
    result = subprocess.run(command, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "run" / "plots" / "confusion_matrix.png").is_file()


@ON_UNIX
@pytest.mark.training
def test_a_user_without_a_home_and_a_name_trains(photos, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_NAME)
    (tmp_path / "temporary").mkdir()
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[1] / "src")])
    given = {"PYTHONPATH": path, "TMPDIR": str(tmp_path / "temporary"), "folder": tmp_path}
    unset = ("HOME", "HEADSTART_CACHE", "KERAS_HOME", "XDG_CACHE_HOME")
    small = ("--image-size", 32, "--images", 40, "--fine-tune", "always", "--epochs", 1)
    result = start("train", photos, "--out", "run", *small, unset=unset, **given)
    assert result.returncode == 0, result.stderr
    home = tmp_path / "temporary" / f"headstart-{os.getuid()}"
    assert home.stat().st_mode & 0o077 == 0, "for nobody else"
    assert (home / ".cache" / "headstart" / "features").is_dir()
    assert not (tmp_path / "~").exists()


@ON_UNIX
def test_a_home_that_somebody_else_made_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError))
    assert home_folder() == tmp_path / f"headstart-{os.getuid()}"
    monkeypatch.setattr("os.getuid", lambda: 4711)
    (tmp_path / "headstart-4711").symlink_to(tmp_path)
    with pytest.raises(Exception, match="belongs to somebody else"):
        home_folder()


# The streams themselves


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_what_is_written_arrives_and_failures_are_named():
    stream = io.StringIO()
    print("text", file=Output(stream))
    print("text", file=Forgiving(stream))
    assert stream.getvalue() == "text\ntext\n"
    with pytest.raises(OutputError, match="No space left on device"):
        print("text", file=Output(Full()))
    print("text", file=Forgiving(Full()))


def test_a_stream_that_failed_is_not_tried_again():
    class Once(io.StringIO):
        fails = True

        def write(self, text: str) -> int:
            if self.fails:
                raise BrokenPipeError
            return super().write(text)

    stream = Once()
    forgiving = Forgiving(stream)
    forgiving.write("a")
    stream.fails = False
    forgiving.write("b")
    assert stream.getvalue() == ""


def test_the_encoding_is_as_before_afterwards(monkeypatch):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="cp1252", errors="backslashreplace")
    monkeypatch.setattr(sys, "stdout", stream)
    print("Ä日")
    with output_in_utf8():
        print("Ä日")
    print("Ä日", flush=True)
    assert raw.getvalue().splitlines() == [b"\xc4\\u65e5", "Ä日".encode(), b"\xc4\\u65e5"]
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with output_in_utf8():
        print("Ä日")
