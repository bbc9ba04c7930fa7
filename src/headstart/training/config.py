"""All that a training is told besides its images, checked. Knows no Keras."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from headstart.data.resizing import get_resizing
from headstart.engines.openvino import check_precision
from headstart.errors import ModelError
from headstart.models.backbones import check_image_size
from headstart.training.recipes import Recipe, get_recipe

EXECUTIONS = ("split", "whole")


@dataclass(frozen=True)
class TrainingConfig:
    """See `headstart.train`; here the image size is known."""

    recipe: Recipe
    backbone: str
    image_size: int
    resizing: str
    weights: str | Path
    seed: int
    execution: str
    precision: str

    @classmethod
    def of(
        cls,
        *,
        recipe: str | Recipe,
        backbone: str,
        image_size: int | None,
        resizing: str,
        weights: str | Path,
        seed: int,
        execution: str,
        precision: str,
    ) -> TrainingConfig:
        """
        Raises:
            ModelError: something is not known, or does not go together.
        """
        recipe = get_recipe(recipe)
        image_size = image_size or recipe.image_size_for(backbone)
        check_image_size(backbone, image_size)
        get_resizing(resizing)  # is there one of that name?
        check_precision(precision)
        if execution not in EXECUTIONS:
            raise ModelError(f"There is no execution '{execution}'. Choose one of: {', '.join(EXECUTIONS)}.")
        if execution == "whole" and recipe.solves_head:
            raise ModelError(
                f"The recipe '{recipe.name}' solves its head from features, so it cannot be executed as a whole. "
                f"Take the recipe 'tutorial' with it, or leave the execution out."
            )
        return cls(recipe, backbone, image_size, resizing, weights, seed, execution, precision)

    def to_json(self) -> dict:
        return asdict(self) | {"weights": str(self.weights)}
