"""Tree: the folders of a collection that hold images, at any depth. Looks at names, and at sizes of files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import overload

from headstart.storage.locations import size_of
from headstart.storage.url_path import Location, Url, parts_below

Parts = tuple[str, ...]  # a path below the collection


class PartsBelow(Sequence[Parts]):
    """Those of files below a folder, made when they are looked at: of millions they take more memory than the files."""

    def __init__(self, files: Sequence[Location], root: Location) -> None:
        self._files, self._root = files, root

    def __len__(self) -> int:
        return len(self._files)

    @overload
    def __getitem__(self, index: int) -> Parts: ...
    @overload
    def __getitem__(self, index: slice) -> PartsBelow: ...
    def __getitem__(self, index: int | slice) -> Parts | PartsBelow:
        if isinstance(index, slice):
            return PartsBelow(self._files[index], self._root)
        return parts_below(self._files[index], self._root)


class Tree:
    """The folders of a collection that hold images, at any depth."""

    def __init__(self, root: Location, images: Sequence[Parts]) -> None:
        """images: their paths below `root`."""
        self.root, self.images = root, images
        self.counts = Counter(image[:-1] for image in self.images)  # directly in a folder
        self._children: dict[Parts, set[str]] = {}
        for folder in self.counts:
            for level, name in enumerate(folder):
                self._children.setdefault(folder[:level], set()).add(name)

    def children(self, folder: Parts) -> list[str]:
        """The folders in a folder that hold images, at any depth."""
        return sorted(self._children.get(folder, ()))

    def below(self, folder: Parts) -> list[Parts]:
        """The images below a folder."""
        return [image for image in self.images if image[: len(folder)] == folder]

    def totals(self, folders: Iterable[Parts]) -> Counter[Parts]:
        """How many images each of some folders holds, at any depth."""
        wanted, found = set(folders), Counter[Parts]()
        for folder, count in self.counts.items():
            for level in range(len(folder) + 1):
                if folder[:level] in wanted:
                    found[folder[:level]] += count
        return found

    def without(self, folder: Parts) -> Tree:
        return Tree(self.root, [image for image in self.images if image[: len(folder)] != folder])

    def repeats(self, inner: Parts, outer: Parts) -> bool:
        """Whether each image below `inner` is also below `outer`, with the same name and size."""
        there = set(self.images)
        pairs = [(image, outer + image[len(inner) :]) for image in self.below(inner)]
        return all(other in there for _, other in pairs) and all(
            _size(self.root.joinpath(*image)) == _size(self.root.joinpath(*other)) for image, other in pairs
        )


def _size(file: Location) -> int:
    return size_of(str(file)) if isinstance(file, Url) else file.stat().st_size
