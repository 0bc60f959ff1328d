"""Each command of docs/operations.md, in the state that its section is about."""

import os
import pathlib
import re
import stat
import subprocess
from typing import Callable, NamedTuple

import pytest

from lib import otlp
from lib.clients import Client
from lib.daemon import Daemon, binary
from lib.waiting import wait_until

RUNBOOK = pathlib.Path(__file__).resolve().parents[2] / "docs/operations.md"
CAPTURE = otlp.CAPTURES / "java-0001.pb"
SMALL = {"spool.size": "16MiB", "receiver.max_request_bytes": "4MiB"}


def sections() -> dict[str, list[str]]:
    """The commands of each section, by its title."""
    found: dict[str, list[str]] = {}
    title = ""
    for line in RUNBOOK.read_text().splitlines():
        if heading := re.match(r"#+ (.*)", line):
            title = heading[1]
        elif line.startswith("$ "):
            found.setdefault(title, []).append(line[2:])
    return found


class Made(NamedTuple):
    daemon: Daemon
    words: dict[str, str] = {}  # what stands for something in a command
    says: str = ""  # what is somewhere in the output


class Place:
    """What a section's state is made of."""

    def __init__(self, folder, own_mongod, make_daemon):
        self.folder = folder
        self.mongod = own_mongod()
        self.make_daemon = make_daemon

    def daemon(self, settings: dict[str, object] | None = None, with_mongod: bool = True) -> Daemon:
        if with_mongod:
            self.mongod.start()
        return self.make_daemon(self.mongod, "tracing", settings).start()

    def sent(self, daemon: Daemon, count: int = 3) -> Daemon:
        template = otlp.Template(CAPTURE)
        with Client(daemon.endpoint) as client:
            for number in range(1, count + 1):
                assert client.send(template.with_ids(number << 64 | number)).ok
        return daemon


def delivered(place: Place) -> Made:
    daemon = place.sent(place.daemon())
    daemon.wait_delivered()
    return Made(daemon)


def not_running(place: Place) -> Made:
    daemon = place.sent(place.daemon(with_mongod=False))
    daemon.stop()
    return Made(daemon, says="pending")


def away(place: Place) -> Made:
    return Made(place.sent(place.daemon(with_mongod=False)), says="order")


def some_wait(place: Place) -> Made:
    return Made(place.sent(place.daemon(with_mongod=False)), says="exported 3 batches")


def misconfigured(place: Place) -> Made:
    daemon = place.daemon()
    daemon.stop()
    daemon.configure({"mongodb.uri": f"mongodb://trace:secret@127.0.0.1:{place.mongod.port}/?authSource=admin"})
    place.sent(daemon.start())
    wait_until(lambda: "event=flush.misconfigured" in daemon.output(), "MongoDB to refuse the password")
    return Made(daemon, says="MongoDB refuses what waiting does not cure")


def no_room(place: Place) -> Made:
    daemon = place.daemon({"mongodb.min_free": "1000TiB"})
    wait_until(lambda: "event=mongodb.space_low" in daemon.output(), "the room to be measured")
    place.sent(daemon)
    wait_until(lambda: "event=flush.storage_full" in daemon.output(), "the governor to pause")
    return Made(daemon, says="storage full")


def full(place: Place) -> Made:
    daemon = place.daemon(SMALL, with_mongod=False)
    template = otlp.Template(CAPTURE)
    with Client(daemon.endpoint) as client:
        for number in range(1, 1000):
            if not client.send(otlp.with_noise(template.with_ids(number << 64 | number), 100_000)).ok:
                return Made(daemon, says="The spool is full and refuses")
    raise AssertionError("the spool takes everything")


def parked(place: Place) -> Made:
    daemon = place.sent(place.daemon(), count=1)
    daemon.wait_delivered()
    with place.mongod.client() as client:
        days = [name for name in client.tracing.list_collection_names() if name.startswith("traces_")]
        for name in days:
            client.tracing.command("collMod", name, validator={"serviceName": {"$ne": "order"}})
        place.sent(daemon, count=2)
        wait_until(lambda: daemon.metrics()["tracespool_spool_parked_entries"] > 0, "a span to be parked")
        daemon.wait_delivered()
        for name in days:
            client.tracing.command("collMod", name, validator={})
    entry = subprocess.run([binary("tracespool"), "-c", daemon.config, "ls", "--parked", "--limit", "1"],
                           capture_output=True, text=True, check=True)
    (name,) = re.findall(r"^ *(\d+:\d+) ", entry.stdout, re.MULTILINE)
    return Made(daemon, {"SEQ:N": name}, says="Document failed validation")


