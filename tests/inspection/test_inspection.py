"""`headstart inspect`: every kind of fault that is planted is found, on a collection that is left as it was."""

import csv
import json
import re
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import headstart as hs
from headstart.data.corrections import CONFIRM, Correction
from headstart.errors import DatasetError, RunError
from headstart.evaluation.advice import advice
from headstart.evaluation.document import RunMetrics
from headstart.features import neighbours
from headstart.inspection import page as page_module
from headstart.inspection.collection import _copy_findings
from headstart.inspection.duplicates import Duplicates, Pair
from headstart.inspection.findings import (
    BYTES,
    COLOURS,
    CONFLICT,
    DOUBT,
    KINDS,
    LEAK,
    NEAR,
    ON_THE_COLLECTION,
    OUTLIER,
    PIXELS,
    SHAPE,
    UNREADABLE,
    WRONG_ENDING,
)
from headstart.inspection.leaks import find_leaks
from headstart.pages.rendering import with_code
from headstart.storage import cache as hs_cache
from headstart.storage.hashing import sha256_of_file
from support.browsing import WIDTHS, check_layout, opened
from support.correcting import journal_of
from support.planted import content, copies, jpeg, tiles
from support.sizes import SMALL
from support.small_collections import zipped


def look(data: Path, **settings) -> hs.Inspection:
    return hs.inspect(data, image_size=SMALL, listener=hs.Quiet(), **settings)


def names(inspection: hs.Inspection, kind: str) -> list[str]:
    """split/class/file of the findings of a kind, in their order."""
    return ["/".join(Path(finding.path).parts[-3:]) for finding in inspection.of_kind(kind)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, cells) -> Path:
    """Cells and tiles of photos, in train and validation, with faults of every kind."""
    root = tmp_path_factory.mktemp("planted") / "mixed"
    for split in ("train", "validation"):
        for name in ("cells", "photos"):
            (root / split / name).mkdir(parents=True)
    # Every 43rd cell: of another module each
    photos, others = tiles()[:30], tiles()[30:]
    of_class = {"cells": [Image.open(path) for path in cells["functional"][::43]], "photos": photos}
    for name, images in of_class.items():
        for number, image in enumerate(images):
            place = root / ("validation" if number >= 24 else "train") / name
            (place / f"{number:02}.jpg").write_bytes(jpeg(image))
    train, validation = root / "train", root / "validation"
    shutil.move(train / "cells" / "03.jpg", train / "photos" / "swapped03.jpg")
    shutil.move(train / "photos" / "05.jpg", train / "cells" / "swapped05.jpg")
    shutil.copy(train / "photos" / "07.jpg", train / "photos" / "copy07.jpg")
    shutil.copy(train / "photos" / "08.jpg", validation / "photos" / "leak08.jpg")
    (validation / "photos" / "leak09.jpg").write_bytes(copies(photos[9])["mirrored"])
    (train / "photos" / "near10.jpg").write_bytes(copies(photos[10])["resized"])
    (train / "cells" / "other11.jpg").write_bytes(copies(photos[11])["recompressed"])
    for level in (1, 9):
        others[0].save(train / "photos" / f"pixels{level}.png", compress_level=level)
    some = iter(others[1:])
    (train / "photos" / "empty.jpg").write_bytes(b"")
    (train / "photos" / "short.jpg").write_bytes(jpeg(next(some))[:1500])
    (train / "photos" / "words.png").write_text("words")
    (train / "photos" / "wrong.png").write_bytes(jpeg(next(some)))
    next(some).convert("CMYK").save(train / "photos" / "print.jpg")
    next(some).convert("P").save(train / "photos" / "palette.png")
    Image.fromarray(np.asarray(next(some).convert("L")).astype(np.uint16) * 257).save(train / "photos" / "deep.png")
    next(some).save(train / "photos" / "moving.webp", save_all=True, append_images=[photos[0]])
    transparent = next(some).convert("RGBA")
    transparent.putalpha(200)
    transparent.save(train / "photos" / "clear.png")
    next(some).resize((480, 60)).save(train / "photos" / "wide.png")
    return root


