"""The tutorial's recipe: its numbers, what it trains, what it must not touch, and that it can be done again."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import headstart as hs
from headstart.errors import DatasetError, ModelError, WeightsError
from headstart.models.composing import compose
from headstart.models.weights import load_base
from headstart.numerics import log_probabilities
from headstart.training import keras_fit
from headstart.training.early_stopping import EarlyStopping
from headstart.training.keras_fit import unfreeze
from headstart.training.measure import measured
from headstart.training.optimization import compile_for
from headstart.training.recipes import get_recipe
from headstart.training.trainer import train
from support.sizes import SMALL
from support.tiny import FEATURES, build


@pytest.fixture(scope="module")
def dataset(photos) -> hs.Dataset:
    return hs.load_dataset(photos, seed=3, listener=hs.Quiet())


@pytest.fixture(scope="module")
def trained(run, said) -> tuple[hs.Classifier, list[str]]:
    """The classifier of the run that the tests share, with what its training left of itself, and what it said."""
    with (run.folder / "history.csv").open(newline="") as file:
        history = [
            {key: value if key == "phase" else float(value) for key, value in row.items()}
            for row in csv.DictReader(file)
        ]
    return replace(hs.load(run.folder), history=tuple(history), phases=tuple(run.metrics["phases"])), said


# The tutorial's numbers


def test_the_tutorials_numbers():
    recipe = hs.RECIPES["tutorial"]
    assert (recipe.image_size, recipe.batch_size, recipe.dropout, recipe.epochs) == (160, 32, 0.2, 20)
    assert (recipe.augmentation.flip, recipe.augmentation.rotation) == (True, 0.2)
    head, top = recipe.head, recipe.fine_tuning
    assert isinstance(head, hs.Phase)
    assert top is not None
    assert (head.epochs, head.optimizer, head.learning_rate) == (10, "adam", 1e-4)
    assert (top.epochs, top.optimizer, top.learning_rate) == (10, "rmsprop", 1e-5)

    base = load_base("mobilenet_v2", 160)
    assert len(base.layers) == 154
    assert base.count_params() == 2_257_984
    assert base.output.shape == (None, 5, 5, 1280)
    model = compose(base, backbone="mobilenet_v2", image_size=160, num_classes=2, dropout=recipe.dropout, seed=0)
    assert model.get_layer("global_average_pooling2d").output.shape == (None, 1280)
    assert model.output.shape == (None, 1)
    assert model.count_params() == 2_259_265
    assert [type(layer).__name__ for layer in model.layers] == [
        "InputLayer", "Rescaling", "Functional", "GlobalAveragePooling2D", "Dropout", "Dense",
    ]  # fmt: skip

    unfreeze(base, "mobilenet_v2", top=head.unfreeze)
    assert sum(np.prod(v.shape) for v in model.trainable_variables) == 1_281
    assert len(model.trainable_variables) == 2
    unfreeze(base, "mobilenet_v2", top=top.unfreeze)
    assert sum(np.prod(v.shape) for v in model.trainable_variables) == 1_862_721
    assert len(model.trainable_variables) == 56
    assert not any(layer.trainable for layer in base.layers[:100])
    assert all(layer.trainable for layer in base.layers[100:])


def test_rescaling_is_to_minus_one_and_one():
    model = compose(
        load_base("mobilenet_v2", 32, "random"),
        backbone="mobilenet_v2",
        image_size=32,
        num_classes=2,
        dropout=0.2,
        seed=0,
    )
    rescaled = np.asarray(model.layers[1](np.array([0.0, 127.5, 255.0])))
    np.testing.assert_allclose(rescaled, [-1, 0, 1], atol=1e-6)


def test_it_says_what_the_tutorial_prints(trained):
    said = "\n".join(trained[1])
    for expected in (
        "154 layers, 2,257,984 parameters",
        "(32, 64, 64, 3) -> features (32, 2, 2, 1280) -> pooled (32, 1280) -> logits (32, 1)",
        "Before training: validation loss",
        "Total params: 2,259,265",
        "Trainable: 1,281 parameters in 2 variables; adam, learning rate 0.0001",
        "those from number 100 on",
        "Trainable: 1,862,721 parameters in 56 variables; rmsprop, learning rate 1e-05",
        "Epoch  1/4",
        "Epoch  4/4",
    ):
        assert expected in said
    assert said.index("Epoch  2/4") < said.index("Fine-tune") < said.index("Epoch  3/4")


def test_history_and_phases(trained):
    classifier, _ = trained
    assert [(row["phase"], row["epoch"]) for row in classifier.history] == [
        ("feature_extraction", 1), ("feature_extraction", 2), ("fine_tuning", 3), ("fine_tuning", 4),
    ]  # fmt: skip
    assert [row["learning_rate"] for row in classifier.history] == [1e-4, 1e-4, 1e-5, 1e-5]
    assert [phase["trainable_variables"] for phase in classifier.phases] == [2, 56]
    last = classifier.history[-1]
    measured = classifier.phases[1]["validation"]
    assert (measured["loss"], measured["accuracy"]["value"]) == (last["val_loss"], last["val_accuracy"])


# What may change and what may not


def test_frozen_weights_are_bit_equal_and_statistics_never_move(trained):
    model = trained[0].model
    base, before = model.get_layer("mobilenetv2_1.00_64"), load_base("mobilenet_v2", SMALL)
    changed = 0
    for number, (layer, original) in enumerate(zip(base.layers, before.layers, strict=True)):
        for variable, old in zip(layer.weights, original.weights, strict=True):
            if number < 100 or variable.path.endswith(("moving_mean", "moving_variance")):
                np.testing.assert_array_equal(variable.numpy(), old.numpy(), err_msg=variable.path)
            else:
                changed += not np.array_equal(variable.numpy(), old.numpy())
    assert changed == 54, "all that fine-tuning trains: 56 variables without the head's two"


def test_the_heads_first_phase_leaves_the_whole_base_alone(dataset, tiny):
    recipe = hs.RECIPES["tutorial"].with_epochs(1).without_fine_tuning()
    classifier = train(dataset, recipe=recipe, backbone=tiny, image_size=32, seed=1, listener=hs.Quiet())
    base = classifier.model.get_layer("tiny_32")
    for variable, old in zip(base.get_weights(), load_base(tiny, 32).get_weights(), strict=True):
        np.testing.assert_array_equal(variable, old)
    assert len(classifier.phases) == 1


def test_the_logged_validation_numbers_are_those_of_the_model(trained, run):
    classifier, dataset = trained[0], hs.load_dataset(run.folder / "splits.csv", listener=hs.Quiet())
    evaluation = hs.evaluate(classifier, dataset.validation)
    assert evaluation.loss == pytest.approx(classifier.history[-1]["val_loss"], rel=1e-4)
    assert evaluation.accuracy.value == pytest.approx(classifier.history[-1]["val_accuracy"], abs=1e-6)


def test_the_same_seed_gives_the_same_history(dataset, recipe, tiny):
    first, again = (
        train(dataset, recipe=recipe, backbone=tiny, image_size=32, seed=1, listener=hs.Quiet()) for _ in range(2)
    )
    ours, theirs = ([row | {"seconds": None} for row in each.history] for each in (again, first))
    assert ours == theirs
    for one, other in zip(again.model.get_weights(), first.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_learns(photos, tiny, tmp_path):
    """Two classes that any network tells apart: the cells as they are, and darker."""
    from PIL import Image

    root = tmp_path / "photos"
    for number, path in enumerate(sorted(photos.rglob("*.png"))):
        image = Image.open(path).convert("L")
        folder = root / ("dark" if number % 2 else "bright")
        folder.mkdir(parents=True, exist_ok=True)
        (image.point([value // 4 for value in range(256)]) if number % 2 else image).save(folder / path.name)
    dataset = hs.load_dataset(root, listener=hs.Quiet())
    quick = hs.Phase("feature_extraction", epochs=40, optimizer="adam", learning_rate=0.1, unfreeze=False)
    recipe = hs.Recipe("quick", quick, image_size=32)
    classifier = hs.train(dataset, recipe=recipe, backbone=tiny, listener=hs.Quiet())
    assert hs.evaluate(classifier, dataset.test).accuracy.value >= 0.9
    assert classifier.history[-1]["loss"] < classifier.history[0]["loss"] / 2


# More than two classes, other backbones


def test_three_classes_and_another_backbone(tmp_path, make_folder):
    """Softmax cross-entropy from logits, one for each class; the loss is scikit-learn's."""
    import sklearn.metrics

    dataset = hs.load_dataset(make_folder(tmp_path, {"a": 12, "b": 12, "c": 12}), listener=hs.Quiet())
    recipe = hs.RECIPES["tutorial"].with_epochs(1)
    classifier = train(
        dataset, recipe=recipe, backbone="mobilenet_v3_small", image_size=32, weights="random", listener=hs.Quiet()
    )
    assert classifier.model.output.shape == (None, 3)
    evaluation = hs.evaluate(classifier, dataset.validation)
    shares, labels = evaluation.probabilities, dataset.validation.labels
    assert evaluation.loss == pytest.approx(sklearn.metrics.log_loss(labels, shares, labels=[0, 1, 2]), rel=1e-6)
    assert evaluation.loss == pytest.approx(classifier.history[-1]["val_loss"], rel=1e-3)
    assert set(classifier.predict(dataset.test.paths[0]).probabilities) == {"a", "b", "c"}


