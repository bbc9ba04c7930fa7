"""Kept features: found again by content, never wrong, whatever happens to the cache folder."""

import gc
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import headstart as hs
from headstart.data.images import read_image
from headstart.data.resizing import RESIZINGS
from headstart.errors import ImageError, ModelError
from headstart.features import extractor, store
from headstart.features.extractor import FeatureExtractor
from headstart.features.spec import FINE_TUNING, FeatureSpec
from headstart.features.store import Features
from headstart.storage import cache as hs_cache
from support.recording import Recorder as Listener

SIZE = 32


class Counting:
    """An engine whose two outputs are known: the mean of each channel, and the first row of pixels."""

    output_shapes: Sequence[tuple[int, ...]] = [(3,), (SIZE, 3)]
    batch_size = 4

    def __init__(self, identity: str = "counting") -> None:
        self.identity = identity
        self.images = 0

    def run(self, batches):
        for images in batches:
            self.images += len(images)
            yield [images.mean(axis=(1, 2)), images[:, 0].astype(np.float32)]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def split(photos) -> hs.Split:
    return hs.load_dataset(photos, seed=0, listener=hs.Quiet()).train


def extract(split: hs.Split, engine, *, weights: str = "pretrained", resizing: str = "stretch", view: str = "original",
            listener=None) -> Features:  # fmt: skip
    spec = FeatureSpec("mobilenet_v2", SIZE, resizing, weights=weights, view=view, cut=FINE_TUNING)
    return FeatureExtractor(spec, engine=engine, listener=listener or hs.Quiet()).features(split)


def computed(
    split: hs.Split, *, key: str | None = "k", resizing: str = "stretch", view: str = "original", listener=None
) -> int:
    """How many images were computed; what comes out is always checked. key: of the engine; None: nothing is kept."""
    engine = Counting(key or "k")
    weights = "random" if key is None else "pretrained"
    kept = extract(split, engine, weights=weights, resizing=resizing, view=view, listener=listener)
    order = np.random.default_rng(0).permutation(len(split))
    means, rows = kept.take(order)
    for mean, row, index in zip(means, rows, order, strict=True):
        image = read_image(split.paths[int(index)], SIZE, resizing)
        image = image[:, ::-1] if view == "mirrored" else image
        np.testing.assert_allclose(mean, image.mean(axis=(0, 1)), rtol=1e-3)
        np.testing.assert_allclose(row, image[0], rtol=1e-3)
    return engine.images


def shards(cache) -> list:
    return sorted(cache.rglob("*.npy"))


def test_only_what_is_new_is_computed(cache, split):
    assert computed(split.take(range(30))) == 30
    assert computed(split.take(range(40))) == 10
    assert computed(split) == len(split) - 40
    assert computed(split) == 0
    assert computed(split, view="mirrored") == len(split)
    assert computed(split, key="other") == len(split)


