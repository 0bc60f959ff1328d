"""The Dockerfile's steps, done in fresh Debian trees, and what comes of them run as the image would be:
as its user, with a root file system that is read-only, and the spool's volume.

There is no Docker in this: lib/dockerfile.py does the steps, systemd-nspawn is the container.
"""

import dataclasses
import json
import os
import pathlib
import re
import signal
from typing import Any, Iterator

import pytest
import yaml

from lib.debian import NSPAWN, NSPAWN_ENV, run
from lib.dockerfile import Build, Image
from lib.process import Process
from lib.waiting import wait_until

# No MongoDB: what is sent waits in the spool.
SETTINGS = {"MONGO_URI": "mongodb://127.0.0.1:9/"}


@dataclasses.dataclass
class Container:
    image: Image
    process: Process
    volume: pathlib.Path
    leader: int = 0

    def start(self, data: pathlib.Path) -> "Container":
        user, _ = self.image.user.split(":")
        options = ["--read-only", "--private-network", "--pipe", f"--user={user}", f"--bind-ro={data}:/mnt"]
        options += [f"--bind={self.volume}:{self.image.volumes[0]}", "-D", str(self.image.tree.path)]
        options += [f"--setenv={name}={value}" for name, value in {**self.image.env, **SETTINGS}.items()]
        self.process.spawn([*NSPAWN, *options, *self.image.entrypoint], env={**os.environ, **NSPAWN_ENV})
        wait_until(self.is_ready, "tracespoold to be ready", 60)
        return self

    def is_ready(self) -> bool:
        assert self.process.running, f"the container ended: {self.process.tail()}"
        return '"event":"daemon.ready"' in self.process.output() and self.find_leader()

    def find_leader(self) -> bool:
        assert self.process.child is not None
        self.leader = int(run("pgrep", "--parent", str(self.process.child.pid), check=False).split()[-1])
        return True

    def run(self, *words: str, check: bool = True) -> str:
        """As its user, what `docker exec` does."""
        user, group = self.image.user.split(":")
        inside = ["nsenter", f"--target={self.leader}", "--mount", "--net", "--pid", "--root", "--wd"]
        become = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "env", *self.environment()]
        return run(*inside, *become, *words, check=check)

    def environment(self) -> list[str]:
        return [f"{name}={value}" for name, value in self.image.env.items()]

    def stop(self) -> int:
        os.kill(self.leader, signal.Signals[self.image.stop_signal])
        return self.process.wait_exit(60)


@pytest.fixture(scope="module")
def image(root: pathlib.Path, module_folder: pathlib.Path, base: pathlib.Path) -> Iterator[Image]:
    build = Build(root, module_folder, base)
    try:
        yield build.do_all()
    finally:
        build.unmount()


@pytest.fixture(scope="module")
def container(image: Image, module_folder: pathlib.Path, root: pathlib.Path) -> Iterator[Container]:
    volume = module_folder / "volume"
    volume.mkdir(mode=0o700)
    os.chown(volume, *map(int, image.user.split(":")))  # as Docker does with a new volume: like the folder in the image
    process = Process("container", module_folder / "container.log")
    made = Container(image, process, volume)
    try:
        yield made.start(root / "tests" / "data" / "otlp")
    finally:
        process.kill()


def test_its_user_is_not_root(container: Container) -> None:
    status = pathlib.Path(f"/proc/{container.leader}/status").read_text()
    uid, gid = container.image.user.split(":")
    assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n" in status and f"Gid:\t{gid}\t{gid}\t{gid}\t{gid}\n" in status
    assert int(uid) >= 10000  # not one that the machine has given to somebody


def test_only_the_volume_can_be_written(container: Container) -> None:
    search = "find / -path /proc -prune -o -type d -writable -print"
    found = container.run(*search.split(), check=False)
    folders = [line for line in found.splitlines() if line.startswith("/")]
    allowed = (*container.image.volumes, "/dev/shm", "/dev/mqueue", "/run")  # what a container has in memory
    assert container.image.volumes[0] in folders
    assert not [folder for folder in folders if not folder.startswith(allowed)]


def test_it_takes_traces_and_is_healthy(container: Container) -> None:
    container.run(*container.image.healthcheck)
    container.run(*container.image.healthcheck, "/readyz")
    print(container.run("tracespool", "send", "/mnt/java-0001.pb"))
    assert json.loads(container.run("tracespool", "status", "--json"))["pending"]["batches"] == 1


def test_the_health_check_can_fail(container: Container) -> None:
    check = container.image.healthcheck
    with pytest.raises(AssertionError, match="exit status 1"):
        container.run(*check, "/nothing-is-here")


def test_stopped_and_started_it_keeps_what_it_took(container: Container, root: pathlib.Path) -> None:
    assert container.stop() == 0
    assert list(container.volume.iterdir()), "the spool is not on the volume"
    container.start(root / "tests" / "data" / "otlp")
    assert json.loads(container.run("tracespool", "status", "--json"))["pending"]["batches"] == 1
    container.stop()
    with pytest.raises(AssertionError, match="exit status"):
        container.image.tree.run(*container.image.healthcheck, options=["--private-network"])


def objects(root: pathlib.Path) -> dict[str, Any]:
    return {each["kind"]: each for each in yaml.safe_load_all((root / "deploy/kubernetes.yaml").read_text())}


def test_kubernetes_runs_it_as_it_is_made(image: Image, root: pathlib.Path) -> None:
    pod = objects(root)["StatefulSet"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    uid, gid = map(int, image.user.split(":"))
    security = pod["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"], security["fsGroup"]) == (uid, gid, gid)
    assert security["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["command"][:1] == image.entrypoint
    assert {"name": "MONGOC_DISABLE_SHM", "value": "1"} in container["env"]
    assert image.volumes == [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "spool"]
    admin = {port["containerPort"] for port in container["ports"] if port["name"] == "admin"}
    assert admin == {9464}
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}


def test_the_configuration_of_kubernetes_is_right(
    image: Image, module_folder: pathlib.Path, root: pathlib.Path
) -> None:
    folder = module_folder / "config-map"
    folder.mkdir()
    for name, text in objects(root)["ConfigMap"]["data"].items():
        (folder / name).write_text(text)
    command = objects(root)["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]["command"]
    print(image.tree.run(*command, "--check-config", options=[f"--bind-ro={folder}:/etc/tracespool"], env=SETTINGS))


def test_the_image_says_its_version(root: pathlib.Path) -> None:
    (version,) = re.findall(r"^project\(tracespool VERSION (\S+)", (root / "CMakeLists.txt").read_text(), re.MULTILINE)
    assert f'org.opencontainers.image.version="{version}"' in (root / "Dockerfile").read_text()
    (container,) = objects(root)["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"tracespool:{version}"
