"""Objects of S3, read by obstore where it is installed, in a sixth of the processor time that s3fs takes.

Everything else of S3 is done by s3fs, which also finds credentials, endpoint and region, and says what is wrong. See
benchmarks/object_store.py.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

HAS_OBSTORE = importlib.util.find_spec("obstore") is not None
_opening = Lock()  # one thread at a time: others would see half of a module, and open a store each
MINUTES = 5  # for which credentials are used before they are asked for again
SECONDS = 20  # after which a request is left to s3fs, which says what is wrong


def read_object(opened: Any, path: str) -> bytes | None:
    """opened: s3fs' file system; path: BUCKET/KEY. None: not read, for whatever reason; ask s3fs."""
    if not HAS_OBSTORE:
        return None
    with _opening:
        import obstore.store  # noqa: F401 - all of it, as its modules import each other
        from obstore.exceptions import BaseError

    bucket, _, key = path.partition("/")
    try:
        with _opening:
            store = _store(opened, bucket, os.getpid())
        return bytes(store.get(key).bytes())
    except (BaseError, OSError):  # no such object, no right to it, another region: s3fs asks again, and tells
        return None


@lru_cache
def _store(opened: Any, bucket: str, process: int) -> Any:
    """That of a bucket. process: connections are not inherited."""
    from obstore.store import S3Store

    client = opened.s3
    endpoint, region = client.meta.endpoint_url, client.meta.region_name
    is_amazon = str(urlsplit(endpoint).hostname).endswith(".amazonaws.com")
    settings: dict[str, Any] = {
        "region": region or "us-east-1",
        "virtual_hosted_style_request": is_amazon and "." not in bucket,  # a certificate is for one level of names
        "client_options": {"allow_http": True, "timeout": timedelta(seconds=SECONDS)},
        "retry_config": {"max_retries": 2, "retry_timeout": timedelta(seconds=SECONDS)},
    }
    settings |= {"skip_signature": True} if opened.anon else {"credential_provider": _Credentials(opened)}
    return S3Store(bucket, **settings if is_amazon else settings | {"endpoint": endpoint})


class _Credentials:
    """Those that s3fs uses, whatever they come from."""

    def __init__(self, opened: Any) -> None:
        self._opened = opened

    def __call__(self) -> dict[str, Any]:
        opened = self._opened
        found = opened.key, opened.secret, opened.token
        if not opened.key:
            found = asyncio.run_coroutine_threadsafe(_of_session(opened.session), opened.loop).result()
        access_key_id, secret_access_key, token = found
        return {
            "access_key_id": access_key_id,
            "secret_access_key": secret_access_key,
            "token": token,
            "expires_at": datetime.now(UTC) + timedelta(minutes=MINUTES),
        }


async def _of_session(session: Any) -> tuple[str, str, str | None]:
    credentials = await session.get_credentials()
    frozen = await credentials.get_frozen_credentials()
    return frozen.access_key, frozen.secret_key, frozen.token
