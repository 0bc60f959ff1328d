"""What the service manager is told, and its journal; what a probe for liveness sees when a thread is stuck."""

import json
import os
import pathlib
import re
import signal
import socket
from typing import Iterator

import grpc
import pytest

from lib.clients import Client
from lib.otlp import captures
from lib.waiting import wait_until

STUCK_SECONDS = 60  # PULSE_RECEIVER_MS
LOGS = pathlib.Path(__file__).resolve().parents[2] / "docs/logs.md"
PRIORITIES = {"debug": "7", "info": "6", "warn": "4", "error": "3"}
LOGFMT = r'time=(?P<time>\S+) level=(?P<level>\w+) event=(?P<event>\S+) msg=(?P<msg>"(?:[^"\\]|\\.)*")( left_out=\d+)?'


class Manager:
    """The end of NOTIFY_SOCKET that systemd has."""

    def __init__(self, folder: pathlib.Path):
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)
        self.told: list[dict[str, str]] = []

    def listen(self) -> list[dict[str, str]]:
        while True:
            try:
                text = self.socket.recv(4096).decode()
            except BlockingIOError:
                return self.told
            self.told.append(dict(line.split("=", 1) for line in text.splitlines()))

    def values(self, name: str) -> list[str]:
        return [message[name] for message in self.listen() if name in message]


@pytest.fixture
def manager(folder: pathlib.Path) -> Iterator[Manager]:
    made = Manager(folder)
    yield made
    made.socket.close()


def test_manager_is_told_ready_status_watchdog_and_stopping(manager, make_daemon, own_mongod):
    mongod = own_mongod()
    daemon = make_daemon(mongod, "tracing").start(NOTIFY_SOCKET=str(manager.path))
    assert manager.values("READY") == ["1"]
    with Client(daemon.endpoint) as client:
        assert client.send(captures()[0].read_bytes()).ok
    waiting = daemon.pending_spans()
    assert waiting > 0
    wait_until(lambda: f"Receiving traces; {waiting} spans wait; MongoDB: backing off" in manager.values("STATUS"),
               f"a status that tells of {waiting} spans")
    assert manager.values("WATCHDOG")
    daemon.stop()
    assert manager.values("STOPPING") == ["1"]
    assert int(manager.values("EXTEND_TIMEOUT_USEC")[0]) > 1_000_000


@pytest.mark.long
def test_stuck_thread_is_named_and_starves_the_watchdog(manager, make_daemon, own_mongod):
    mongod = own_mongod().start()
    daemon = make_daemon(mongod, "tracing", {"receiver.threads": 1})
    daemon.start(NOTIFY_SOCKET=str(manager.path), TRACESPOOL_FAULT="receiver.read:1:hang")
    assert daemon.http("/healthz") == (200, "ok\n")
    with Client(daemon.endpoint) as client:
        assert client.send(captures()[0].read_bytes(), seconds=3).code == grpc.StatusCode.DEADLINE_EXCEEDED
    assert daemon.http("/healthz") == (200, "ok\n")

    wait_until(lambda: daemon.http("/healthz")[0] == 503, "/healthz to tell of it", STUCK_SECONDS + 30)
    assert 'not well: the thread "receiver gRPC" has been at one piece of work for 6' in daemon.http("/healthz")[1]
    wait_until(lambda: "A thread is stuck, see the log" in manager.values("STATUS"), "the status to tell of it")
    fed = len(manager.values("WATCHDOG"))
    looks = len(manager.values("STATUS"))
    wait_until(lambda: len(manager.values("STATUS")) >= looks + 2, "two more looks")
    assert len(manager.values("WATCHDOG")) == fed
    assert daemon.output().count("event=daemon.stuck") == 1
    daemon.kill()


def test_reload_takes_over_what_can_change_and_names_what_cannot(make_daemon, own_mongod):
    mongod = own_mongod()
    daemon = make_daemon(mongod, "tracing").start()
    secret = "mongodb://writer:not-to-be-seen@127.0.0.1:1"
    daemon.configure({"log.level": "debug", "flush.rate": 7, "spool.size": "96MiB", "mongodb.uri": secret})
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "event=daemon.needs_restart" in daemon.output(), "the keys that need a restart")
    assert 'msg="changed, and in effect after a restart only: spool.size mongodb.uri"' in daemon.output()
    assert "event=daemon.configured" in daemon.output() and "rate=7" in daemon.output()
    assert "level=debug" not in daemon.output().split("event=daemon.configured")[0]
    wait_until(lambda: "level=debug" in daemon.output(), "a line of level debug")
    assert "not-to-be-seen" not in daemon.output()

    daemon.config.write_text(daemon.config.read_text() + "\nflush = { rate = -1; };\n")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "event=daemon.configuration_refused" in daemon.output(), "the problem")
    assert daemon.output().count("event=daemon.configured") == 1
    with Client(daemon.endpoint) as client:
        assert client.send(captures()[0].read_bytes()).ok
    daemon.stop()


# --- the journal -------------------------------------------------------------------------------------


def read_line(line: str) -> dict[str, str]:
    """One line as the journal gets it, in either form."""
    priority, text = re.fullmatch("<([0-7])>(.*)", line).groups()
    members = json.loads(text) if text.startswith("{") else re.fullmatch(LOGFMT, text).groupdict()
    return {**members, "priority": priority}


def promised_events() -> set[tuple[str, str]]:
    """Name and level, by the tables of the reference."""
    rows = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \| ([a-z, ]+) \|", LOGS.read_text(), re.MULTILINE)
    return {(event, level) for event, levels in rows for level in levels.split(", ")}


def send_nonsense(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(b"\x16\x03\x01 no protocol of ours\r\n\r\n")
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(4096):
            pass


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_every_line_of_a_life_with_troubles_is_a_promised_event(form, make_daemon, own_mongod):
    mongod = own_mongod()
    daemon = make_daemon(mongod, "tracing", {"log.format": form, "log.level": "debug"})
    daemon.log.touch()
    found = os.stat(daemon.log)
    journal = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}

    def wait_for(event: str) -> None:
        wait_until(lambda: event in daemon.output(), event)

    daemon.launch(**journal)
    wait_for("daemon.ready")
    for port in (daemon.port, daemon.http_port, daemon.admin_port):
        send_nonsense(port)
    with Client(daemon.endpoint) as client:
        assert client.send(captures()[0].read_bytes()).ok
    wait_for("flush.backing_off")
    mongod.start()
    wait_for("flush.flowing")
    daemon.config.write_text(daemon.config.read_text() + "\nflush = { rate = -1; };\n")
    daemon.signal(signal.SIGHUP)
    wait_for("daemon.configuration_refused")
    mongod.stop()
    wait_for("mongodb.down")
    daemon.stop()
    lines = daemon.output().splitlines()
    daemon.launch(**journal)
    assert daemon.wait_exit() == 78
    lines += daemon.output().splitlines()

    events = [read_line(line) for line in lines]
    assert {(event["event"], event["level"]) for event in events} <= promised_events()
    assert all(event["priority"] == PRIORITIES[event["level"]] for event in events)
    assert [event["event"] for event in events[-2:]] == ["daemon.stopped", "daemon.configuration_refused"]
