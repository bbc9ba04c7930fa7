"""What next? The numbers of a run -> sentences of advice, the most important first. Knows no model and no images.

First what makes the numbers misleading, then what was measured to help, the largest gain first (a gain that may be
chance counts as none), then what might help.
"""

from headstart.classifier.calibration import DEFAULT_ACCURACY, FEW_PHOTOS
from headstart.evaluation.cleaning import Cleaning
from headstart.evaluation.document import RunMetrics
from headstart.evaluation.split_metrics import ClassMetrics, SplitMetrics
from headstart.inspection.findings import CONFLICT, DOUBT, GROUPING, LEAK
from headstart.statistics import SIGNIFICANT

WIDE_INTERVAL = 0.06  # of the accuracy, from which on more test images are worth more than another training
LARGE_CALIBRATION_ERROR = 0.05  # that is worth a sentence
WEAK_RECALL = 0.15  # how far the recall of a class is below the accuracy
MIN_SUPPORT = 5  # images of a class, to say that it is weak
MAX_NAMED = 3  # classes of a kind
MANY_MISTAKES = 0.02  # share from which on a bigger backbone is worth trying


def advice(metrics: RunMetrics) -> list[str]:
    """One sentence or more each; at least one."""
    found = metrics.held_out
    if not isinstance(found, SplitMetrics):
        raise TypeError("metrics of several labels per photo were given; expected those of classes")
    lines = [
        *on_the_collection(metrics),
        *_on_rare_classes(metrics),
        *_measured_to_help(metrics),
        *_on_weak_classes(metrics, found),
        *_on_the_accuracy(metrics),
        *_on_calibration(found),
        *_on_certainty(metrics),
    ]
    return lines or ["Nothing stands out: use it, and test it on new photos now and then (headstart evaluate)."]


def _on_shortcuts(metrics: RunMetrics) -> list[str]:
    if not metrics.shortcuts:
        return []
    named = ", ".join(shortcut.name for shortcut in metrics.shortcuts)
    return [
        f"Remove the shortcuts: the classes differ in what is technical ({named}), so the accuracy may not hold for "
        f"other photos. Make all photos alike, and measure on photos from elsewhere (headstart evaluate)."
    ]


def on_the_collection(metrics: RunMetrics) -> list[str]:
    if metrics.findings is None:
        return [
            *_on_shortcuts(metrics),
            "Inspect the data: this run did not look for near copies, leaks or doubtful labels; "
            "headstart inspect DATA --out FOLDER does.",
        ]
    lines, counts = [], metrics.findings.counts
    if leaks := counts.get(LEAK):
        photos = "1 held-out photo has a copy" if leaks == 1 else f"{leaks:,} held-out photos have copies"
        lines.append(
            f"Fix the split: {photos} among the photos that the classifier was trained on or selected by, so the "
            f"measured accuracy is too high. Remove the copies (headstart inspect DATA --out FOLDER lists them)."
        )
    lines += _on_shortcuts(metrics)
    if counts.get(GROUPING):
        lines.append(
            "Keep groups together: names and looks of the photos suggest that several show one thing, so the measured "
            "accuracy may be too high. The report shows the groups, and the option --group-by that keeps them together."
        )
    if conflicts := counts.get(CONFLICT):
        copies = "1 photo is" if conflicts == 1 else f"{conflicts:,} photos are"
        lines.append(f"Give each photo one label: {copies} a copy of a photo with another label.")
    return lines


def _on_rare_classes(metrics: RunMetrics) -> list[str]:
    """On those with so few training photos that nothing that is said of them can be relied on."""
    if metrics.train is None:
        return []
    supports = {row.name: row.support for row in metrics.train.per_class}
    rare = sorted((name for name in supports if supports[name] < FEW_PHOTOS), key=lambda name: supports[name])
    if not rare:
        return []
    named = ", ".join(f"'{name}' ({supports[name]:,})" for name in rare[:MAX_NAMED])
    more = f" and {len(rare) - MAX_NAMED:,} more classes" if len(rare) > MAX_NAMED else ""
    return [
        f"Add photos of {named}{more}: fewer than {FEW_PHOTOS} training photos are too few to learn a class from, and "
        f"what is measured of it is mostly chance. Answers that name it are never called sure."
    ]


