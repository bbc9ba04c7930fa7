"""What a training would refuse, the studio says before it starts, in the same words."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

import headstart as hs
from headstart.commands.run_splits import copy_groups
from headstart.data.source import DataSource
from headstart.errors import DatasetError
from headstart.studio.catalogue import UNKNOWN
from headstart.studio.collection import Collection, open_collection
from headstart.studio.trainable import check_trainable
from headstart.training.config import TrainingConfig
from support.correcting import correct
from support.pages import show, studio_page
from support.studio import StudioServer

Change = Callable[[Path], object]


@contextmanager
def opened(folder: Path, *, until_drawn: bool = False) -> Iterator[Collection]:
    """until_drawn: also wait for the splits."""
    collection = open_collection(DataSource(folder).absolute(), lambda kind, **facts: None)
    try:
        while UNKNOWN in collection.catalogue.numbers["state"] or (
            until_drawn and "copies" in collection.analysis.computing
        ):
            collection._closed.wait(0.05)
        yield collection
    finally:
        collection.close()


def keep(folder: Path, *counts: int) -> None:
    """So many photos of each class, in the order of their names."""
    for kind, count in zip(sorted(each for each in folder.iterdir() if each.is_dir()), counts, strict=True):
        for file in sorted(kind.iterdir())[count:]:
            file.unlink()


def spoil(folder: Path, count: int) -> None:
    for file in sorted((folder / "defective").iterdir())[:count]:
        file.write_bytes(b"no photo")


def copy_one(folder: Path) -> None:
    keep(folder, 1, 1)
    for file in list(folder.rglob("*.png")):
        for number in range(4):
            shutil.copy(file, file.with_name(f"copy-{number}.png"))


REFUSED: dict[str, Change] = {
    "class-of-one": lambda folder: keep(folder, 1, 40),
    "class-of-one by the user": lambda folder: correct(folder, [next(folder.glob("*/*.png")).name], "cracked"),
    "class-unreadable": lambda folder: spoil(folder, 40),
    "many-unreadable": lambda folder: spoil(folder, 10),
    "names-alike": lambda folder: (folder / "functional").rename(folder / "Defective "),
    "one-class": lambda folder: shutil.rmtree(folder / "functional"),
}


@pytest.fixture
def folder(photos: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(photos, tmp_path / "cells"))


@pytest.mark.parametrize("name", REFUSED)
def test_the_words_are_those_of_the_training(folder: Path, name: str):
    REFUSED[name](folder)
    with pytest.raises(DatasetError) as trained:
        hs.load_dataset(folder, listener=hs.Quiet())
    with opened(folder) as collection, pytest.raises(DatasetError) as said:
        check_trainable(collection)
    assert str(said.value) == str(trained.value)
    assert said.value.reason == name.partition(" ")[0]


@pytest.mark.parametrize(("rule", "reason"), [("(unclosed", "no-pattern"), ("nothing-like-it", "few-groups")])
def test_so_they_are_of_groups(folder: Path, rule: str, reason: str):
    with pytest.raises(DatasetError) as trained:
        hs.load_dataset(DataSource(folder, group_by=rule), listener=hs.Quiet())
    with opened(folder) as collection:
        check_trainable(collection)
        with pytest.raises(DatasetError) as said:
            check_trainable(collection, rule)
    assert (str(said.value), said.value.reason) == (str(trained.value), reason)


def test_an_empty_split_is_known_once_copies_are(folder: Path):
    copy_one(folder)
    config = TrainingConfig.of()
    data = hs.load_dataset(
        folder, groups=lambda images, drawn: copy_groups(images, drawn, config, hs.Quiet()), listener=hs.Quiet()
    )
    with pytest.raises(DatasetError) as trained:
        data.check_splits()
    with opened(folder, until_drawn=True) as collection, pytest.raises(DatasetError) as said:
        check_trainable(collection)
    assert (str(said.value), said.value.reason) == (str(trained.value), "empty-split")


@pytest.mark.browser
@pytest.mark.process
def test_the_page_says_it_and_does_not_begin(browser: Browser, folder: Path, open_studio: Callable[..., StudioServer]):
    keep(folder, 1, 40)
    server = open_studio(folder)
    with pytest.raises(DatasetError) as refused:
        hs.load_dataset(folder, listener=hs.Quiet())
    with studio_page(browser, server) as page:
        show(page, server, "train")
        start = page.locator(".card.start")
        expect(start).to_contain_text(str(refused.value))
        expect(start.get_by_role("button", name="Train", exact=True)).to_be_disabled()
        page.evaluate("localStorage.setItem('headstart-language', 'pt')")
        page.reload()
        expect(start).to_contain_text("“defective” tem 1 foto legível")
        answer = server.client.post("/api/jobs", json={"kind": "train"})
        assert (answer.status_code, answer.json()["detail"]) == (422, str(refused.value))
        assert server.ask("/api/jobs") == []
        server.ask("/api/labels", ids=server.ids(classes=["functional"])[:5], label="defective")
        expect(start.get_by_role("button", name="Treinar", exact=True)).to_be_enabled()