def held(place: Place) -> Made:
    daemon = place.sent(place.daemon(with_mongod=False))
    subprocess.run([binary("tracespool"), "-c", daemon.config, "hold", "ALL"], check=True, capture_output=True)
    return Made(daemon, says="released 3 batches")


def aside(place: Place) -> Made:
    """The middle of the file is overwritten; the start after that moves it aside."""
    daemon = place.sent(place.daemon(with_mongod=False))
    daemon.kill()
    data = daemon.spool / "data.mdb"
    with data.open("r+b") as file:
        for page in (2, 3):
            file.seek(page * 4096)
            file.write(os.urandom(4096))
    daemon.start()
    assert list(daemon.spool.glob("damaged-*"))
    return Made(daemon, {"/var/lib/tracespool": str(daemon.spool)}, says="3 requests with 12 spans")


def a_trace(place: Place) -> Made:
    made = delivered(place)
    trace = otlp.spans_of(otlp.Template(CAPTURE).with_ids(1 << 64 | 1))[0].trace_id
    return made._replace(words={"TRACEID": trace}, says="in MongoDB and in the spool")


STATES: dict[str, Callable[[Place], Made]] = {
    "Operations: what to do when": delivered,
    "The daemon does not run": not_running,
    "MongoDB is away": away,
    "MongoDB refuses until somebody acts": misconfigured,
    "MongoDB has no room": no_room,
    "Delivery is behind": away,
    "The spool is full, or fills": full,
    "Requests are refused": delivered,
    "Something is parked": parked,
    "Something is held": held,
    "Something is damaged": aside,
    "Traces are dropped": delivered,
    "The disk is slow": delivered,
    "After MongoDB was restored from a backup": delivered,
    "How large a spool": delivered,
    "Where is a trace": a_trace,
    "To another machine": some_wait,
}


def test_every_section_with_commands_has_a_state_and_every_state_a_section():
    assert set(sections()) == set(STATES)


def test_every_finding_has_a_section():
    text = RUNBOOK.read_text()
    codes = re.findall(r'add\(&?list, "(\w+)"', "".join(
        path.read_text() for path in RUNBOOK.parents[1].glob("src/ctl/ctl_status_findings.c")))
    missing = [code for code in codes if f"`{code}`" not in text]
    assert codes and not missing, missing


def test_every_alert_has_an_anchor():
    rules = (RUNBOOK.parents[1] / "deploy/prometheus/tracespool.rules.yaml").read_text()
    anchors = re.findall(r"runbook_url: docs/operations.md#(\w+)", rules)
    assert anchors and set(anchors) == set(re.findall(r'<a id="(\w+)">', RUNBOOK.read_text()))


def test_links_lead_somewhere():
    text = RUNBOOK.read_text()
    anchors = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)", text, re.M)}
    assert not {link for link in re.findall(r"\]\(#([\w-]+)\)", text)} - anchors
    for name in re.findall(r"\]\(([\w.]+\.md)", text):
        assert (RUNBOOK.parent / name).exists(), name


@pytest.fixture
def place(folder, own_mongod, make_daemon) -> Place:
    return Place(folder, own_mongod, make_daemon)


def run_as_an_operator(place: Place, daemon: Daemon, command: str) -> subprocess.CompletedProcess:
    """The programs on the PATH, with the configuration of the test for the one in /etc."""
    commands = place.folder / "bin"
    commands.mkdir(exist_ok=True)
    for name in ("tracespool", "tracespoold"):
        wrapper = commands / name
        wrapper.write_text(f'#!/bin/sh\nexec {binary(name)} -c {daemon.config} "$@"\n')
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    command = command.replace("127.0.0.1:9464", f"127.0.0.1:{daemon.admin_port}")
    env = {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=place.folder, env=env, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=60)


@pytest.mark.parametrize("title", STATES)
def test_commands_of_the_section_work_in_its_state(place, title):
    made = STATES[title](place)
    output = ""
    for command in sections()[title]:
        for word, meaning in made.words.items():
            command = command.replace(word, meaning)
        done = run_as_an_operator(place, made.daemon, command)
        expected = (0, 2) if command.startswith("tracespool size") else (0,)  # 2: the test's spool is too small
        assert done.returncode in expected, f"$ {command}\n{done.stdout}{done.stderr}"
        output += done.stdout + done.stderr
    assert made.says in output, output
