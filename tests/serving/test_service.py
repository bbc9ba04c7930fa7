"""The service in its own process: its predictions, what it reports, and what it refuses."""

import errno
import io
import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

import headstart as hs
from headstart.serving import schemas
from headstart.serving.monitoring import log
from headstart.serving.problems import MEDIA_TYPE
from headstart.serving.served import named_runs
from headstart.serving.starting import api_key
from support.serving import Service, with_limits

HEX = re.compile(r"[0-9a-f]{32}")
KEY = "a-key-of-24-characters-x"  # of the fixture `guarded`


@pytest.fixture(scope="module")
def files(photos) -> list[Path]:
    return sorted(photos.rglob("*.png"))[::9]


def one(response: httpx.Response) -> dict:
    assert response.status_code == 200, response.text
    (found,) = response.json()["predictions"]
    return found


def problem(response: httpx.Response) -> str:
    """The code of a well-formed problem."""
    assert response.headers["content-type"] == "application/problem+json"
    content = response.json()
    assert content["status"] == response.status_code
    assert content["id"] == response.headers["X-Request-ID"]
    assert len(content["detail"]) > 20
    return content["code"]


# Answers


def test_probabilities_are_those_of_the_classifier(service, classifier, files):
    answers = service.post(files=[("file", (path.name, path.read_bytes())) for path in files]).json()
    assert (answers["schema"], answers["model"]) == (1, "cells")
    assert [row["name"] for row in answers["predictions"]] == [path.name for path in files]
    for path, row, expected in zip(files, answers["predictions"], classifier.predict(files), strict=True):
        assert row["probabilities"] == pytest.approx(expected.probabilities, abs=1e-4)
        assert (row["label"], row["sure"], row["familiar"]) == (expected.label, expected.sure, expected.familiar)
        assert one(service.post(path.read_bytes()))["probability"] == pytest.approx(row["probability"], abs=1e-6)


@pytest.mark.parametrize("promise", [{"accuracy": 0.8}, {"coverage": 0.9}, {"coverage": 0.99}])
def test_promises_are_those_of_the_classifier(service, classifier, files, promise):
    for path in files[:4]:
        expected = classifier.predict(path, **promise)
        row = one(service.post(path.read_bytes(), params=promise))
        assert row["sure"] == expected.sure
        assert tuple(row.get("candidates", ())) == expected.candidates


def test_options(service, run, files):
    row = one(service.post(files[0].read_bytes(), params={"top": 1, "explain": "true", "model": "other"}))
    explained = hs.Predictor(run.folder).explain(files[0])
    names = {"defective": "broken", "functional": "whole"}
    assert list(row["probabilities"]) == [names[explained.prediction.label]]
    assert (row["places"]["height"], row["places"]["width"]) == explained.places.shape
    assert row["places"]["values"] == pytest.approx(explained.places.ravel().tolist(), abs=0.01)
    assert "similar" not in row, "training photos are shown only where the operator allows it"


def test_one_that_cannot_be_read_among_several(service, files):
    parts = [("file", ("words.jpg", b"words")), ("file", ("cell.png", files[0].read_bytes()))]
    first, second = service.post(files=parts).json()["predictions"]
    assert first["problem"]["code"] == "not-an-image"
    assert second["label"] in ("defective", "functional")
    assert problem(service.post(files=parts[:1])) == "not-an-image"


def test_training_images_are_shown_where_it_is_allowed(showing, files):
    similar = one(showing.post(files[0].read_bytes(), params={"explain": "true"}))["similar"]
    assert len(similar) == 3
    assert all(each["image"].startswith("data:image/webp;base64,") for each in similar)
    similarities = [each["similarity"] for each in similar]
    assert similarities == sorted(similarities, reverse=True)
    assert similarities[-1] > 0.5
    assert {each["label"] for each in similar} <= {"defective", "functional"}
    assert showing.get("/v1/model").json()["shows_training_images"]


# What it reports


def test_model(service, run, classifier):
    found = service.get("/v1/model").json()
    assert found["class_names"] == list(classifier.class_names)
    assert found["models"] == ["cells", "other"]
    assert found["metrics"]["test"]["accuracy"] == run.metrics["test"]["accuracy"]
    assert found["limits"]["files"] == 12
    assert service.get("/v1/model", params={"model": "other"}).json()["class_names"] == ["broken", "whole"]
    assert [service.get(path).json() for path in ("/healthz", "/readyz")] == [{"status": "ok"}] * 2
    assert [httpx.head(service.url + path).status_code for path in ("/healthz", "/readyz")] == [200, 200]