def test_each_resizing_has_features_of_its_own(cache, tmp_path):
    rng = np.random.default_rng(0)
    for number in range(8):
        folder = tmp_path / "oblong" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (20 + number, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    oblong, _ = hs.load_images(tmp_path / "oblong", listener=hs.Quiet())
    for again in (False, True):
        for resizing in RESIZINGS:
            for view in ("original", "mirrored"):
                assert computed(oblong, resizing=resizing, view=view) == (0 if again else 8)


def test_equal_files_are_computed_once(cache, split):
    assert computed(split.take([3, 3, 5, 3])) == 2


def test_nothing_is_kept_without_a_key(cache, split):
    assert computed(split, key=None) == computed(split, key=None) == len(split)
    assert not cache.exists()


def test_several_shards(cache, split, monkeypatch):
    monkeypatch.setattr(extractor, "SHARD_BYTES", 1000)
    assert computed(split) == len(split)
    assert len(shards(cache)) > 5
    assert computed(split) == 0


def test_a_file_is_mapped_once_however_often_it_is_asked_for(cache, split):
    written, found, again = (extract(split, Counting()) for _ in range(3))
    assert written.shards[0] is found.shards[0] is again.shards[0]
    assert isinstance(found.shards[0], np.memmap)


def test_what_is_read_of_a_map_is_not_kept_in_memory(tmp_path):
    """Of 100,000 images it would be half a gigabyte."""
    digests = [f"{number:064x}" for number in range(4_000)]
    rows = np.random.default_rng(0).random((len(digests), 500), dtype=np.float32)
    file = store.write_shard(store.records(digests, [rows]), tmp_path)
    found = store.find_shards(tmp_path, digests, [(500,)])
    assert mapped_bytes(file) < 0.1 * file.stat().st_size
    some = np.arange(0, len(digests), 7)
    np.testing.assert_allclose(found.of(digests)[some], rows[some], atol=1e-3)
    assert mapped_bytes(file) < 0.1 * file.stat().st_size
    assert found.arrays[0][store.DIGEST][5].tobytes().hex() == digests[5], "it is still there"


def mapped_bytes(file: Path) -> int:
    """Of a file, in the memory of this process; 0 where no such thing is known."""
    maps = Path("/proc/self/smaps")
    lines = maps.read_text().splitlines() if maps.exists() else []
    starts = [place for place, line in enumerate(lines) if line.endswith(str(file))]
    return sum(
        1024 * int(next(line for line in lines[place:] if line.startswith("Rss:")).split()[1]) for place in starts
    )


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "foreign", "other shape"])
def test_damaged_and_foreign_files_are_noticed_and_made_anew(cache, split, damage):
    computed(split)
    (file,) = shards(cache)
    content = bytearray(file.read_bytes())
    if damage == "flip":
        content[-7] ^= 1
    elif damage == "cut":
        content = content[:-100]
    elif damage == "empty":
        content = bytearray()
    elif damage == "foreign":
        content = bytearray(b"not ours")
    file.write_bytes(content)
    if damage == "other shape":  # whole, under its right checksum, but of another version of the engine
        file.unlink()
        import zlib

        np.save(file, np.zeros(5, [("digest", "V32"), ("tensor_0", np.float16, (7,))]))
        file.rename(file.with_name(f"{zlib.crc32(file.read_bytes()):08x}-other.npy"))
    assert computed(split) == len(split)
    assert computed(split) == 0


def test_an_image_that_changed_is_computed_anew(cache, photos, tmp_path):
    copy = shutil.copytree(photos, tmp_path / "copy")
    first = hs.load_dataset(copy, seed=0, listener=hs.Quiet()).train
    computed(first)
    with Image.open(first.paths[0]) as image:
        image.transpose(Image.Transpose.ROTATE_90).save(first.paths[0])
    changed = hs.load_dataset(copy, seed=0, listener=hs.Quiet()).train
    assert computed(changed) == len(set(changed.digests) - set(first.digests)) == 1


def test_an_image_that_changed_on_the_way_is_named(cache, photos, tmp_path):
    """Otherwise its features would be kept under the name of what it was."""
    train = hs.load_dataset(shutil.copytree(photos, tmp_path / "copy"), seed=0, listener=hs.Quiet()).train
    shutil.copy(train.paths[1], train.paths[0])
    with pytest.raises(ImageError, match=r"has other content now. .* was it changed or moved"):
        computed(train)
    assert shards(cache) == []


def test_an_image_that_was_lost_on_the_way(cache, split, tmp_path):
    from dataclasses import replace

    lost = replace(split, paths=(str(tmp_path / "gone.png"), *split.paths[1:]))
    with pytest.raises(ImageError, match="was it changed or moved"):
        extract(lost, Counting("k"))
    assert computed(split) == len(split), "nothing half-made was kept"


@pytest.mark.parametrize("fault", ["a file in its place", "full"])
def test_a_cache_that_cannot_be_written(cache, split, fault, monkeypatch):
    if fault == "full":

        def full(*arguments, **options) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(np, "save", full)
    else:
        cache.write_text("")
    listener = Listener()
    assert computed(split, listener=listener) == len(split)
    assert len(listener.lines) == 1
    assert "cannot be kept" in listener.lines[0]
    assert not shards(cache)
    assert not list(cache.rglob("writing-*"))


def test_a_killed_run_leaves_whole_shards_only(cache, split):
    computed(split.take(range(20)))
    folder = shards(cache)[0].parent
    old, young = folder / "writing-old", folder / "writing-young"
    for file in (old, young):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 2 * store.STALE, time.time() - 2 * store.STALE))
    assert computed(split.take(range(20))) == 0
    assert not old.exists()
    assert young.exists(), "it may belong to a run that goes on"


