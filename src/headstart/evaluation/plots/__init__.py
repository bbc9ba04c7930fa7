"""Every picture: arrays and names -> matplotlib figures -> PNG. Computes nothing, decides nothing.

A figure's function has the name of its file: `samples` draws samples.png.
"""

from headstart.evaluation.plots.charts import confusion_matrix, curves, learning_curves, outlook, reliability
from headstart.evaluation.plots.photos import augmentation, explanations, mistakes, predictions, samples
from headstart.evaluation.plots.style import save

__all__ = [
    "augmentation",
    "confusion_matrix",
    "curves",
    "explanations",
    "learning_curves",
    "mistakes",
    "outlook",
    "predictions",
    "reliability",
    "samples",
    "save",
]
