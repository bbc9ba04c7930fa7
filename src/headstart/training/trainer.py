"""train(): the whole pipeline, Dataset + Recipe -> Classifier. Read this first.

A pretrained base is frozen and gets a new head, which is solved or fitted (feature extraction); then the top of the
base is unfrozen and trained along, carefully (fine-tuning); then what is better is kept. What is frozen is run by a
compiled engine and gives features that are kept, and only what lies behind the cut is trained. A head that is solved
needs no Keras: it is imported when there are layers to be trained.

    new_context -> solve_head | fit_phase (the head) -> fit_phase (fine-tuning) -> select -> Classifier
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from headstart.classifier.classifier import Classifier
from headstart.classifier.novelty import fit_novelty_detector
from headstart.classifier.stakes import Stakes
from headstart.data.dataset import Dataset
from headstart.data.resizing import STRETCH
from headstart.data.targets import Kind
from headstart.data.views import ORIGINAL
from headstart.deprecation import renamed_arguments
from headstart.engines.base import BFLOAT16
from headstart.events import Listener, Message, Step, StepStarted
from headstart.features.extractor import FeatureExtractor
from headstart.listeners.console import Console
from headstart.models.backbones import get_backbone, name_of
from headstart.models.network import Network
from headstart.models.weights import PRETRAINED, keras_is_installed
from headstart.time_limit import NO_LIMIT, TimeLimit
from headstart.training import checkpoints, recipes
from headstart.training.calibrate import calibrate
from headstart.training.calibrate_labels import calibrate_labels
from headstart.training.callbacks import NO_CALLBACKS, Callbacks, KerasCallback
from headstart.training.config import AUTO, CACHED, TrainingConfig
from headstart.training.context import TrainingContext
from headstart.training.cross_validation import PARTS, gain_of
from headstart.training.early_stopping import EarlyStopping
from headstart.training.execution import Execution, execution_of
from headstart.training.fit_phase import fit_phase
from headstart.training.others import fit_other_head
from headstart.training.recipes import Phase, Recipe, SolvedHead
from headstart.training.resizing import decided
from headstart.training.selection import PhaseResult, Selection, select
from headstart.training.solve_head import solve_head
from headstart.training.spending import Against, needed_for_fine_tuning, too_long, why_frozen, with_second_base
from headstart.training.state import TrainingState
from headstart.training.suiting import suited
from headstart.training.telling import tell_phase, tell_shapes
from headstart.training.trained import Trained

FEW = 200  # validation images; with fewer, the training images tell whether fine-tuning helps
ANYWAY = "`--fine-tune always` does it all the same."
ENOUGH_TO_JUDGE = 10  # validation images; with fewer, one image moves the accuracy by more than 10 points


@renamed_arguments(progress="listener")
def train(
    dataset: Dataset,
    *,
    recipe: str | Recipe = recipes.DEFAULT,
    backbone: str | None = None,
    at_least: float | None = None,
    image_size: int | None = None,
    resizing: str = STRETCH,  # the tutorial's
    value_range: str | None = None,
    weights: str | Path = PRETRAINED,
    seed: int = 0,
    execution: str = CACHED,
    precision: str = "float32",
    views: str = AUTO,
    device: str = AUTO,
    time_limit: float | None = None,
    cost: str | Path | Mapping[str, Mapping[str, float]] | None = None,
    recall: Mapping[str, float] | None = None,
    ordinal: bool | Sequence[str] = False,
    label_precision: Mapping[str, float] | None = None,
    callbacks: Sequence[KerasCallback] = (),
    listener: Listener | None = None,
) -> Classifier:
    """Train a classifier.

    Args:
        dataset: what to train on; its validation images are looked at after each epoch, its test images never.
        recipe: name of a row of RECIPES, or a Recipe.
        backbone: name of a row of BACKBONES, two of them, "a+b", an ONNX or OpenVINO file, or "hub:PRESET"; "auto": of
            the bases at hand, the one that the training images are answered best by; by default the recipe's.
        at_least: images per second that it must compute on this computer, with backbone "auto".
        image_size: side in pixels; by default the recipe's, or the one that the backbone was pretrained at.
        resizing: how a photo of another shape becomes a square: "stretch" distorts it, "crop" cuts out its middle,
            "pad" keeps all of it and fills the rest with grey, "resize-crop" cuts out 7/8 of that middle; "auto": what
            the training images are answered best by. The classifier does the same with its photos.
        value_range: black and white in photos with 16 bits a value, such as "0:4095"; None: as found in them.
        weights: "pretrained", or the path of a file with the weights of the base; of "a+b", one or one for each.
        seed: of the new head, the order of the images, their random views and the dropout.
        execution: "cached" runs what is frozen once, by a compiled engine, and trains the rest on its features;
            "end_to_end" runs the whole Keras model in each step: slow, what tests compare with, and the same algorithm.
        precision: of the engine: "float32", or "bfloat16" where the processor has that. The classifier is measured with
            it, and `Predictor` runs with it; Keras (`Classifier.predict`) and exports calculate in float32. "auto":
            bfloat16 for the features of training images alone, where it is fast (docs/performance.md).
        views: of each training image: "original", "mirrored" (both), "all" (the eight ways to turn and mirror it);
            "auto": mirrored if it helps a solved head, in fine-tuning what does no harm. "tutorial" draws its own.
        device: "gpu": an NVIDIA GPU, by Keras on PyTorch or JAX, in float32; "auto": the processor.
        time_limit: seconds for all of it; None: as long as it takes. Features, a solved head and its measurement are
            made in any case. What is left of it is spent on what gains most: mirrored views, a second base beside the
            default one (unless `backbone` names one), fine-tuning, which ends with the time.
        cost: what each answer costs where each class is right, as a CSV or a mapping, see `Stakes`; the answer is then
            the class of the least expected cost. None: all mistakes cost alike.
        recall: class -> the share of its photos that are to be answered as it, with 90% confidence: it is answered as
            soon as its probability reaches the threshold that the validation images show to suffice.
        ordinal: the classes are ranks, in this order or, with True, in that of their names. The answer is then the
            class with the least expected distance in ranks.
        label_precision: with several labels per photo, label -> the share of the photos given it that must show it.
        callbacks: of Keras, which are told of epochs, and of batches where there are some; see docs/ecosystem.md. One
            that sets `model.stop_training` ends the training.
        listener: where to report to; by default to standard error.

    Returns:
        the classifier; its `history` has a row for each epoch.

    Raises:
        DatasetError, ModelError, WeightsError: with what is wrong and what to do; also where the network gives, or
            training ends in, NaN or infinity.
        CancelledError: the listener wants the work to stop.
    """
    config = TrainingConfig.of(
        recipe=recipe,
        backbone=backbone,
        at_least=at_least,
        image_size=image_size,
        resizing=resizing,
        value_range=value_range,
        weights=weights,
        seed=seed,
        execution=execution,
        precision=precision,
        views=views,
        device=device,
        stakes=Stakes.of(cost, recall, ordinal, label_precision),
    )
    limit, listener = TimeLimit.of(time_limit), listener or Console()
    watching = Callbacks(tuple(callbacks))
    return train_classifier(dataset, config, limit=limit, callbacks=watching, listener=listener).classifier


def train_classifier(
    dataset: Dataset,
    config: TrainingConfig,
    *,
    checkpoint_folder: Path | None = None,
    limit: TimeLimit = NO_LIMIT,
    callbacks: Callbacks = NO_CALLBACKS,
    listener: Listener,
) -> Trained:
    """`train`, with what a run needs besides.

    checkpoint_folder: keeps the state after each epoch; if it holds one, training goes on from there.
    callbacks: see `train`.
    """
    dataset.check_splits()
    config = suited(config, dataset, listener)
    config = decided(config.for_values(dataset.value_range), dataset, listener)
    if not (checkpoint_folder and checkpoints.exist(checkpoint_folder)):  # what is resumed has its base
        config = with_second_base(config, dataset, limit, listener)
    if config.is_rough:
        text = "The head is solved on features in bfloat16, where they are not kept already; all others are in float32."
        listener.emit(Message(text))
    listener.emit(StepStarted(Step.COMPOSE, "Compose the model"))
    context = new_context(dataset, config.for_images(len(dataset.train)), checkpoint_folder, listener, limit)
    context = replace(context, callbacks=callbacks)
    tell_shapes(context)
    execution = execution_of(context)
    state = _resumed(context)
    selections: list[Selection] = []
    recipe, views, fine_tuned = context.config.recipe, (), False
    callbacks.begin(context.network, recipe.epochs + recipe.solves_head)
    if recipe.head:
        state, selection, views = _train_phase(context, execution, recipe.head, state)
        selections.append(selection)
    tuning = None if callbacks.want_to_stop(context.network) else _worthwhile(context, recipe, state)
    if tuning:
        state, selection, more = _train_phase(context, execution, tuning, state)
        selections.append(selection)
        fine_tuned, views = selection.kept, more if selection.kept else views
    callbacks.end(state.history[-1])
    return _finished(context, execution, state, selections, views, fine_tuned=fine_tuned)


def new_context(
    dataset: Dataset,
    config: TrainingConfig,
    checkpoint_folder: Path | None,
    listener: Listener,
    limit: TimeLimit = NO_LIMIT,
) -> TrainingContext:
    """A pretrained base with a new head, as a training begins, and the extractor of the base's features.

    Raises:
        ModelError, WeightsError: see `load_base`.
    """
    network = new_network(
        config,
        len(dataset.class_names),
        multi_label=dataset.kind is Kind.MULTI_LABEL,
        frozen_network=lambda: pretrained.compiled_network if config.execution == CACHED else None,
    )
    pretrained = FeatureExtractor(
        config.feature_spec,
        listener=listener,
        base=network.first_base,
        compute=config.compute,
        executor=config.executor,
        rough=config.rough(dataset),
    )
    return TrainingContext(dataset, config, network, pretrained, listener, checkpoint_folder, limit)


def new_network(
    config: TrainingConfig,
    num_classes: int,
    *,
    multi_label: bool = False,
    frozen_network: Callable[[], Path | None] = lambda: None,
) -> Network:
    """A pretrained base with a new head; multi_label, frozen_network: see `Network`.

    Raises:
        ModelError, WeightsError: see `load_base`.
    """
    recipe = config.recipe
    return Network.pretrained(
        config.backbone,
        config.image_size,
        config.weights,
        num_classes=num_classes,
        dropout=recipe.dropout,
        seed=None if recipe.solves_head else config.seed,
        depths=recipe.reads_depths,
        multi_label=multi_label,
        frozen_network=frozen_network,
    )


def _resumed(context: TrainingContext) -> TrainingState:
    """The last checkpoint, with the network's weights set to it; or a new state."""
    state = checkpoints.latest(context.checkpoint_folder) if context.checkpoint_folder else None
    if state is None:
        return TrainingState()
    context.network.model.set_weights(state.weights)
    context.listener.emit(Message(f"Resuming after epoch {state.epoch} of {context.config.recipe.epochs}."))
    return state