def test_fit_is_that_of_keras(dataset, tiny):
    """One epoch of `fit_epoch` changes the head just as Keras' own loop over the same batches does."""
    from headstart.data.batches import Batches

    def model() -> keras.Model:
        base = load_base(tiny, 32)
        base.trainable = False
        network = compose(base, backbone=tiny, image_size=32, num_classes=2, dropout=0.0, seed=0)
        built = keras_fit.TrainableNetwork(network)
        compile_for(built, hs.Phase("feature_extraction", 1, "adam", 1e-3, unfreeze=False), steps=1)
        return built

    batches = Batches(dataset.train, 32, shuffle=True, seed=9)
    ours, theirs = model(), model()
    class_weights = np.array([1.0, 3.0])
    data = keras_fit.TrainingData(batches, class_weights, binary=True)
    keras_fit.fit_epoch(ours, data, 0, epochs=1, seed=9, listener=hs.Quiet())
    for index in range(len(batches)):
        images, labels = batches.batch(index, 0)
        weights = {0: 1.0, 1: 3.0}
        theirs.train_on_batch(images.astype("float32"), labels[:, None].astype("float32"), class_weight=weights)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)

    images, labels = Batches(dataset.validation, 32, batch_size=len(dataset.validation)).batch(0)
    theirs_says = theirs.evaluate(images, labels[:, None], sample_weight=class_weights[labels], verbose=0,
                                  return_dict=True)  # fmt: skip
    ours_says = measured(keras_fit.predict_all(ours, Batches(dataset.validation, 32)), labels, class_weights)
    assert ours_says["loss"] == pytest.approx(theirs_says[keras_fit.PLAIN_LOSS], rel=1e-3)
    assert ours_says["accuracy"] == pytest.approx(theirs_says["accuracy"])


