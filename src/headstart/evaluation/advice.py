"""What next? The numbers of a run -> sentences, the weightiest first. Knows no model and no images.

First what makes the numbers untrue, then what was measured to help, the largest gain first (what may be chance counts
as none), then what might help.
"""

from headstart.inspection.findings import CONFLICT, DOUBT, LEAK
from headstart.statistics import SIGNIFICANT

WIDE = 0.06  # width of the test accuracy's interval from which on more test images are worth more than another training
OFF = 0.05  # expected calibration error that is worth a word
WEAK = 0.15  # recall of a class below that of all images
ROOM = 0.02  # share of mistakes from which on a bigger backbone is worth trying


def advice(numbers: dict) -> list[str]:
    """numbers: the content of metrics.json."""
    name = "test" if numbers["test"] else "validation"
    found = numbers[name]
    accuracy = found["accuracy"]
    lines = []
    findings = numbers["findings"]
    counts = findings["counts"] if findings else {}
    if leaks := counts.get(LEAK):
        lines.append(
            f"An honest split: {_counted(leaks, 'held-out photo')} also among the photos that were learned from, or "
            f"chosen by, so the accuracy is too high. Remove the copies (headstart inspect DATA --out FOLDER)."
        )
    if conflicts := counts.get(CONFLICT):
        lines.append(f"One label for one photo: {_counted(conflicts, 'copy', 'copies')} of a photo of another class.")
    if findings is None:
        lines.append(
            "A look at the data: near copies, leaks and doubtful labels were not looked for in this run; "
            "headstart inspect DATA --out FOLDER does."
        )
    measured: list[tuple[float, str]] = []  # accuracy that is gained by more than chance, what by
    cleaning, outlook = numbers["cleaning"], numbers["outlook"]
    if doubts := counts.get(DOUBT):
        measured.append(
            (cleaning["gain"] if cleaning and cleaning["p"] < SIGNIFICANT else 0.0, _cleaner(doubts, cleaning))
        )
    if outlook:
        measured.append((outlook["gain"]["value"] if outlook["gain"]["low"] > 0 else 0.0, outlook["advice"]))
    lines += [line for _, line in sorted(measured, key=lambda row: -row[0])]
    classes = found["per_class"]
    weak = [row for row in classes if _is_weak(row, accuracy["value"], len(classes))]
    balance = "" if numbers["balanced"] else "; or train with --balanced"
    for row in sorted(weak, key=lambda row: row["recall"])[:3]:
        lines.append(
            f"'{row['class']}' is found least: {row['recall']:.0%} of its {row['support']:,} {name} images. Photos of "
            f"it, rather than of other classes, would help most{balance}."
        )
    if 1 - accuracy["value"] >= ROOM:
        lines.append(
            "A bigger backbone may see more: headstart backbones DATA measures those whose weights are at hand, "
            "--backbone NAME trains with one, and headstart compare RUN RUN says whether it was better."
        )
    width = accuracy["high"] - accuracy["low"]
    if width >= WIDE:
        lines.append(
            f"More {name} images: with {accuracy['count']:,} the accuracy is known to {100 * width / 2:.1f} points up "
            f"or down; four times as many halve that."
        )
    calibration = found["calibration"]
    off = calibration["expected_calibration_error"]
    if off >= OFF and off > calibration["error_by_chance"]:
        lines.append(
            f"Do not take its probabilities at their word: they are off by {off:.0%} on average, on "
            f"{accuracy['count']:,} images; more validation images would calibrate them better."
        )
    return lines or ["Nothing stands out: use it, and measure it now and then on new photos (headstart evaluate)."]


def _cleaner(doubts: int, cleaning: dict | None) -> str:
    """cleaning: of metrics.json."""
    line = (
        f"Cleaner labels: {_counted(doubts, 'label')} doubtful. Look at them (headstart inspect DATA --out FOLDER): "
        f"each wrong one teaches, or measures, a mistake."
    )
    if cleaning is None:
        return line
    before = cleaning["right"]
    after = before + cleaning["mended"] - cleaning["spoiled"]
    if after == before:
        change = "as many as"
    else:
        change = f"{abs(after - before):,} {'more' if after > before else 'fewer'} than"
    chance = "" if after == before or cleaning["p"] < SIGNIFICANT else ", which may be chance"
    images, left = cleaning["images"], cleaning["images"] - cleaning["left_out"]
    return (
        f"{line} A head solved on {left:,} training photos, without doubtful ones, answers {after:,} of "
        f"{cleaning['held_out']:,} validation photos rightly, {change} one solved on all {images:,}{chance}."
    )


def _is_weak(row: dict, accuracy: float, classes: int) -> bool:
    """Whether the recall of one of so many classes is below that share by more than WEAK, and by more than chance.

    By the binomial distribution, one-sided, with Bonferroni's correction: where all classes are equally good, one
    report in twenty names one.
    """
    from scipy.stats import binom

    if row["support"] < 5 or row["recall"] >= accuracy - WEAK:
        return False
    found = round(row["recall"] * row["support"])
    return bool(binom.cdf(found, row["support"], accuracy) < SIGNIFICANT / classes)


def _counted(count: int, one: str, many: str = "") -> str:
    """ "1 label is", "3 labels are"."""
    return f"1 {one} is" if count == 1 else f"{count:,} {many or one + 's'} are"
