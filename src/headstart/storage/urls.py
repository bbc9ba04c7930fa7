"""Text -> is it a URL, has it a secret in it, is it a member of a shard? Reads nothing, and needs no library.

A place is a local path, a URL, or a member of a shard: `s3://bucket/train-000.tar#cat_001.jpg`, `photos.parquet#17`.
"""

import os
import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from headstart.errors import LocationError

SHARD_SUFFIXES = (".tar", ".parquet")

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # a letter and a colon alone are a disk of Windows
_MEMBER = re.compile(rf"(.+?(?:{'|'.join(map(re.escape, SHARD_SUFFIXES))}))#(.+)", re.DOTALL | re.IGNORECASE)
# Parameters that stand in for credentials: signatures of S3, Google and Azure, and what services call their keys
_SECRET = re.compile(
    r"x-amz-.*|x-goog-.*|awsaccesskeyid|googleaccessid|signature|sig|se|sp|sv|.*token.*|.*secret.*|.*passw.*|"
    r"(api|access|auth|subscription)?[-_]?key|auth|authorization|policy|key-pair-id",
    re.IGNORECASE,
)


def is_url(text: str | os.PathLike[str]) -> bool:
    """Whether it begins with a scheme: s3://, https://, file://, memory://, ..."""
    return bool(_URL.match(os.fspath(text)))


def scheme_of(url: str) -> str:
    return url.partition("://")[0].lower()


def split_member(place: str) -> tuple[str, str | None]:
    """The file, and the member of it that is meant, if it is a shard."""
    found = _MEMBER.fullmatch(place)
    return (found[1], found[2]) if found else (place, None)


def without_secrets(text: str) -> str:
    """A URL as it may be shown and written: without user, password and signatures."""
    if not is_url(text):
        return text
    parts = urlsplit(text)
    if "@" not in parts.netloc and not _secrets(parts.query):
        return text
    kept = [(name, value) for name, value in parse_qsl(parts.query, True) if not _SECRET.fullmatch(name)]
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=urlencode(kept)))


def check_no_secrets(url: str) -> None:
    """
    Raises:
        LocationError: it has credentials in it, which would be written into runs and logs.
    """
    if url == without_secrets(url):
        return
    raise LocationError(
        f"The address of '{without_secrets(url)}' holds a password, a key or a signature, and addresses of photos are "
        f"written into runs. Give it without: credentials come from the environment (AWS_PROFILE, AWS_ACCESS_KEY_ID, "
        f"GOOGLE_APPLICATION_CREDENTIALS, ...), ~/.netrc, or the store's own configuration."
    )


def _secrets(query: str) -> list[str]:
    return [name for name, _ in parse_qsl(query, True) if _SECRET.fullmatch(name)]
