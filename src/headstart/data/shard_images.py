"""A shard, which holds many photos -> the places of its photos. For photos with labels see `shard_tables.py`."""

from pathlib import PurePosixPath

from headstart.data.columns import PATH_NAMES
from headstart.data.formats import FORMAT_OF_SUFFIX
from headstart.errors import DatasetError
from headstart.storage.members import image_column, opened_parquet, tar_index
from headstart.storage.urls import SHARD_SUFFIXES, is_url, split_member, without_secrets


def is_shard(place: str) -> bool:
    """By its name."""
    return place.lower().endswith(SHARD_SUFFIXES) and split_member(place)[1] is None


def images_in(shard: str) -> list[str]:
    """The photos of a tar; or the rows of a Parquet file that has a column of images, or else one of paths and URLs.

    shard: its path or URL.

    Raises:
        DatasetError: it has none, cannot be opened, or is damaged.
        LocationError, MissingExtraError: see `locations.read`.
    """
    try:
        found = _rows(shard) if shard.lower().endswith(".parquet") else _members(shard)
    except OSError as error:
        raise DatasetError(f"'{without_secrets(shard)}' cannot be opened: {error.strerror or error}.") from None
    if not found:
        raise DatasetError(
            f"'{without_secrets(shard)}' holds no photos. Expected a tar of image files, or a Parquet file with a "
            f"column of images, or one of paths or URLs that is called 'path'."
        )
    return found


def _members(shard: str) -> list[str]:
    names = [PurePosixPath(name) for name in tar_index(shard).places]
    photos = [name for name in names if name.suffix.lower() in FORMAT_OF_SUFFIX and not name.name.startswith(".")]
    return [f"{shard}#{name}" for name in photos]


def _rows(shard: str) -> list[str]:
    with opened_parquet(shard) as content:
        names = {name.lower(): name for name in content.schema_arrow.names}
        if image_column(content.schema_arrow):
            count = content.metadata.num_rows
            return [f"{shard}#{row:0{len(str(count))}}" for row in range(count)]
        column = next((names[name] for name in PATH_NAMES if name in names), None)
        paths = content.read(columns=[column]).column(column).to_pylist() if column else []
    folder = shard.rpartition("/")[0]
    return [
        path if is_url(path) or path.startswith("/") or not folder else f"{folder}/{path}" for path in paths if path
    ]
