"""Shards of WebDataset and Hugging Face are collections: each photo is the file that went in, with its label."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import headstart as hs
from headstart.data.folder import list_images
from headstart.errors import DatasetError
from headstart.storage import members
from headstart.storage.hashing import sha256
from headstart.storage.locations import read, read_ahead
from headstart.storage.members import tar_index

CLASSES = {"cell one": 8, "two": 8}
HF = {"info": {"features": {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": sorted(CLASSES)}}}}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def few(make_folder, tmp_path):
    return make_folder(tmp_path / "few", CLASSES)


def load(source, **given):
    return hs.load_dataset(hs.DataSource(source, **given), listener=hs.Quiet())


def facts(dataset):
    return sorted((digest, label) for _, label, _, digest, *_ in dataset.rows())


def _is_plain(name: str) -> bool:
    return name.strip("./") == name and "//" not in name


FILE_NAMES = st.text("abc/ü.", min_size=1, max_size=8).filter(_is_plain)


def write_tar(file: Path, content: dict[str, bytes], mode: Any = "w") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, mode) as tar:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file


def photo_files(folder):
    return sorted(folder.glob("*/*"))


def beside(form, number, photo):
    """What a tar holds of a photo."""
    label, data = (
        photo.parent.name,
        {f"./a/{number:03}.seg.jpg" if form == "dots" else f"{number:03}.jpg": photo.read_bytes()},
    )
    return {
        "cls": data | {f"{number:03}.cls": label.encode()},
        "json": data | {f"{number:03}.json": json.dumps({"label": label, "x": 1}).encode()},
        "txt": data | {f"{number:03}.txt": f"{label}\n".encode(), f"{number:03}.npy": b"?"},
        "dots": data | {f"./a/{number:03}.cls": label.encode()},
        "folders": {f"{label}/{number:03}.jpg": photo.read_bytes()},
    }[form]


@pytest.mark.parametrize("where", ["here", "there"])
@pytest.mark.parametrize("form", ["cls", "json", "txt", "dots", "folders"])
def test_tar_shards(few, tmp_path, object_store, form, where):
    photos, folder = photo_files(few), tmp_path / "shards"
    for shard in range(2):
        content = {}
        for number, photo in enumerate(photos[shard::2]):
            content |= beside(form, number, photo)
        write_tar(folder / f"part-{shard:03}.tar", content)
    data = object_store.put_folder(folder, f"{tmp_path.name}/shards") if where == "there" else str(folder)
    dataset = load(data)
    assert facts(dataset) == facts(load(few))
    one = load(f"{data}/part-000.tar")
    assert len(one) == 8
    for path, _, _, digest in dataset.rows():
        assert path.startswith(f"{data}/part-00")
        assert sha256(read(path)) == digest


def write_parquet(file, photos, *, labels=None, plain=False, **columns):
    images = [photo.read_bytes() if plain else {"bytes": photo.read_bytes(), "path": photo.name} for photo in photos]
    kind = pa.binary() if plain else pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    labels = labels or [sorted(CLASSES).index(photo.parent.name) for photo in photos]
    table = pa.table({"image": pa.array(images, kind), "label": labels, **columns})
    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table.replace_schema_metadata({"huggingface": json.dumps(HF)}), file, row_group_size=3)


@pytest.mark.parametrize("where", ["here", "there"])
@pytest.mark.parametrize("plain", [False, True])
def test_parquet_files_with_images(few, tmp_path, object_store, where, plain):
    photos, folder = photo_files(few), tmp_path / "hf"
    write_parquet(folder / "data" / "train-00000-of-00001.parquet", photos[::2], plain=plain)
    write_parquet(folder / "data" / "test-00000-of-00001.parquet", photos[1::2], plain=plain)
    (folder / "README.md").write_text("A data set")
    data = object_store.put_folder(folder, f"{tmp_path.name}/hf") if where == "there" else str(folder)
    dataset = load(data)
    assert facts(dataset) == facts(load(few))
    assert {path.rpartition("#")[0].rpartition("/")[2] for path in dataset.test.paths} == {
        "test-00000-of-00001.parquet"
    }
    contents = list(read_ahead(dataset.test.paths))
    assert [sha256(content) for content in contents if isinstance(content, bytes)] == list(dataset.test.digests)


def test_columns_of_a_parquet_file_are_chosen_as_those_of_a_csv(few, tmp_path):
    photos = photo_files(few)
    write_parquet(tmp_path / "x.parquet", photos, what=[photo.parent.name for photo in photos], site=["a", "b"] * 8)
    dataset = load(tmp_path / "x.parquet", label_column="what", group_column="site")
    assert facts(dataset) == facts(load(few))
    assert set(dataset.train.groups) <= {"a", "b"}
    with pytest.raises(DatasetError, match="no column 'none'"):
        load(tmp_path / "x.parquet", label_column="none")
    with pytest.raises(DatasetError, match="--class-level"):
        load(tmp_path / "x.parquet", class_level=1)


def test_rows_without_a_label_are_named(few, tmp_path):
    write_parquet(tmp_path / "x.parquet", photo_files(few)[:3], labels=[0, -1, 1])
    with pytest.raises(DatasetError, match=r"x\.parquet#1: no label"):
        load(tmp_path / "x.parquet")


def test_what_is_no_shard_of_photos_is_told(few, tmp_path):
    photo = photo_files(few)[0].read_bytes()
    tar = write_tar(tmp_path / "a" / "x.tar", {"1.jpg": photo, "2.jpg": photo})
    with pytest.raises(DatasetError, match=r"without labels.*KEY\.cls"):
        load(tar)
    with pytest.raises(DatasetError, match="holds no photos"):
        load(write_tar(tmp_path / "b" / "x.tar", {"1.cls": b"a"}))
    with pytest.raises(DatasetError, match="without compression"):
        load(write_tar(tmp_path / "c" / "x.tar", {"1.jpg": photo, "1.cls": b"a"}, "w:gz"))
    (tmp_path / "d.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DatasetError, match="as a Parquet file"):
        load(tmp_path / "d.parquet")
    parquet.write_table(pa.table({"label": ["a"], "width": [1]}), tmp_path / "e.parquet")
    with pytest.raises(DatasetError, match="--path-column"):
        load(tmp_path / "e.parquet")
    write_parquet(tmp_path / "a" / "y.parquet", photo_files(few))
    with pytest.raises(DatasetError, match="two kinds"):
        load(tmp_path / "a")


def test_members_that_are_missing_are_told(few, tmp_path):
    tar = write_tar(tmp_path / "x.tar", {"1.jpg": b"1"})
    write_parquet(tmp_path / "x.parquet", photo_files(few)[:4])
    for place in (f"{tar}#2.jpg", f"{tmp_path}/x.parquet#4", f"{tmp_path}/x.parquet#one", f"{tmp_path}/none.tar#1.jpg"):
        with pytest.raises(FileNotFoundError):
            read(place)
    assert read(f"{tar}#1.jpg") == b"1"


def test_a_tar_is_looked_through_once_and_again_where_it_changed(tmp_path, monkeypatch):
    looked = []
    look = members._looked_through
    monkeypatch.setattr(members, "_looked_through", lambda file: looked.append(file) or look(file))
    tar = write_tar(tmp_path / "x.tar", {"1.jpg": b"first", "1.cls": b"a"})
    for _ in range(2):
        assert read(f"{tar}#1.jpg") == b"first"
        members._indexed.cache_clear()  # as in another process
    assert looked == [str(tar)]
    write_tar(tar, {"0.jpg": b"a longer one before it", "1.jpg": b"second"})
    assert read(f"{tar}#1.jpg") == b"second"
    assert looked == [str(tar)] * 2


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(st.dictionaries(FILE_NAMES, st.binary(max_size=2000), max_size=8))
def test_any_tar_gives_back_what_went_in(tmp_path, content):
    members._indexed.cache_clear()
    tar = write_tar(tmp_path / f"{len(list(tmp_path.iterdir()))}.tar", content)
    assert {name: read(f"{tar}#{name}") for name in tar_index(str(tar)).places} == content


def test_a_run_on_shards_can_be_read_again(few, tmp_path):
    content = {}
    for number, photo in enumerate(photo_files(few)):
        content |= beside("cls", number, photo)
    tar = write_tar(tmp_path / "x.tar", content)
    dataset = load(tar)
    table = tmp_path / "splits.csv"
    table.write_text("path,label,split,hash\n" + "".join(",".join(row) + "\n" for row in dataset.rows()))
    assert load(table).rows() == dataset.rows()
    assert list_images(hs.DataSource(table)).items[0].split
