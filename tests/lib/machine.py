"""A Debian tree that is booted: systemd as its first process, a network of its own."""

import json
import pathlib
import subprocess
import sys
from typing import Any

from .debian import APT_ENV, NSPAWN, Tree, run
from .process import Process
from .waiting import wait_until

PROVE = pathlib.Path(__file__).parent.parent.parent / "scripts" / "prove.py"
BOOT_SECONDS = 120


class Machine(Process):
    def __init__(self, tree: Tree, folder: pathlib.Path, shared: dict[pathlib.Path, str]):
        """`shared`: folders of this machine, and where they are seen, read-only."""
        super().__init__("systemd-nspawn", folder / "console.log")
        self.tree = tree
        self.shared = shared
        self.leader = 0

    def boot(self) -> "Machine":
        binds = [f"--bind-ro={outside}:{inside}" for outside, inside in self.shared.items()]
        # Its loopback is its own, so that standard ports are free.
        options = ["--private-network", "--console=read-only", *binds]
        self.spawn([*NSPAWN, "--boot", "-D", str(self.tree.path), *options])
        wait_until(self.is_up, "the machine to boot", BOOT_SECONDS)
        return self

    def is_up(self) -> bool:
        assert self.child is not None and self.running, f"systemd-nspawn ended: {self.tail()}"
        children = run("pgrep", "--parent", str(self.child.pid), check=False).split()
        if not children:
            return False
        self.leader = int(children[-1])
        return self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded")

    def enter(self, *namespaces: str) -> list[str]:
        return ["nsenter", f"--target={self.leader}", *(f"--{name}" for name in namespaces)]

    def command(self, *words: str) -> list[str]:
        settings = [f"{name}={value}" for name, value in APT_ENV.items()]
        inside = self.enter("mount", "uts", "ipc", "net", "pid", "root", "wd")
        return [*inside, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", *settings, *words]

    def run(self, *words: str, check: bool = True) -> str:
        return run(*self.command(*words), check=check)

    def with_its_network(self, *words: str, env: dict[str, str] | None = None) -> str:
        """A program of this machine that sees the other's network."""
        return run(*self.enter("net"), *words, env=env)

    def http(self, path: str) -> str:
        script = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())"
        return self.with_its_network(sys.executable, "-c", script, f"http://127.0.0.1:9464{path}").strip()

    def property(self, name: str) -> str:
        """Of the service."""
        return self.run("systemctl", "show", "--value", "--property", name, "tracespoold").strip()

    def status(self) -> dict[str, Any]:
        return json.loads(self.run("tracespool", "status", "--json"))

    def prove(self, *words: str) -> str:
        uri = {"PROVE_URI": "mongodb://127.0.0.1:27017"}
        return self.with_its_network(sys.executable, str(PROVE), *words, env=uri)

    def power_off(self) -> None:
        if self.running:
            self.terminate(BOOT_SECONDS)


class MachinesMongod(Process):
    """On the machine's loopback, at the port that a fresh configuration names; its files are outside."""

    def __init__(self, machine: Machine, folder: pathlib.Path, program: str):
        super().__init__("mongod", folder / "mongod.log")
        self.machine, self.program = machine, program
        self.data = folder / "mongod"
        self.data.mkdir()

    def start(self) -> None:
        options = f"--bind_ip 127.0.0.1 --port 27017 --nounixsocket --dbpath {self.data} --wiredTigerCacheSizeGB 0.25"
        self.spawn([*self.machine.enter("net"), self.program, *options.split()])
        wait_until(self.answers, "mongod to answer", 60)

    def answers(self) -> bool:
        assert self.running, f"mongod ended: {self.tail()}"
        command = [*self.machine.enter("net"), sys.executable, str(PROVE), "ping"]
        uri = {"PROVE_URI": "mongodb://127.0.0.1:27017"}
        return subprocess.run(command, env=uri, capture_output=True, timeout=60, check=False).returncode == 0

    def stop(self) -> None:
        assert self.terminate(60) == 0, self.tail()
