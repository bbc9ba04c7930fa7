"""Tree: the folders of a collection that hold images, at any depth. Looks at names, and at sizes of files."""

from collections import Counter
from collections.abc import Iterable

from headstart.storage.locations import size_of
from headstart.storage.url_path import Location, Url

Parts = tuple[str, ...]  # a path below the collection


class Tree:
    """The folders of a collection that hold images, at any depth."""

    def __init__(self, root: Location, images: Iterable[Parts]) -> None:
        """images: their paths below `root`."""
        self.root, self.images = root, sorted(images)
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

    def without(self, folder: Parts) -> "Tree":
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
