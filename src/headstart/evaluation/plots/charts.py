"""Numbers as charts: learning curves, confusion matrix, reliability diagram, ROC and precision-recall curves."""

import itertools
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from headstart.array_types import Int
from headstart.evaluation.curves import Curves
from headstart.evaluation.learning_curve import LearningCurve
from headstart.evaluation.plots.style import (
    BLUE,
    GREEN,
    GREY,
    NAME_WIDTH,
    ORANGE,
    RED,
    SHADES,
    STYLE,
    new_figure,
    shortened,
)
from headstart.evaluation.reliability import Reliability

LABEL_WIDTH = 40  # characters of a class name along an axis
MAX_CELLS_WITH_NUMBERS = 30  # classes: with more, the numbers in a confusion matrix could not be read
MAX_NAMES = 60  # classes: with more, only some of their names fit along an axis
MAX_CURVES = 8  # classes: four colours, each with two kinds of line


@matplotlib.rc_context(STYLE)
def outlook(curve: LearningCurve) -> Figure:
    """Accuracy over the number of training images, and what to expect from twice as many."""
    figure = new_figure(6, 4.2)
    axes = figure.subplots()
    sizes = [point.images for point in curve.points]
    accuracies = np.array([point.accuracy for point in curve.points])
    errors = np.array([(point.accuracy - point.low, point.high - point.accuracy) for point in curve.points]).T
    axes.errorbar(sizes, accuracies, errors, color=BLUE, marker="o", capsize=3, label="measured (head only)")
    last, twice = curve.points[-1], 2 * curve.images
    axes.plot([last.images, twice], [last.accuracy, curve.expected], color=BLUE, linestyle="--")
    error = [[curve.expected - curve.low], [curve.high - curve.expected]]
    axes.errorbar([twice], [curve.expected], np.maximum(error, 0), color=ORANGE, marker="s", capsize=5,
                  label="expected (bars: 95% intervals)")  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_xticks([*sizes, twice], [f"{size:,}" for size in (*sizes, twice)])
    axes.minorticks_off()
    axes.set_xlabel("Training images")
    axes.set_ylabel("Accuracy on validation images")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    axes.set_title("Would more photos help?", fontsize=13)
    return figure


@matplotlib.rc_context(STYLE)
def learning_curves(history: Sequence[dict]) -> Figure:
    """Training and validation accuracy and loss of each epoch; a line where fine-tuning starts.

    history: rows of history.csv.
    """
    epochs = [row["epoch"] for row in history]
    starts = [b["epoch"] - 0.5 for a, b in itertools.pairwise(history) if a["phase"] != b["phase"]]
    figure = new_figure(7.5, 7.5)
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axes, key, title in ((upper, "accuracy", "Accuracy"), (lower, "loss", "Loss (cross-entropy)")):
        for prefix, name, colour, marker in (("", "training", BLUE, "o"), ("val_", "validation", ORANGE, "s")):
            values = [row[prefix + key] for row in history]
            axes.plot(epochs, values, color=colour, marker=marker, markersize=4, linewidth=1.8, label=name)
        for number, start in enumerate(starts):
            axes.axvline(start, color=GREEN, linestyle="--", label=None if number else "fine-tuning starts")
        axes.set_ylabel(title)
        axes.grid(alpha=0.3)
    figure.legend(*upper.get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
    upper.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}" if value < 1 else "100%")
    lower.set_ylim(0, 1.05 * max(max(row["loss"], row["val_loss"]) for row in history))
    lower.set_xlabel("Epoch")
    lower.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


