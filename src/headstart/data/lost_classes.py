"""Folders at the place of classes whose pictures are all of a kind that headstart does not read -> an error.

Without it, such a class would only be missing, and the classifier would give its photos to the others. Looks at names
only.
"""

from collections.abc import Iterable

from headstart.data.formats import UNREAD_SUFFIXES
from headstart.errors import DatasetError
from headstart.storage.url_path import Location


def refuse_lost_classes(
    folders: Iterable[tuple[str, ...]], files: Iterable[Location], root: Location, source: Location
) -> None:
    """
    Args:
        folders: below `root`, without images that headstart reads; as the parts of their paths.
        files: that are not read.
        source: the collection, as the user named it.

    Raises:
        DatasetError: one of the folders holds pictures of another kind.
    """
    pictures = sorted(file for file in files if file.suffix.lower() in UNREAD_SUFFIXES)
    for parts in sorted(folders):
        inner = root.joinpath(*parts).parts
        inside = [file for file in pictures if file.parts[: len(inner)] == inner]
        if inside:
            raise DatasetError(
                f"'{source}' holds the folder '{'/'.join(parts)}', but headstart reads none of its files. "
                f"'{inside[0].name}', one of {len(inside)}, is {UNREAD_SUFFIXES[inside[0].suffix.lower()]}. "
                f"Or move the folder elsewhere, if it is no class."
            )
