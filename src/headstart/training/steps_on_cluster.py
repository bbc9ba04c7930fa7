"""Fine-tuning steps whose gradients the machines of a cluster compute, each for its share of a batch.

In a step the trained variables, the features of a batch and its dropout go out, and gradients come back, which Ray's
tasks add up in a tree: the steps are those of one machine, to rounding. Variables, optimizer, averages, validation and
checkpoints stay here, and a machine is told all that it needs in each step: where one is lost, another takes its place,
and does its share of that one step again. (Ray Train would begin the epoch again; and of the libraries that it spreads
work with, Keras can use PyTorch's alone, which is slower on processors than TensorFlow.)

Whether that is faster than to step here depends on the network between them, so the first steps are tried both ways.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.cluster import check_machines, is_here, machines
from headstart.concurrency import limit_cores
from headstart.errors import ClusterError, MissingExtraError
from headstart.events import Listener, Message
from headstart.features.executors.ray import RayExecutor, added_in_a_tree, result
from headstart.training.config import CACHED
from headstart.training.context import TrainingContext
from headstart.training.recipes import Phase

if TYPE_CHECKING:
    from headstart.training.keras_fit import Tensors, TrainableNetwork

SHARE = 4  # images of a batch that a machine is given, at least: each sends gradients of everything that is trained
# images, each as often as it is trained on, from which on it is spread: with fewer, this machine is almost done when
# others have Keras in memory
MANY = 20_000
TRIALS = 4  # steps on the cluster, and as many here, of which the fastest are compared: in the first, graphs are made
# distributions that Keras computes with, besides itself; TensorFlow's have several names
NEEDED = {"torch": ("keras", "torch"), "jax": ("keras", "jax")}
ALONE = "Fine-tuning itself is done by this machine alone"


@dataclass(frozen=True)
class Plan:
    """What a machine is told once: which network that is, and what of it is trained. All of it can be sent.

    soft: whether labels are the shares of all classes.
    """

    backbone: str
    image_size: int
    num_classes: int
    depths: bool
    phase: Phase
    soft: bool = False

    @classmethod
    def of(cls, context: TrainingContext, phase: Phase) -> Plan:
        config = context.config
        network = config.backbone, config.image_size
        classes, soft = len(context.dataset.class_names), context.dataset.train.is_soft
        return cls(*network, classes, config.recipe.reads_depths, phase, soft)


@contextmanager
def steps_on_cluster(context: TrainingContext, phase: Phase) -> Iterator[ClusterSteps | None]:
    """Who makes the steps of a phase, as long as it lasts; None: `fit`, here; if there is a cluster, it is said why."""
    executor = context.config.executor
    if executor is None or not phase.unfreeze or context.config.execution != CACHED:
        yield None
        return
    reason = _reason_against(context, executor, phase)
    if reason:
        context.listener.emit(Message(f"{ALONE}: {reason}"))
        yield None
        return
    with ClusterSteps.of(context, executor, phase) as steps:
        yield steps


def _reason_against(context: TrainingContext, executor: RayExecutor, phase: Phase) -> str | None:
    """Why the cluster is not even asked; None if it may be faster."""
    ray, count = executor.connected(), len(context.dataset.train) * phase.epochs
    if len(machines(ray)) == 1 and is_here(ray):
        return "the cluster has no other."
    if executor.gpu:
        return "a cluster computes gradients on CPUs only, and --device gpu was given."
    if count < MANY:
        return f"{count:,} images in all its epochs are few."
    from headstart.keras_backend import keras

    try:
        check_machines(executor.address, NEEDED.get(keras.backend.backend(), ("keras",)))
    except ClusterError as error:
        return str(error)
    return None


class ClusterSteps:
    """Steps with gradients from an actor of Ray on each machine, or here, whichever is faster."""

    def __init__(self, ray: Any, actors: Sequence[Any], listener: Listener) -> None:
        self._ray, self._machines, self._listener = ray, actors, listener
        self._added = ray.remote(num_cpus=0, max_retries=-1)(_added)
        self._seconds: tuple[list[float], list[float]] = [], []  # of steps on the cluster, and here
        self.is_spread = True

    @classmethod
    @contextmanager
    def of(cls, context: TrainingContext, executor: RayExecutor, phase: Phase) -> Iterator[ClusterSteps]:
        """Steps of the network of a training, as long as they are made."""
        from headstart.keras_backend import keras

        ray = executor.connected()
        affinity = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        # a hundredth of a core, so that there is room for one whose machine is lost
        remote = ray.remote(num_cpus=0.01, max_restarts=-1, max_task_retries=-1)(_Machine)
        # kept as long as there are steps: who takes over for a lost machine asks for it again
        sent = ray.put((Plan.of(context, phase), context.network.model.get_weights()))
        actors = []
        for node in machines(ray)[: max(1, context.config.recipe.batch_size // SHARE)]:
            cores = int(node["Resources"]["CPU"])
            environment = {"env_vars": _environment(keras.backend.backend(), cores)}
            place = affinity(node["NodeID"], soft=True)
            actors.append(remote.options(scheduling_strategy=place, runtime_env=environment).remote(sent, cores))
        try:
            yield cls(ray, actors, context.listener)
        finally:
            for each in actors:
                ray.kill(each)

    def step(self, model: TrainableNetwork, inputs: Tensors, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Train a model with a batch: what `TrainableNetwork.step` does and returns."""
        there, here = self._seconds
        is_spread = len(there) < TRIALS or (self.is_spread and len(here) == TRIALS)
        start = time.perf_counter()
        told = (self._on_cluster if is_spread else _here)(model, inputs, labels, weights)
        if len(here) < TRIALS:
            (there if is_spread else here).append(time.perf_counter() - start)
            if len(here) == TRIALS:
                self._choose(min(there), min(here))
        return told

    def _choose(self, there: float, here: float) -> None:
        """there, here: seconds of a step."""
        self.is_spread, count = there < here, len(self._machines)
        found = f"A step takes {1e3 * there:.0f} ms on {count} machines, and {1e3 * here:.0f} ms here"
        what = "the cluster computes the gradients, each machine for its share of the batch."
        self._listener.emit(Message(f"{found}: {what if self.is_spread else 'this machine fine-tunes alone.'}"))

    def _on_cluster(
        self, model: TrainableNetwork, inputs: Tensors, labels: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        from headstart.keras_backend import keras

        sent = self._ray.put([keras.ops.convert_to_numpy(variable) for variable in model.trainable_variables])
        batch, count = (inputs, model.drawn_dropout(len(labels)), labels, weights), len(labels)
        edges = np.linspace(0, count, min(len(self._machines), count) + 1).astype(int)
        shares = [
            keras.tree.map_structure(lambda each, of=slice(start, end): each[of], batch)
            for start, end in pairwise(edges)
        ]
        waiting = [
            machine.gradients.remote(sent, *share, 1 / count)
            for machine, share in zip(self._machines, shares, strict=False)
        ]
        parts = [result(self._ray, each) for each in added_in_a_tree(self._added, waiting)]
        *gradients, told = _added(*parts)
        model.apply_gradients(gradients)
        return told


def _here(model: TrainableNetwork, *batch: Any) -> np.ndarray:
    return model.step(*batch)


class _Machine:
    """What computes the gradients of shares: a process of a machine of the cluster."""

    def __init__(self, sent: tuple[Plan, Sequence[np.ndarray]], cores: int) -> None:
        limit_cores(cores)
        self._plan, self._weights = sent

    def gradients(
        self,
        variables: Sequence[np.ndarray],
        inputs: Tensors,
        dropped: np.ndarray,
        labels: np.ndarray,
        weights: np.ndarray,
        of_each: float,
    ) -> list[np.ndarray]:
        """The part of some images in the gradients of a loss in which each has the share `of_each`; and at the end what
        `TrainableNetwork.step` tells of them.

        variables: those that are trained, as they are now. dropped: what their features are multiplied with.
        """
        from headstart.training.keras_fit import assign

        assign(self._model, variables)
        told = self._model.step((inputs, dropped), labels, weights, share=len(labels) * of_each)
        return [*self._model.optimizer.found, told]

    @cached_property
    def _model(self) -> Any:
        """
        Raises:
            MissingExtraError: Keras is missing, or what it computes with.
        """
        try:
            from headstart.training.share_of_a_batch import network_of_shares
        except MissingExtraError as error:
            raise MissingExtraError(f"The machine '{socket.gethostname()}' of the cluster says: {error}") from None
        return network_of_shares(self._plan, self._weights)


def _added(*parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [np.sum(arrays, axis=0) for arrays in zip(*parts, strict=True)]


def _environment(backend: str, cores: int) -> dict[str, str]:
    """Of a process that has the machine to itself, and computes as this one does."""
    threads = {name: str(cores) for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")}
    return {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2", **threads}