@matplotlib.rc_context(STYLE)
def confusion_matrix(
    counts: Int[np.ndarray, "classes classes"], names: Sequence[str], title: str = "Confusion matrix"
) -> Figure:
    """How often each class (row) was answered as each class (column). Colour: share of the row; number: images."""
    classes = len(names)
    side = min(max(4.2, 2.6 + 0.42 * classes), 16)
    figure = new_figure(side + 1, side)
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    picture = axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1)
    figure.colorbar(picture, ax=axes, shrink=0.8, label="Share of the images of a class", format="{x:.0%}")
    ticks = np.arange(0, classes, -(-classes // MAX_NAMES))
    shown = [shortened(names[int(i)], LABEL_WIDTH) for i in ticks]
    turned = max(map(len, shown)) * 0.09 * classes > side * 0.6 or classes > 6
    fontsize = 10 if classes <= 12 else max(6, 11 - classes / 10)
    axes.set_xticks(ticks, shown, rotation=90 if turned else 0, fontsize=fontsize)
    axes.set_yticks(ticks, shown, fontsize=fontsize)
    axes.set_xlabel("Predicted class")
    axes.set_ylabel("True class")
    if classes <= MAX_CELLS_WITH_NUMBERS:
        _write_counts(axes, counts, shares)
    axes.set_title(title, fontsize=13)
    return figure


def _write_counts(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    """Write the numbers that are not 0 into the cells of a confusion matrix."""
    classes = len(counts)
    size = 12 if classes <= 6 else max(5.5, 10 - classes / 6)
    for row, column in np.argwhere(counts):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", color=colour, fontsize=size)


@matplotlib.rc_context(STYLE)
def reliability(before: Reliability, after: Reliability, title: str = "Reliability diagram") -> Figure:
    """Accuracy over the probability of the answers, before and after calibration; below, how many answers."""
    figure = new_figure(6, 6.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    upper.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="perfect calibration")
    for found, name, colour, marker in ((before, "before calibration", ORANGE, "s"), (after, "calibrated", BLUE, "o")):
        label = f"{name} (error {found.error:.1%})"
        filled = found.counts > 0
        upper.plot(found.confidence[filled], found.accuracy[filled], color=colour, marker=marker, label=label)
        edges = np.linspace(0, 1, len(found.counts) + 1)
        lower.stairs(found.counts, edges, color=colour, linewidth=1.8)
    lowest = min(np.nanmin(found.confidence) for found in (before, after))
    upper.set_xlim(max(0.0, lowest - 0.05), 1.01)
    upper.set_ylim(-0.03, 1.03)
    upper.set_ylabel("Accuracy")
    lower.set_ylabel("Answers")
    lower.set_xlabel("Probability of the answer")
    lower.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    for axis in (upper.xaxis, upper.yaxis):
        axis.set_major_formatter(_whole_percent)
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    figure.legend(*upper.get_legend_handles_labels(), loc="outside lower center", ncols=1, frameon=False)
    figure.suptitle(title, fontsize=13)
    return figure


@matplotlib.rc_context(STYLE)
def curves(found: Mapping[str, Curves], title: str = "ROC and precision-recall curves") -> Figure:
    """The ROC and precision-recall curves of each class; of many classes, those with the smallest areas.

    found: class name -> its curves.
    """
    weakest = sorted(found, key=lambda name: found[name].roc_area)[:MAX_CURVES]
    figure = new_figure(9, 4.8 + 0.22 * len(weakest))
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], color=GREY, linestyle=":")
    styles = itertools.cycle(itertools.product(("-", "--"), (BLUE, ORANGE, GREEN, RED)))
    for name, (line, colour) in zip(weakest, styles, strict=False):
        of_class = found[name]
        shown = f" {name}" if name.startswith("_") else name  # matplotlib hides names with a leading underscore
        label = f"{shortened(shown, NAME_WIDTH)}: {of_class.roc_area:.3f}, {of_class.average_precision:.3f}"
        left.plot(of_class.false_positives, of_class.true_positives, line, color=colour, linewidth=1.8, label=label)
        right.plot(of_class.recall, of_class.precision, line, color=colour, linewidth=1.8)
    for axes, x, y in (
        (left, "False positive rate", "True positive rate (recall)"),
        (right, "Recall", "Precision"),
    ):
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.03)
        axes.grid(alpha=0.3)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(_whole_percent)
    which = (
        "" if len(weakest) == len(found) else f"; the {len(weakest)} of {len(found)} classes with the smallest areas"
    )
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False,
                  title=f"Area under ROC curve, average precision{which}")  # fmt: skip
    figure.suptitle(title, fontsize=13)
    return figure


def _whole_percent(value: float, _: int) -> str:
    return f"{value:.0%}"
