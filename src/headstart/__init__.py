"""headstart: from a folder of labelled photos to a trustworthy image classifier.

The public names. Each is imported when it is first used, so that `import headstart` is instant.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

from headstart.allocator import reuse_freed_memory

if TYPE_CHECKING:
    from headstart.data.augmentation import Augmentation
    from headstart.data.dataset import Dataset, Split
    from headstart.data.loading import load_dataset, load_images
    from headstart.demo import sample_path
    from headstart.deployment.client import Client
    from headstart.deployment.export import export
    from headstart.deployment.runtime import Predictor
    from headstart.errors import (
        DatasetError,
        ExportError,
        HeadstartError,
        ImageError,
        MissingExtraError,
        ModelError,
        RunError,
        ServiceError,
        WeightsError,
    )
    from headstart.evaluation.evaluate import evaluate
    from headstart.evaluation.inspection_report import Inspection
    from headstart.evaluation.metrics import Evaluation
    from headstart.inspecting import inspect
    from headstart.models.backbones import BACKBONES
    from headstart.models.classifier import Classifier, load
    from headstart.models.outputs import Prediction
    from headstart.progress import Console, Quiet
    from headstart.runs import Run, make_run
    from headstart.training.recipes import RECIPES, Phase, Recipe
    from headstart.training.trainer import train

reuse_freed_memory()

_MODULES = {
    "Augmentation": "data.augmentation",
    "BACKBONES": "models.backbones",
    "Classifier": "models.classifier",
    "Client": "deployment.client",
    "Console": "progress",
    "Dataset": "data.dataset",
    "DatasetError": "errors",
    "Evaluation": "evaluation.metrics",
    "ExportError": "errors",
    "HeadstartError": "errors",
    "ImageError": "errors",
    "Inspection": "evaluation.inspection_report",
    "MissingExtraError": "errors",
    "ModelError": "errors",
    "Phase": "training.recipes",
    "Prediction": "models.outputs",
    "Predictor": "deployment.runtime",
    "Quiet": "progress",
    "RECIPES": "training.recipes",
    "Recipe": "training.recipes",
    "Run": "runs",
    "RunError": "errors",
    "ServiceError": "errors",
    "Split": "data.dataset",
    "WeightsError": "errors",
    "evaluate": "evaluation.evaluate",
    "export": "deployment.export",
    "inspect": "inspecting",
    "load": "models.classifier",
    "load_dataset": "data.loading",
    "load_images": "data.loading",
    "make_run": "runs",
    "sample_path": "demo",
    "train": "training.trainer",
}

__all__ = [
    "BACKBONES",
    "RECIPES",
    "Augmentation",
    "Classifier",
    "Client",
    "Console",
    "Dataset",
    "DatasetError",
    "Evaluation",
    "ExportError",
    "HeadstartError",
    "ImageError",
    "Inspection",
    "MissingExtraError",
    "ModelError",
    "Phase",
    "Prediction",
    "Predictor",
    "Quiet",
    "Recipe",
    "Run",
    "RunError",
    "ServiceError",
    "Split",
    "WeightsError",
    "evaluate",
    "export",
    "inspect",
    "load",
    "load_dataset",
    "load_images",
    "make_run",
    "sample_path",
    "train",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        return version("headstart")
    if name not in _MODULES:
        raise AttributeError(f"headstart has no '{name}'")
    value = getattr(import_module(f"headstart.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
