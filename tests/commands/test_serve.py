"""`headstart.serve`: its settings reach the service. The service itself is in tests/serving."""

from pathlib import Path

import pytest

import headstart as hs
from headstart.errors import ServiceError
from headstart.serving import listening
from support.recording import Recorder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What the service would have been started with."""
    found = []

    def serve(runs, config, *, host, port, announce):
        found.append((runs, config, host, port))
        announce("http://there")

    monkeypatch.setattr(listening, "serve", serve)
    monkeypatch.delenv("HEADSTART_API_KEY", raising=False)
    return found


def test_runs_in_every_form(asked, tmp_path, capsys):
    one, other = tmp_path / "one", tmp_path / "other"
    for runs in ([one, f"pets={other}"], {"one": one, "pets": other}):
        hs.serve(runs)
        assert asked.pop()[0] == {"one": one, "pets": other}
    hs.serve(one)
    assert list(asked.pop()[0]) == ["one"]
    assert capsys.readouterr().out.splitlines()[0].startswith("one, pets at http://there (the page; ")
    with pytest.raises(ServiceError):
        hs.serve([one, tmp_path / "elsewhere" / "one"])


def test_limits_and_who_is_told(asked, tmp_path):
    told = []
    hs.serve(
        tmp_path, port=0, max_megabytes=1.5, max_megapixels=2, max_files=9, queue=4, show_training_images=True,
        cors=["https://a.example"], tell=lambda address, names: told.append((address, names)),
    )  # fmt: skip
    [(_, config, host, port)] = asked
    assert (host, port) == ("127.0.0.1", 0)
    assert (config.limits.file_bytes, config.limits.pixels) == (1_500_000, 2_000_000)
    assert (config.limits.files, config.limits.queue) == (4, 4), "no more in a request than may wait"
    assert (config.show_training_images, list(config.cors)) == (True, ["https://a.example"])
    assert told == [("http://there", [tmp_path.name])]


@pytest.mark.parametrize(("host", "has_key", "warned"), [
    ("127.0.0.1", False, False), ("0.0.0.0", False, True), ("0.0.0.0", True, False),
])  # fmt: skip
def test_an_open_address_without_a_key_is_said(asked, tmp_path: Path, host, has_key, warned):
    listener, key = Recorder(), tmp_path / "key"
    key.write_text("a-key-of-more-than-sixteen-letters")
    hs.serve(tmp_path, host=host, api_key_file=key if has_key else None, listener=listener)
    assert any("no API key" in line for line in listener.lines) == warned
