"""An object store on this machine that speaks S3's language: moto, on a free port of the loopback device."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BUCKET = "bucket"


class ObjectStore:
    """The store, with one empty bucket. url: of the bucket, as users name it."""

    url = f"s3://{BUCKET}"

    def __init__(self, address: str) -> None:
        """address: http://127.0.0.1:PORT, which AWS_ENDPOINT_URL names to whoever asks for s3://."""
        self.address = address

    @property
    def client(self) -> Any:
        import boto3

        return boto3.client("s3")

    def put_folder(self, folder: Path, prefix: str) -> str:
        """Copy the files below a folder into the bucket. The URL that they are at."""
        client = self.client
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            client.put_object(
                Bucket=BUCKET, Key=f"{prefix}/{file.relative_to(folder).as_posix()}", Body=file.read_bytes()
            )
        return f"{self.url}/{prefix}"

    def names(self, prefix: str = "") -> list[str]:
        """The keys that begin so, without that beginning."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"].removeprefix(prefix) for page in pages for each in page.get("Contents", ())]

    @contextmanager
    def requests(self) -> Iterator[list[str]]:
        """What the server logs of each request meanwhile, such as: "GET /bucket/name HTTP/1.1" 200 -"""
        log, found = logging.getLogger("werkzeug"), []
        handler = logging.Handler()
        handler.emit = lambda record: found.append(record.getMessage())
        before = log.level, log.propagate
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
        try:
            yield found
        finally:
            log.removeHandler(handler)
            log.level, log.propagate = before


@contextmanager
def started() -> Iterator[ObjectStore]:
    """The store; meanwhile the environment leads s3:// there, also in processes that begin meanwhile."""
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # or it prints each request
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        store = ObjectStore(settings["AWS_ENDPOINT_URL"])
        store.client.create_bucket(Bucket=BUCKET)
        yield store
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        server.stop()
