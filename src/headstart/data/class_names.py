"""A name that a user types for a class -> the name that is kept, and the folder that can hold its photos."""

import unicodedata

from headstart.errors import DatasetError
from headstart.storage.names import portable

MAX_LENGTH = 200  # characters


def checked_class_name(name: str) -> str:
    """The name in one form of Unicode, without spaces around.

    Raises:
        DatasetError: nothing is left, or it is too long, or has signs that nobody sees.
    """
    kept = unicodedata.normalize("NFC", name).strip()
    if not kept:
        text = "A class needs a name, and none was given. Type at least one letter or digit."
        raise DatasetError(text, reason="class-no-name")
    if len(kept) > MAX_LENGTH:
        text = f"The name of a class has {len(kept)} characters; expected at most {MAX_LENGTH}."
        raise DatasetError(text, reason="class-long-name", characters=len(kept), most=MAX_LENGTH)
    if not kept.isprintable():
        raise DatasetError(
            f"The name {kept!a} has signs that cannot be seen (line breaks, tabs, ...). Type it without these.",
            reason="class-hidden-signs",
        )
    return kept


def folder_name(label: str) -> str:
    """The name of a folder for photos of a class, on every system: another one where the class has no such name."""
    name = portable(label.replace("/", "_").replace("\\", "_"))
    return f"_{name}" if name.startswith(".") else name  # hidden folders are no classes
