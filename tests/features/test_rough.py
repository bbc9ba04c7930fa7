"""Where features of training images need not be exact, they are computed in bfloat16; nothing else is."""

from dataclasses import replace

import numpy as np
import pytest

import headstart as hs
from headstart.data.dataset import Split
from headstart.engines import openvino
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.training import config
from headstart.training.config import TrainingConfig
from support.recording import Recorder

SIZE = 64
HEAD = hs.RECIPES["fast"].without_fine_tuning()


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def images(photos) -> Split:
    return hs.load_images(photos, listener=hs.Quiet())[0].take(range(0, 80, 4))


def features(images: Split, precision: str = "float32", **settings) -> np.ndarray:
    spec = FeatureSpec("efficientnet_lite0", SIZE, depths=True, precision=precision)
    return rows_of(FeatureExtractor(spec, listener=hs.Quiet(), **settings).features(images))[:]


def test_each_image_has_its_own_precision(images):
    rough = frozenset(images.digests[::2])
    found = features(images, rough=rough)
    exact, approximate = features(images), features(images, "bfloat16")
    np.testing.assert_array_equal(found[1::2], exact[1::2])
    np.testing.assert_array_equal(found[::2], approximate[::2])
    assert np.abs(found - exact).mean() < 0.05 * np.abs(exact).mean()


def test_what_is_known_exactly_is_not_computed_again(images):
    exact = features(images)
    listener = Recorder()
    spec = FeatureSpec("efficientnet_lite0", SIZE, depths=True)
    extractor = FeatureExtractor(spec, listener=listener, rough=frozenset(images.digests))
    np.testing.assert_array_equal(rows_of(extractor.features(images))[:], exact)
    assert not listener.lines


def test_a_file_that_is_listed_twice(images):
    twice = images.take([0, 1, 0, 1])
    found = features(twice, rough=frozenset(images.digests[:1]))
    np.testing.assert_array_equal(found[:2], found[2:])


@pytest.fixture
def with_bfloat16(monkeypatch) -> None:
    monkeypatch.setattr(config, "computes_in_bfloat16", lambda: True)


def test_training_images_are_rough_but_for_those_that_measure(photos, with_bfloat16):
    dataset = hs.load_dataset(photos, listener=hs.Quiet())
    leaking = replace(dataset, validation=dataset.train.take([0, 1]))
    asked = TrainingConfig.of(precision="auto")
    assert asked.rough(dataset) == set(dataset.train.digests)
    assert asked.rough(leaking) == set(dataset.train.digests) - set(leaking.validation.digests)
    assert asked.is_rough
    assert asked.answering_precision == "float32"
    for other in (TrainingConfig.of(precision="float32"), TrainingConfig.of(precision="auto", recipe="tutorial")):
        assert other.rough(dataset) == set()
        assert not other.is_rough


def test_a_processor_without_it(monkeypatch, tmp_path):
    assert isinstance(openvino.computes_in_bfloat16(), bool)
    (tmp_path / "cpuinfo").write_text("flags : fpu sse avx2 avx512f\n")
    for facts in (tmp_path / "cpuinfo", tmp_path / "nowhere"):
        monkeypatch.setattr(openvino, "CPU_FACTS", facts)
        assert not openvino.computes_in_bfloat16()


@pytest.fixture(scope="module")
def runs(photos, tmp_path_factory) -> tuple[list[hs.Run], list[str]]:
    """In bfloat16, exactly, and where all that bfloat16 would do for is known exactly; what the first two said."""
    folder, listener = tmp_path_factory.mktemp("runs"), Recorder()
    settings = {"recipe": HEAD, "image_size": SIZE, "views": "original"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_CACHE", str(folder / "cache"))
        patch.setattr(config, "computes_in_bfloat16", lambda: True)
        made = [
            hs.make_run(photos, folder / str(number), precision=precision, listener=told, **settings)
            for number, (precision, told) in enumerate(
                [("auto", listener), ("float32", listener), ("auto", hs.Quiet())]
            )
        ]
    return made, listener.lines


def test_where_all_is_known_exactly_a_run_says_so(runs):
    found = runs[0][2].metrics
    assert (found["precision"], found["training_precision"]) == ("float32", "float32")


def test_a_run_is_the_same_but_for_rounding(runs):
    """The same splits and copies; the classifier is measured as it answers, in float32."""
    (one, other, _), lines = runs
    assert sum(line.startswith("The head is solved on features in bfloat16") for line in lines) == 1
    assert (one.folder / "splits.csv").read_text("utf-8") == (other.folder / "splits.csv").read_text("utf-8")
    assert (one.metrics["training_precision"], other.metrics["training_precision"]) == ("bfloat16", "float32")
    told = "The features of the training images were computed in bfloat16"
    assert told in " ".join((one.folder / "report.html").read_text("utf-8").split())
    assert told not in " ".join((other.folder / "report.html").read_text("utf-8").split())
    classifier = hs.load(one.folder)
    assert classifier.precision == "float32"
    dataset = hs.load_dataset(one.folder / "splits.csv", test_fraction=0, listener=hs.Quiet())
    evaluation = hs.evaluate(classifier, dataset.validation)
    assert evaluation.loss == pytest.approx(one.metrics["validation"]["loss"], rel=1e-3)
    assert one.metrics["validation"]["loss"] == pytest.approx(other.metrics["validation"]["loss"], rel=0.2)
    assert one.metrics["validation"]["loss"] != other.metrics["validation"]["loss"]
