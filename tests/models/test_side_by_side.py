"""Two bases side by side are one: its features are those of both, and one head reads all of them."""

import re

import keras
import numpy as np
import pytest

import headstart as hs
from headstart.cli.choices import backbones
from headstart.data.images import read_image
from headstart.errors import ModelError, WeightsError
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.models.backbones import get_backbone
from headstart.models.depths import block_sizes, channels_of, with_depths
from headstart.models.weights import files_at_hand, identity, load_base
from headstart.training.config import TrainingConfig
from support.recording import Recorder

SIZE = 64
ONE, OTHER = "efficientnet_lite0", "mobilenet_v2"
BOTH = f"{ONE}+{OTHER}"


@pytest.fixture(scope="module")
def both(tmp_path_factory, photos) -> hs.Run:
    folder, listener = tmp_path_factory.mktemp("both") / "run", Recorder()
    run = hs.make_run(photos, folder, backbone=BOTH, image_size=SIZE, views="original", seed=3, listener=listener)
    assert "No fine-tuning: of bases side by side, only the head is trained." in listener.lines
    return run


def test_their_row():
    row = get_backbone(BOTH)
    assert row.features == get_backbone(ONE).features + get_backbone(OTHER).features
    assert row.parts == (ONE, OTHER)
    assert channels_of(BOTH) == (*channels_of(ONE), *channels_of(OTHER))
    assert get_backbone("efficientnet_lite1+xception").min_image_size == get_backbone("xception").min_image_size


def test_their_features_are_those_of_each(photos):
    images = hs.load_images(photos, listener=hs.Quiet())[0].take(range(0, 80, 10))

    def rows(backbone: str) -> np.ndarray:
        spec = FeatureSpec(backbone, SIZE, depths=True)
        return rows_of(FeatureExtractor(spec, listener=hs.Quiet()).features(images))[:]

    found, one, other = rows(BOTH), rows(ONE), rows(OTHER)
    assert found.shape[1] == sum(block_sizes(BOTH, depths=True))
    first, second = get_backbone(ONE).features, get_backbone(OTHER).features
    expected = [one[:, :first], other[:, :second], one[:, first:], other[:, second:]]
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), rtol=1e-3, atol=1e-4)


def test_their_depths_are_found_again_in_a_base_that_gives_them():
    base = load_base(BOTH, SIZE)
    once = with_depths(base)
    again = with_depths(once)
    pixels = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3)).astype(np.float32)
    expected = [np.asarray(each) for each in once(pixels)]
    assert [each.shape[-1] for each in expected] == [*channels_of(BOTH), get_backbone(BOTH).features]
    for found, right in zip(again(pixels), expected, strict=True):
        np.testing.assert_array_equal(found, right)
    np.testing.assert_array_equal(base(pixels), expected[-1])


def test_a_classifier_of_both_is_one_plain_keras_model(both, cells, plain_keras):
    files = [*cells["defective"][-3:], *cells["functional"][-3:]]
    pixels = np.stack([read_image(file, SIZE) for file in files])
    loaded = hs.load(both.folder)
    found = plain_keras.loaded(both.folder / "model.keras", pixels)["uint8"]
    np.testing.assert_allclose(found, loaded.logits([pixels]), rtol=1e-4, atol=1e-3)
    predictor = hs.Predictor(both.folder)
    for one, other in zip(predictor.predict(files), loaded.predict(files), strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)
    one, other = predictor.explain(files[0]), loaded.explain(files[0])
    np.testing.assert_allclose(one.places, other.places, atol=2e-2 * np.abs(other.places).max())
    assert both.metrics["backbone"] == loaded.backbone == BOTH


def test_it_is_exported_with_proof(both, tmp_path):
    assert hs.export(both.folder, tmp_path / "both", format="openvino", listener=hs.Quiet()).path.exists()


def test_weights_of_each(tiny, tiny_weights, monkeypatch):
    """A file for one, and the package's for another; what tells features from others is that of both."""
    pair = f"{tiny}+{OTHER}"
    assert identity(pair, "pretrained") == f"{identity(tiny, 'pretrained')}+{identity(OTHER, 'pretrained')}"
    assert identity(pair, f"{tiny_weights}+pretrained") == identity(pair, "pretrained")
    assert identity(pair, "random+pretrained") is None
    assert [file.name for file in files_at_hand(pair)] == [tiny_weights.name, files_at_hand(OTHER)[0].name]
    assert files_at_hand(f"{tiny}+vgg16") == [] or files_at_hand("vgg16")
    for wrong in (str(tiny_weights), "pretrained+pretrained+random"):
        with pytest.raises(WeightsError, match=r"has 2 bases\. Give one for each"):
            load_base(pair, SIZE, wrong)


def test_bases_that_halve_an_image_differently(tiny):
    with pytest.raises(ModelError, match="feature maps of different sizes: 'tiny' 8 x 8 and 'mobilenet_v2' 2 x 2"):
        load_base(f"{tiny}+{OTHER}", SIZE)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (f"{ONE}+nothing", "There is no backbone 'nothing'"),
        (f"{ONE}+", "lacks the name of a base"),
        (f"{ONE}+{ONE}", "names a base twice"),
    ],
)
def test_names_that_are_wrong(name, message):
    with pytest.raises(ModelError, match=message):
        get_backbone(name)


@pytest.mark.parametrize("recipe", ["tutorial", hs.RECIPES["fast"].always_fine_tuned()])
def test_they_are_not_fine_tuned(recipe):
    with pytest.raises(ModelError, match=f"fine-tunes one base, and '{re.escape(BOTH)}' are several"):
        TrainingConfig.of(recipe=recipe, backbone=BOTH)


def test_the_shell_completes_the_last_name():
    assert backbones(f"{OTHER}+resnet50_") == [f"{OTHER}+resnet50_v2"]


def test_a_base_with_sequential_parts_is_one_base():
    """ConvNeXt has some: they are not bases side by side."""
    base = keras.applications.ConvNeXtTiny(include_top=False, weights=None, input_shape=(32, 32, 3))
    assert len(with_depths(base).outputs) == len(channels_of("convnext_tiny")) + 1
