"""classifier.json: what a saved classifier is, in words and numbers. Read and written without importing Keras.

Here are the names of the files that a classifier consists of; what else is in a run, `runs/folder.py` knows.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from headstart.classifier.calibration import Calibration
from headstart.classifier.label_calibration import AnyCalibration, LabelCalibration, calibration_from_json
from headstart.classifier.novelty import FILE as KNOWN
from headstart.classifier.novelty import NoveltyDetector
from headstart.classifier.others import FILE as OTHERS
from headstart.classifier.others import OtherHead
from headstart.data.resizing import RESIZINGS, STRETCH
from headstart.data.targets import Kind
from headstart.data.value_range import FULL, KnownValues, ValueRange, checked
from headstart.data.views import ORIGINAL, VIEWS
from headstart.engines.base import PRECISIONS
from headstart.errors import ModelError, RunError
from headstart.json_text import json_text
from headstart.storage.hashing import sha256_of_file

SCHEMA = 1
FILE, MODEL, ENGINE = "classifier.json", "model.keras", "engine"  # ENGINE is a folder
BASE = "base"  # a folder, in the place of MODEL: the base, where it is the network of a file
KEYS = {"schema": int, "class_names": list, "backbone": str, "image_size": int, "recipe": str, "hashes": dict}


class Facts(NamedTuple):
    """What a classifier is besides its network: see `Classifier`."""

    class_names: tuple[str, ...]
    backbone: str
    image_size: int
    recipe: str
    resizing: str
    value_range: ValueRange
    known_values: KnownValues | None
    precision: str
    views: tuple[str, ...]
    calibration: AnyCalibration
    novelty_detector: NoveltyDetector | None
    other_head: OtherHead | None


def write_card(folder: Path, card: dict) -> None:
    (folder / FILE).write_text(json_text(card) + "\n", "utf-8")


def read_card(folder: Path) -> dict:
    """The card of the classifier in a folder.

    Raises:
        RunError: there is no such folder, it holds no classifier, or the card is damaged, of another schema or with an
            unknown resizing, range of values or precision.
    """
    file = folder / FILE
    try:
        if not file.is_file():
            found = "holds no classifier.json" if folder.is_dir() else "does not exist"
            expected = "the folder of a run, as `headstart train ... --out` writes it"
            raise RunError(f"'{folder}' {found}; expected {expected}.")
        card = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise RunError(f"'{file}' cannot be read: {error.strerror or error}. Let its owner allow it.") from None
    except ValueError as error:
        raise RunError(f"'{file}' is damaged ({error}). Copy the whole folder '{folder}' again.") from None
    found = card if isinstance(card, dict) else {}
    wrong = [key for key, kind in KEYS.items() if not isinstance(found.get(key), kind) or not found[key]]
    if wrong:
        raise RunError(f"'{file}' is damaged: {', '.join(wrong)} is missing or of another kind. Copy the folder again.")
    writer = f"Install the headstart that wrote it: {card.get('versions', {}).get('headstart', 'unknown')}."
    if card["schema"] != SCHEMA:
        raise RunError(f"'{file}' has schema {card['schema']}, this headstart reads {SCHEMA}. {writer}")
    card.setdefault("resizing", STRETCH)  # all that there was, once
    if card["resizing"] not in list(RESIZINGS):
        raise RunError(
            f"'{file}' has the resizing {card['resizing']!r}, this headstart knows {', '.join(RESIZINGS)}. {writer}"
        )
    card.setdefault("value_range", list(FULL))
    try:
        checked(ValueRange(*card["value_range"]))
    except (ModelError, TypeError):
        raise RunError(
            f"'{file}' is damaged: its value_range is {card['value_range']!r}. Copy the folder again."
        ) from None
    known = card.setdefault("known_values", None)
    if known is not None and not (isinstance(known, dict) and known.keys() == set(KnownValues._fields)):
        raise RunError(f"'{file}' is damaged: its known_values are {known!r}. Copy the folder again.")
    file = card.setdefault("base_file", None)
    if file is not None and file not in card["hashes"]:
        raise RunError(f"'{folder / FILE}' is damaged: its base_file is {file!r}. Copy the folder again.")
    card.setdefault("precision", "float32")
    if card["precision"] not in list(PRECISIONS):
        raise RunError(
            f"'{file}' has the precision {card['precision']!r}, this headstart knows {', '.join(PRECISIONS)}. {writer}"
        )
    card.setdefault("views", [ORIGINAL])
    if card["views"][:1] != [ORIGINAL] or not set(card["views"]) <= set(VIEWS):
        raise RunError(
            f"'{file}' has the views {card['views']!r}, this headstart knows {', '.join(VIEWS)}, the original first. "
            f"{writer}"
        )
    return card


def is_multi_label(card: Mapping) -> bool:
    """Whether the classifier of a card gives a photo any number of labels."""
    return card.get("certainty", {}).get("kind") == Kind.MULTI_LABEL


def facts_of(folder: Path, card: dict) -> Facts:
    """What the card of a folder says, and the files `known.npy` and `others.npy` beside it.

    Raises:
        RunError: one of them is damaged.
    """
    try:
        calibration = calibration_from_json(card["certainty"]) if "certainty" in card else Calibration()
        if calibration.decision and list(calibration.decision.class_names) != card["class_names"]:
            raise ValueError("its decision is about other classes")
        if isinstance(calibration, LabelCalibration) and list(calibration.class_names) != card["class_names"]:
            raise ValueError("its thresholds are about other labels")
        if calibration.hierarchy and list(calibration.hierarchy.class_names) != card["class_names"]:
            raise ValueError("its hierarchy is about other classes")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError(f"'{folder / FILE}' is damaged: its certainty is unreadable ({error}). Copy it again.") from None
    check_files(folder, {name: digest for name, digest in card["hashes"].items() if name in (KNOWN, OTHERS)})
    return Facts(
        class_names=tuple(card["class_names"]),
        backbone=card["backbone"],
        image_size=card["image_size"],
        recipe=card["recipe"],
        resizing=card["resizing"],
        value_range=ValueRange(*card["value_range"]),
        known_values=known_values_of(card),
        precision=card["precision"],
        views=tuple(card["views"]),
        calibration=calibration,
        novelty_detector=NoveltyDetector.read(folder, card["farthest"]) if card.get("farthest") is not None else None,
        other_head=OtherHead.read(folder, card["others"]) if card.get("others") is not None else None,
    )


def known_values_of(card: Mapping) -> KnownValues | None:
    """What values the training images hold, by the card of their classifier; None where it does not say."""
    known = card["known_values"]
    return None if known is None else KnownValues(**known)


def check_files(folder: Path, hashes: Mapping[str, str]) -> None:
    """hashes: name of a file in the folder -> its digest, as in the card.

    Raises:
        RunError: one is missing, or is another one.
    """
    for name, expected in hashes.items():
        file = folder / name
        if not file.is_file() or sha256_of_file(file) != expected:
            state = "was changed after it was saved" if file.is_file() else "is missing"
            raise RunError(f"'{file}' {state}. Copy the whole folder '{folder}' again from where it was trained.")
