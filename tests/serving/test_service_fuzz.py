"""Requests that nobody should send: each gets an answer or a problem, and the service continues."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from support.serving import Service

ROOT = Path(__file__).parents[2]
BOUNDED = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
EXPECTED = {200, 400, 413, 415, 422, 503}


def still_answers(service: Service, content: bytes) -> None:
    assert service.process.poll() is None, service.log()
    assert service.post(content).status_code == 200


def expect_a_decent_answer(response: httpx.Response) -> None:
    assert response.status_code in EXPECTED, response.text
    if response.status_code != 200:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["code"] != "fault"


@pytest.fixture(scope="module")
def cell(photos) -> bytes:
    return next(photos.rglob("*.png")).read_bytes()


@BOUNDED
@given(damage=some.data())
def test_damaged_images(service, cell, damage):
    """A real photo in several formats, cut off, or with some of its bytes changed."""
    import io

    from PIL import Image

    kind = damage.draw(some.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"]))
    with io.BytesIO() as file:
        Image.open(io.BytesIO(cell)).convert("L").resize((40, 30)).save(file, kind)
        content = bytearray(file.getvalue())
    for _ in range(damage.draw(some.integers(0, 8))):
        content[damage.draw(some.integers(0, len(content) - 1))] = damage.draw(some.integers(0, 255))
    expect_a_decent_answer(service.post(bytes(content[: damage.draw(some.integers(0, len(content)))])))


@BOUNDED
@given(
    pieces=some.lists(
        some.one_of(
            some.binary(max_size=50),
            some.sampled_from([
                b"--x", b"--x--", b"\r\n", b"\r\n\r\n", b'Content-Disposition: form-data; name="file"; filename="a"',
                b"Content-Disposition: form-data", b"Content-Type: image/png", b"filename*=utf-8''%ff", b"\x89PNG\r\n",
            ]),
        ),
        max_size=20,
    ),
    boundary=some.sampled_from(["x", "", '"x"', "x; charset=utf-7", "é", "y" * 100]),
)  # fmt: skip
def test_random_forms(service, pieces, boundary):
    media_type = f"multipart/form-data; boundary={boundary}".encode("latin-1")
    expect_a_decent_answer(service.post(b"".join(pieces), headers={"Content-Type": media_type}))


@BOUNDED
@given(
    path=some.text(alphabet=some.characters(codec="utf-8"), max_size=30),
    query=some.dictionaries(some.sampled_from(["top", "accuracy", "coverage", "explain", "model", "x"]), some.text()),
    headers=some.dictionaries(
        some.sampled_from(["X-Request-ID", "Accept", "Content-Type", "Authorization", "Origin"]),
        some.text(alphabet=some.characters(min_codepoint=32, max_codepoint=126), max_size=40).map(str.strip),
    ),
)
def test_random_addresses_options_and_headers(service, path, query, headers):
    urls = (f"{service.url}/{quote(path)}", f"{service.url}/v1/predict", f"{service.url}/v1/model")
    for method, url in zip(("GET", "POST", "GET"), urls, strict=True):
        response = httpx.request(method, url, params=query, headers=headers)
        assert response.status_code in EXPECTED | {404, 405}, response.text
        assert response.headers["content-type"].split(";")[0] in (
            "application/json", "application/problem+json", "text/plain", "text/html", "text/css", "text/javascript",
            "image/svg+xml",
        )  # fmt: skip


def test_bytes_that_are_not_http(service, cell):
    host, port = service.url.removeprefix("http://").split(":")
    for nonsense in (b"\x00" * 1000, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00", b"POST /v1/predict HTTP/1.1\r\n\r\n",
                     b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                     b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):  # fmt: skip
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(nonsense)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(1000)
            assert not answer or answer.startswith(b"HTTP/1.1 4")
    still_answers(service, cell)


def test_it_answers_as_its_openapi_document_says(service, cell, tmp_path):
    """schemathesis with all of its checks, and fewer examples than by default, so that it takes seconds."""
    result = subprocess.run(
        [shutil.which("schemathesis", path=Path(sys.executable).parent) or "schemathesis", "run",
         f"{service.url}/openapi.json", "--checks", "all", "--max-examples", "15", "--seed", "1", "--no-color"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "service_hooks", "PYTHONPATH": str(ROOT / "tests" / "support")},
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    assert re.search(r"\d+ generated, .*passed|No issues found", result.stdout), result.stdout[-2000:]
    still_answers(service, cell)