def test_a_short_last_batch_is_answered_without_being_traced(dataset, tiny):
    from headstart.data.batches import Batches

    network = compose(load_base(tiny, 32), backbone=tiny, image_size=32, num_classes=3, dropout=0.0, seed=0)
    model, split = keras_fit.TrainableNetwork(network), dataset.validation
    size = len(split) // 2 + 1
    found = keras_fit.predict_all(model, Batches(split, 32, batch_size=size))
    assert len(split) % size != 0
    assert found.shape == (len(split), 3)
    images = Batches(split, 32, batch_size=len(split)).batch(0)[0]
    assert model.predict_function.experimental_get_tracing_count() == 1
    np.testing.assert_allclose(found, model.predict_on_batch(images), rtol=1e-4, atol=1e-5)


def test_the_base_is_in_inference_mode_when_it_is_trained():
    """Also where it is thawed, and where it holds dropout, as EfficientNet does. Keras alone does not see to that."""
    base = load_base("efficientnet_b0", 32, "random")
    assert any(isinstance(layer, keras.layers.Dropout) for layer in base.layers)
    base.trainable = True
    network = compose(base, backbone="efficientnet_b0", image_size=32, num_classes=3, dropout=0.0, seed=0)
    images = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3)).astype("float32")
    statistics = [np.asarray(v.numpy()) for v in base.non_trainable_variables]
    expected = network(images, training=False)
    in_training = keras_fit.TrainableNetwork(network)
    np.testing.assert_allclose(in_training(images, training=True), expected, rtol=1e-5, atol=1e-5)
    for variable, before in zip(base.non_trainable_variables, statistics, strict=True):
        np.testing.assert_array_equal(variable.numpy(), before)
    assert len(in_training.trainable_variables) == len(network.trainable_variables)


# What is refused


def test_refusals(dataset):
    with pytest.raises(ModelError, match=r"no recipe 'slow'. Choose one of: fast, tutorial"):
        get_recipe("slow")
    with pytest.raises(DatasetError, match="There are no validation images"):
        train(hs.Dataset(dataset.class_names, dataset.train, dataset.validation.take([]), dataset.test))
    one_photo = dataset.train.take([0] * 20)
    with pytest.raises(DatasetError, match=r"All 20 images are copies of one photo.*add other photos"):
        train(hs.Dataset(dataset.class_names, one_photo, dataset.validation.take([]), dataset.test.take([])))


@pytest.fixture(scope="module")
def damaged(tmp_path_factory, tiny_weights) -> Path:
    """Weights with one NaN, in a layer whose ReLU would hide it: the features of an engine are finite all the same."""
    base = build((32, 32, 3), False, None)
    base.load_weights(tiny_weights)
    layer = base.get_layer("block_1_depthwise")
    (kernel,) = layer.get_weights()
    kernel.flat[3] = np.nan
    layer.set_weights([kernel])
    file = tmp_path_factory.mktemp("damaged") / "base.weights.h5"
    base.save_weights(file)
    return file


