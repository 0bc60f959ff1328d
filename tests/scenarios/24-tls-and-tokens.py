"""TLS, clients' certificates and bearer tokens on both endpoints: who is refused, and nothing of a secret is shown."""

import http.client
import pathlib
import signal
import ssl

import grpc
import pytest

from lib import ctl, otlp, verify
from lib.certificates import Authority, Certificate, write_secret
from lib.clients import Answer, Client, nonce
from lib.http_clients import HttpClient
from lib.waiting import wait_until

CONFIG_ERROR = 78  # EX_CONFIG
TOKEN, NEXT_TOKEN = "kX7f-first-token-0123456789", "kX7f-second-token-9876543210"
REQUEST = (otlp.CAPTURES / "java-0001.pb").read_bytes()


@pytest.fixture
def authority(folder) -> Authority:
    return Authority(folder)


# --- whom clients trust, and who is trusted -------------------------------------------------


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_every_capture_arrives_over_tls(transport, make_daemon, shared_mongod, database, authority):
    daemon = make_daemon(shared_mongod, database.name, authority.issue("server").settings).start()
    requests = [path.read_bytes() for path in otlp.captures()]
    if transport == "grpc":
        client = Client(daemon.endpoint, tls=authority.for_grpc())
    else:
        client = HttpClient(daemon.http_endpoint, authority.for_http())
    with client:
        for path, request in zip(otlp.captures(), requests):
            answer = client.send(request)
            assert answer.ok and answer.rejected_spans == 0, (path.name, answer)
    daemon.wait_delivered()
    assert verify.holds_exactly(database, requests) == 12181


def test_a_large_request_over_tls(make_daemon, shared_mongod, database, authority):
    """Many records, and sockets that are full on the way."""
    daemon = make_daemon(shared_mongod, database.name, authority.issue("server").settings).start()
    template = otlp.Template(otlp.CAPTURES / "java-0001.pb")
    over_grpc, over_http = (otlp.with_noise(template.with_ids(nonce(1, number)), 8 << 20) for number in (1, 2))
    with Client(daemon.endpoint, tls=authority.for_grpc()) as client:
        assert client.send(over_grpc).ok
    with HttpClient(daemon.http_endpoint, authority.for_http()) as http_client:
        assert http_client.send(over_http).ok
    daemon.wait_delivered()
    verify.holds_exactly(database, [over_grpc, over_http])


@pytest.mark.parametrize("file", ["cert_file", "key_file", "client_ca_file", "bearer_tokens_file"])
@pytest.mark.parametrize("fault", ["missing", "empty", "garbage"])
def test_without_a_file_that_it_needs_it_does_not_start(file, fault, make_daemon, shared_mongod, authority, folder):
    path = folder / "bad"
    if fault != "missing":
        path.write_text({"empty": "", "garbage": "-----BEGIN NOTHING-----\n"}[fault])
    name = "receiver.bearer_tokens_file" if file == "bearer_tokens_file" else f"receiver.tls.{file}"
    daemon = make_daemon(shared_mongod, "unused", {**authority.issue("server").settings, name: path})
    daemon.launch()
    assert daemon.wait_exit() == CONFIG_ERROR
    assert str(path) in daemon.output()


def asked_both(daemon, authority: Authority, own: Certificate | None = None) -> tuple[Answer, object]:
    """The answer over gRPC, and over HTTP or why there is none."""
    with Client(daemon.endpoint, tls=authority.for_grpc(own)) as client:
        over_grpc = client.send(REQUEST)
    with HttpClient(daemon.http_endpoint, authority.for_http(own)) as client:
        try:
            return over_grpc, client.ask("POST", "/v1/traces", REQUEST, {"Content-Type": "application/x-protobuf"})
        except (OSError, http.client.HTTPException) as reason:
            return over_grpc, reason


def assert_no_connection(answers: tuple[Answer, object]) -> None:
    over_grpc, over_http = answers
    assert over_grpc.code == grpc.StatusCode.UNAVAILABLE and not over_grpc.from_server, over_grpc
    assert isinstance(over_http, Exception), over_http


def wait_refused(daemon, count: int) -> None:
    """So many handshakes have failed, nothing was taken, and no connection is left of them."""

    def is_so() -> bool:
        metrics = daemon.metrics()
        failed, left = metrics["tracespool_net_failed_handshakes_total"], metrics["tracespool_net_open_connections"]
        return failed >= count and left == 0

    wait_until(is_so, f"{count} handshakes to be counted as failed, and their connections to be gone")
    assert daemon.metrics()["tracespool_receiver_spans_total"] == 0


def test_a_server_that_the_client_does_not_trust(daemon, make_daemon, shared_mongod, database, authority, folder):
    daemon.stop()
    daemon.configure(authority.issue("server").settings)
    daemon.start()
    (folder / "other").mkdir()
    answers = asked_both(daemon, Authority(folder / "other"))
    assert_no_connection(answers)
    assert isinstance(answers[1], ssl.SSLCertVerificationError)
    with Client(daemon.endpoint) as client:
        assert not client.send(REQUEST).from_server, "without TLS there is no answer"
    with HttpClient(daemon.http_endpoint) as client:
        assert client.send(REQUEST).status is None
    wait_refused(daemon, 4)
    assert all(answer.ok for answer in asked_both(daemon, authority)), "others are served as before"


