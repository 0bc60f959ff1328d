"""The package in a machine of its own, from installation to purge: one story, in this order.

The machine is a Debian 12 tree booted by systemd-nspawn, so the unit runs under systemd with its whole sandbox.
"""

import dataclasses
import os
import pathlib
import shutil
from typing import Iterator

import pytest

from lib.debian import Tree
from lib.machine import Machine, MachinesMongod
from lib.waiting import wait_until

UNIT = "/lib/systemd/system/tracespoold.service"
SPOOL = "/var/lib/tracespool"
EXPOSURE_MAX = 15  # tenths, of 100; what systemd itself calls safe ends at 40

# A small spool, so that it can be filled; the keys are those of a section each.
SMALL = """
receiver = { max_request_bytes = "4MiB"; max_in_flight_bytes = "16MiB"; };
spool = { size = "16MiB"; };
mongodb = { min_free = "0"; };
"""


@dataclasses.dataclass
class Story:
    machine: Machine
    mongod: MachinesMongod
    data: pathlib.Path
    first: str  # packages, as the machine sees them
    second: str
    files_before: set[str]
    sent: list[str] = dataclasses.field(default_factory=list)

    def apt(self, *words: str) -> str:
        return self.machine.run("apt-get", "-y", "-qq", "--no-install-recommends", *words)

    def send(self, pattern: str, *options: str, check: bool = True) -> str:
        """Captures whose names begin so."""
        names = sorted(path.name for path in self.data.glob(f"{pattern}*.pb"))
        assert names
        self.sent += [str(self.data / name) for name in names]
        return self.machine.run("tracespool", "send", *options, *(f"/data/{name}" for name in names), check=check)

    def fill(self) -> None:
        """Until the spool refuses. To the spool each batch is one of its own, MongoDB will have its spans once."""

        def is_full() -> bool:
            self.send("java-0016", "--repeat", "50", "--retry-for", "0", check=False)
            return self.machine.status()["refusing"]

        wait_until(is_full, "the spool to be full", 120)

    def prove_all(self) -> str:
        """All that was sent is in MongoDB, once, every field as it was sent, and nothing else is."""
        wait_until(lambda: self.machine.status()["pending"]["batches"] == 0, "the spool to drain", 120)
        return self.machine.prove("compare", "--database", "tracing", *sorted(set(self.sent)))

    def pending(self) -> int:
        return self.machine.status()["pending"]["batches"]

    def spool(self) -> pathlib.Path:
        return self.machine.tree.path / SPOOL.lstrip("/")


@pytest.fixture(scope="module")
def tree(base: pathlib.Path, module_folder: pathlib.Path) -> Iterator[Tree]:
    made = Tree(module_folder / "tree", base)
    yield made
    made.unmount()


@pytest.fixture(scope="module")
def shelf(module_folder: pathlib.Path, package: pathlib.Path, newer_package: pathlib.Path) -> pathlib.Path:
    folder = module_folder / "packages"
    folder.mkdir()
    shutil.copy(package, folder)
    shutil.copy(newer_package, folder)
    return folder


@pytest.fixture(scope="module")
def story(tree: Tree, shelf: pathlib.Path, module_folder: pathlib.Path, root: pathlib.Path) -> Iterator[Story]:
    first, second = sorted(f"/packages/{path.name}" for path in shelf.iterdir())
    tree.install("systemd-sysv", "dbus")
    files_before = tree.files()
    # The machine has no network: what is needed is fetched before it boots.
    tree.install("--download-only", first, options=[f"--bind-ro={shelf}:/packages"])
    data = root / "tests" / "data" / "otlp"
    machine = Machine(tree, module_folder, {shelf: "/packages", data: "/data"})
    mongod = MachinesMongod(machine, module_folder, os.environ["TRACESPOOL_TEST_MONGOD"])
    try:
        try:
            machine.boot()  # of Debian alone, nothing of ours is in it yet
        except (AssertionError, TimeoutError) as failure:
            pytest.skip(f"a plain Debian tree does not boot here: {failure}")
        yield Story(machine, mongod, data, first, second, files_before)
    finally:
        mongod.kill()
        machine.power_off()


