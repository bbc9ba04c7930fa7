"""The cut is exact: two parts give what the whole gives, folded gradients are unfolded ones, frozen weights stay."""

import json
import os
import re
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import headstart as hs
from headstart.data.batches import Batches
from headstart.engines import openvino
from headstart.engines.base import CompileError, Compute, run_all
from headstart.engines.keras import KerasEngine
from headstart.engines.opening import open_engine
from headstart.engines.openvino import BATCH_SIZE, OpenVINOEngine, write_network
from headstart.errors import ModelError
from headstart.evaluation.metrics import Evaluation
from headstart.features import cut as cut_module
from headstart.models.backbones import BACKBONES, get_backbone
from headstart.models.composing import compose
from headstart.models.depths import block_sizes
from headstart.models.preprocessing import preprocess
from headstart.models.weights import layer_index, load_base
from headstart.training import calibrate, trainer
from headstart.training.folding import FoldedBatchNormalization, fold
from headstart.training.keras_fit import TrainableNetwork, unfreeze
from headstart.training.optimization import compile_for
from support.bases import restored, shared_base, smallest
from support.recording import Recorder as Listener

KINDS = ["mobilenet_v2", "resnet50", "efficientnet_v2_b0", "convnext_tiny"]


def parts(name: str):
    base = shared_base(name)
    start = layer_index(base, get_backbone(name).fine_tune_from)
    cut = cut_module.find_cut(base, start)
    lower = cut_module.frozen_part(base, cut, lambda pixels: preprocess(name, pixels))
    return base, start, lower, cut_module.trainable_part(base, cut)


def whole_of(name: str, base: keras.Model, images: np.ndarray) -> np.ndarray:
    pixels = keras.Input(base.input.shape[1:])
    features = base(preprocess(name, pixels), training=False)
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    return np.asarray(keras.Model(pixels, pooled)(images.astype("float32"), training=False))


