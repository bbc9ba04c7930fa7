"""What a machine of a cluster trains with: the trainable part of a network, which gives gradients, and stays as it is.

The features of an image, and what dropout leaves of them, come with each batch. Knows nothing of Ray.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.keras_backend import keras
from headstart.models.network import Network
from headstart.models.weights import RANDOM
from headstart.training.keras_fit import TrainableNetwork, set_head_trainable, trainable_features, unfreeze
from headstart.training.optimization import compile_for

if TYPE_CHECKING:
    from headstart.training.steps_on_cluster import Plan


def network_of_shares(plan: Plan, variables: Sequence[np.ndarray]) -> ShareNetwork:
    """Compiled for the loss of a phase, with `GradientsAlone`. variables: of the whole network."""
    settings = {"num_classes": plan.num_classes, "dropout": 0.0, "seed": 0, "depths": plan.depths}
    network = Network.pretrained(plan.backbone, plan.image_size, RANDOM, **settings)  # all come from the driver
    network.model.set_weights(variables)
    unfreeze(network.base, plan.backbone, top=plan.phase.unfreeze)
    set_head_trainable(network.model, plan.phase.trains_head)
    model = ShareNetwork(network.model, trainable_features(network.base, plan.backbone, depths=plan.depths))
    compile_for(model, plan.phase, steps=1, soft=plan.soft, optimizer=GradientsAlone())
    return model


class ShareNetwork(TrainableNetwork):
    """(Tensors at the cut, what each feature is multiplied with) -> logits."""

    def call(self, inputs: Any, training: bool = False) -> keras.KerasTensor:
        tensors, dropped = inputs
        return self.logits(self.features(tensors, training=False) * dropped)


class GradientsAlone(keras.optimizers.Optimizer):
    """Instead of an optimizer: keeps the gradients of the last step, and leaves the variables as they are."""

    def __init__(self) -> None:
        super().__init__(learning_rate=0.0)

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if not self.built:
            super().build(variables)
            self._kept = [self.add_variable_from_reference(each, name="gradient") for each in variables]

    def update_step(self, gradient: keras.KerasTensor, variable: keras.Variable, learning_rate: object) -> None:
        self.assign(self._kept[self._get_variable_index(variable)], gradient)

    @property
    def found(self) -> list[np.ndarray]:
        """One for each variable that is trained."""
        return [keras.ops.convert_to_numpy(each) for each in self._kept]