def test_weights_that_are_no_numbers(damaged, dataset, photos, tiny):
    said = r"base.weights.h5' holds weights that are no numbers .* in 1 of 26 variables, such as 'block_1_depthwise"
    with pytest.raises(WeightsError, match=said):
        train(dataset, backbone=tiny, image_size=32, weights=damaged, listener=hs.Quiet())
    with pytest.raises(WeightsError, match=said):
        hs.inspect(photos, backbone=tiny, image_size=32, weights=damaged, listener=hs.Quiet())


def test_steps_that_break_the_network_are_said(dataset, tiny):
    phase = hs.Phase("fine_tuning", epochs=1, optimizer="rmsprop", learning_rate=1e30, unfreeze=True)
    recipe = hs.Recipe("too long steps", None, phase, image_size=32)
    with pytest.raises(ModelError, match=r"no numbers \(NaN or infinity\) for 12 of 12 images: .*train again"):
        train(dataset, recipe=recipe, backbone=tiny, listener=hs.Quiet())


def test_averaged_weights(tiny):
    """What is measured after an epoch is the moving average; training goes on from the weights themselves."""
    base = load_base(tiny, 32)
    base.trainable = False
    network = compose(base, backbone=tiny, image_size=32, num_classes=3, dropout=0.0, seed=0)
    model = keras_fit.TrainableNetwork(network, keras_fit.identity_features(network))
    phase = hs.Phase("feature_extraction", 1, "adamw", 0.1, unfreeze=False, ema_decay=0.5)
    compile_for(model, phase, steps=3)
    rng = np.random.default_rng(0)
    seen = []
    for _ in range(3):
        model.train_on_batch(rng.normal(size=(4, FEATURES)).astype(np.float32), np.array([0, 1, 2, 0]))
        seen.append(network.get_layer("logits").get_weights()[0])
    with keras_fit.ema_weights(model):
        inside = network.get_layer("logits").get_weights()[0]
    np.testing.assert_allclose(inside, (seen[0] + seen[1] + 2 * seen[2]) / 4, atol=1e-6)
    np.testing.assert_array_equal(network.get_layer("logits").get_weights()[0], seen[2])


@pytest.mark.parametrize(("images", "epochs"), [(1, 8), (7_500, 8), (15_000, 4), (30_000, 2), (1_000_000, 2)])
def test_many_images_need_fewer_epochs(images, epochs):
    fast = hs.RECIPES["fast"].for_images(images)
    assert [phase.epochs for phase in fast.phases] == [1, epochs]
    assert hs.RECIPES["fast"].with_epochs(5).for_images(images).phases[1].epochs == 5
    assert hs.RECIPES["tutorial"].for_images(images) == hs.RECIPES["tutorial"]


@pytest.mark.parametrize(
    ("losses", "over"),
    [
        ([], False),
        ([0.9] * 3, False),
        ([0.9] * 4, True),  # the first of them was the best, three epochs ago
        ([1.2, 1.1, 1.0, 0.9], False),  # falling
        ([1.2, 0.8, 0.9, 0.9], False),
        ([1.2, 0.8, 0.9, 0.9, 0.9], True),
        ([0.9, 1.0, 0.8, 1.1, 1.2], False),
        ([0.9, 1.0, 0.8, 1.1, 1.2, 1.1], True),
        ([0.9, math.inf], True),  # it diverged
        ([0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], True),  # all epochs
    ],
)
def test_a_phase_is_over_when_its_loss_has_not_fallen_for_long(losses, over):
    assert EarlyStopping(epochs=8, patience=3).is_over(losses) == over
    assert EarlyStopping(epochs=8).is_over(losses) == (len(losses) == 8)


@pytest.mark.parametrize("num_classes", [2, 3])
def test_smoothed_labels_are_trained_on_and_not_reported(num_classes, tiny):
    base = load_base(tiny, 32)
    base.trainable = False
    network = compose(base, backbone=tiny, image_size=32, num_classes=num_classes, dropout=0.0, seed=0)
    model = keras_fit.TrainableNetwork(network, keras_fit.identity_features(network))
    phase = hs.Phase("feature_extraction", 1, "adam", 0.0, unfreeze=False, label_smoothing=0.1)
    compile_for(model, phase, steps=1)
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(8, FEATURES)).astype(np.float32), np.arange(8) % num_classes
    targets = labels[:, None].astype(np.float32) if num_classes == 2 else labels
    shares = log_probabilities(model.predict_on_batch(features))
    right = -shares[np.arange(8), labels]
    logs = model.evaluate(features, targets, verbose=0, return_dict=True)
    assert logs["cross_entropy"] == pytest.approx(right.mean(), rel=1e-5)
    assert logs["loss"] == pytest.approx((0.9 * right - 0.1 * shares.mean(axis=1)).mean(), rel=1e-5)
