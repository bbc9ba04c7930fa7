"""A fine-tuning that only improves, within a time: what is tried, what is left, and what a training ends with."""

import math
from dataclasses import replace

import numpy as np
import pytest

import headstart as hs
from headstart.features import depth_head
from headstart.features.extractor import FeatureExtractor
from headstart.listeners.quiet import Quiet
from headstart.models.summary import Summary
from headstart.statistics import Disagreement
from headstart.time_limit import TimeLimit
from headstart.training import spending, trainer
from headstart.training.config import TrainingConfig
from headstart.training.cross_validation import Gain, gain_of
from headstart.training.measure import row
from headstart.training.recipes import SolvedHead
from headstart.training.selection import DIVERGED, PhaseResult, select
from headstart.training.state import TrainingState
from headstart.training.trainer import train_classifier
from support.recording import Recorder as Listener

NOTHING = {"loss": 0.5, "accuracy": 1.0}
FAST = hs.RECIPES["fast"]
TUNING: hs.Phase = FAST.fine_tuning  # pyright: ignore[reportAssignmentType]


class Scripted(TimeLimit):
    """What is left falls by a second each time that somebody asks."""

    asked = 0

    @property
    def left(self) -> float:
        object.__setattr__(self, "asked", self.asked + 1)
        return self.seconds - self.asked


@pytest.fixture(scope="module")
def dataset(photos) -> hs.Dataset:
    return hs.load_dataset(photos, seed=3, listener=hs.Quiet())


@pytest.fixture
def settings(tiny, monkeypatch) -> dict:
    """Of a tiny base whose last layer the head reads: all other depths lie below the layers that are fine-tuned."""
    monkeypatch.setattr(depth_head, "WEIGHTS", (0.0, 0.35, 0.6, 0.85))
    return {"backbone": tiny, "image_size": 32, "seed": 1}


def test_in_a_second_there_is_a_head_and_its_measurement(photos, tmp_path, settings):
    listener = Listener()
    run = hs.make_run(photos, tmp_path / "run", time_limit=1.0, recipe=FAST, listener=listener, **settings)
    assert [phase["name"] for phase in run.metrics["phases"]] == ["feature_extraction"]
    assert run.metrics["test"]["accuracy"]["count"] > 0
    said = "\n".join(listener.lines)
    assert "of 1 s are left" in said
    assert "No fine-tuning: it takes " in said


def test_a_fine_tuning_ends_with_its_time(dataset, settings):
    """Within an epoch: what it came to is measured, and kept."""
    config = TrainingConfig.of(recipe=FAST.with_epochs(50).always_fine_tuned(), **settings)
    listener = Listener()
    steps = -(-len(dataset.train) // 32)
    limit = Scripted(1_000.0)

    def at_last(*arguments, **more) -> float:
        object.__setattr__(limit, "asked", 1_000 - 2 * steps)  # from here on, for an epoch and a half
        return 0.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "needed_for_fine_tuning", at_last)
        trained = train_classifier(dataset, config, limit=limit, listener=listener)
    tuned = [row for row in trained.classifier.history if row["phase"] == "fine_tuning"]
    assert 1 <= len(tuned) <= 3
    assert any(line.startswith("The time is up after") for line in listener.lines)
    assert trained.fine_tuned
    assert np.isfinite(trained.logits(dataset.test)).all()


@pytest.mark.parametrize(
    ("named", "seconds", "recipe", "two"),
    [
        (None, 3_600.0, FAST, True),
        (None, 3_600.0, FAST.always_fine_tuned(), False),
        (None, 1.0, FAST, False),
        (None, None, FAST, False),
        ("efficientnet_lite0", 3_600.0, FAST, False),
        ("mobilenet_v2", 3_600.0, FAST, False),
    ],
)
def test_a_second_base_where_there_is_time_and_nobody_has_named_one(dataset, named, seconds, recipe, two):
    config = TrainingConfig.of(recipe=recipe, backbone=named, image_size=64)
    listener = Listener()
    found = spending.with_second_base(config, dataset, TimeLimit.of(seconds), listener)
    assert found.backbone == ("efficientnet_lite0+mobilenet_v2" if two else config.backbone)
    assert bool(listener.lines) == two
    assert found.to_json() | {"backbone": ""} == config.to_json() | {"backbone": ""}


def test_the_rate_of_an_engine(dataset, settings):
    config = TrainingConfig.of(recipe=FAST, **settings)
    assert 0 < spending.engine_rate(FeatureExtractor(config.feature_spec, listener=Quiet())) < math.inf