def test_request_ids_and_the_log(service, files):
    """A client's own id is kept if it is harmless. No line of the log contains a file name."""
    parts = [("file", ("secret-name.png", files[0].read_bytes()))]
    response = service.post(files=parts, headers={"X-Request-ID": "my-id.1"})
    assert response.headers["X-Request-ID"] == response.json()["id"] == "my-id.1"
    for given in ("two words", "x" * 65, 'quote"', ""):
        assert HEX.fullmatch(service.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"])
    line = next(line for line in service.lines() if line.get("id") == "my-id.1")
    assert (line["method"], line["route"], line["status"], line["images"]) == ("POST", "/v1/predict", 200, 1)
    assert line["milliseconds"] > 0
    assert "secret-name" not in service.log()


def test_metrics(service, files):
    def value(name: str) -> float:
        text = service.get("/metrics").text
        found = re.search(rf"^{re.escape(name)} ([\d.e+]+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    counted = 'headstart_requests_total{route="/v1/predict",status="200"}'
    images = 'headstart_images_total{model="cells",outcome="answered"}'
    before = value(counted), value(images)
    service.post(files=[("file", path.read_bytes()) for path in files[:3]])
    assert (value(counted), value(images)) == (before[0] + 1, before[1] + 3)
    assert value("headstart_queue_images") == 0
    service.get("/nothing/here/42")
    assert "/nothing" not in service.get("/metrics").text, "otherwise any client could fill the memory with names"


# What it refuses


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nothing", "not-found"),
        ("GET", "/page/../../etc/passwd", "not-found"),
        ("GET", "/v1/predict", "method-not-allowed"),
        ("DELETE", "/v1/model", "method-not-allowed"),
        ("GET", "/v1/model?model=pets", "unknown-model"),
        ("POST", "/v1/predict?model=pets", "unknown-model"),
        ("POST", "/v1/predict?top=0", "invalid-parameter"),
        ("POST", "/v1/predict?acuracy=0.9", "invalid-parameter"),
        ("POST", "/v1/predict?accuracy=1.5", "invalid-parameter"),
        ("POST", "/v1/predict?accuracy=nan", "invalid-parameter"),
        ("POST", "/v1/predict?accuracy=0.9999", "impossible-promise"),
        ("POST", "/v1/predict?accuracy=0.9&coverage=0.9", "impossible-promise"),
        ("POST", "/v1/predict", "not-an-image"),
    ],
)
def test_mistakes_are_problems(service, run, method, path, code):
    response = httpx.request(method, service.url + path)
    assert problem(response) == code
    for leak in (str(run.folder), str(run.folder.parent), "Traceback", "site-packages", "uvicorn", "0x"):
        assert leak not in response.text + str(response.headers)


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_another_media_type(service, files, media_type):
    content = files[0].read_bytes()
    assert problem(service.post(content, headers={"Content-Type": media_type})) == "unsupported-media-type"
    assert one(service.post(content, headers={"Content-Type": "IMAGE/anything; q=1"}))


def test_forms_that_are_none(service, files):
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    assert problem(service.post(b"", headers={"Content-Type": "multipart/form-data"})) == "bad-multipart"
    assert problem(service.post(b"", headers=form)) == "no-image"
    assert problem(service.post(b"--x\r\n\r\n\r\n--x--", headers=form)) == "bad-multipart"
    assert problem(service.post(b"--y\r\n", headers=form)) == "bad-multipart"
    assert problem(service.post(head.replace(b'; filename="a"', b"") + b"1\r\n--x--\r\n", headers=form)) == "no-image"
    long = head.replace(b"\r\n\r\n", b"\r\nX: " + b"y" * 20_000 + b"\r\n\r\n")
    assert problem(service.post(long + b"1\r\n--x--\r\n", headers=form)) == "bad-multipart"
    odd = {"Content-Type": "multipart/form-data; boundary=x; charset=unicode_escape"}
    name = head.replace(b'"a"', rb'"\ud800.png"')
    assert one(service.post(name + files[0].read_bytes() + b"\r\n--x--\r\n", headers=odd))


