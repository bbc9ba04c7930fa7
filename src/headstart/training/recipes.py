"""Phase, Recipe and the table RECIPES: what is trained, in which phases, how. Knows no images and no Keras."""

from dataclasses import dataclass, field, replace

from headstart.data.augmentation import Augmentation
from headstart.errors import ModelError

OPTIMIZERS = ("adam", "rmsprop")
FEATURE_EXTRACTION, FINE_TUNING = "feature_extraction", "fine_tuning"


@dataclass(frozen=True)
class Phase:
    """A stretch of epochs in which the same variables are trained in the same way.

    name: "feature_extraction" or "fine_tuning".
    epochs: how many.
    optimizer: "adam" or "rmsprop".
    learning_rate: of that optimizer, constant.
    thaws_base: train the base too, from the layer on that its backbone names; otherwise the head alone.
    """

    name: str
    epochs: int
    optimizer: str
    learning_rate: float
    thaws_base: bool

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ModelError(f"The phase '{self.name}' has {self.epochs} epochs; it needs at least 1.")
        if self.optimizer not in OPTIMIZERS:
            raise ModelError(f"There is no optimizer '{self.optimizer}'. Choose one of: {', '.join(OPTIMIZERS)}.")


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained from a pretrained base.

    image_size: side in pixels, where the user does not say otherwise.
    batch_size: images in a step.
    dropout: share of the pooled features that is dropped in training.
    """

    name: str
    phases: tuple[Phase, ...]
    image_size: int = 160
    batch_size: int = 32
    dropout: float = 0.2
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def epochs(self) -> int:
        return sum(phase.epochs for phase in self.phases)

    def with_epochs(self, epochs: int) -> "Recipe":
        """The same, with that many epochs in each phase."""
        return replace(self, phases=tuple(replace(phase, epochs=epochs) for phase in self.phases))

    def without_fine_tuning(self) -> "Recipe":
        """The same, with a base that stays frozen."""
        return replace(self, phases=tuple(phase for phase in self.phases if not phase.thaws_base))


RECIPES = {
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

DEFAULT = "tutorial"


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
