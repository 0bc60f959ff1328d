"""Where it listens: on this machine alone unless somebody decided otherwise, by IPv4, IPv6 and sockets in files."""

import pathlib
import socket
import stat
import threading

import pytest

from lib import otlp, verify
from lib.certificates import Authority
from lib.clients import Client
from lib.daemon import Daemon
from lib.http_clients import HttpClient

CONFIG_ERROR = 78  # EX_CONFIG
ENDPOINTS = ["grpc", "http"]


def requests(count: int) -> list[bytes]:
    return [path.read_bytes() for path in otlp.captures("java-0*")[:count]]


def both_take(grpc_address: str, http_address: str, request: bytes) -> None:
    with Client(grpc_address) as client:
        answer = client.send(request)
        assert answer.ok, (grpc_address, answer)
    with HttpClient(http_address) as client:
        http_answer = client.send(request)
        assert http_answer.ok, (http_address, http_answer)


def assert_does_not_start(daemon: Daemon, *words: str) -> None:
    daemon.launch()
    assert daemon.wait_exit() == CONFIG_ERROR
    for word in words:
        assert word in daemon.output()


# --- addresses that others reach -----------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])
def test_without_tls_an_address_that_others_reach_is_refused(endpoint, host, make_daemon, shared_mongod):
    daemon = make_daemon(shared_mongod, "unused")
    port = {"grpc": daemon.port, "http": daemon.http_port}[endpoint]
    daemon.configure({f"receiver.{endpoint}": f"{host}:{port}"})
    where = f"{daemon.config}:{daemon.line_of(f'{endpoint} =')}: receiver.{endpoint}:"
    assert_does_not_start(daemon, where, "receiver.tls.cert_file", "127.0.0.1", "receiver.insecure = true")


@pytest.mark.parametrize("decision", ["insecure", "tls"])
def test_with_a_decision_it_starts_and_both_protocols_reach_it(decision, make_daemon, shared_mongod, database, folder):
    """[::] is IPv4 too, whatever the system's default is."""
    daemon = make_daemon(shared_mongod, database.name)
    daemon.configure({"receiver.grpc": f"[::]:{daemon.port}", "receiver.http": f"[::]:{daemon.http_port}"})
    credentials = context = None
    if decision == "tls":
        authority = Authority(folder)
        daemon.configure(authority.issue("server").settings)
        credentials, context = authority.for_grpc(), authority.for_http()
    else:
        daemon.configure({"receiver.insecure": True})
    daemon.start()
    sent = requests(4)
    for host, over_grpc, over_http in (("127.0.0.1", *sent[:2]), ("[::1]", *sent[2:])):
        with Client(f"{host}:{daemon.port}", tls=credentials) as client:
            assert client.send(over_grpc).ok
        with HttpClient(f"{host}:{daemon.http_port}", context) as http_client:
            assert http_client.send(over_http).ok
    daemon.wait_delivered()
    verify.holds_exactly(database, sent)