def test_too_much(service, files):
    """Bytes, declared or not; files; pixels, from a small file. The connection is kept where possible."""
    large = bytes(1_100_000)
    with httpx.Client() as client:
        for body in (large, iter([large])):
            response = client.post(f"{service.url}/v1/predict", content=body, headers={"Content-Type": "image/png"})
            assert (response.status_code, problem(response)) == (413, "too-many-bytes")
    assert problem(service.post(files=[("file", large)])) == "too-many-bytes"
    assert problem(service.post(files=[("file", bytes(900_000))] * 5)) == "too-many-bytes"
    assert problem(service.post(files=[("file", b"1")] * 13)) == "too-many-files"
    assert problem(service.post(_bomb(40_000))) == "too-many-pixels"
    assert one(service.post(files[0].read_bytes()))


def _bomb(side: int) -> bytes:
    """A PNG of side x side pixels in a few kilobytes."""
    import struct
    import zlib

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    packer, rows = zlib.compressobj(9), bytearray()
    for _ in range(side // 100):
        rows += packer.compress(bytes((side // 8 + 1) * 100))
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    content = chunk(b"IHDR", head) + chunk(b"IDAT", bytes(rows) + packer.flush()) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


def test_slow_clients_are_sent_away(run, files):
    """A body that stops, a header that never ends, one that is too long; other clients are answered meanwhile."""
    with with_limits(run.folder, start_seconds=1.0, queue=8) as service:
        host, port = service.url.removeprefix("http://").split(":")
        starts = (
            b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\nabc",
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 200_000,
        )
        slow = [socket.create_connection((host, int(port)), timeout=20) for _ in starts]
        start = time.monotonic()
        for connection, head in zip(slow, starts, strict=True):
            connection.sendall(head)
        assert one(service.post(files[0].read_bytes()))
        answer = _until_closed(slow[0])
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"too-slow" in answer
        assert _until_closed(slow[1]) == _until_closed(slow[2]) == b""
        assert time.monotonic() - start < 15
        for connection in slow:
            connection.close()


def _until_closed(connection: socket.socket) -> bytes:
    found = b""
    try:
        while piece := connection.recv(65_536):
            found += piece
    except ConnectionResetError:
        pass
    return found


# Under load


def test_a_full_queue_refuses_and_the_client_asks_again(run, files):
    with Service(run.folder, "--queue", 1) as service:
        content = files[0].read_bytes()
        with ThreadPoolExecutor(12) as pool:
            responses = list(pool.map(lambda _: service.post(content), range(36)))
        refused = [response for response in responses if response.status_code != 200]
        assert 0 < len(refused) < 36
        assert {problem(response) for response in refused} == {"queue-full"}
        assert {response.headers["Retry-After"] for response in refused} == {"1"}
        assert len(hs.Client(service.url, retries=30).predict([content] * 4)) == 4
        assert one(service.post(content)), "each place in the queue was released"


def test_an_answer_that_takes_too_long(run, files):
    """It is refused, and its place in the queue is released."""
    with with_limits(run.folder, answer_seconds=0.0001, queue=2) as service:
        for _ in range(5):
            response = service.post(files[0].read_bytes())
            assert problem(response) in ("took-too-long", "queue-full")
            assert response.headers["Retry-After"] == "1"
        for _ in range(200):
            if "headstart_queue_images 0.0" in service.get("/metrics").text:
                break
            time.sleep(0.05)
        else:
            pytest.fail(service.get("/metrics").text)
        assert problem(service.post(files[0].read_bytes())) == "took-too-long"


def test_who_sends_too_much_over_a_slow_line_is_told_so(run):
    """Even if that takes longer than the service waits for a client that pauses."""
    with with_limits(run.folder, constants={"incoming.MAX_PAUSE_SECONDS": 0.5}, file_bytes=100_000) as service:
        connection = HTTPConnection(service.url.removeprefix("http://"), timeout=20)
        connection.putrequest("POST", "/v1/predict")
        connection.putheader("Content-Type", "image/jpeg")
        connection.putheader("Content-Length", "350000")
        connection.endheaders()
        for _ in range(35):
            connection.send(b"x" * 10_000)
            time.sleep(0.03)
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)["code"]) == (413, "too-many-bytes")
        connection.close()


def test_the_log_may_be_lost_and_nothing_else(monkeypatch):
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    log("reload", model="cells")


def test_the_examples_of_the_openapi_document_are_true(service):
    document = service.get("/openapi.json").json()
    schemas.Answers.model_validate(document["components"]["schemas"]["Answers"]["example"])
    schemas.Model.model_validate(document["components"]["schemas"]["Model"]["example"])
    assert set(document["components"]["schemas"]["Model"]["example"]) == set(service.get("/v1/model").json())
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                for code, example in response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {}).items():
                    schemas.Problem.model_validate(example["value"])
                    assert (example["value"]["code"], str(example["value"]["status"])) == (code, status)
            for parameter in operation.get("parameters", []):
                assert parameter["schema"].keys() & {"examples", "default"}, parameter
    too_large = document["paths"]["/v1/predict"]["post"]["responses"]["413"]["content"][MEDIA_TYPE]["examples"]
    assert set(too_large) == {"too-many-bytes", "too-many-pixels"}


def test_who_stays_connected_learns_that_it_is_ending(run, files):
    """A load balancer learns it over its open connection, while an accepted request is still answered."""
    service = Service(run.folder)
    content = files[0].read_bytes()
    head = f"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    host, port = service.url.removeprefix("http://").split(":")
    asked, balancer = (
        socket.create_connection((host, int(port)), timeout=30),
        HTTPConnection(host, int(port), timeout=30),
    )

    def is_ready() -> int:
        balancer.request("GET", "/readyz")
        with balancer.getresponse() as answer:
            answer.read()
        return answer.status

    assert is_ready() == 200
    asked.sendall(head + content[:1000])
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(service.stop)
        while (status := is_ready()) == 200:  # until the signal has arrived
            pass
        assert status == 503
        asked.sendall(content[1000:])
        assert _until_closed(asked).startswith(b"HTTP/1.1 200 ")
        assert ended.result() == 0
    asked.close()
    balancer.close()


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGINT] * 2, [signal.SIGTERM] * 2])
def test_ctrl_c(run, files, signals):
    """Once: a request that was accepted is answered first. Twice: it ends immediately."""
    service = Service(run.folder)
    content = files[0].read_bytes()
    head = f"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as asked, ThreadPoolExecutor(1) as pool:
        asked.sendall(head + content[:1000])
        time.sleep(0.2)
        start = time.monotonic()
        ended = pool.submit(service.stop, *signals, between=0.5)
        if len(signals) == 1:
            time.sleep(0.8)  # longer than a service takes that nobody has asked
            assert not ended.done()
            asked.sendall(content[1000:])
            assert _until_closed(asked).startswith(b"HTTP/1.1 200 ")
        assert ended.result() == 0
    assert time.monotonic() - start < 10
    assert "Traceback" not in service.log()
    assert not [line for line in service.lines() if line.get("level") == "error"]


