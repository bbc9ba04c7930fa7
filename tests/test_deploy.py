"""What stands in deploy/ and in examples/ray_serve.py: it is valid, fits the service, and answers."""

import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import headstart as hs
from headstart.serving.limits import Limits
from support.serving import Service

ROOT = Path(__file__).parents[1]
CONTAINERFILE = ROOT / "deploy" / "Containerfile"
KUBERNETES = ROOT / "deploy" / "kubernetes"
DOCUMENTS = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in KUBERNETES.glob("*.yaml")}
RESOURCES = DOCUMENTS["kustomization.yaml"]["resources"]


def instructions(name: str) -> list[str]:
    """What follows each instruction of that name in the Containerfile."""
    text = CONTAINERFILE.read_text("utf-8").replace("\\\n", " ")
    return re.findall(rf"^{name} +(.*)$", text, re.MULTILINE)


def pod() -> dict:
    return DOCUMENTS["deployment.yaml"]["spec"]["template"]


def container() -> dict:
    return pod()["spec"]["containers"][0]


@pytest.mark.parametrize("name", RESOURCES)
@pytest.mark.parametrize("version", ["1.30", "1.34"])  # 1.30: the first with `preStop.sleep` switched on
def test_the_resources_are_valid(name, version):
    kubernetes_validate.validate(DOCUMENTS[name], version, strict=True)


def test_every_file_is_applied_or_said_to_be_for_another_program():
    assert {*RESOURCES, "kustomization.yaml", "prometheus-adapter.yaml"} == set(DOCUMENTS)


def test_the_resources_belong_together():
    labels = pod()["metadata"]["labels"]
    [port] = container()["ports"]
    [service_port] = DOCUMENTS["service.yaml"]["spec"]["ports"]
    assert DOCUMENTS["deployment.yaml"]["spec"]["selector"]["matchLabels"] == labels
    assert DOCUMENTS["service.yaml"]["spec"]["selector"] == labels
    assert service_port["targetPort"] == port["name"]
    assert (
        DOCUMENTS["autoscaler.yaml"]["spec"]["scaleTargetRef"]["name"]
        == DOCUMENTS["deployment.yaml"]["metadata"]["name"]
    )
    assert "replicas" not in DOCUMENTS["deployment.yaml"]["spec"], "it would undo the autoscaler's with each rollout"
    assert pod()["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])
    assert pod()["spec"]["securityContext"]["runAsUser"] == int(instructions("USER")[0].split(":")[0])


def test_the_pod_is_given_the_time_that_the_service_takes_to_end():
    pause = container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod()["spec"]["terminationGracePeriodSeconds"] > pause + Limits().answer_seconds + 30


def test_probes_and_metrics_are_those_of_the_service(service):
    probes = [container()[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")]
    assert [service.get(path).status_code for path in probes] == [200, 200, 200]
    metrics = service.get(pod()["metadata"]["annotations"]["prometheus.io/path"]).text
    [metric] = DOCUMENTS["autoscaler.yaml"]["spec"]["metrics"]
    [rule] = DOCUMENTS["prometheus-adapter.yaml"]["rules"]["custom"]
    assert re.search(rf"^{metric['pods']['metric']['name']} [\d.]+$", metrics, re.MULTILINE)
    assert rule["name"]["as"] == metric["pods"]["metric"]["name"] == rule["seriesQuery"].partition("{")[0]
    assert 0 < int(metric["pods"]["target"]["averageValue"]) < Limits().queue


@pytest.mark.skipif(sys.platform != "linux", reason="the linter's binary is for Linux")
def test_the_container_file_has_no_findings():
    linter = Path(sysconfig.get_path("scripts"), "hadolint")
    found = subprocess.run([linter, "--format", "json", CONTAINERFILE], capture_output=True, text=True)
    assert json.loads(found.stdout) == []


def test_the_container_file_copies_what_there_is_and_installs_nothing_large():
    copied = [source for line in instructions("COPY") if "--from" not in line for source in shlex.split(line)[:-1]]
    assert all((ROOT / source).exists() for source in copied if source != "${RUN}")
    [extras] = re.findall(r"/source\[(.*?)\]", CONTAINERFILE.read_text("utf-8"))
    installed = set(needed("headstart", {*extras.split(",")}))
    assert {"openvino", "fastapi"} <= installed
    assert not installed & {"tensorflow", "tensorflow-cpu", "keras", "torch", "ray", "jax"}


def needed(package: str, extras: set[str]) -> Iterator[str]:
    """The packages that a package and its extras bring, on this machine."""
    waiting, seen = [(package, frozenset(extras))], set()
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        yield canonicalize_name(name)
        try:
            lines = requires(name) or []
        except PackageNotFoundError:  # not for this machine
            continue
        for each in map(Requirement, lines):
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in (wanted or {""})):
                waiting.append((each.name, frozenset(each.extras)))


def test_the_command_of_the_image_answers(run, photos):
    """Run here, with the run in its place, and a free port."""
    program, *arguments = json.loads(instructions("CMD")[0])
    assert program == "headstart"
    here = {"/classifier": str(run.folder), "8000": "0", "0.0.0.0": "127.0.0.1"}
    placed = [str(here.get(each, each)) for each in arguments]
    with ImageCommand(placed) as started:
        answer = started.post(next(photos.rglob("*.png")).read_bytes()).json()
    assert answer["predictions"][0]["label"] in ("defective", "functional")


class ImageCommand(Service):
    """The service, started by the command of the image."""

    def __init__(self, arguments: list[str]) -> None:
        self.command = (*arguments, "--json")
        super().__init__()


ASK = """
import json, os, socket, sys, urllib.request
import ray
from ray import serve
from examples import ray_serve

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
ray.init(os.environ["RAY_ADDRESS"], log_to_driver=False)
serve.start(http_options={"host": "127.0.0.1", "port": port})
serve.run(ray_serve.app)
with open(sys.argv[1], "rb") as photo, urllib.request.urlopen(f"http://127.0.0.1:{port}/", photo.read()) as answer:
    print(answer.read().decode())
serve.shutdown()
"""


def test_the_example_of_ray_serve_answers(run, photos, cluster):
    photo = next(photos.rglob("*.png"))
    asked = subprocess.run(
        [sys.executable, "-c", ASK, photo], cwd=ROOT, capture_output=True, text=True, timeout=200,
        env=os.environ | {"RAY_ADDRESS": cluster.address, "RUN": str(run.folder)},
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(next(line for line in asked.stdout.splitlines() if line.startswith("{")))  # Ray prints as well
    expected = hs.Predictor(run.folder).predict(photo)
    assert (answer["label"], answer["probability"]) == (expected.label, expected.probability)
