"""Phase, SolvedHead, Recipe and the table RECIPES: what is trained, and how. Knows no images and no Keras."""

import warnings
from dataclasses import dataclass, field, replace

from headstart.data.augmentation import Augmentation
from headstart.deprecation import renamed_arguments
from headstart.errors import ModelError
from headstart.models import backbones
from headstart.models.backbones import get_backbone

OPTIMIZERS = ("adam", "rmsprop", "adamw")
FEATURE_EXTRACTION, FINE_TUNING = "feature_extraction", "fine_tuning"


@dataclass(frozen=True)
class SolvedHead:
    """A head that is solved in one go from features, by L-BFGS; its C is chosen by cross-validation.

    name: of the phase, in history.csv and metrics.json, where it counts as one epoch.
    depths: it reads every depth of the base, weighed against the last layer by cross-validation; else the last layer
        alone.
    """

    name: str = FEATURE_EXTRACTION
    depths: bool = True

    @property
    def epochs(self) -> int:
        return 1

    @property
    def unfreeze(self) -> bool:
        return False


@dataclass(frozen=True)
class Phase:
    """A number of epochs in which the same variables are fitted in the same way.

    name: "feature_extraction" or "fine_tuning".
    epochs: how many, at most.
    optimizer: "adam", "rmsprop" or "adamw".
    unfreeze: train the base too, from the layer on that its backbone names; otherwise the head alone.
    weight_decay: of the kernels, for "adamw".
    label_smoothing: share of each label that is spread over all classes, against overconfidence. The losses that are
        reported, and compared, are without it.
    warm_up: share of the steps in which the learning rate rises from 0; then it falls to 0 by half a cosine.
        None: it is constant.
    ema_decay: momentum of the exponential moving average of the weights over the steps. That average is measured after
        each epoch, and kept. None: the weights as they are.
    patience: epochs without a new low of the calibrated validation loss after which the phase stops; the weights of the
        best epoch are kept, or those from before the phase if none was better. Calibrated, as a classifier is used: its
        temperature corrects logits that are too bold. None: train to the end, and keep the last epoch.
    max_images: after so many images (with repetitions) a phase is long enough: the more images, the fewer epochs, but
        at least 2. None: `epochs`, however many images there are.
    trains_head: whether the head is trained, too; else it stays as the phases before left it.
    """

    name: str
    epochs: int
    optimizer: str
    learning_rate: float
    unfreeze: bool
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    warm_up: float | None = None
    ema_decay: float | None = None
    patience: int | None = None
    max_images: int | None = None
    trains_head: bool = True

    def __post_init__(self) -> None:
        """
        Raises:
            ModelError: there are no epochs, nothing is trained, or there is no such optimizer.
        """
        if not (self.unfreeze or self.trains_head):
            raise ModelError(f"The phase '{self.name}' trains neither the base nor the head. Set one of them to True.")
        if self.epochs < 1:
            raise ModelError(f"The phase '{self.name}' has {self.epochs} epochs; it needs at least 1.")
        if self.optimizer == "lbfgs":
            raise ModelError("'lbfgs' is no optimizer of a phase any more. Give SolvedHead() as the recipe's head.")
        if self.optimizer not in OPTIMIZERS:
            raise ModelError(f"There is no optimizer '{self.optimizer}'. Choose one of: {', '.join(OPTIMIZERS)}.")

    def for_images(self, count: int) -> "Phase":
        """The same, with the epochs that so many training images need."""
        if self.max_images is None:
            return self
        return replace(self, epochs=min(self.epochs, max(2, round(self.max_images / count))))