def test_clients_need_a_certificate_of_the_right_authority(make_daemon, shared_mongod, database, authority, folder):
    (folder / "clients").mkdir()
    clients = Authority(folder / "clients", "client-authority")
    settings = {**authority.issue("server").settings, "receiver.tls.client_ca_file": clients.ca.cert}
    daemon = make_daemon(shared_mongod, database.name, settings).start()
    assert_no_connection(asked_both(daemon, authority))
    assert_no_connection(asked_both(daemon, authority, authority.issue("signed-by-the-servers")))
    wait_refused(daemon, 4)
    client = clients.issue("client")
    assert all(answer.ok for answer in asked_both(daemon, authority, client))

    (folder / "new").mkdir()
    new_clients = Authority(folder / "new", "new-client-authority")
    clients.ca.cert.write_bytes(new_clients.ca.cert.read_bytes())
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "event=receiver.reloaded" in daemon.output(), "the new authority to be read")
    assert_no_connection(asked_both(daemon, authority, client))
    assert all(answer.ok for answer in asked_both(daemon, authority, new_clients.issue("new-client")))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")  # that 1.1 is old
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_of_tls(version, make_daemon, shared_mongod, authority):
    daemon = make_daemon(shared_mongod, "unused", authority.issue("server").settings).start()
    context = authority.for_http()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # this side would offer 1.1
    context.minimum_version = context.maximum_version = version
    with HttpClient(daemon.http_endpoint, context) as client:
        if version >= ssl.TLSVersion.TLSv1_2:
            client.open()
            assert client.send(b"").ok
        else:
            with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
                client.open()


# --- tokens -----------------------------------------------------------------------------------


def with_token(daemon, token: str | None) -> tuple[Answer, object]:
    with Client(daemon.endpoint, token=token) as client:
        over_grpc = client.send(REQUEST)
    with HttpClient(daemon.http_endpoint, token=token) as client:
        return over_grpc, client.send(REQUEST)


def assert_refused(answers: tuple[Answer, object]) -> None:
    over_grpc, over_http = answers
    assert over_grpc.code == grpc.StatusCode.UNAUTHENTICATED and over_grpc.retry_delay is None, over_grpc
    assert over_http.status == 401 and over_http.headers["www-authenticate"].startswith("Bearer"), over_http


def is_serving(daemon) -> bool:
    """grpc.health.v1's Check, without a token."""
    with grpc.insecure_channel(daemon.endpoint) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check", lambda data: data, lambda data: data)
        return check(b"", timeout=30) == b"\x08\x01"


def test_tokens(make_daemon, shared_mongod, database, folder):
    path = write_secret(folder / "tokens", "# for rotation there may be two", TOKEN, "", NEXT_TOKEN)
    daemon = make_daemon(shared_mongod, database.name, {"receiver.bearer_tokens_file": path}).start()
    wrong = [None, TOKEN[:-1], TOKEN + "0", TOKEN.upper(), TOKEN + NEXT_TOKEN, "#"]
    for token in wrong:
        assert_refused(with_token(daemon, token))
    assert is_serving(daemon) and daemon.http("/readyz")[0] == 200, "who asks for health needs no token"
    metrics = daemon.metrics()
    assert metrics['tracespool_receiver_requests_total{code="UNAUTHENTICATED"}'] == 2 * len(wrong)
    assert metrics["tracespool_receiver_spans_total"] == 0
    for token in (TOKEN, NEXT_TOKEN):
        assert all(answer.ok for answer in with_token(daemon, token))

    write_secret(folder / "tokens", NEXT_TOKEN)
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: not with_token(daemon, TOKEN)[0].ok, "the first token to be known no longer")
    assert_refused(with_token(daemon, TOKEN))
    write_secret(folder / "tokens", "not a token")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: f"{path}:1" in daemon.output(), "the bad line to be named")
    assert all(answer.ok for answer in with_token(daemon, NEXT_TOKEN)), "what was read before is in use"
    daemon.wait_delivered()
    verify.holds_exactly(database, [REQUEST])


# --- nothing of a secret is anywhere -----------------------------------------------------------------


def test_no_token_and_no_key_is_shown_anywhere(make_daemon, shared_mongod, database, authority, folder):
    server = authority.issue("server")
    key_lines = [line for line in server.key.read_text().splitlines() if not line.startswith("-")]
    path = write_secret(folder / "tokens", TOKEN)
    settings = {**server.settings, "receiver.bearer_tokens_file": path, "log.level": "debug"}
    daemon = make_daemon(shared_mongod, database.name, settings).start()
    for token in (TOKEN, NEXT_TOKEN):  # taken, and refused
        with HttpClient(daemon.http_endpoint, authority.for_http(), token) as client:
            assert client.send(REQUEST).ok == (token == TOKEN)
        with Client(daemon.endpoint, tls=authority.for_grpc(), token=token) as client:
            assert client.send(REQUEST).ok == (token == TOKEN)
    write_secret(folder / "tokens", f"not a token: {NEXT_TOKEN}")
    server.cert.write_text(server.key.read_text())
    server.key.write_text("\n".join(["-----BEGIN PRIVATE KEY-----", *key_lines]))  # cut off
    daemon.signal(signal.SIGHUP)
    for file in ("receiver.tls", "receiver.bearer_tokens_file"):
        wait_until(lambda: f"{file}: what was read before stays in use" in daemon.output(), f"{file} to be refused")
    daemon.wait_delivered()
    seen = [daemon.output(), daemon.http("/metrics")[1]]
    seen += [pathlib.Path(f"/proc/{daemon.child.pid}/{name}").read_text() for name in ("cmdline", "environ")]
    for arguments in (("status",), ("ls", "--all"), ("show", "1"), ("check",)):
        result = ctl.run(*arguments, config=daemon.config)
        assert result.returncode == 0, result
        seen += [result.stdout, result.stderr]
    daemon.stop()
    seen += [file.read_bytes().decode(errors="replace") for file in daemon.spool.iterdir()]
    for secret in [TOKEN, NEXT_TOKEN, *key_lines]:
        for text in seen:
            assert secret not in text