def test_loopback_of_ipv6_needs_no_decision(make_daemon, shared_mongod, database):
    daemon = make_daemon(shared_mongod, database.name)
    daemon.configure({"receiver.grpc": f"[::1]:{daemon.port}", "receiver.http": f"[::1]:{daemon.http_port}"})
    daemon.start()
    (request,) = requests(1)
    both_take(f"[::1]:{daemon.port}", f"[::1]:{daemon.http_port}", request)
    for port in (daemon.port, daemon.http_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
    daemon.wait_delivered()
    verify.holds_exactly(database, [request])


# --- one endpoint, and none ------------------------------------------------------------------------


def test_no_endpoint_is_refused(make_daemon, shared_mongod):
    daemon = make_daemon(shared_mongod, "unused", {"receiver.grpc": "", "receiver.http": ""})
    where = f"{daemon.config}:{daemon.line_of('grpc =')}:"
    assert_does_not_start(daemon, where, "receiver.grpc and receiver.http are both empty")


def test_both_endpoints_at_one_address(unix_daemon, sockets):
    unix_daemon.configure({"receiver.http": f"unix:{sockets[0]}"})
    assert_does_not_start(unix_daemon, str(sockets[0]), "in use")
    assert not sockets[0].exists()
    unix_daemon.configure({"receiver.grpc": unix_daemon.endpoint, "receiver.http": unix_daemon.endpoint})
    assert_does_not_start(unix_daemon, unix_daemon.endpoint, "in use")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_one_endpoint_alone(endpoint, make_daemon, shared_mongod, database):
    other = {"grpc": "http", "http": "grpc"}[endpoint]
    daemon = make_daemon(shared_mongod, database.name, {f"receiver.{other}": ""}).start()
    (request,) = requests(1)
    with Client(daemon.endpoint) as client:
        assert client.send(request).ok == (endpoint == "grpc")
    with HttpClient(daemon.http_endpoint) as client:
        assert client.send(request).ok == (endpoint == "http")
    daemon.wait_delivered()
    verify.holds_exactly(database, [request])
    daemon.stop()


# --- sockets in files --------------------------------------------------------------------------------


class Modes:
    """Every mode in which the files are seen, looked at all the time."""

    def __init__(self, *paths: pathlib.Path):
        self.paths = paths
        self.seen: set[int] = set()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.look)

    def __enter__(self) -> "Modes":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.thread.join()

    def look(self) -> None:
        while not self.stopping.is_set():
            for path in self.paths:
                try:
                    self.seen.add(stat.S_IMODE(path.stat().st_mode))
                except FileNotFoundError:
                    pass


@pytest.fixture
def sockets(folder) -> list[pathlib.Path]:
    return [folder / "grpc.sock", folder / "http.sock"]


@pytest.fixture
def unix_daemon(make_daemon, shared_mongod, database, sockets) -> Daemon:
    """Not started."""
    settings = {f"receiver.{endpoint}": f"unix:{path}" for endpoint, path in zip(ENDPOINTS, sockets)}
    return make_daemon(shared_mongod, database.name, settings)


def test_sockets_in_files(unix_daemon, database, sockets):
    addresses = [f"unix:{path}" for path in sockets]
    sent = requests(2)
    with Modes(*sockets) as modes:
        unix_daemon.start()
        both_take(*addresses, sent[0])
    assert modes.seen and all(mode & ~0o660 == 0 for mode in modes.seen), [oct(mode) for mode in modes.seen]
    assert [stat.S_IMODE(path.stat().st_mode) for path in sockets] == [0o660, 0o660]
    unix_daemon.kill()
    assert all(path.is_socket() for path in sockets), "left behind, and nobody listens"
    unix_daemon.start()
    both_take(*addresses, sent[1])
    unix_daemon.wait_delivered()
    unix_daemon.stop()
    assert not any(path.exists() for path in sockets)
    verify.holds_exactly(database, sent)


def test_a_socket_that_somebody_listens_on_is_theirs(unix_daemon, sockets, processes, shared_mongod, database, folder):
    unix_daemon.start()
    (folder / "second").mkdir()
    settings = {"receiver.grpc": f"unix:{sockets[0]}", "receiver.http": ""}
    second = Daemon(folder / "second", shared_mongod.uri, "unused", settings)
    processes.append(second)
    assert_does_not_start(second, str(sockets[0]), "in use")
    (request,) = requests(1)
    both_take(*[f"unix:{path}" for path in sockets], request)
    unix_daemon.wait_delivered()
    verify.holds_exactly(database, [request])


def test_a_file_that_is_no_socket_is_left_alone(unix_daemon, sockets):
    sockets[1].write_text("somebody's notes")
    assert_does_not_start(unix_daemon, str(sockets[1]), "no socket")
    assert sockets[1].read_text() == "somebody's notes"
    assert not sockets[0].exists(), "the one that it had made before is gone again"


def test_tls_on_sockets_in_files(unix_daemon, database, sockets, folder):
    authority = Authority(folder)
    unix_daemon.configure(authority.issue("server").settings)
    unix_daemon.start()
    sent = requests(2)
    with Client(f"unix:{sockets[0]}", tls=authority.for_grpc()) as client:
        assert client.send(sent[0]).ok
    with HttpClient(f"unix:{sockets[1]}", authority.for_http()) as http_client:
        assert http_client.send(sent[1]).ok
    unix_daemon.wait_delivered()
    verify.holds_exactly(database, sent)