def test_a_graceful_end_answers_what_was_accepted(run, files):
    """Six requests are half sent when the service gets the signal; a seventh begins after it, on an open connection."""
    service = Service(run.folder)
    host, port = service.url.removeprefix("http://").split(":")
    content = files[0].read_bytes()
    head = f"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    connections = [socket.create_connection((host, int(port)), timeout=30) for _ in range(7)]
    for connection in connections[:6]:
        connection.sendall(head + content[:1000])
    with ThreadPoolExecutor(1) as pool:
        status = pool.submit(service.stop)
        connections[6].sendall(head + content[:1000])  # connected before, asks at the very end
        deadline = time.monotonic() + 5
        while _is_listening(host, int(port)) and time.monotonic() < deadline:
            time.sleep(0.05)
        for connection in connections:
            connection.sendall(content[1000:])
        answers = [_until_closed(connection) for connection in connections]
        assert [answer[:15] for answer in answers] == [b"HTTP/1.1 200 OK"] * 7
        assert status.result() == 0
    assert not _is_listening(host, int(port))
    for connection in connections:
        connection.close()


def _is_listening(host: str, port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex((host, port)) == 0


def test_a_replaced_run_is_opened_without_losing_a_request(run, files, tmp_path):
    folder, content = tmp_path / "run", files[0].read_bytes()
    shutil.copytree(run.folder, folder)
    card = json.loads((folder / "classifier.json").read_text())
    done = threading.Event()

    def ask() -> list[httpx.Response]:
        found = []
        with httpx.Client(timeout=30) as client:
            while not done.is_set():
                found.append(client.post(f"{service.url}/v1/predict?explain=true", content=content))
        return found

    def replace(**values: object) -> None:
        (folder / "new.json").write_text(json.dumps(card | values))
        (folder / "new.json").rename(folder / "classifier.json")

    def wait_for(outcome: str, count: int) -> None:
        for _ in range(200):
            if sum(line.get("outcome") == outcome for line in service.lines()) >= count:
                return
            time.sleep(0.05)
        pytest.fail(service.log())

    often = {"service.WATCH_INTERVAL": 0.1}
    with with_limits(folder, constants=often) as service, ThreadPoolExecutor(3) as pool:
        askers = [pool.submit(ask) for _ in range(3)]
        try:
            replace(class_names=["broken", "whole"])
            wait_for("done", 1)
            replace(class_names=["torn", "entire"], hashes={**card["hashes"], "engine/network.bin": "0" * 64})
            wait_for("failed", 1)
            # the weights are overwritten in place: the model that answers must not read them any more
            weights = folder / "engine" / "network.bin"
            kept = weights.read_bytes()
            weights.write_bytes(b"")
            time.sleep(0.3)
            weights.write_bytes(kept)
            replace()
            wait_for("done", 2)
            for number, wrong in enumerate(({"hashes": []}, {"class_names": None}, {"image_size": 0}), start=2):
                replace(**wrong)
                wait_for("failed", number)
            metrics = (folder / "metrics.json").read_text()
            (folder / "metrics.json").write_text("[]")
            replace()
            wait_for("failed", 5)
            (folder / "metrics.json").write_text(metrics)
            wait_for("done", 3)
        finally:
            done.set()
        responses = [response for asker in askers for response in asker.result()]
        labels = [one(response)["label"] for response in responses]
        assert {"broken", "whole"} & set(labels)
        assert {"defective", "functional"} & set(labels)
        assert not {"torn", "entire"} & set(labels)
        assert len({response.json()["digest"] for response in responses}) == 3, (
            "the last card says the same in other bytes"
        )
        assert 'headstart_model_reloads_total{model="cells",outcome="done"} 3.0' in service.get("/metrics").text


# Who may ask


def test_api_key_and_cors(guarded, files):
    key, content = KEY, files[0].read_bytes()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {key}"}):
        response = guarded.post(content, headers=headers)
        assert (response.status_code, problem(response)) == (401, "unauthorized")
        assert response.headers["WWW-Authenticate"] == "Bearer"
    for path in ("/v1/model", "/metrics"):
        assert guarded.get(path).status_code == 401
        assert guarded.get(path, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert guarded.get("/healthz").status_code == guarded.get("/").status_code == 200
    assert hs.Client(guarded.url, api_key=f"{key}\n").predict(content).label in ("defective", "functional")
    with pytest.raises(hs.ServiceError, match="requires its API key"):
        hs.Client(guarded.url).predict(content)
    with pytest.raises(hs.ServiceError, match="The API key contains characters that are not allowed"):
        hs.Client(guarded.url, api_key=f"{key}€")
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip
    allowed = httpx.options(f"{guarded.url}/v1/predict", headers=asked)
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    other = httpx.options(f"{guarded.url}/v1/predict", headers=asked | {"Origin": "https://other.example"})
    assert "Access-Control-Allow-Origin" not in other.headers
    assert key not in guarded.log()


def test_the_key_is_read_from_a_file_or_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("HEADSTART_API_KEY", raising=False)
    assert api_key(None) is None
    monkeypatch.setenv("HEADSTART_API_KEY", f"{KEY} ")
    assert api_key(None) == KEY
    (tmp_path / "key").write_text("another-key-of-26-characters\n")
    assert api_key(tmp_path / "key") == "another-key-of-26-characters"


def test_a_service_that_cannot_start_says_why(run, tmp_path, capfd, monkeypatch):
    from headstart import cli

    def fails(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["headstart", "serve", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert stopped.value.code == 2
        return capfd.readouterr().err

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Port {port} of 127.0.0.1 is in use" in fails(run.folder, "--port", port)
    assert "The service cannot listen on '192.0.2.1'" in fails(run.folder, "--host", "192.0.2.1")
    assert "expected the folder of a run" in fails(tmp_path)
    assert "Two runs have the name 'a'" in fails(f"a={run.folder}", f"a={run.folder}")
    (tmp_path / "short").write_text("short")
    assert "no valid API key" in fails(run.folder, "--api-key-file", tmp_path / "short")
    assert "No such file" in fails(run.folder, "--api-key-file", tmp_path / "none")
    monkeypatch.setenv("HEADSTART_API_KEY", "")
    assert "HEADSTART_API_KEY holds no valid API key" in fails(run.folder)


def test_runs_are_named_by_their_folders_or_on_the_command_line(tmp_path):
    (tmp_path / "a=b").mkdir()
    found = named_runs([str(tmp_path / "cells"), "pets=runs/2", str(tmp_path / "a=b")])
    (tmp_path / "current").symlink_to(tmp_path / "a=b")
    assert list(named_runs([str(tmp_path / "current")])) == ["current"]
    with pytest.raises(hs.ServiceError, match="cannot be the name of a model"):
        named_runs([str(tmp_path / "caf\udce9")])
    assert found == {"cells": tmp_path / "cells", "pets": Path("runs/2"), "a=b": tmp_path / "a=b"}


def test_a_missing_extra_is_one_sentence(run):
    code = "import sys; sys.modules['fastapi'] = None\nfrom headstart.cli import main\n"
    code += f"sys.argv = ['headstart', 'serve', {str(run.folder)!r}]\nmain()"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "pip install 'headstart[serve]'" in result.stderr
    assert "Traceback" not in result.stderr


# The client


def test_client(service, classifier, files, tmp_path):
    client = hs.Client(service.url)
    assert client.describe()["class_names"] == list(classifier.class_names)
    for answer, expected in zip(client.predict(files), classifier.predict(files), strict=True):
        assert answer.probabilities == pytest.approx(expected.probabilities, abs=1e-4)
    assert client.predict(files[0], coverage=0.9).candidates == classifier.predict(files[0], coverage=0.9).candidates
    (tmp_path / "words.jpg").write_text("words")
    with pytest.raises(hs.ImageError, match=r"words\.jpg': The file is no"):
        client.predict(tmp_path / "words.jpg")
    with pytest.raises(hs.ImageError, match=r"none\.jpg' cannot be opened: No such file"):
        client.predict(tmp_path / "none.jpg")
    with pytest.raises(hs.ImageError, match="larger than 1 MB"):
        client.predict(bytes(1_100_000))
    with pytest.raises(hs.ModelError, match=r"at most 0\.999 can be guaranteed"):
        client.predict(files[0], accuracy=0.9999)
    with pytest.raises(hs.ModelError, match="no such model"):
        hs.Client(service.url, model="pets").predict(files[0])
    with pytest.raises(hs.ServiceError, match="is not the address of a service"):
        hs.Client("localhost:8000")
    with pytest.raises(hs.ServiceError, match="'http://\\[' is not the address of a service"):
        hs.Client("http://[").predict(files[0])
    with pytest.raises(hs.ImageError, match="cannot be opened: embedded null byte"):
        client.predict("a\0b.jpg")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(hs.ServiceError, match="does not answer"):
            hs.Client(f"http://127.0.0.1:{free.getsockname()[1]}").predict(files[0])


@pytest.mark.parametrize(("answer", "message"), [
    (b"SSH-2.0-OpenSSH_9.9\r\n", "does not answer"),
    (b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"pre', "does not answer"),
    (b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}', "is not one of `headstart serve`"),
    (b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]', "is not one of `headstart serve`"),
    (b"HTTP/1.1 503 Busy\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\nContent-Length: 0\r\n\r\n", "status 503"),
    (b"HTTP/1.1 503 Busy\r\nRetry-After: -5\r\nContent-Length: 0\r\n\r\n", "status 503"),
])  # fmt: skip
def test_a_client_of_something_else(files, answer, message, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr("headstart.serving.client.time.sleep", waits.append)
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def say() -> None:
            for _ in range(1 + (b" 503 " in answer)):  # it asks once more
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1_000_000)
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(1_000_000):
                        pass

        said = pool.submit(say)
        client = hs.Client(f"http://127.0.0.1:{listener.getsockname()[1]}", retries=1)
        with pytest.raises(hs.ServiceError, match=message):
            client.predict(files[0])
        said.result()
    assert waits == [1.0] * (b" 503 " in answer)  # the header Retry-After says no number of seconds


def test_the_examples_of_the_readme_run(service, files, tmp_path, monkeypatch, capsys):
    text = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    text = text.replace("http://127.0.0.1:8000", service.url)
    for name in ("cats", "dogs"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        shutil.copy(files[0], tmp_path / "photos" / name / "1.jpg")
    monkeypatch.chdir(tmp_path)
    lines = re.findall(r"^curl .*$", text, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        found = subprocess.run(shlex.split(line), capture_output=True, text=True, check=True)
        assert json.loads(found.stdout)["schema"] == 1, found.stdout
    (block,) = re.findall(r"^```py\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    exec(compile(block, "README.md, Client", "exec"), {})
    assert capsys.readouterr().out.startswith("Prediction(label=")