def _worthwhile(context: TrainingContext, recipe: Recipe, state: TrainingState) -> Phase | None:
    """The fine-tuning, if it is worth its time; one that is kept in any case is.

    Whether it helps is told by the validation images, epoch by epoch; or, where these are few, before, by the training
    images: then it is kept as it ends.
    """
    phase, listener = recipe.fine_tuning, context.listener
    if phase is None:
        return None
    few = phase.patience is not None and len(context.dataset.validation) < FEW
    if not state.rows_of(phase.name):  # one that is resumed was worthwhile
        reason = _reason_against(context, phase) or _too_long(context, phase, validated=few)
        if not reason:
            listener.emit(StepStarted(Step.FINE_TUNE, "Fine-tune the top of the base"))
        if few and not reason and isinstance(recipe.head, SolvedHead):
            _set_trainable(context, phase)
            gain = gain_of(context, recipe.head, phase)
            _set_trainable(context, recipe.head)
            text = f"Fine-tuning would {'help' if gain.is_clear else 'not clearly help'}: {gain}."
            listener.emit(Message(text, "gain", gain.facts))
            against = Against(f"it would not clearly help. {ANYWAY}", "no-fine-tuning-no-gain")
            reason = None if gain.is_clear else against
        if reason:
            listener.emit(Message(f"No fine-tuning: {reason.text}", reason.code, reason.facts))
            return None
    return replace(phase, patience=None) if few else phase