@pytest.fixture(scope="module")
def found(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[hs.Inspection, Path]:
    """What is found in it, and the folder that was written; the photos are compared before and after."""
    before = content(folder)
    out = tmp_path_factory.mktemp("found") / "new" / "findings"
    inspection = look(folder, out=out)
    assert content(folder) == before, "something of the user's was changed"
    return inspection, out


def test_copies(found):
    inspection, _ = found
    assert sorted(names(inspection, BYTES)) == ["train/photos/copy07.jpg", "validation/photos/leak08.jpg"]
    assert names(inspection, PIXELS) == ["train/photos/pixels9.png"]
    near = {frozenset((Path(each.path).name, Path(each.other).name)) for each in inspection.of_kind(NEAR)}
    assert near == {
        frozenset(pair) for pair in (("leak09.jpg", "09.jpg"), ("near10.jpg", "10.jpg"), ("other11.jpg", "11.jpg"))
    }
    (conflict,) = inspection.of_kind(CONFLICT)
    assert {conflict.label, conflict.other_label} == {"cells", "photos"}
    assert "11.jpg" in conflict.path


def test_among_many_photos_copies_are_searched_approximately(folder, found, tmp_path, monkeypatch):
    monkeypatch.setattr(neighbours, "EXACT", 10)
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    exact, _ = found
    inspection = look(folder)
    assert "searched approximately" in str(inspection)
    assert "searched approximately" not in str(exact)
    for kind in (BYTES, PIXELS, NEAR, LEAK, CONFLICT):
        assert names(inspection, kind) == names(exact, kind)


@pytest.mark.parametrize(("across", "within", "conflicts"), [(3, 1, 0), (2, 0, 2), (3, 3, 3), (1, 9, 1)])
def test_mirrored_copies_under_another_label(across, within, conflicts):
    """Where mirroring changes the class, as with arrows, they are no conflict; a few, or fewer than not, are."""
    count = across + within
    paths = tuple(f"{number:02}.jpg" for number in range(2 * count + 2))
    labels = np.array([0, 1] * across + [0, 0] * within + [0, 1])
    pairs = [Pair(2 * number, 2 * number + 1, NEAR, 0.95, mirrored=True) for number in range(count)]
    images = hs.Split(paths, labels, paths, ("left", "right"))
    groups = np.zeros(len(paths), np.int64)

    def found(*more: Pair) -> int:
        findings = _copy_findings(images, Duplicates((*pairs, *more), groups))
        assert sum(each.kind == NEAR for each in findings) == count + len(more)
        return sum(each.kind == CONFLICT for each in findings)

    assert found() == conflicts
    assert found(Pair(2 * count, 2 * count + 1, NEAR, 0.97)) == conflicts + 1, "as it is, a copy is a conflict"


def test_leaks(found):
    inspection, _ = found
    assert sorted(names(inspection, LEAK)) == ["validation/photos/leak08.jpg", "validation/photos/leak09.jpg"]
    for leak in inspection.of_kind(LEAK):
        assert (leak.split, leak.other_split) == ("validation", "train")
        assert leak.other.endswith(leak.path[-6:])


def test_leaks_go_by_pairs_that_are_reported_and_by_way_of_others():
    """Of a crowd of 14 things that look alike only two pairs are copies: 0 and 1, and 1 and 9."""
    paths = tuple(f"{number:02}.jpg" for number in range(14))
    images = hs.Split(paths, np.zeros(14, np.int64), paths, ("a",))
    pairs = tuple(Pair(first, second, NEAR, 0.98) for first, second in ((0, 1), (1, 9)))
    splits = ["train"] + ["validation"] * 8 + ["test"] * 5
    found = find_leaks(images, splits, Duplicates(pairs, np.zeros(14, np.int64)))
    assert [(leak.path, leak.other, leak.detail) for leak in found] == [
        ("01.jpg", "00.jpg", NEAR), ("09.jpg", "00.jpg", "through other copies"),
    ]  # fmt: skip
    assert find_leaks(images, [None] * 14, Duplicates(pairs, np.zeros(14, np.int64))) == []


def test_doubtful_labels_and_outliers(found):
    inspection, _ = found
    doubtful = names(inspection, DOUBT)
    wrong = {"train/photos/swapped03.jpg", "train/cells/swapped05.jpg", "train/cells/other11.jpg"}
    assert set(doubtful[:3]) == wrong
    assert len(doubtful) <= 5
    for doubt in inspection.of_kind(DOUBT):
        assert doubt.suggested != doubt.label
        assert doubt.score is not None
        assert 0 < doubt.score <= 1
    assert not set(names(inspection, OUTLIER)) & set(doubtful)


def test_a_label_that_the_user_has_confirmed_is_not_doubted_again(found, folder):
    inspection, _ = found
    first, *others = inspection.of_kind(DOUBT)
    digest = sha256_of_file(Path(first.path))
    journal = journal_of(folder)
    journal.record([Correction(digest, first.path, first.label, first.label)], kind=CONFIRM)
    try:
        again = look(folder)
        assert [each.path for each in again.of_kind(DOUBT)] == [each.path for each in others]
        assert "1 photo with a doubtful label is not listed: the user has confirmed it" in again.remarks
        journal.undo()
        assert look(folder).of_kind(DOUBT) == inspection.of_kind(DOUBT)
    finally:
        journal.file.unlink()


def test_odd_files(found):
    inspection, _ = found
    assert {Path(each.path).name for each in inspection.of_kind(UNREADABLE)} == {"empty.jpg", "short.jpg", "words.png"}
    assert [(Path(each.path).name, each.detail) for each in inspection.of_kind(WRONG_ENDING)] == [
        ("wrong.png", "named as PNG, but contains JPEG")
    ]
    said = {Path(each.path).name: each.detail for each in inspection.of_kind(COLOURS) if each.label == "photos"}
    assert "CMYK" in said["print.jpg"]
    assert "palette" in said["palette.png"]
    assert "16 bits" in said["deep.png"]
    assert "animated" in said["moving.webp"]
    assert "transparent" in said["clear.png"]
    assert names(inspection, SHAPE) == ["train/photos/wide.png"]
    assert inspection.sizes is not None
    assert inspection.sizes.shorter == (60, 160, 300)
    assert inspection.sizes.aspect_ratio == inspection.sizes.oblong == (1.0, 1.0, 8.0)
    assert inspection.sizes.cropped[2] == 1 - 1 / 8


def test_what_is_written(found):
    inspection, out = found
    assert {path.name for path in out.iterdir()} == {"findings.csv", "findings.json", "inspection.html"}
    assert json.loads((out / "findings.json").read_text("utf-8")) == inspection.to_json()
    with (out / "findings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == [finding.kind for finding in inspection.findings]
    assert [row["kind"] for row in rows] == sorted((row["kind"] for row in rows), key=list(KINDS).index)
    assert list(rows[0]) == [
        "kind", "path", "label", "split", "other", "other_label", "other_split", "suggested", "score", "detail",
    ]  # fmt: skip
    page = (out / "inspection.html").read_text("utf-8")
    assert "http://" not in page
    assert "https://" not in page
    assert len(page) < 2_000_000
    pictures = re.findall(r'<img src="data:image/webp;base64,[^"]+" alt="([^"]+)"', page)
    assert page.count("<img") == len(pictures) > 20
    assert "The photo swapped03.jpg" in pictures
    for kind in inspection.counts:
        assert kind.capitalize() in page
    text = str(inspection)
    assert "swapped03.jpg" in text
    assert "probably cells" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_in_a_browser(found, browser, width):
    inspection, out = found
    page, faults = opened(browser, out / "inspection.html", width)
    assert faults == []
    check_layout(page, width)
    headings = page.locator("h2").all_inner_texts()
    assert headings == [
        "Classes",
        "Sizes and shapes",
        *(f"{k.capitalize()}: {n}" for k, n in inspection.counts.items()),
    ]
    of_photos = [finding for finding in inspection.findings if finding.path]
    assert page.locator("figure").count() == len(of_photos) < len(inspection.findings)
    page.close()


@pytest.fixture(scope="module")
def fast_run(folder: Path, found, tmp_path_factory: pytest.TempPathFactory) -> hs.Run:
    """A run on that collection, by the recipe `fast`, whose report shows what is odd about it."""
    recipe, out = hs.RECIPES["fast"].without_fine_tuning(), tmp_path_factory.mktemp("runs") / "mixed"
    return hs.make_run(folder, out, recipe=recipe, image_size=SMALL, listener=hs.Quiet())


def test_a_run_tells_what_is_odd_and_what_cleaner_labels_would_bring(fast_run, found):
    inspection, _ = found
    numbers = json.loads((fast_run.folder / "metrics.json").read_text("utf-8"))
    assert numbers["findings"] == {"verdict": inspection.verdict, "counts": inspection.counts}
    cleaning = numbers["cleaning"]
    assert cleaning["left_out"] >= 2
    assert cleaning["images"] == numbers["train"]["accuracy"]["count"]
    assert cleaning["held_out"] == numbers["validation"]["accuracy"]["count"]
    lines = advice(RunMetrics.from_json(numbers))
    assert lines[0].startswith("Fix the split: 2 held-out photos have copies among the photos that the classifier was")
    assert any(f"one solved on all {cleaning['images']}" in line for line in lines)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_of_such_a_run_in_a_browser(fast_run, browser, width):
    page, faults = opened(browser, fast_run.folder / "report.html", width)
    assert faults == []
    check_layout(page, width)
    counts = fast_run.metrics["findings"]["counts"]
    headings = page.locator("section#data h4").all_inner_texts()
    assert headings == [f"{kind.capitalize()}: {count}" for kind, count in counts.items()]
    shown = [min(6, count) for kind, count in counts.items() if kind not in ON_THE_COLLECTION]
    assert page.locator("section#data figure").count() == sum(shown)
    said = page.locator("section#right li").all_inner_texts()
    assert [line.partition(":")[0] for line in said] == [each["name"] for each in fast_run.metrics["shortcuts"]] != []
    assert "The accuracy may come from that" in page.locator("header").inner_text()
    page.close()


def test_every_number_of_the_metrics_is_documented(fast_run):
    """The keys of a run, and those that docs/evaluation.md names: in its first lines and in its table."""
    text = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text("utf-8")
    words, _, table = text[text.index("## Where the numbers are") :].partition("| key")
    keys = " ".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    in_table, of_a_split = (set(re.findall(pattern, keys)) for pattern in (r"`(\w+)`", r"`\.(\w+)`"))
    numbers = fast_run.metrics
    only_with_a_folder = {"others"}  # `_other`
    assert in_table - only_with_a_folder <= set(numbers) <= in_table | set(re.findall(r"`(\w+)`", words))
    only_for_some = {"stakes", "soft_labels", "hierarchy"}
    assert of_a_split == {*numbers["validation"], "judgement", "depth_weight"} | only_for_some


def test_a_long_list_is_cut_on_the_page_only(found, tmp_path, monkeypatch):
    inspection, _ = found
    monkeypatch.setattr(page_module, "MAX_FINDINGS", len(inspection.counts))
    page_module.write_page(tmp_path / "page.html", inspection)
    page = (tmp_path / "page.html").read_text("utf-8")
    assert f"{len(inspection.of_kind(UNREADABLE)) - 1} more in findings.csv" in page


@pytest.mark.parametrize(
    ("counts", "shown"), [([], 400), ([3, 9], 400), ([300, 101], 299), ([9_000, 30], 370), ([9_000, 9_000, 10], 195)]
)
def test_the_room_of_the_page_is_shared(counts, shown):
    """What few findings leave over goes to the kinds that have many."""
    assert page_module._limit_per_kind(counts) == shown


def test_names_cannot_write_into_the_page(found, folder, tmp_path):
    inspection, _ = found
    finding = inspection.of_kind(WRONG_ENDING)[0]
    evil = tmp_path / "<script>alert(1)<"
    evil.mkdir()
    path = shutil.copy(finding.path, evil / "x.png")
    one = replace(inspection, findings=(replace(finding, path=str(path)),), data=str(evil))
    page_module.write_page(tmp_path / "page.html", one)
    assert "<script" not in (tmp_path / "page.html").read_text("utf-8")


def test_commands_in_sentences_are_code():
    assert with_code("<b> `train --x <y>` & so on") == "&lt;b&gt; <code>train --x &lt;y&gt;</code> &amp; so on"


def test_out_must_be_free(folder, tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(RunError, match="exists already"):
        look(folder, out=tmp_path / "taken")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        look(folder, out=tmp_path / "file" / "below")


def test_the_same_seed_finds_the_same(found, folder):
    inspection, _ = found
    again = look(folder)
    assert again.findings == inspection.findings
    assert again.remarks == inspection.remarks


def test_files_of_a_zip_are_named_by_their_names_in_it(tmp_path, make_folder):
    folder = make_folder(tmp_path / "plain", {"a": 4, "b": 4})
    first = next((folder / "a").iterdir())
    shutil.copy(first, folder / "b" / "copy.png")
    archive, out = zipped(folder, tmp_path / "photos.zip"), tmp_path / "found"
    inspection = look(archive, out=out)
    [copied] = inspection.of_kind(CONFLICT)
    assert Path(copied.path).is_file(), "Python gets the file"
    rows = [row for row in csv.DictReader((out / "findings.csv").read_text().splitlines()) if row["kind"] == CONFLICT]
    assert {rows[0]["path"], rows[0]["other"]} == {f"{archive}/a/{first.name}", f"{archive}/b/copy.png"}
    cache = str(hs_cache.cache_folder())
    for text in (str(inspection), *((out / name).read_text() for name in ("findings.json", "inspection.html"))):
        assert cache not in text
        assert "b/copy.png" in text


# Collections that cannot be trained on


def test_no_images(tmp_path):
    with pytest.raises(DatasetError, match="holds no images"):
        look(tmp_path)


def test_one_image(tmp_path, make_folder):
    inspection = look(make_folder(tmp_path / "one", {"a": 1}))
    assert (inspection.images, inspection.findings) == (1, ())
    assert "one class, 'a'" in inspection.remarks[0]
    json.dumps(inspection.to_json(), allow_nan=False)
    assert str(inspection)


def test_one_class(tmp_path, make_folder):
    inspection = look(make_folder(tmp_path / "one", {"a": 25}), out=tmp_path / "out")
    assert inspection.of_kind(DOUBT) == []
    assert "would refuse this collection" in inspection.remarks[0]
    assert (tmp_path / "out" / "inspection.html").is_file()


def test_all_corrupt(tmp_path):
    for number in range(12):
        path = tmp_path / "data" / "ab"[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff\xd8" + bytes([number]) * 100)
    inspection = look(tmp_path / "data", out=tmp_path / "out")
    assert inspection.images == 0
    assert inspection.counts == {UNREADABLE: 12}
    assert inspection.classes == {"a": {"all": 0}, "b": {"all": 0}}
    assert "12 of 12 files" in inspection.remarks[0]
    assert (tmp_path / "out" / "inspection.html").is_file()


def test_uneven_and_small_classes(tmp_path, make_folder):
    inspection = look(make_folder(tmp_path / "uneven", {"large": 45, "small": 4}))
    said = " ".join(inspection.remarks)
    assert "'large' has 11 times as many photos as 'small' (45 and 4)" in said
    assert "Few photos to learn from: 'small' (4); fewer than 10" in said
    assert "Few photos in the test split that headstart draws: 'large' (7), 'small' (1); even if all of them" in said
    assert all(finding.label != "small" for finding in inspection.of_kind(DOUBT)), "four are too few to judge by"


def test_a_csv_and_what_most_photos_have_in_common_is_said_once(tmp_path):
    rows = ["path,label"]
    for number, image in enumerate(tiles()[:12]):
        image.convert("L").resize((48, 24)).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{'ab'[number % 2]}")
    (tmp_path / "list.csv").write_text("\n".join(rows))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inspection = look(tmp_path / "list.csv")
    said = " ".join(inspection.remarks)
    assert "12 of 12 photos: greyscale" in said
    assert f"12 of 12 photos are smaller than the {SMALL} pixels" in said
    assert "12 of 12 photos are far from square, with a median aspect ratio of 2.0" in said
    assert "--resize crop` uses only the middle and loses 50% of these" in said
    assert not {COLOURS, SHAPE, "small"} & set(inspection.counts)


def test_a_few_that_differ_from_a_majority_of_odd_ones(tmp_path):
    """Photos that are mostly grey and smaller than the network sees, and half of them oblong."""
    (tmp_path / "a").mkdir()
    for number, image in enumerate(tiles()[:30]):
        shape = {0: (8, 8)}.get(number, (24, 24) if number % 2 else (24, 46))
        image.convert("RGB" if number in (4, 7) else "L").resize(shape).save(tmp_path / "a" / f"{number:02}.png")
    inspection = look(tmp_path)
    odd = {kind: sorted(Path(each.path).name for each in inspection.of_kind(kind)) for kind in (COLOURS, "small")}
    assert odd == {COLOURS: ["04.png", "07.png"], "small": ["00.png"]}
    said = " ".join(inspection.remarks)
    assert f"30 of 30 photos are smaller than the {SMALL} pixels" in said
    assert "14 of 30 photos are far from square, with a median aspect ratio of 1.9" in said
