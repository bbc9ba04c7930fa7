"""SHA-256, against the standard's own examples, and in one place only."""

import ast
from pathlib import Path

import numpy as np
import pytest

import headstart
from headstart.storage.hashing import sha256, sha256_of_file, sha256_of_weights

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4, "abc"
NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_digests_of_the_standard(tmp_path):
    assert (sha256(), sha256(b""), sha256(b"abc"), sha256(b"a", b"", b"bc")) == (NOTHING, NOTHING, ABC, ABC)
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256_of_file(tmp_path / "file") == ABC
    with pytest.raises(OSError, match="missing"):
        sha256_of_file(tmp_path / "missing")


def test_arrays_are_their_bytes():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert sha256(array.data, b"x") == sha256(array.tobytes() + b"x")


def test_nothing_else_hashes():
    source = Path(headstart.__file__).parent
    imports = [
        (file.relative_to(source).as_posix(), alias.name)
        for file in source.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    assert [file for file, name in imports if name == "hashlib"] == ["storage/hashing.py"]


def test_weights_are_hashed_again_only_if_they_were_changed(tmp_path, monkeypatch):
    file = tmp_path / "weights.h5"
    file.write_bytes(b"abc")
    assert sha256_of_weights(file) == ABC
    file.write_bytes(b"abcd")
    assert sha256_of_weights(file) == sha256_of_file(file) != ABC
    before = sha256_of_weights(file)

    def never(file: Path) -> str:
        raise AssertionError(file)

    monkeypatch.setattr("headstart.storage.hashing.sha256_of_file", never)
    assert sha256_of_weights(file) == before
    file.unlink()
    with pytest.raises(OSError, match=r"weights\.h5"):
        sha256_of_weights(file)
