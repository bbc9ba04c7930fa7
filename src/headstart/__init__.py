"""headstart: from a folder of labelled photos to a trustworthy image classifier.

The public names. Each is imported when it is first used, so that `import headstart` is instant.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

from headstart.malloc import reuse_freed_memory

if TYPE_CHECKING:
    from headstart.classifier.classifier import Classifier, load
    from headstart.classifier.prediction import Prediction
    from headstart.classifier.predictor import Predictor
    from headstart.commands.demo import sample_path
    from headstart.commands.train import Run, make_run
    from headstart.data.augmentation import Augmentation
    from headstart.data.dataset import Dataset, Split
    from headstart.data.loading import load_dataset, load_images
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
    from headstart.evaluation.metrics import Evaluation
    from headstart.export.export import export
    from headstart.inspection.collection import inspect
    from headstart.inspection.report import Inspection
    from headstart.listeners.console import Console
    from headstart.listeners.quiet import Quiet
    from headstart.models.backbones import BACKBONES
    from headstart.serving.client import Client
    from headstart.training.recipes import RECIPES, Phase, Recipe
    from headstart.training.trainer import train

reuse_freed_memory()

_MODULES = {
    "Augmentation": "data.augmentation",
    "BACKBONES": "models.backbones",
    "Classifier": "classifier.classifier",
    "Client": "serving.client",
    "Console": "listeners.console",
    "Dataset": "data.dataset",
    "DatasetError": "errors",
    "Evaluation": "evaluation.metrics",
    "ExportError": "errors",
    "HeadstartError": "errors",
    "ImageError": "errors",
    "Inspection": "inspection.report",
    "MissingExtraError": "errors",
    "ModelError": "errors",
    "Phase": "training.recipes",
    "Prediction": "classifier.prediction",
    "Predictor": "classifier.predictor",
    "Quiet": "listeners.quiet",
    "RECIPES": "training.recipes",
    "Recipe": "training.recipes",
    "Run": "commands.train",
    "RunError": "errors",
    "ServiceError": "errors",
    "Split": "data.dataset",
    "WeightsError": "errors",
    "evaluate": "evaluation.evaluate",
    "export": "export.export",
    "inspect": "inspection.collection",
    "load": "classifier.classifier",
    "load_dataset": "data.loading",
    "load_images": "data.loading",
    "make_run": "commands.train",
    "sample_path": "commands.demo",
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