# old names of its arguments
Phase.__init__ = renamed_arguments(thaws_base="unfreeze", averaging="ema_decay", views="max_images")(Phase.__init__)


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained from a pretrained base.

    head: solved, or fitted on the features of the frozen base; None: it is fitted in fine-tuning alone.
    fine_tuning: the top of the base and the head, after that; None: the base stays frozen.
    backbone: name of the row of BACKBONES that is taken if the user names none; None: the default one.
    image_size: side in pixels, if the user names none; None: what the backbone was pretrained at.
    batch_size: images in a step.
    dropout: share of the pooled features that is dropped in training.
    balanced: all classes count alike in training, however many images they have; else all images do.
    """

    name: str
    head: SolvedHead | Phase | None
    fine_tuning: Phase | None = None
    backbone: str | None = None
    image_size: int | None = 160
    batch_size: int = 32
    dropout: float = 0.2
    balanced: bool = False
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        """
        Raises:
            ModelError: nothing is trained, or a phase stands in the wrong place.
        """
        if isinstance(self.head, (tuple, list)):
            self._take_old_phases(self.head)
        if self.head is None and self.fine_tuning is None:
            raise ModelError(f"The recipe '{self.name}' trains nothing: give it a head, a fine-tuning, or both.")
        if self.head and self.head.unfreeze:
            raise ModelError(
                f"The head of the recipe '{self.name}' unfreezes the base: give that phase as fine_tuning."
            )
        if self.fine_tuning and not self.fine_tuning.unfreeze:
            raise ModelError(f"The fine-tuning of the recipe '{self.name}' leaves the base frozen: set unfreeze=True.")
        names = [phase.name for phase in self.phases]
        if len(set(names)) < len(names):
            raise ModelError(f"The recipe '{self.name}' has two phases named '{names[0]}'. Give each its own name.")

    def _take_old_phases(self, phases: tuple[Phase, ...] | list[Phase]) -> None:
        """The old form, Recipe(name, (phase, phase)): each phase to its place."""
        warnings.warn("Recipe(name, phases) is now Recipe(name, head, fine_tuning).", DeprecationWarning, stacklevel=4)
        heads = [phase for phase in phases if not phase.unfreeze]
        tunings = [phase for phase in phases if phase.unfreeze]
        if len(heads) > 1 or len(tunings) > 1:
            raise ModelError(f"The recipe '{self.name}' has {len(phases)} phases; expected a head and a fine-tuning.")
        object.__setattr__(self, "head", heads[0] if heads else None)
        object.__setattr__(self, "fine_tuning", tunings[0] if tunings else None)

    @property
    def usual_backbone(self) -> str:
        """Its own, or the default one."""
        return self.backbone or backbones.DEFAULT

    def image_size_for(self, backbone: str) -> int:
        """Side in pixels: the recipe's, or what the backbone was pretrained at."""
        return self.image_size or get_backbone(backbone).image_size

    @property
    def phases(self) -> tuple[SolvedHead | Phase, ...]:
        """The head and the fine-tuning, as far as there are."""
        return tuple(phase for phase in (self.head, self.fine_tuning) if phase)

    @property
    def solves_head(self) -> bool:
        return isinstance(self.head, SolvedHead)

    @property
    def reads_depths(self) -> bool:
        return isinstance(self.head, SolvedHead) and self.head.depths

    @property
    def epochs(self) -> int:
        return sum(phase.epochs for phase in self.phases)

    def with_epochs(self, epochs: int) -> "Recipe":
        """The same, with that many epochs in each phase; a solved head has none."""
        head = replace(self.head, epochs=epochs, max_images=None) if isinstance(self.head, Phase) else self.head
        tuning = self.fine_tuning and replace(self.fine_tuning, epochs=epochs, max_images=None)
        return replace(self, head=head, fine_tuning=tuning)

    def for_images(self, count: int) -> "Recipe":
        """The same, with the epochs that so many training images need."""
        head = self.head.for_images(count) if isinstance(self.head, Phase) else self.head
        return replace(self, head=head, fine_tuning=self.fine_tuning and self.fine_tuning.for_images(count))

    def always_fine_tuned(self) -> "Recipe":
        """The same, with a fine-tuning that is kept whether it helps or not."""
        return replace(self, fine_tuning=self.fine_tuning and replace(self.fine_tuning, patience=None))

    def without_fine_tuning(self) -> "Recipe":
        """The same, with a base that stays frozen."""
        return replace(self, fine_tuning=None)


# the old name of its phases, given as a tuple
Recipe.__init__ = renamed_arguments(phases="head")(Recipe.__init__)

RECIPES = {
    # The shortest way to a good classifier: the head is solved, then the top of the base is fine-tuned if that helps.
    "fast": Recipe(
        name="fast",
        head=SolvedHead(),
        # By experiments (benchmarks/LOG.md): a solved head is best left as it is, and the base moves toward it, so that
        # the training loss falls from the first step on; averaged weights are far better than those of any one step.
        fine_tuning=Phase(
            FINE_TUNING,
            epochs=8,
            optimizer="adamw",
            learning_rate=3e-4,
            unfreeze=True,
            weight_decay=0.01,
            warm_up=0.1,
            ema_decay=0.99,
            patience=4,
            max_images=60_000,
            trains_head=False,
        ),
        image_size=None,
        dropout=0.0,  # a solved head has its penalty; dropping features would only blur it
        augmentation=Augmentation(rotation=0.0),
    ),
    # TensorFlow's tutorial "Transfer learning and fine-tuning", number by number.
    "tutorial": Recipe(
        name="tutorial",
        head=Phase(FEATURE_EXTRACTION, epochs=10, optimizer="adam", learning_rate=1e-4, unfreeze=False),
        # a tenth of the head's learning rate, so that what the base knows is adjusted, not overwritten
        fine_tuning=Phase(FINE_TUNING, epochs=10, optimizer="rmsprop", learning_rate=1e-5, unfreeze=True),
        backbone="mobilenet_v2",
    ),
}

DEFAULT = "fast"
FINE_TUNE = ("auto", "always", "never")


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


def adjusted(
    recipe: str | Recipe, *, epochs: int | None = None, fine_tune: str = "auto", balanced: bool | None = None
) -> Recipe:
    """A recipe, as the settings of `commands.train` change it.

    Raises:
        ModelError: there is no such recipe, or no such choice for `fine_tune`.
    """
    recipe = get_recipe(recipe)
    if fine_tune not in FINE_TUNE:
        raise ModelError(f"There is no fine_tune '{fine_tune}'. Choose one of: {', '.join(FINE_TUNE)}.")
    if balanced is not None:
        recipe = replace(recipe, balanced=balanced)
    if fine_tune == "never":
        recipe = recipe.without_fine_tuning()
    elif fine_tune == "always":
        recipe = recipe.always_fine_tuned()
    return recipe.with_epochs(epochs) if epochs else recipe
