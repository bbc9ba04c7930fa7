"""headstart: from a folder of labelled photos to a trustworthy image classifier.

The public names. Each is imported when it is first used, so that `import headstart` is instant.
"""

from importlib import import_module
from typing import TYPE_CHECKING

import headstart.export  # noqa: F401 - so that the package does not take the name of the function later
from headstart.malloc import reuse_freed_memory

__version__ = "0.1.0"

if TYPE_CHECKING:
    from headstart import commands
    from headstart.classifier.classifier import Classifier, load
    from headstart.classifier.prediction import Prediction
    from headstart.classifier.predictor import Predictor
    from headstart.commands.backbones import backbones
    from headstart.commands.cache import cache
    from headstart.commands.compare import compare
    from headstart.commands.demo import sample_path
    from headstart.commands.export import export
    from headstart.commands.inspect import inspect
    from headstart.commands.predict_parts import predict_parts
    from headstart.commands.serve import serve
    from headstart.commands.train import make_run
    from headstart.data.augmentation import Augmentation
    from headstart.data.dataset import Dataset, Split
    from headstart.data.loading import load_dataset, load_images
    from headstart.data.source import DataSource
    from headstart.errors import (
        CancelledError,
        ClusterError,
        DatasetError,
        ExportError,
        HeadstartError,
        ImageError,
        LocationError,
        MissingExtraError,
        ModelError,
        RunError,
        ServiceError,
        WeightsError,
    )
    from headstart.estimators.image_classifier import ImageClassifier
    from headstart.estimators.image_features import ImageFeatures
    from headstart.evaluation.evaluate import evaluate
    from headstart.evaluation.metrics import Evaluation
    from headstart.events import (
        Advanced,
        EpochEnded,
        Event,
        HeadSolved,
        Listener,
        Message,
        PictureReady,
        Step,
        StepStarted,
        Task,
    )
    from headstart.inspection.report import Inspection
    from headstart.listeners.console import Console
    from headstart.listeners.json_lines import JsonLines
    from headstart.listeners.notebook import Notebook
    from headstart.listeners.quiet import Quiet
    from headstart.listeners.several import Several
    from headstart.models.backbones import BACKBONES
    from headstart.runs.folder import Run, RunFolder
    from headstart.serving.client import Client
    from headstart.training.recipes import RECIPES, Phase, Recipe, SolvedHead
    from headstart.training.trainer import train

del globals()["export"]  # `__getattr__` gives the function
reuse_freed_memory()

_MODULES = {
    "Advanced": "events",
    "Augmentation": "data.augmentation",
    "BACKBONES": "models.backbones",
    "CancelledError": "errors",
    "ClusterError": "errors",
    "Classifier": "classifier.classifier",
    "Client": "serving.client",
    "Console": "listeners.console",
    "Dataset": "data.dataset",
    "DatasetError": "errors",
    "EpochEnded": "events",
    "Evaluation": "evaluation.metrics",
    "Event": "events",
    "ExportError": "errors",
    "HeadSolved": "events",
    "HeadstartError": "errors",
    "ImageClassifier": "estimators.image_classifier",
    "ImageError": "errors",
    "ImageFeatures": "estimators.image_features",
    "Inspection": "inspection.report",
    "JsonLines": "listeners.json_lines",
    "Listener": "events",
    "LocationError": "errors",
    "Message": "events",
    "MissingExtraError": "errors",
    "ModelError": "errors",
    "Notebook": "listeners.notebook",
    "Phase": "training.recipes",
    "PictureReady": "events",
    "Prediction": "classifier.prediction",
    "Predictor": "classifier.predictor",
    "Quiet": "listeners.quiet",
    "RECIPES": "training.recipes",
    "Recipe": "training.recipes",
    "Run": "runs.folder",
    "RunError": "errors",
    "RunFolder": "runs.folder",
    "ServiceError": "errors",
    "Several": "listeners.several",
    "SolvedHead": "training.recipes",
    "DataSource": "data.source",
    "Split": "data.dataset",
    "Step": "events",
    "StepStarted": "events",
    "Task": "events",
    "WeightsError": "errors",
    "backbones": "commands.backbones",
    "cache": "commands.cache",
    "commands": "commands",
    "compare": "commands.compare",
    "evaluate": "evaluation.evaluate",
    "export": "commands.export",
    "inspect": "commands.inspect",
    "load": "classifier.classifier",
    "load_dataset": "data.loading",
    "load_images": "data.loading",
    "make_run": "commands.train",
    "predict_parts": "commands.predict_parts",
    "sample_path": "commands.demo",
    "serve": "commands.serve",
    "train": "training.trainer",
}

__all__ = [
    "BACKBONES",
    "RECIPES",
    "Advanced",
    "Augmentation",
    "CancelledError",
    "Classifier",
    "Client",
    "ClusterError",
    "Console",
    "DataSource",
    "Dataset",
    "DatasetError",
    "EpochEnded",
    "Evaluation",
    "Event",
    "ExportError",
    "HeadSolved",
    "HeadstartError",
    "ImageClassifier",
    "ImageError",
    "ImageFeatures",
    "Inspection",
    "JsonLines",
    "Listener",
    "LocationError",
    "Message",
    "MissingExtraError",
    "ModelError",
    "Notebook",
    "Phase",
    "PictureReady",
    "Prediction",
    "Predictor",
    "Quiet",
    "Recipe",
    "Run",
    "RunError",
    "RunFolder",
    "ServiceError",
    "Several",
    "SolvedHead",
    "Split",
    "Step",
    "StepStarted",
    "Task",
    "WeightsError",
    "backbones",
    "cache",
    "commands",
    "compare",
    "evaluate",
    "export",
    "inspect",
    "load",
    "load_dataset",
    "load_images",
    "make_run",
    "predict_parts",
    "sample_path",
    "serve",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"headstart has no '{name}'")
    module = import_module(f"headstart.{_MODULES[name]}")
    value = module if _MODULES[name] == name else getattr(module, name)
    globals()[name] = value
    return value
