"""Certificates and tokens are exchanged, and the daemon is stopped, while TLS connections are in use."""

import concurrent.futures
import itertools
import os
import pathlib
import signal

import grpc
import pytest

from lib import otlp, verify
from lib.certificates import Authority, Certificate, write_secret
from lib.clients import Answer, Client, Load
from lib.http_clients import HttpClient
from lib.waiting import wait_until

TOKEN = "kX7f-first-token-0123456789"
REQUEST = (otlp.CAPTURES / "java-0001.pb").read_bytes()


@pytest.fixture
def authority(folder) -> Authority:
    return Authority(folder)


class Secret:
    """A folder as Kubernetes mounts it: the files are links through ..data, which is pointed elsewhere at once."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.numbers = itertools.count(1)
        folder.mkdir()
        for name in ("tls.crt", "tls.key", "tokens"):
            (folder / name).symlink_to(f"..data/{name}")

    def publish(self, cert: pathlib.Path, key: pathlib.Path) -> None:
        version = self.folder / f"..version-{next(self.numbers)}"
        version.mkdir()
        for name, content in (("tls.crt", cert.read_text()), ("tls.key", key.read_text()), ("tokens", TOKEN)):
            write_secret(version / name, content)
        (self.folder / "..data_tmp").symlink_to(version.name)
        os.replace(self.folder / "..data_tmp", self.folder / "..data")

    @property
    def settings(self) -> dict[str, object]:
        files = Certificate(self.folder / "tls.crt", self.folder / "tls.key")
        return {**files.settings, "receiver.bearer_tokens_file": self.folder / "tokens"}


class Witness(Client):
    """Notes what its connection went through."""

    def __init__(self, *arguments: object, **more: object):
        super().__init__(*arguments, **more)
        self.answers: list[Answer] = []
        self.states: list[grpc.ChannelConnectivity] = []
        self.channel.subscribe(self.states.append)

    def send(self, request: bytes, seconds: float = 30) -> Answer:
        self.answers.append(super().send(request, seconds))
        return self.answers[-1]

    @property
    def unbroken(self) -> bool:
        ready = self.states.index(grpc.ChannelConnectivity.READY)
        return all(answer.ok for answer in self.answers) and self.states[ready + 1 :] == []


class TlsLoad(Load):
    """Half of the clients over gRPC, half over HTTP; with small requests, as comparing takes longer than sending."""

    TEMPLATES = ("java-0001", "python-awkward-0001", "python-awkward-0005")

    def __init__(self, daemon, authority: Authority):
        super().__init__(daemon.endpoint, clients=6, requests_per_second=40)
        self.http_endpoint = daemon.http_endpoint
        self.authority = authority
        self.over_grpc: list[Witness] = []
        self.over_http: list[HttpClient] = []

    def connect(self, client_number: int) -> Client | HttpClient:
        if client_number % 2 == 0:
            self.over_grpc.append(Witness(self.endpoint, tls=self.authority.for_grpc(), token=TOKEN))
            return self.over_grpc[-1]
        self.over_http.append(HttpClient(self.http_endpoint, self.authority.for_http(), TOKEN))
        return self.over_http[-1]


def shown_by(address: str, authority: Authority) -> bytes | None:
    with HttpClient(address, authority.for_http()) as client:
        client.open()
        return client.peer


def wait_shown(daemon, authority: Authority, certificate: Certificate) -> None:
    def is_shown() -> bool:
        return all(
            shown_by(address, authority) == certificate.der for address in (daemon.endpoint, daemon.http_endpoint)
        )

    wait_until(is_shown, f"new connections to be shown {certificate.cert.name}")


def wait_said(daemon, words: str) -> None:
    """As the reason why what was read before stays in use."""
    before = "event=receiver.reload_failed msg=\"receiver.tls: what was read before stays in use"
    wait_until(lambda: any(before in line and words in line for line in daemon.output().splitlines()), words)


def test_certificates_are_exchanged_under_load(make_daemon, shared_mongod, database, authority, folder):
    first, second, third = (authority.issue(f"server-{number}") for number in range(3))
    secret = Secret(folder / "secret")
    secret.publish(*first)
    daemon = make_daemon(shared_mongod, database.name, secret.settings).start()
    wait_shown(daemon, authority, first)
    with TlsLoad(daemon, authority) as load:
        load.wait_for(30)
        secret.publish(*second)  # by itself
        wait_shown(daemon, authority, second)
        load.wait_for(30)

        secret.publish(third.cert, second.key)  # one of them is not what it should be
        daemon.signal(signal.SIGHUP)  # which need not wait for the next look
        wait_said(daemon, "does not belong to certificate file")
        third.cert.rename(folder / "kept")
        third.cert.write_text("no certificate")
        secret.publish(*third)
        daemon.signal(signal.SIGHUP)
        wait_said(daemon, "no certificate in PEM is in it")
        wait_shown(daemon, authority, second)
        load.wait_for(30)

        (folder / "kept").rename(third.cert)
        secret.publish(*third)
        daemon.signal(signal.SIGHUP)
        wait_shown(daemon, authority, third)
        load.wait_for(30)
        assert load.over_grpc and all(client.unbroken for client in load.over_grpc)
        assert load.over_http and all(client.connections == 1 for client in load.over_http)
    daemon.wait_delivered()
    assert not load.unacknowledged
    verify.holds_exactly(database, load.acknowledged)


def settings_of(authority: Authority, folder: pathlib.Path) -> dict[str, object]:
    return {
        **authority.issue("server").settings,
        "receiver.bearer_tokens_file": write_secret(folder / "tokens", TOKEN),
    }


def test_new_connections_while_files_are_read_again_and_again(make_daemon, shared_mongod, database, authority, folder):
    daemon = make_daemon(shared_mongod, database.name, settings_of(authority, folder)).start()

    def connect(number: int) -> bool:
        if number % 8 == 0:
            with Client(daemon.endpoint, tls=authority.for_grpc(), token=TOKEN) as client:
                return client.send(REQUEST).ok
        with HttpClient(daemon.http_endpoint, authority.for_http(), TOKEN) as http_client:
            return http_client.send(REQUEST).ok

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        taken = [pool.submit(connect, number) for number in range(200)]
        reloads = 0
        # Each logs two lines of an event of which 20 are written in 10 seconds.
        while not all(future.done() for future in taken) and reloads < 10:
            daemon.signal(signal.SIGHUP)
            reloads += 1
            wait_until(lambda: daemon.output().count("receiver.bearer_tokens_file: read again") >= reloads, "a reload")
        assert all(future.result() for future in taken) and reloads > 1
    daemon.wait_delivered()
    verify.holds_exactly(database, [REQUEST])


def test_sigterm_while_connections_are_in_use(make_daemon, shared_mongod, database, authority, folder):
    daemon = make_daemon(shared_mongod, database.name, settings_of(authority, folder)).start()
    with TlsLoad(daemon, authority) as load:
        for _ in range(2):
            load.wait_for(30)
            daemon.stop()  # asserts exit status 0
            daemon.start()
        load.wait_for(30)
        assert not any(client.unbroken for client in load.over_grpc), "else the test above would see nothing"
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)
