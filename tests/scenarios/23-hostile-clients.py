"""Clients that are idle, slow or hostile, by the thousand: good clients go on, and nothing grows past its bound."""

import itertools
import pathlib
import socket
import struct

import grpc
import pytest

from lib import attacks, hostile, otlp, verify
from lib.clients import Answer, Client, Load, nonce
from lib.daemon import Daemon
from lib.process import processes_that_mention
from lib.waiting import wait_until
from lib.wire import Http2, message

TEMPLATE = otlp.Template(otlp.CAPTURES / "java-0001.pb")


def limited(daemon: Daemon, descriptors: int) -> Daemon:
    daemon.prefix = ["prlimit", f"--nofile={descriptors}"]
    return daemon


@pytest.mark.long
def test_spans_of_good_clients_beside_a_crowd(make_daemon, shared_mongod, database, folder, processes):
    daemon = limited(make_daemon(shared_mongod, database.name, hostile.SETTINGS), hostile.DESCRIPTORS).start()
    crowd = hostile.CrowdProcess(folder, daemon, hostile.IDLE, hostile.SLOW, hostile.HOSTILE)
    processes.append(crowd)
    with Load(daemon.endpoint, requests_per_second=100) as load:
        seen = hostile.measure(daemon, load, crowd, exports=500, rounds=1)
        load.wait_for(50)
        with Client(daemon.endpoint) as client:
            last = TEMPLATE.with_ids(nonce(99, 1))
            assert client.send(last).ok, "it takes new connections again at once"
    print(f"\n{seen}")  # times are told, they decide nothing
    assert seen.memory_most <= hostile.memory_bound(seen.memory_before)
    assert seen.descriptors_most <= hostile.SETTINGS["receiver.max_connections"] + hostile.OTHER_DESCRIPTORS
    daemon.wait_delivered()
    verify.holds_exactly(database, [*load.acknowledged, last], load.unacknowledged)


class Victim:
    """A daemon that all attacks meet, one after another; a new one when it has ended."""

    def __init__(self, folder: pathlib.Path, mongo_uri: str):
        self.daemon = limited(Daemon(folder, mongo_uri, "hostile_clients", hostile.SETTINGS), hostile.DESCRIPTORS)
        self.numbers = itertools.count(1)

    def running(self) -> Daemon:
        if not self.daemon.running:
            self.daemon.child = None
            self.daemon.start()
        return self.daemon

    def request(self) -> bytes:
        return TEMPLATE.with_ids(nonce(1, next(self.numbers)))


@pytest.fixture(scope="module")
def victim(shared_mongod, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    made = Victim(folder, shared_mongod.uri)
    yield made
    made.daemon.kill()
    with shared_mongod.client() as client:
        client.drop_database("hostile_clients")
    assert not processes_that_mention(folder)


@pytest.mark.parametrize("name", attacks.ATTACKS)
def test_good_clients_after(victim, name):
    daemon = victim.running()
    stored = daemon.metrics()["tracespool_receiver_spans_total"]
    with hostile.Watch(daemon) as watch:
        before = watch.memory_bytes
        attacks.run(name, attacks.Ports(daemon.port, daemon.http_port))
        with Client(daemon.endpoint) as client:
            request = victim.request()
            answer = client.send(request)
    assert answer.ok, answer
    assert daemon.running, daemon.tail()
    assert watch.memory_bytes <= hostile.memory_bound(before)
    taken = daemon.metrics()["tracespool_receiver_spans_total"] - stored
    assert taken == len(otlp.spans_of(request)), "nothing of the attack is stored"


RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_more_connections_than_allowed(make_daemon, shared_mongod, database, how):
    """Also more than it has descriptors for: when they are gone, it accepts again."""
    bound = 64
    settings = hostile.SETTINGS | {"receiver.max_connections": bound}
    daemon = limited(make_daemon(shared_mongod, database.name, settings), bound + hostile.OTHER_DESCRIPTORS).start()
    with hostile.Watch(daemon) as watch:
        held = [socket.create_connection(("127.0.0.1", daemon.port), timeout=10) for _ in range(4 * bound)]
        wait_until(lambda: watch.descriptors > bound // 2, "the connections to be accepted")
        for connection in held:
            if how == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.close()
        with Client(daemon.endpoint) as client:
            wait_until(lambda: client.send(TEMPLATE.with_ids(nonce(1, 1))).ok, "it to accept again")
    assert watch.descriptors <= bound + hostile.OTHER_DESCRIPTORS
    daemon.wait_delivered()
    verify.holds_exactly(database, [TEMPLATE.with_ids(nonce(1, 1))])


def test_all_calls_taken_by_slow_ones(make_daemon, shared_mongod, database):
    """Good clients are told to come back, and are answered when the slow ones' time is over."""
    calls = 50
    daemon = make_daemon(shared_mongod, database.name, hostile.SETTINGS | {"receiver.max_calls": calls}).start()
    request = TEMPLATE.with_ids(nonce(1, 1))
    streams = itertools.count(1, 2)
    with Http2(daemon.port, 60) as slow, Client(daemon.endpoint) as client:

        def refusal_beside_one_more() -> Answer | None:
            stream = next(streams)
            slow.open(stream)
            slow.send_data(stream, message(b"\n", length=1000), end=False)
            answer = client.send(request)
            return None if answer.ok else answer

        answer = wait_until(refusal_beside_one_more, "the calls to be taken")
        assert answer.code == grpc.StatusCode.UNAVAILABLE and answer.retry_delay, answer
        wait_until(lambda: client.send(request).ok, "a slow call to be ended")
        while slow.said.total() < calls:
            slow.wait()
    daemon.wait_delivered()
    verify.holds_exactly(database, [request])
