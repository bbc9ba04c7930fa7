"""classifier.json: what a saved classifier is, in words and numbers. Read and written without importing Keras."""

import json
from pathlib import Path

from headstart.data.resizing import RESIZINGS, STRETCH
from headstart.errors import RunError

SCHEMA = 1
FILE = "classifier.json"
KEYS = {"schema", "class_names", "backbone", "image_size", "recipe", "hashes"}


def write_card(folder: Path, card: dict) -> None:
    (folder / FILE).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", "utf-8")


def read_card(folder: Path) -> dict:
    """The card of the classifier in a folder.

    Raises:
        RunError: there is no such folder, it holds no classifier, or the card is damaged, of another schema or with an
            unknown resizing.
    """
    file = folder / FILE
    if not file.is_file():
        found = "holds no classifier.json" if folder.is_dir() else "does not exist"
        raise RunError(f"'{folder}' {found}; expected the folder of a run, as `headstart train ... --out` writes it.")
    try:
        card = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise RunError(f"'{file}' is damaged ({error}). Copy the whole folder '{folder}' again.") from None
    if not isinstance(card, dict) or not card.keys() >= KEYS:
        raise RunError(f"'{file}' is damaged: it lacks some of {', '.join(sorted(KEYS))}. Copy the folder again.")
    writer = f"Install the headstart that wrote it: {card.get('versions', {}).get('headstart', 'unknown')}."
    if card["schema"] != SCHEMA:
        raise RunError(f"'{file}' has schema {card['schema']}, this headstart reads {SCHEMA}. {writer}")
    card.setdefault("resizing", STRETCH)  # all that there was, once
    if card["resizing"] not in list(RESIZINGS):
        raise RunError(
            f"'{file}' has the resizing {card['resizing']!r}, this headstart knows {', '.join(RESIZINGS)}. {writer}"
        )
    return card