def test_cross_validation_says_the_same_again_and_leaves_the_network_as_it_was(dataset, settings):
    config = TrainingConfig.of(recipe=FAST.with_epochs(2), **settings)
    context = trainer.new_context(dataset, config, None, Quiet())
    trainer._set_trainable(context, replace(TUNING, epochs=2))
    before = context.network.model.get_weights()
    gain, again = (gain_of(context, SolvedHead(), replace(TUNING, epochs=2)) for _ in range(2))
    for one, other in zip(before, context.network.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert 0.5 * len(dataset.train) < gain.images <= len(dataset.train)
    assert again.before == pytest.approx(gain.before, rel=1e-6)
    assert again.after == pytest.approx(gain.after, rel=1e-3)
    assert gain.error > 0
    assert gain.is_clear == (gain.before - gain.after > gain.error)
    assert f"on {gain.images:,} training images" in str(gain)


@pytest.mark.parametrize("helps", [True, False])
def test_where_validation_images_are_few_the_training_images_decide(helps, dataset, settings, monkeypatch):
    gain = Gain(0.5, 0.4 if helps else 0.51, 0.02, Disagreement(1, 2, 1.0), 60)
    monkeypatch.setattr(trainer, "gain_of", lambda *arguments: gain)
    listener = Listener()
    config = TrainingConfig.of(recipe=FAST.with_epochs(2), **settings)
    trained = train_classifier(dataset, config, listener=listener)
    assert trained.fine_tuned == helps
    assert len(trained.classifier.history) == (3 if helps else 1)
    assert trained.classifier.model.get_layer("logits").trainable
    said = "\n".join(listener.lines)
    assert ("Fine-tuning would help: on 60" if helps else "Fine-tuning would not clearly help: on 60") in said


def test_losses_before_and_after_are_those_of_the_same_views(dataset, settings):
    """In steps of no length, the first epoch has the head's loss; with all views, which the head has not seen, too."""
    still = replace(TUNING, learning_rate=0.0, weight_decay=0.0)
    recipe = replace(FAST, fine_tuning=still).with_epochs(2).always_fine_tuned()
    alone = train_classifier(
        dataset, TrainingConfig.of(recipe=FAST.without_fine_tuning(), views="original", **settings), listener=Quiet()
    )
    for views in ("original", "all"):
        listener = Listener()
        config = TrainingConfig.of(recipe=recipe, views=views, **settings)
        head, first, second = train_classifier(dataset, config, listener=listener).classifier.history
        assert first["loss"] == pytest.approx(head["loss"], rel=1e-3)
        assert first["accuracy"] == pytest.approx(head["accuracy"])
        assert f"In the views of fine-tuning the head has training loss {head['loss']:.4f}" in "\n".join(listener.lines)
        if views == "original":
            assert head["loss"] == pytest.approx(alone.classifier.history[0]["loss"], rel=1e-3)
            assert second["loss"] == pytest.approx(first["loss"], rel=1e-3)


@pytest.mark.parametrize("few", [0, 10_000])
def test_a_fine_tuning_that_diverges_leaves_the_head(few, dataset, settings, monkeypatch):
    monkeypatch.setattr(trainer, "FEW", few)
    recipe = replace(FAST, fine_tuning=replace(TUNING, learning_rate=1e30, warm_up=None, optimizer="rmsprop"))
    listener = Listener()
    trained = train_classifier(dataset, TrainingConfig.of(recipe=recipe, **settings), listener=listener)
    alone = train_classifier(
        dataset, TrainingConfig.of(recipe=FAST.without_fine_tuning(), **settings), listener=Quiet()
    )
    assert not trained.fine_tuned
    np.testing.assert_allclose(trained.logits(dataset.test), alone.logits(dataset.test), atol=1e-4)
    said = "\n".join(listener.lines)
    assert ("it would not clearly help" if few else "The head alone is kept") in said


def test_losses_that_are_no_numbers_are_no_better_ones():
    rows = [row(name, epoch, 1.0, 0.0, NOTHING, NOTHING) for epoch, name in enumerate(("head", "tuning"), 1)]
    state = TrainingState(tuple(rows), (0.5, math.inf), correct=(np.ones(3, bool),) * 2)
    phase = replace(TUNING, name="tuning")
    found = select(PhaseResult(phase, Summary("", 0, 0, (), 0, 0, 0, "", "")), state)
    assert (found.kept, found.verdict, found.entry["judgement"]) == (False, DIVERGED, None)
    assert found.entry["validation"]["loss"] == rows[0]["val_loss"]


def test_the_training_loss_never_rises_above_the_heads(dataset, settings):
    """In one view, so that the losses are of the same images; the head stays as it was solved."""
    longer = replace(TUNING, epochs=40, learning_rate=1e-3, patience=None)  # of 2,824 parameters
    config = TrainingConfig.of(recipe=replace(FAST, fine_tuning=longer), views="original", **settings)
    trained = train_classifier(dataset, config, listener=Quiet())
    alone = train_classifier(dataset, replace(config, recipe=FAST.without_fine_tuning()), listener=Quiet())
    head, *tuned = trained.classifier.history
    assert len(tuned) == 40
    assert max(row["loss"] for row in tuned) <= 1.02 * head["loss"]
    assert tuned[-1]["loss"] < head["loss"]
    for one, other in zip(trained.classifier.head, alone.classifier.head, strict=True):
        np.testing.assert_array_equal(one, other)
    assert trained.classifier.model.get_layer("logits").trainable
