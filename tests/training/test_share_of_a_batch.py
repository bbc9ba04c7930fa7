"""The gradients of the shares of a batch add up to those of the batch."""

import keras
import numpy as np
import pytest

import headstart as hs
from headstart.models.network import Network
from headstart.training.feature_batches import one_or_all
from headstart.training.keras_fit import TrainableNetwork, set_head_trainable, trainable_features, unfreeze
from headstart.training.optimization import compile_for
from headstart.training.share_of_a_batch import GradientsAlone, network_of_shares
from headstart.training.steps_on_cluster import Plan

SIZE, COUNT = 32, 10
PHASE = hs.Phase("fine_tuning", 1, "adamw", 1e-3, unfreeze=True, label_smoothing=0.1)


@pytest.mark.parametrize(
    ("classes", "depths", "soft"), [(2, False, False), (3, True, False), (2, True, True), (3, False, True)]
)
def test_shares_add_up_to_the_batch(tiny, classes, depths, soft):
    network = Network.pretrained(tiny, SIZE, "pretrained", num_classes=classes, dropout=0.5, seed=4, depths=depths)
    unfreeze(network.base, tiny, top=True)
    set_head_trainable(network.model, True)
    whole = TrainableNetwork(network.model, trainable_features(network.base, tiny, depths=depths))
    compile_for(whole, PHASE, steps=1, soft=soft, optimizer=GradientsAlone())
    rng = np.random.default_rng(0)
    shapes = [(COUNT, *each.shape[1:]) for each in whole.features.inputs]
    inputs = one_or_all([rng.normal(size=shape).astype(np.float32) for shape in shapes])
    labels, weights = rng.integers(0, classes, COUNT), rng.uniform(0.5, 2, COUNT).astype(np.float32)
    if soft:
        labels = rng.dirichlet(np.ones(classes), COUNT).astype(np.float32)[:, classes == 2 :]
    elif classes == 2:
        labels = labels[:, None].astype(np.float32)

    whole.reseed(7, 3)
    dropped = whole.drawn_dropout(COUNT)
    whole.reseed(7, 3)
    told = whole.step(inputs, labels, weights)

    model = network_of_shares(Plan(tiny, SIZE, classes, depths, PHASE, soft), network.model.get_weights())
    found, said = [], []
    for part in (slice(0, 3), slice(3, COUNT)):
        some, of_some, counted = keras.tree.map_structure(lambda each, of=part: each[of], (inputs, labels, weights))
        said.append(model.step((some, dropped[part]), of_some, counted, share=len(of_some) / COUNT))
        found.append(model.optimizer.found)
    assert len(found[0]) == len(whole.trainable_variables) > 2
    for one, other, expected in zip(*found, whole.optimizer.found, strict=True):
        np.testing.assert_allclose(one + other, expected, atol=1e-5 * max(1.0, np.abs(expected).max()))
    assert any(np.abs(each).max() > 1e-3 for each in whole.optimizer.found)
    np.testing.assert_allclose(sum(said), told, rtol=1e-5)
    for one, other in zip(model.trainable_variables, whole.trainable_variables, strict=True):
        np.testing.assert_array_equal(one, other)  # nothing has moved