def test_installed_it_runs(story: Story) -> None:
    print(story.apt("install", story.first))
    machine = story.machine
    assert machine.property("ActiveState") == "active"
    assert machine.property("UnitFileState") == "enabled"
    assert machine.run("id", "-un", machine.run("stat", "-c", "%u", SPOOL).strip()).strip() == "tracespool"
    assert machine.run("stat", "-c", "%a", SPOOL).strip() == "700"
    assert machine.http("/healthz") == "ok" and machine.http("/readyz") == "ready"


def test_the_unit_is_sound(story: Story) -> None:
    machine = story.machine
    assert machine.run("systemd-analyze", "verify", "--man=no", UNIT) == ""
    machine.run("systemctl", "reload", "tracespoold")
    print(machine.run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", UNIT)[-300:])
    assert "tracespool" in machine.run("systemd-sysusers", "--cat-config", "tracespool.conf")


def test_the_sandbox_is_in_force(story: Story) -> None:
    pid = story.machine.property("MainPID")
    lines = story.machine.run("cat", f"/proc/{pid}/status").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}


def test_traces_arrive(story: Story) -> None:
    print(story.send("java-0"))
    story.mongod.start()
    print(story.prove_all())


def test_upgraded_with_a_full_spool_nothing_is_lost(story: Story) -> None:
    machine = story.machine
    story.mongod.stop()
    conf = machine.tree.path / "etc/tracespool/tracespool.conf"
    conf.write_text(SMALL)
    (conf.parent / "env").write_text("MONGO_URI=mongodb://127.0.0.1:27017/?appName=from-env\n")
    machine.run("systemctl", "restart", "tracespoold")
    story.send("node-0")
    story.fill()
    before = machine.status()
    pid = machine.property("MainPID")

    print(story.apt("install", story.second))
    assert machine.run("dpkg-query", "-W", "-f", "${Version}", "tracespool").endswith("-2")
    assert machine.property("ActiveState") == "active" and machine.property("MainPID") != pid
    assert conf.read_text() == SMALL, "a changed configuration was not kept"
    assert "appName=from-env" in machine.run("journalctl", "--unit=tracespoold", f"_PID={machine.property('MainPID')}")
    after = machine.status()
    for name in ("batches", "spans", "stored_bytes"):
        assert after["pending"][name] == before["pending"][name]

    story.mongod.start()
    print(story.prove_all())


def test_disabled_by_the_administrator_it_stays_so(story: Story) -> None:
    machine = story.machine
    machine.run("systemctl", "disable", "--now", "tracespoold")
    story.apt("install", "--reinstall", story.second)
    assert (machine.property("ActiveState"), machine.property("UnitFileState")) == ("inactive", "disabled")
    machine.run("systemctl", "enable", "--now", "tracespoold")


def test_purged_with_traces_that_wait_it_keeps_them(story: Story) -> None:
    story.mongod.stop()
    story.send("collector-batch-0")
    waiting = story.pending()
    assert waiting > 0
    told = story.apt("purge", "tracespool")
    assert f"not all in {SPOOL} is known to be delivered" in told and f"{SPOOL} stays" in told
    assert (story.spool() / "data.mdb").exists()
    assert not (story.machine.tree.path / "etc/tracespool").exists()
    assert "tracespoold" not in story.machine.run("ps", "-e", "-o", "comm", check=False)

    print(story.apt("install", story.second))
    assert story.pending() == waiting
    story.mongod.start()
    print(story.prove_all())


def test_written_to_after_removal_the_spool_stays(story: Story) -> None:
    told = story.apt("remove", "tracespool")
    mark = story.spool() / "all-delivered"
    assert SPOOL not in told and mark.exists()
    story.machine.run("touch", f"{SPOOL}/data.mdb")
    assert f"{SPOOL} stays" in story.apt("purge", "tracespool")
    assert (story.spool() / "data.mdb").exists()
    story.apt("install", story.second)
    assert not mark.exists()


def test_purged_after_delivery_it_leaves_nothing(story: Story) -> None:
    told = story.apt("purge", "tracespool")
    assert SPOOL not in told
    assert not story.spool().exists()
    story.apt("autoremove", "--purge")
    left = story.machine.tree.files() - story.files_before
    assert left == set(story.machine.shared.values())  # where this test has mounted something
    # Of the user, who stays, and of the machine's own records this says nothing.
    kept_by_systemd = (story.machine.tree.path / "var/lib/systemd").rglob("*tracespool*")
    assert not list(kept_by_systemd)
