"""Phase, Recipe and the table RECIPES: what is trained, in which phases, how. Knows no images and no Keras."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from headstart.data.augmentation import Augmentation
from headstart.errors import ModelError
from headstart.models.backbones import get_backbone

OPTIMIZERS = ("adam", "rmsprop", "adamw", "lbfgs")
FEATURE_EXTRACTION, FINE_TUNING = "feature_extraction", "fine_tuning"


@dataclass(frozen=True)
class Phase:
    """A stretch of epochs in which the same variables are trained in the same way.

    name: "feature_extraction" or "fine_tuning".
    epochs: how many, at most.
    views: after so many images (with repetitions) it has been trained enough: the more images, the fewer epochs, but at
        least 2. None: `epochs`, however many there are.
    optimizer: "adam", "rmsprop" or "adamw"; or "lbfgs", which solves the head in one go (`head.py`).
    learning_rate: of that optimizer; 0 for "lbfgs", which has none.
    thaws_base: train the base too, from the layer on that its backbone names; otherwise the head alone.
    weight_decay: of the kernels, for "adamw".
    label_smoothing: share of each label that is spread over all classes, so that nothing is learned to be certain. The
        losses that are reported, and compared, are without it.
    warm_up: share of the steps in which the learning rate rises from 0; then it falls to 0 by half a cosine.
        None: it is constant.
    averaging: momentum of the moving average of the weights over the steps. That average is what is measured after
        each epoch, and kept. None: the weights as they are.
    patience: stop where the calibrated validation loss has passed its peak, and has had no new low since for so many
        epochs; keep the weights of the best epoch, or those from before the phase if none was better. The peak, as the
        loss rises at first, and how soon differs from run to run. Calibrated, as a classifier is used: smoothed labels
        make logits too careful, which its temperature mends. None: train to the end, and keep the last.
    """

    name: str
    epochs: int
    optimizer: str
    learning_rate: float
    thaws_base: bool
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    warm_up: float | None = None
    averaging: float | None = None
    patience: int | None = None
    views: int | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ModelError(f"The phase '{self.name}' has {self.epochs} epochs; it needs at least 1.")
        if self.optimizer not in OPTIMIZERS:
            raise ModelError(f"There is no optimizer '{self.optimizer}'. Choose one of: {', '.join(OPTIMIZERS)}.")

    def is_over(self, losses: Sequence[float]) -> bool:
        """Whether nothing more is to be done after epochs with these validation losses."""
        if self.patience is None or not losses or len(losses) >= self.epochs:
            return len(losses) >= self.epochs
        since_peak = losses[losses.index(max(losses)) :]
        return len(since_peak) > self.patience + since_peak.index(min(since_peak))

    def for_images(self, count: int) -> "Phase":
        if self.views is None:
            return self
        return replace(self, epochs=min(self.epochs, max(2, round(self.views / count))))


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained from a pretrained base.

    image_size: side in pixels, where the user does not say otherwise; None: what the backbone was pretrained at.
    batch_size: images in a step.
    dropout: share of the pooled features that is dropped in training.
    balanced: all classes count alike in training, however many images they have; else all images do.
    """

    name: str
    phases: tuple[Phase, ...]
    image_size: int | None = 160
    batch_size: int = 32
    dropout: float = 0.2
    balanced: bool = False
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        names = [phase.name for phase in self.phases]
        if len(set(names)) < len(names):
            raise ModelError(f"The recipe '{self.name}' has phases of one name ({', '.join(names)}): name them apart.")

    def image_size_for(self, backbone: str) -> int:
        """Side in pixels: the recipe's, or what the backbone was pretrained at."""
        return self.image_size or get_backbone(backbone).image_size

    @property
    def solves_head(self) -> bool:
        return any(phase.optimizer == "lbfgs" for phase in self.phases)

    @property
    def epochs(self) -> int:
        return sum(phase.epochs for phase in self.phases)

    def with_epochs(self, epochs: int) -> "Recipe":
        """The same, with that many epochs in each phase."""
        return replace(
            self,
            phases=tuple(p if p.optimizer == "lbfgs" else replace(p, epochs=epochs, views=None) for p in self.phases),
        )

    def for_images(self, count: int) -> "Recipe":
        """The same, with the epochs that so many training images need."""
        return replace(self, phases=tuple(phase.for_images(count) for phase in self.phases))

    def always_fine_tuned(self) -> "Recipe":
        """The same, with a fine-tuning that is kept whether it helps or not."""
        return replace(self, phases=tuple(replace(phase, patience=None) for phase in self.phases))

    def without_fine_tuning(self) -> "Recipe":
        """The same, with a base that stays frozen."""
        return replace(self, phases=tuple(phase for phase in self.phases if not phase.thaws_base))


RECIPES = {
    # The shortest way to a good classifier: the head is solved, then the top of the base is fine-tuned if that helps.
    "fast": Recipe(
        name="fast",
        phases=(
            Phase(FEATURE_EXTRACTION, epochs=1, optimizer="lbfgs", learning_rate=0.0, thaws_base=False),
            # By experiments (benchmarks/LOG.md): the loss rises at first, then falls to the last epoch and is often
            # below the head's only after the tenth, hence so many and the patience; averaged weights are far better
            # than those of any one step; without smoothing, a few certain mistakes cost more than all that was gained.
            Phase(
                FINE_TUNING,
                epochs=24,
                optimizer="adamw",
                learning_rate=1e-4,
                thaws_base=True,
                weight_decay=0.01,
                label_smoothing=0.1,
                warm_up=0.1,
                averaging=0.99,
                patience=8,
                views=60_000,
            ),
        ),
        image_size=None,
        dropout=0.0,  # a solved head has its penalty; dropping features would only blur it
        augmentation=Augmentation(rotation=0.0),
    ),
    # TensorFlow's tutorial "Transfer learning and fine-tuning", number by number.
    "tutorial": Recipe(
        name="tutorial",
        phases=(
            Phase(FEATURE_EXTRACTION, epochs=10, optimizer="adam", learning_rate=1e-4, thaws_base=False),
            # a tenth of the head's learning rate, so that what the base knows is adjusted, not overwritten
            Phase(FINE_TUNING, epochs=10, optimizer="rmsprop", learning_rate=1e-5, thaws_base=True),
        ),
    ),
}

DEFAULT = "fast"


def get_recipe(recipe: str | Recipe) -> Recipe:
    """A Recipe by its name in RECIPES, or as it is.

    Raises:
        ModelError: there is none of that name.
    """
    if isinstance(recipe, Recipe):
        return recipe
    if recipe not in RECIPES:
        raise ModelError(f"There is no recipe '{recipe}'. Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[recipe]