def _reason_against(context: TrainingContext, phase: Phase) -> Against | None:
    """Why a fine-tuning is not even tried; None if it may help, or is kept in any case."""
    if phase.patience is None:
        return None
    if against := why_frozen(context.config):
        return against
    if not keras_is_installed():
        return Against("it needs Keras: pip install 'headstart[tune]'", "no-fine-tuning-keras")
    held_out, probe = len(context.dataset.validation), context.probe
    if held_out < ENOUGH_TO_JUDGE:
        text = f"{held_out} validation images are too few to tell whether it helps. {ANYWAY}"
        return Against(text, "no-fine-tuning-few", {"count": held_out})
    if probe.is_easy:
        count = len(probe.held_out)
        correct = count - probe.mistakes
        text = f"a linear probe predicted {correct} of {count} held-out training images correctly. {ANYWAY}"
        return Against(text, "no-fine-tuning-easy", {"right": correct, "total": count})
    return None


def _too_long(context: TrainingContext, phase: Phase, *, validated: bool) -> Against | None:
    """Why there is not even the time to begin with a phase; None if there is."""
    if not context.limit.is_set:
        return None
    count, tunings = len(context.dataset.train), PARTS - 1 if validated else 0
    views = len(context.head_views) if context.config.recipe.solves_head else 1
    needed = needed_for_fine_tuning(phase, count, views, context.rate, validated=tunings)
    if context.limit.allows(needed):
        return None
    return Against(f"{too_long(needed, context.limit)}.", "no-fine-tuning-time", {"seconds": needed})