def some_images(size: int = 32, count: int = 3, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def close(one, other, tolerance: float) -> None:
    one, other = np.asarray(one), np.asarray(other)
    assert np.linalg.norm(one - other) <= tolerance * np.linalg.norm(other)


def test_the_tutorials_cut():
    base = load_base("mobilenet_v2", 160, "random")
    cut = cut_module.find_cut(base, 100)
    assert [tensor.shape for tensor in cut] == [(None, 10, 10, 96)]
    assert cut[0] is base.get_layer("block_10_project_BN").output


@pytest.mark.parametrize("name", BACKBONES)
def test_two_parts_give_what_the_whole_gives(name):
    base, start, lower, upper = parts(name)
    images = some_images(smallest(name))
    tensors = lower(images.astype("float32"), training=False)
    close(upper(tensors, training=False), whole_of(name, base, images), 1e-4)
    trained = {id(v) for layer in base.layers[start:] for v in layer.weights}
    assert trained <= {id(v) for v in upper.weights}, "all that is trained lies behind the cut"
    assert not trained & {id(v) for v in lower.weights}


@pytest.mark.parametrize("name", [*KINDS, "vgg16", "nasnet_mobile"])
def test_two_parts_give_all_depths(name):
    """Those below the cut as they were kept, those behind it from what was kept; folded, too. With slopes that end."""
    base = shared_base(name)
    cut = cut_module.fine_tuning_cut(base, name)
    lower = cut_module.frozen_part(base, cut, lambda pixels: preprocess(name, pixels), depths=True)
    whole = cut_module.frozen_part(base, None, lambda pixels: preprocess(name, pixels), depths=True)
    images = some_images(smallest(name)).astype("float32")
    pooled, inner, *_ = whole(images, training=False)
    expected = np.concatenate([pooled, inner], axis=1)
    assert expected.shape[1] == sum(block_sizes(name, depths=True))
    tensors = lower(images, training=False)
    upper = cut_module.trainable_part(base, cut, depths=True)
    for part in (upper, fold(upper)):
        close(part(tensors, training=False), expected, 1e-4)


@pytest.fixture(scope="module")
def features_of_the_whole() -> np.ndarray:
    return whole_of("mobilenet_v2", shared_base("mobilenet_v2"), some_images())


@pytest.mark.parametrize("start", [0, 1, 2, 9, 30, 63, 97, 98, 99, 100, 115, 150, 153])
def test_any_freezing_index(start, features_of_the_whole):
    base = shared_base("mobilenet_v2")
    cut = cut_module.find_cut(base, start)
    lower = cut_module.frozen_part(base, cut, lambda pixels: preprocess("mobilenet_v2", pixels))
    upper = cut_module.trainable_part(base, cut)
    close(upper(lower(some_images().astype("float32"))), features_of_the_whole, 1e-4)
    assert {id(v) for layer in base.layers[start:] for v in layer.weights} <= {id(v) for v in upper.weights}


@pytest.mark.parametrize("name", KINDS)
def test_the_engine_gives_what_keras_gives(name, tmp_path):
    _, _, lower, _ = parts(name)
    images = some_images(count=BATCH_SIZE + 3)
    write_network(lower, tmp_path / "network.xml")
    pieces = [images[:BATCH_SIZE], images[BATCH_SIZE:]]
    compiled, plain = OpenVINOEngine(tmp_path / "network.xml"), KerasEngine(lower)
    assert compiled.output_shapes == plain.output_shapes
    for one in (compiled, plain):
        found = run_all(one, iter(pieces), len(images))
        expected = lower(images.astype("float32"), training=False)
        for tensor, right in zip(found, expected if isinstance(expected, (list, tuple)) else [expected], strict=True):
            close(tensor, right, 1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_features_and_feature_maps_come_from_one_engine(name, tmp_path):
    """Where an activation has a gradient of its own, its parts are outputs as well, some of the same name."""
    base = parts(name)[0]
    pooled = keras.layers.GlobalAveragePooling2D()(base.output)
    model = keras.Model(base.input, [pooled, base.output])
    write_network(model, tmp_path / "network.xml")
    compiled = OpenVINOEngine(tmp_path / "network.xml")
    assert compiled.output_shapes == KerasEngine(model).output_shapes
    images = some_images(count=BATCH_SIZE)
    found = run_all(compiled, [images], BATCH_SIZE)
    close(found[0], found[1].mean(axis=(1, 2)), 1e-4)


def test_an_engine_can_be_closed_as_soon_as_it_is_done(tmp_path):
    """With callbacks in Python, one time in some 30 its threads and the interpreter waited for each other for ever."""
    _, _, lower, _ = parts("mobilenet_v2")
    write_network(lower, tmp_path / "network.xml")
    code = (
        "import sys\nfrom pathlib import Path\nimport numpy as np\n"
        "from headstart.engines.base import run_all\n"
        "from headstart.engines.openvino import BATCH_SIZE, OpenVINOEngine\n"
        "images = np.zeros((2 * BATCH_SIZE, 32, 32, 3), np.uint8)\n"
        "for _ in range(60):\n"
        "    engine = OpenVINOEngine(Path(sys.argv[1]))\n"
        "    run_all(engine, [images[:BATCH_SIZE], images[BATCH_SIZE:]], len(images))\n"
        "    del engine\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "network.xml")], check=True, timeout=300)


@pytest.mark.parametrize("name", KINDS)
def test_folded_gradients_are_unfolded_gradients(name):
    base, start, lower, upper = parts(name)
    with restored(base):
        for layer in base.layers[:start]:
            layer.trainable = False
        check_folded_gradients(lower, upper)


def check_folded_gradients(lower: keras.Model, upper: keras.Model) -> None:
    folded = fold(upper)
    has_normalization = any(isinstance(layer, keras.layers.BatchNormalization) for layer in upper.layers)
    assert any(isinstance(layer, FoldedBatchNormalization) for layer in folded.layers) == has_normalization
    assert {id(v) for v in folded.trainable_variables} == {id(v) for v in upper.trainable_variables}
    # a ReLU of 0, but for rounding, passes a gradient on or does not: other images then; a wrong one is wrong for all
    differing = [found for seed in (1, 2, 3) if (found := differing_gradients(lower, upper, folded, seed))]
    assert len(differing) < 3, differing


def differing_gradients(lower: keras.Model, upper: keras.Model, folded: keras.Model, seed: int) -> list[str]:
    """The variables whose gradients are not equal to 1e-3."""
    tensors = lower(some_images(count=4, seed=seed).astype("float32"), training=False)
    weights = np.random.default_rng(2).normal(size=upper.output.shape[1:]).astype("float32")

    def gradients(model: keras.Model):
        with tf.GradientTape() as tape:
            output = model(tensors, training=False)
            loss = tf.reduce_mean(tf.reduce_sum(output * weights, axis=-1) ** 2)
        found = tape.gradient(loss, [variable.value for variable in upper.trainable_variables])
        return output, [np.asarray(gradient) for gradient in found]

    (one, ours), (other, theirs) = gradients(folded), gradients(upper)
    close(one, other, 1e-4)
    total = np.sqrt(sum(np.linalg.norm(gradient) ** 2 for gradient in theirs))
    # a gradient of nothing (a kernel's scale before another normalization) is compared with the size of them all
    return [
        variable.path
        for mine, right, variable in zip(ours, theirs, upper.trainable_variables, strict=True)
        if np.linalg.norm(mine - right) > 1e-3 * np.linalg.norm(right) + 1e-6 * total
    ]


@pytest.mark.parametrize("name", KINDS)
def test_steps_leave_what_is_frozen_bit_by_bit(name):
    """Of the network that the trained part belongs to: layers below the boundary, and all statistics."""
    with restored(shared_base(name)) as base:
        check_steps(name, base)


def check_steps(name: str, base: keras.Model) -> None:
    network = compose(base, backbone=name, image_size=32, num_classes=3, dropout=0.0, seed=0)
    phase = hs.RECIPES["fast"].fine_tuning
    assert phase is not None
    unfreeze(base, name, top=True)
    start = layer_index(base, get_backbone(name).fine_tune_from)
    cut = cut_module.find_cut(base, start)
    lower = cut_module.frozen_part(base, cut, lambda pixels: preprocess(name, pixels))
    behind = TrainableNetwork(network, fold(cut_module.trainable_part(base, cut)))
    compile_for(behind, phase, 4)
    before = [[variable.numpy() for variable in layer.weights] for layer in base.layers]
    tensors = lower(some_images(count=6).astype("float32"), training=False)
    behind.fit(tensors, np.arange(6) % 3, batch_size=3, epochs=2, verbose=0)
    changed = 0
    for number, (layer, old) in enumerate(zip(base.layers, before, strict=True)):
        for variable, value in zip(layer.weights, old, strict=True):
            if number < start or not variable.trainable:
                np.testing.assert_array_equal(variable.numpy(), value, err_msg=variable.path)
            else:
                changed += not np.array_equal(variable.numpy(), value)
    assert changed >= 0.9 * len(base.trainable_variables) > 0


def test_an_engine_is_kept_and_opened_again_and_made_anew_if_damaged(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    _, _, lower, _ = parts(tiny)
    made = []

    def build() -> keras.Model:
        made.append(1)
        return lower

    for _ in range(2):
        open_engine(build, Compute(), key="abc", listener=hs.Quiet())
    assert len(made) == 1
    folder = tmp_path / "engines" / "abc"
    weights = bytearray((folder / "network.bin").read_bytes())
    weights[1000] ^= 1
    for damage in (
        lambda: (folder / "network.xml").write_text("<net>"),
        lambda: (folder / "network.bin").write_bytes(weights),
        lambda: (folder / "network.xml").unlink(),  # a removal that was not finished
    ):
        damage()
        before = len(made)
        for _ in range(2):
            assert isinstance(open_engine(build, Compute(), key="abc", listener=hs.Quiet()), OpenVINOEngine)
        assert len(made) == before + 1


def test_a_cache_that_can_only_be_read_is_used(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    made = []

    def build() -> keras.Model:
        made.append(1)
        return parts(tiny)[2]

    open_engine(build, Compute(), key="abc", listener=hs.Quiet())

    def refuse(*arguments, **settings) -> None:
        raise PermissionError(1, "Operation not permitted")

    for name in ("utime", "unlink", "rmdir"):
        monkeypatch.setattr(os, name, refuse)
    open_engine(build, Compute(), key="abc", listener=hs.Quiet())
    assert made == [1]


def test_an_engine_that_does_not_compile_falls_back_to_keras(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))

    def fail(*arguments) -> None:
        raise CompileError("OpenVINO cannot convert 'frozen_part': no such operator")

    listener = Listener()
    monkeypatch.setattr("headstart.engines.opening.write_network", fail)
    engine = open_engine(lambda: parts(tiny)[2], Compute(), key="abc", listener=listener)
    assert isinstance(engine, KerasEngine)
    assert engine.identity.startswith("keras-")
    assert listener.lines == [
        "OpenVINO cannot convert 'frozen_part': no such operator. Keras computes the features instead, more slowly."
    ]


class Bessel(keras.layers.Layer):
    """What OpenVINO has no operator for."""

    def call(self, inputs):
        return tf.math.bessel_i1e(inputs)


def test_what_openvino_cannot_convert_is_run_by_keras(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    pixels = keras.Input((8, 8, 3))
    model = keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(Bessel()(pixels)), name="odd")
    listener = Listener()
    engine = open_engine(lambda: model, Compute(), key="abc", listener=listener)
    assert isinstance(engine, KerasEngine)
    assert engine.identity.startswith("keras-")
    (line,) = listener.lines
    assert line.startswith("OpenVINO cannot convert 'odd': ")
    assert line.endswith(" Keras computes the features instead, more slowly.")
    assert not (tmp_path / "engines" / "abc").exists()


def test_a_training_whose_engine_does_not_compile_is_the_same_by_keras(photos, tiny, tmp_path, monkeypatch):
    """Features, views, head, fine-tuning, evaluation and report; and the run answers without an engine, too."""
    recipe = hs.RECIPES["fast"].with_epochs(2).always_fine_tuned()
    settings = {"recipe": recipe, "backbone": tiny, "image_size": 32, "seed": 1}
    engines = hs.make_run(photos, tmp_path / "engines", listener=hs.Quiet(), **settings)

    def fail(*arguments) -> None:
        raise CompileError("OpenVINO cannot convert 'frozen_part': no such operator")

    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("headstart.engines.opening.write_network", fail)
    monkeypatch.setattr("headstart.models.network.write_network", fail)
    listener = Listener()
    keras_alone = hs.make_run(photos, tmp_path / "keras", listener=listener, **settings)
    assert any("Keras computes the features instead" in line for line in listener.lines)
    assert not (tmp_path / "keras" / "engine").exists()
    print((tmp_path / "keras" / "history.csv").read_text(), (tmp_path / "engines" / "history.csv").read_text())
    print(engines.metrics["certainty"]["temperature"], keras_alone.metrics["certainty"]["temperature"])
    for name in ("validation", "test"):
        assert keras_alone.metrics[name]["loss"] == pytest.approx(engines.metrics[name]["loss"], rel=5e-3)
    paths = hs.load(tmp_path / "keras"), sorted(photos.rglob("*.png"))[:3]
    for one, other in zip(hs.Predictor(tmp_path / "keras").predict(paths[1]), paths[0].predict(paths[1]), strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)


def test_a_training_in_bfloat16(photos, tiny, tmp_path):
    """Nearly the same features, and so nearly the same answers, by the engine as by Keras; said in the card."""
    dataset = hs.load_dataset(photos, seed=3, listener=hs.Quiet())
    settings = {
        "recipe": hs.RECIPES["fast"].without_fine_tuning(),
        "backbone": tiny,
        "image_size": 32,
        "listener": hs.Quiet(),
    }
    exact = hs.train(dataset, **settings)
    rough = hs.train(dataset, precision="bfloat16", **settings)
    rough.save(tmp_path / "rough")
    assert json.loads((tmp_path / "rough" / "classifier.json").read_text("utf-8"))["precision"] == "bfloat16"
    assert rough.history[0]["val_loss"] == pytest.approx(exact.history[0]["val_loss"], abs=0.1)
    files = dataset.validation.paths
    answers = zip(hs.Predictor(tmp_path / "rough").predict(files), rough.predict(files), strict=True)
    assert all(one.probabilities == pytest.approx(other.probabilities, abs=0.15) for one, other in answers)


def test_without_openvino(monkeypatch, tmp_path):
    monkeypatch.setattr(openvino.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CompileError, match=r"not installed: pip install openvino"):
        OpenVINOEngine(tmp_path / "network.xml")


def test_both_executions_of_the_tutorial_are_one_algorithm(photos, recipe, tiny):
    """The same views, order and dropout: after two epochs of each phase, nearly the same weights."""
    dataset = hs.load_dataset(photos, seed=3, listener=hs.Quiet())
    one, other = (
        hs.train(dataset, recipe=recipe, backbone=tiny, image_size=32, seed=1, execution=execution, listener=hs.Quiet())
        for execution in ("cached", "end_to_end")
    )
    for mine, plain in zip(one.history, other.history, strict=True):
        assert mine["loss"] == pytest.approx(plain["loss"], rel=2e-3)
        assert mine["val_loss"] == pytest.approx(plain["val_loss"], rel=2e-3)
    images = next(iter(Batches(dataset.validation, 32)))[0]
    close(one.logits([images]), other.logits([images]), 1e-2)
    before = load_base(tiny, 32)
    base, start = one.model.get_layer(before.name), layer_index(before, get_backbone(tiny).fine_tune_from)
    for number, (layer, original) in enumerate(zip(base.layers, before.layers, strict=True)):
        for variable, old in zip(layer.weights, original.weights, strict=True):
            if number < start or "moving_" in variable.path:
                np.testing.assert_array_equal(variable.numpy(), old.numpy(), err_msg=variable.path)


def test_fine_tuning_is_kept_only_if_it_helps(photos, tiny, monkeypatch):
    """The recipe `fast` never ends with a higher calibrated validation loss than its head; always_fine_tuned may."""
    monkeypatch.setattr(trainer, "FEW", 0)  # the validation images tell
    monkeypatch.setattr(calibrate, "FEW", 0)  # and calibrate alone
    dataset = hs.load_dataset(photos, seed=3, listener=hs.Quiet())
    fast = hs.RECIPES["fast"].with_epochs(3)
    listener = Listener()
    classifier = hs.train(dataset, recipe=fast, backbone=tiny, image_size=32, listener=listener)
    head, *tuned = classifier.history
    assert (head["phase"], head["epoch"]) == ("feature_extraction", 1)
    assert [row["epoch"] for row in tuned] == [2, 3, 4]
    last = classifier.phases[1]["judgement"]
    kept = classifier.phases[1]["kept"]
    assert kept == (last["loss"] < last["loss_of_head_alone"])
    chosen = next(row for row in tuned if row["epoch"] == last["epoch"])
    evaluation = hs.evaluate(classifier, dataset.validation)
    assert isinstance(evaluation, Evaluation)
    assert evaluation.log_loss == pytest.approx(min(last["loss"], last["loss_of_head_alone"]), rel=5e-3)
    assert evaluation.loss == pytest.approx((chosen if kept else head)["val_loss"], rel=5e-3)

    alone = fast.without_fine_tuning()
    alone = hs.train(dataset, recipe=alone, backbone=tiny, image_size=32, listener=hs.Quiet())
    head_alone = hs.evaluate(alone, dataset.validation)
    assert isinstance(head_alone, Evaluation)
    assert head_alone.loss == pytest.approx(head["val_loss"], rel=5e-3)
    assert head_alone.log_loss == pytest.approx(last["loss_of_head_alone"], rel=5e-3)

    assert last["verdict"] in listener.lines
    assert f"{last['mended']} predictions corrected, {last['spoiled']} spoiled: not distinguishable" in last["verdict"]
    more = round((chosen["val_accuracy"] - head["val_accuracy"]) * len(dataset.validation))
    assert last["mended"] - last["spoiled"] == more


def test_an_easy_collection_is_not_fine_tuned(cells, tiny, tmp_path):
    """Solar cells against pictures of nothing but noise: no view but the original, no fine-tuning unless asked for."""
    rng = np.random.default_rng(0)
    for name in ("cells", "noise"):
        (tmp_path / name).mkdir()
    for number, path in enumerate(cells["functional"][:120]):
        shutil.copy(path, tmp_path / "cells")
        noise = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "noise" / f"{number}.png")
    dataset = hs.load_dataset(tmp_path, listener=hs.Quiet())
    listener = Listener()
    classifier = hs.train(dataset, recipe=hs.RECIPES["fast"], backbone=tiny, image_size=32, listener=listener)
    assert [phase["name"] for phase in classifier.phases] == ["feature_extraction"]
    assert len(classifier.history) == 1
    said = "\n".join(listener.lines)
    assert re.search(r"No fine-tuning: a linear probe predicted 3\d of 3\d held-out training images correctly", said)
    assert "Views of each training image: original." in said
    assert hs.evaluate(classifier, dataset.test).accuracy.value > 0.95
    asked = hs.RECIPES["fast"].with_epochs(1).always_fine_tuned()
    tuned = hs.train(dataset, recipe=asked, backbone=tiny, image_size=32, listener=hs.Quiet())
    assert [phase["name"] for phase in tuned.phases] == ["feature_extraction", "fine_tuning"]
    assert [phase["judgement"] for phase in tuned.phases] == [None, None]


def test_a_handful_of_images(tmp_path, make_folder, tiny):
    """Six of each class: the head is solved, and nothing is claimed of fine-tuning that one image would decide."""
    dataset = hs.load_dataset(make_folder(tmp_path / "cells", {"defective": 6, "functional": 6}), listener=hs.Quiet())
    listener = Listener()
    classifier = hs.train(dataset, backbone=tiny, image_size=32, listener=listener)
    assert [phase["name"] for phase in classifier.phases] == ["feature_extraction"]
    assert "No fine-tuning: 2 validation images are too few to tell whether it helps." in "\n".join(listener.lines)


def test_two_classes_of_which_one_has_five_photos(tmp_path, make_folder, tiny):
    """Cross-validation says whether fine-tuning helps; where it is asked for, it is done."""
    dataset = hs.load_dataset(make_folder(tmp_path / "cells", {"defective": 5, "functional": 70}), listener=hs.Quiet())
    listener = Listener()
    settings = {"backbone": tiny, "image_size": 32}
    hs.train(dataset, recipe=hs.RECIPES["fast"].with_epochs(1), listener=listener, **settings)
    assert any(line.startswith(("Fine-tuning would ", "No fine-tuning: a linear probe")) for line in listener.lines)
    asked = hs.RECIPES["fast"].with_epochs(1).always_fine_tuned()
    tuned = hs.train(dataset, recipe=asked, listener=hs.Quiet(), **settings)
    assert [phase["name"] for phase in tuned.phases] == ["feature_extraction", "fine_tuning"]
    assert np.isfinite(tuned.logits([np.zeros((1, 32, 32, 3), np.uint8)])).all()


def test_refusals(photos):
    dataset = hs.load_dataset(photos, seed=3, listener=hs.Quiet())
    with pytest.raises(ModelError, match=r"no execution 'half'. Choose one of: cached, end_to_end"):
        hs.train(dataset, execution="half", listener=hs.Quiet())
    with pytest.raises(ModelError, match=r"no precision 'int3'. Choose one of: float32, bfloat16"):
        hs.train(dataset, precision="int3", listener=hs.Quiet())
    with pytest.raises(ModelError, match="Take the recipe 'tutorial'"):
        hs.train(dataset, recipe="fast", execution="end_to_end", listener=hs.Quiet())