def _on_certainty(metrics: RunMetrics) -> list[str]:
    """On a classifier whose answers are sure of less than usual, or never."""
    level = metrics.calibration.usual_accuracy
    if level == DEFAULT_ACCURACY or not metrics.calibration.accuracy:
        return []
    if level is None:
        return [
            "No answer is called sure: the photos that the classifier was calibrated on are too few, or too often "
            "answered wrongly, to guarantee any accuracy. Add photos."
        ]
    return [
        f"Of the answers that are called sure, only {level:.0%} are guaranteed to be correct, not "
        f"{DEFAULT_ACCURACY:.0%}: add photos, to be sure of more."
    ]


def _measured_to_help(metrics: RunMetrics) -> list[str]:
    """More photos and cleaner labels, the larger gain first."""
    gains: list[tuple[float, str]] = []  # accuracy that is gained by more than chance, advice
    cleaning, curve = metrics.cleaning, metrics.learning_curve
    doubtful = metrics.findings.counts.get(DOUBT) if metrics.findings else None
    if doubtful:
        gain = cleaning.gain if cleaning and cleaning.between.is_distinguishable else 0.0
        gains.append((gain, _on_labels(doubtful, cleaning)))
    if curve:
        gains.append((curve.gain if curve.gain_low > 0 else 0.0, curve.advice))
    return [line for _, line in sorted(gains, key=lambda row: -row[0])]


def _on_labels(doubtful: int, cleaning: Cleaning | None) -> str:
    labels = "1 label is doubtful" if doubtful == 1 else f"{doubtful:,} labels are doubtful"
    line = (
        f"Check the labels: {labels} (headstart inspect DATA --out FOLDER shows them). A wrong label teaches the "
        f"classifier a mistake, or counts a correct answer as one."
    )
    if cleaning is None:
        return line
    after, change = cleaning.correct_after, cleaning.correct_after - cleaning.correct
    if change:
        chance = "" if cleaning.between.is_distinguishable else ", which may be chance"
        change_in_words = f"{abs(change):,} {'more' if change > 0 else 'fewer'} than"
    else:
        chance, change_in_words = "", "as many as"
    return (
        f"{line} A head solved on {cleaning.images - cleaning.left_out:,} training photos, without the doubtful ones, "
        f"classifies {after:,} of {cleaning.held_out:,} validation photos correctly, {change_in_words} one solved on "
        f"all {cleaning.images:,}{chance}."
    )


def _on_weak_classes(metrics: RunMetrics, found: SplitMetrics) -> list[str]:
    weak = [row for row in found.per_class if _is_weak(row, found.accuracy.value, len(found.per_class))]
    balance = "" if metrics.balanced else "; or train with --balanced"
    return [
        f"Add photos of '{row.name}': only {row.recall:.0%} of its {row.support:,} {metrics.held_out_name} images are "
        f"recognized. Photos of this class would help more than photos of others{balance}."
        for row in sorted(weak, key=lambda row: row.recall or 0.0)[:3]
    ]


def _is_weak(row: ClassMetrics, accuracy: float, classes: int) -> bool:
    """Whether the recall of one of so many classes is low by more than WEAK_RECALL, and by more than chance.

    By the binomial distribution, one-sided, with Bonferroni's correction: where all classes are equally good, one
    report in twenty names one.
    """
    from scipy.special import bdtr

    if row.support < MIN_SUPPORT or row.recall is None or row.recall >= accuracy - WEAK_RECALL:
        return False
    hits = round(row.recall * row.support)
    return bool(bdtr(hits, row.support, accuracy) < SIGNIFICANT / classes)


def _on_the_accuracy(metrics: RunMetrics) -> list[str]:
    lines, accuracy = [], metrics.held_out.accuracy
    if 1 - accuracy.value >= MANY_MISTAKES:
        lines.append(
            "Try a bigger backbone: headstart backbones DATA measures those whose weights are already downloaded, "
            "--backbone NAME trains with one, and headstart compare RUN RUN says whether it is better."
        )
    width = accuracy.high - accuracy.low
    if width >= WIDE_INTERVAL:
        lines.append(
            f"Hold out more {metrics.held_out_name} images: with {accuracy.count:,}, the accuracy is known to within "
            f"about {100 * width / 2:.1f} points; four times as many would halve that."
        )
    return lines


def _on_calibration(found: SplitMetrics) -> list[str]:
    error = found.calibration.error
    if error < LARGE_CALIBRATION_ERROR or error <= found.calibration.error_by_chance:
        return []
    return [
        f"Do not rely on the probabilities: on {found.accuracy.count:,} images they differ from the actual accuracy by "
        f"{error:.0%} on average; more validation images would calibrate them better."
    ]