def _train_phase(
    context: TrainingContext, execution: Execution, phase: SolvedHead | Phase, state: TrainingState
) -> tuple[TrainingState, Selection, tuple[str, ...]]:
    """A phase from where it stands to its end: the state, what is kept of it, and the views that it was trained on."""
    network = context.network
    if isinstance(phase, Phase) or network.is_built:  # until it is built, all of the base is frozen
        _set_trainable(context, phase)
    summary, views = network.summary, ()
    if isinstance(phase, SolvedHead):
        if not state.rows_of(phase.name):
            tell_phase(context, phase, summary)
            context.callbacks.begin_epoch(state.epoch)
            solved = solve_head(context, phase, state)
            network.set_head(solved.head.kernel, solved.head.bias)
            state, views = solved.state, solved.views
            context.callbacks.end_epoch(state.history[-1])
    else:
        views = execution.kept_views(phase)
        if not _is_over(phase, state):
            tell_phase(context, phase, summary)
            state = fit_phase(context, execution, phase, state)
        elif state.best and state.history[-1]["phase"] == phase.name:
            network.model.set_weights(state.best)
        _set_trainable(context, replace(phase, trains_head=True))  # as who goes on with the `.keras` file expects
    selection = select(PhaseResult(phase, summary), state)
    if selection.verdict:
        context.listener.emit(Message(selection.verdict))
    return state, selection, views


def _set_trainable(context: TrainingContext, phase: SolvedHead | Phase) -> None:
    """Which layers of the network are trained."""
    from headstart.training.keras_fit import set_head_trainable, unfreeze

    unfreeze(context.network.base, context.config.backbone, top=phase.unfreeze)
    set_head_trainable(context.network.model, isinstance(phase, SolvedHead) or phase.trains_head)


def _is_over(phase: Phase, state: TrainingState) -> bool:
    """Whether a resumed run has the phase behind it."""
    return EarlyStopping(phase.epochs, phase.patience).is_over(state.losses_of(phase.name))


def _finished(
    context: TrainingContext,
    execution: Execution,
    state: TrainingState,
    selections: list[Selection],
    views: tuple[str, ...],
    *,
    fine_tuned: bool,
) -> Trained:
    """The classifier, calibrated."""
    dataset, config = context.dataset, context.config
    uncalibrated = Classifier(
        network=context.network,
        class_names=dataset.class_names,
        backbone=name_of(config.backbone),
        image_size=config.image_size,
        recipe=config.recipe.name,
        resizing=config.resizing,
        value_range=config.value_range or dataset.value_range,
        known_values=dataset.known_values,
        precision=config.answering_precision,
        views=views or (ORIGINAL,),
        history=state.history,
        phases=tuple(selection.entry for selection in selections),
    )
    compact = cache(context.compact) if config.recipe.solves_head else None
    exact = fine_tuned or context.pretrained.is_exact
    precision = config.answering_precision if exact else BFLOAT16
    depth = get_backbone(config.backbone).features
    trained = Trained(uncalibrated, execution, fine_tuned, precision, depth, context.pretrained.spec, views, compact)
    found = calibrate(context, trained) if dataset.kind is Kind.EXCLUSIVE else calibrate_labels(context, trained)
    seen, unseen = trained.last_layer(dataset.train), trained.last_layer(dataset.validation)
    detector = fit_novelty_detector(seen, dataset.train, unseen, seed=config.seed)
    others = fit_other_head(context, trained)
    classifier = replace(uncalibrated, calibration=found.calibration, novelty_detector=detector, other_head=others)
    return replace(trained, classifier=classifier, cross_validated=found.cross_validated)
