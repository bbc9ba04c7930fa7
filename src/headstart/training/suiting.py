"""TrainingConfig and Dataset -> the config that suits the data; or why none does, before anything takes time."""

from headstart.data.dataset import Dataset
from headstart.data.targets import Kind
from headstart.errors import MissingExtraError
from headstart.events import Listener
from headstart.models.weights import keras_is_installed
from headstart.training import multi_label
from headstart.training.config import TrainingConfig
from headstart.training.recipes import Phase, Recipe


def suited(config: TrainingConfig, dataset: Dataset, listener: Listener) -> TrainingConfig:
    """
    Raises:
        MissingExtraError, ModelError: it cannot be trained so.
    """
    if dataset.kind is Kind.MULTI_LABEL:
        multi_label.tell(config, listener)
        config = multi_label.for_labels(config, dataset.class_names)
    elif config.stakes:
        config.stakes.check(dataset.class_names)
        config.stakes.check_exclusive()
    _check_keras(config.recipe)
    return config


def _check_keras(recipe: Recipe) -> None:
    """
    Raises:
        MissingExtraError: Keras is needed in any case, and is not installed.
    """
    steps = [phase for phase in recipe.phases if isinstance(phase, Phase) and phase.patience is None]
    if steps and not keras_is_installed():
        raise MissingExtraError(
            f"The recipe '{recipe.name}' trains layers, which needs Keras: pip install 'headstart[tune]'. Or leave the "
            f"base as it is: --fine-tune never, with the recipe 'fast'."
        )