def test_two_processes_at_once(cache, photos):
    code = (
        f"import sys; sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1])!r}]\n"
        "import os\nimport headstart as hs\nfrom test_store import computed\n"
        f"os.environ['HEADSTART_CACHE'] = {str(cache)!r}\n"  # conftest took one of its own
        f"print(computed(hs.load_dataset({str(photos)!r}, seed=0, listener=hs.Quiet()).train))"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    again = hs.load_dataset(photos, seed=0, listener=hs.Quiet()).train
    assert computed(again) == 0


def test_what_was_used_longest_ago_goes_first(cache, split):
    for number, key in enumerate(("a", "b", "c")):
        computed(split.take(range(10)), key=key)
        os.utime(next((cache / "features").glob(f"*-{key}/*/*.npy")), (1000 + number, 1000 + number))
    computed(split.take(range(10)), key="a")  # used again: now the last
    size = shards(cache)[0].stat().st_size
    hs_cache.evict(2.5 * size)
    assert sorted(path.parent.parent.name.rpartition("-")[2] for path in shards(cache)) == ["a", "c"]


def test_of_one_network_too_what_was_used_longest_ago_goes_first(cache, split, monkeypatch):
    """Other collections' features, in the same folder, are neither used nor spared."""
    parts = [split.take(range(start, start + 10)) for start in (0, 10, 20)]
    for number, part in enumerate(parts):
        computed(part)
        newest = max(shards(cache), key=lambda path: path.stat().st_mtime)
        os.utime(newest, (1000 + number, 1000 + number))
    assert computed(parts[0]) == 0, "used again: now the last"
    monkeypatch.setattr(hs_cache, "size_limit", lambda: 3.5 * shards(cache)[0].stat().st_size)
    computed(split.take(range(30, 50)))  # twice as large
    assert computed(split.take(range(30, 50))) == 0
    assert computed(parts[0]) == 0
    assert computed(parts[2]) == 10, "it went, as the one before it"


def test_features_that_cannot_be_opened_now_are_not_removed(cache, split, monkeypatch):
    """As where too many files are open."""
    computed(split)
    kept = shards(cache)
    load = np.load

    def refuse(*arguments, **options) -> np.ndarray:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(np, "load", refuse)
    gc.collect()
    listener = Listener()
    assert computed(split, listener=listener) == len(split)
    monkeypatch.setattr(np, "load", load)
    assert set(kept) <= set(shards(cache))
    assert computed(split) == 0


def test_what_was_done_before_a_run_is_stopped_is_kept_and_complaints_come_once(cache, split, monkeypatch):
    monkeypatch.setattr(extractor, "SHARD_IMAGES", 16)

    class Stopped(Counting):
        def run(self, batches):
            for tensors in super().run(batches):
                if self.images > 40:
                    raise KeyboardInterrupt
                yield tensors

    with pytest.raises(KeyboardInterrupt):
        extract(split, Stopped("k"))
    assert computed(split) == len(split) - 32
    listener = Listener()
    monkeypatch.setattr(np, "save", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    computed(split, key="another", listener=listener)
    assert len(listener.lines) == 1


def test_large_numbers_are_kept_as_float32(cache, split):
    class Large(Counting):
        def run(self, batches):
            for means, rows in super().run(batches):
                yield [np.full_like(means, 1e5), rows]

    kept = extract(split, Large("k"))
    assert np.all(kept.take(np.arange(len(split)))[0] == np.float32(1e5))


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_features_that_are_no_numbers_are_refused_by_name_and_not_kept(cache, split, number):
    class Overflowing(Counting):
        def run(self, batches):
            for index, (means, rows) in enumerate(super().run(batches)):
                if index == 1:  # the second batch of four
                    rows[3] = number
                yield [means, rows]

    with pytest.raises(ModelError, match=rf"no numbers \(NaN or infinity\) for 1 of 56 images: '{split.paths[7]}'"):
        extract(split, Overflowing("k"))
    assert shards(cache) == []
    assert computed(split) == len(split)
