"""The daemon's own spans: what they say, who decides on them, and a receiver that is away, slow or itself."""

import pathlib
import re
import uuid
from typing import Iterator

import grpc
import pymongo.database
import pytest
from opentelemetry.proto.trace.v1 import trace_pb2

from lib import documents, otlp, scripted
from lib.certificates import Authority, write_secret
from lib.clients import Client
from lib.daemon import Daemon
from lib.http_clients import PATH, PROTOBUF, HttpClient
from lib.ports import free_port
from lib.spans import Span
from lib.waiting import wait_until

REQUEST = otlp.captures()[0].read_bytes()
SPANS = len(otlp.spans_of(REQUEST))

GRPC_NAME = "opentelemetry.proto.collector.trace.v1.TraceService/Export"
HTTP_NAME = "POST /v1/traces"
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE_ID}-{SPAN_ID}-01", f"00-{TRACE_ID}-{SPAN_ID}-00"
INTERNAL, SERVER, CLIENT = 1, 2, 3
EVERY = {"tracing.sample_ratio": "100%"}


class Receiver(scripted.Script):
    """An OTLP/HTTP receiver that keeps what comes, read with opentelemetry-proto."""

    def __init__(self, answer: scripted.HttpAnswer | None = None):
        super().__init__()
        self.answer = answer
        self.spans: list[Span] = []
        self.raw: list[trace_pb2.Span] = []

    def next(self, request: bytes) -> object:
        with self.lock:
            self.spans += otlp.spans_of(request)
            self.raw += otlp.every_span(otlp.parse(request))
        return self.answer

    def named(self, name: str) -> list[Span]:
        with self.lock:
            return [span for span in self.spans if span.name == name]


@pytest.fixture
def receiver() -> Iterator[tuple[Receiver, dict[str, object]]]:
    """And the setting that leads to it."""
    script = Receiver()
    with scripted.http_server(script) as server:
        yield script, {"tracing.endpoint": f"http://127.0.0.1:{server.port}"}


def attributes(span: Span) -> dict[str, object]:
    return {key: value[1] for key, value in span.attributes}


def only(spans: list[Span]) -> Span:
    assert len(spans) == 1, spans
    return spans[0]


def send_grpc(daemon: Daemon, request: bytes = REQUEST, traceparent: str | None = None) -> grpc.StatusCode:
    with Client(daemon.endpoint) as client:
        if traceparent is not None:
            client.metadata += (("traceparent", traceparent),)
        return client.send(request).code


def send_http(daemon: Daemon, request: bytes = REQUEST, traceparent: str | None = None) -> int | None:
    headers = {"Content-Type": PROTOBUF} | ({"traceparent": traceparent} if traceparent is not None else {})
    with HttpClient(daemon.http_endpoint) as client:
        return client.ask("POST", PATH, request, headers).status


def outcomes(daemon: Daemon) -> dict[str, int]:
    metrics = daemon.metrics()
    names = ("exported", "failed", "dropped")
    return {name: int(metrics[f'tracespool_tracing_spans_total{{outcome="{name}"}}']) for name in names}


# --- what the spans say ------------------------------------------------------------------------


def check_export(span: Span) -> None:
    assert span.kind == SERVER and span.parent_span_id in ("", None) and span.status_code == 0
    said = attributes(span)
    assert said["tracespool.request.bytes"] == len(REQUEST)
    assert said["tracespool.request.spans"] == SPANS and said["tracespool.request.rejected_spans"] == 0
    (event,) = span.events
    assert event.name == "request received" and span.start <= event.time <= span.end
    resource = dict(span.resource_attributes)
    assert resource["service.name"] == ("string", "tracespool") and span.service == "tracespool"
    assert re.fullmatch(r"\d+\.\d+\.\d+", resource["service.version"][1])
    assert uuid.UUID(resource["service.instance.id"][1]).version == 4
    assert resource["host.name"][1]


def check_commit(span: Span, export: Span) -> None:
    assert span.kind == INTERNAL and span.status_code == 0
    assert (span.trace_id, span.parent_span_id) == (export.trace_id, export.span_id)
    said = attributes(span)
    assert said["tracespool.seq"] == attributes(export)["tracespool.seq"]
    assert said["tracespool.group.records"] == 1
    assert 0 < said["tracespool.record.bytes"] == said["tracespool.group.bytes"]
    (event,) = span.events
    assert event.name == "transaction begins" and span.start <= event.time <= span.end
    assert export.start <= span.start and span.end <= export.end


def check_deliver(span: Span, database: str, seq: int) -> None:
    assert span.kind == CLIENT and span.parent_span_id in ("", None) and span.status_code == 0
    said = attributes(span)
    assert said["db.system.name"] == "mongodb" and said["db.operation.name"] == "insert"
    assert said["db.namespace"] == database and re.fullmatch(r"traces_\d{8}", said["db.collection.name"])
    assert said["tracespool.seq.first"] == said["tracespool.seq.last"] == seq
    assert said["tracespool.documents"] >= 1 and said["tracespool.spans"] == SPANS
    assert said["tracespool.attempt"] == 1 and said["tracespool.outcome"] == "stored"


def check_story(spans: list[Span], database: str, name: str) -> None:
    """One request's spans, in two traces."""
    export = only([span for span in spans if span.name == name])
    check_export(export)
    seq = attributes(export)["tracespool.seq"]
    check_commit(only([span for span in spans if span.parent_span_id == export.span_id]), export)
    delivers = [span for span in spans if span.name == "deliver"]
    check_deliver(only([span for span in delivers if attributes(span)["tracespool.seq.first"] == seq]), database, seq)


@pytest.fixture
def back(folder, shared_mongod, processes, database) -> Iterator[tuple[Daemon, pymongo.database.Database]]:
    """A second tracespoold with TLS, tokens and a database of its own."""
    own = folder / "back"
    own.mkdir()
    authority = Authority(own)
    tokens = write_secret(own / "tokens", "of-the-tracing-test-0123456789")
    name = f"{database.name}_back"
    settings = {**authority.issue("server").settings, "receiver.bearer_tokens_file": tokens}
    daemon = Daemon(own, shared_mongod.uri, name, settings)
    processes.append(daemon)
    yield daemon.start(), database.client[name]
    database.client.drop_database(name)


def test_spans_become_documents_of_another_tracespoold(back, make_daemon, shared_mongod, database, folder):
    receiving, stored = back
    settings = {
        "tracing.endpoint": f"https://{receiving.http_endpoint}/",
        "tracing.ca_file": folder / "back" / "authority.crt",
        "tracing.token_file": folder / "back" / "tokens",
        "log.level": "debug",
    }
    daemon = make_daemon(shared_mongod, database.name, EVERY | settings).start()
    assert send_grpc(daemon) == grpc.StatusCode.OK
    daemon.wait_delivered()
    other = otlp.captures()[1].read_bytes()
    assert send_http(daemon, REQUEST + other) == 200  # one message behind the other is one message
    daemon.wait_delivered()
    wait_until(lambda: outcomes(daemon)["exported"] >= 6, "two Exports, two commits and two writes to be exported")
    assert outcomes(daemon) == {"exported": 6, "failed": 0, "dropped": 0}
    receiving.wait_delivered()
    spans = documents.read(stored)
    assert len(spans) == 6
    check_story(spans, database.name, GRPC_NAME)
    first = only([span for span in spans if span.name == GRPC_NAME])
    second = only([span for span in spans if span.name == HTTP_NAME])
    said = attributes(first)
    assert said["rpc.system"] == "grpc" and said["rpc.method"] == "Export" and said["rpc.grpc.status_code"] == 0
    assert said["rpc.service"] == "opentelemetry.proto.collector.trace.v1.TraceService"
    said = attributes(second)
    assert said["http.request.method"] == "POST" and said["http.route"] == "/v1/traces"
    assert said["http.response.status_code"] == 200
    assert said["tracespool.request.bytes"] == len(REQUEST) + len(other)
    assert first.trace_id != second.trace_id
    commit = only([span for span in spans if span.parent_span_id == second.span_id])
    assert commit.name == "spool commit" and commit.trace_id == second.trace_id

    command = pathlib.Path(f"/proc/{daemon.child.pid}/cmdline").read_bytes()
    for text in (daemon.output(), receiving.output(), command.decode()):
        assert "of-the-tracing-test" not in text
    daemon.stop()


def test_receiver_that_is_not_trusted_gets_nothing(back, make_daemon, shared_mongod, database, folder):
    receiving, stored = back
    settings = {
        "tracing.endpoint": f"https://{receiving.http_endpoint}",  # and its authority is not the system's
        "tracing.token_file": folder / "back" / "tokens",
    }
    daemon = make_daemon(shared_mongod, database.name, EVERY | settings).start()
    assert send_grpc(daemon) == grpc.StatusCode.OK
    daemon.stop()
    assert "event=tracing.export_failed" in daemon.output() and "certificate" in daemon.output()
    assert sum(value for name, value in receiving.metrics().items() if "receiver_requests_total" in name) == 0
    assert not documents.read(stored)


def test_spans_of_failures_say_why(receiver, make_daemon, own_mongod):
    script, endpoint = receiver
    daemon = make_daemon(own_mongod(), "tracing", EVERY | endpoint)
    uri = f"mongodb://writer:not-to-be-seen@127.0.0.1:{free_port()}/?serverSelectionTimeoutMS=200"
    daemon.start(MONGO_URI=uri)
    assert send_grpc(daemon, b"\xff" * 20) == grpc.StatusCode.INVALID_ARGUMENT
    assert send_http(daemon, b"\xff" * 20) == 400
    assert send_grpc(daemon) == grpc.StatusCode.OK
    attempts = "tracespool_flush_failed_attempts_total"
    wait_until(lambda: daemon.metrics()[attempts] >= 2, "a second attempt to fail")
    daemon.stop()

    refused = [span for span in script.named(GRPC_NAME) if span.status_code == 2]
    assert attributes(only(refused))["rpc.grpc.status_code"] == 3
    assert "tracespool.seq" not in attributes(refused[0]) and refused[0].status_message
    refused = script.named(HTTP_NAME)
    assert only(refused).status_code == 2 and attributes(refused[0])["http.response.status_code"] == 400
    failed = sorted(script.named("deliver"), key=lambda span: span.start)
    assert len(failed) >= 2 and all(span.status_code == 2 for span in failed)
    assert [attributes(span)["tracespool.attempt"] for span in failed[:2]] == [1, 2]
    assert {attributes(span)["error.type"] for span in failed} == {"retry"}
    assert all(span.status_message for span in failed) and "not-to-be-seen" not in repr(script.spans)


# --- a receiver that fails ----------------------------------------------------------------------------


FAILING = {"dead": None, "refusing": scripted.HttpAnswer(503), "silent": scripted.HttpAnswer(None)}


@pytest.mark.parametrize("kind", FAILING)
def test_receiver_that_fails_costs_spans_only(kind, receiver, make_daemon, shared_mongod, database):
    script, settings = receiver
    script.answer = FAILING[kind]
    if kind == "dead":
        settings = {"tracing.endpoint": f"http://127.0.0.1:{free_port()}"}
    daemon = make_daemon(shared_mongod, database.name, EVERY | settings).start()
    # More spans than a batch, so that it is sent at once and not after five seconds.
    template = otlp.Template(otlp.captures()[0])
    with Client(daemon.endpoint) as client:
        sent = [template.with_ids(nonce) for nonce in range(1, 301)]
        assert all(client.send(one).ok for one in sent)
    daemon.wait_delivered()
    if kind != "silent":
        wait_until(lambda: outcomes(daemon)["failed"] >= 512, "a batch to have failed")
        assert daemon.output().count("event=tracing.export_failed") == 1
    assert outcomes(daemon)["exported"] == 0
    assert len(documents.read(database)) == len(otlp.spans_of(*sent))
    daemon.stop()
    assert "event=daemon.stopped" in daemon.output() and "event=tracing.export_failed" in daemon.output()


def test_receiver_that_comes_back_is_told_of(receiver, make_daemon, shared_mongod, database):
    script, endpoint = receiver
    script.answer = scripted.HttpAnswer(503)
    daemon = make_daemon(shared_mongod, database.name, EVERY | endpoint).start()
    assert send_grpc(daemon) == grpc.StatusCode.OK
    wait_until(lambda: outcomes(daemon)["failed"] > 0, "an export to fail")
    script.answer = None
    assert send_http(daemon) == 200
    daemon.wait_delivered()
    daemon.stop()
    assert "event=tracing.export_works" in daemon.output()
    assert script.named(HTTP_NAME)


# --- a receiver that is the daemon itself --------------------------------------------------------------------


@pytest.mark.long
def test_daemon_that_traces_into_itself_does_not_run_away(make_daemon, shared_mongod, database):
    daemon = make_daemon(shared_mongod, database.name)
    daemon.configure(EVERY | {"tracing.endpoint": daemon.http_url})
    daemon.start()
    assert send_grpc(daemon) == grpc.StatusCode.OK

    requests = 'tracespool_receiver_requests_total{code="OK"}'
    wait_until(lambda: daemon.metrics()[requests] >= 1 + 4, "four exports to itself", 60)
    daemon.wait_delivered()
    spans = [span for span in documents.read(database) if span.service == "tracespool"]
    # The exports are not traced, and their delivery is one write each, every five seconds.
    assert not [span for span in spans if span.name == HTTP_NAME]
    assert len([span for span in spans if span.name == GRPC_NAME]) == 1
    assert len([span for span in spans if span.name == "spool commit"]) == 1
    exports = daemon.metrics()[requests] - 1
    assert len([span for span in spans if span.name == "deliver"]) <= 1 + exports
    assert outcomes(daemon)["exported"] <= 3 + exports
    daemon.stop()


# --- who decides -------------------------------------------------------------------------------------


def test_traceparent_decides(receiver, make_daemon, shared_mongod, database):
    script, endpoint = receiver
    settings = endpoint | {"tracing.sample_ratio": "0%"}
    daemon = make_daemon(shared_mongod, database.name, settings).start()
    malformed = [SAMPLED.upper(), SAMPLED + "-more", "ff" + SAMPLED[2:], f"00-{'0' * 32}-{SPAN_ID}-01", "nothing", ""]
    for traceparent in [None, UNSAMPLED, *malformed]:
        assert send_grpc(daemon, traceparent=traceparent) == grpc.StatusCode.OK
        assert send_http(daemon, traceparent=traceparent) == 200
    assert send_grpc(daemon, traceparent=SAMPLED) == grpc.StatusCode.OK
    assert send_http(daemon, traceparent=SAMPLED) == 200
    daemon.wait_delivered()
    daemon.stop()
    assert len(script.spans) == 4 and {span.trace_id for span in script.spans} == {TRACE_ID}
    for name in (GRPC_NAME, HTTP_NAME):
        export = only(script.named(name))
        assert export.parent_span_id == SPAN_ID
        only([span for span in script.named("spool commit") if span.parent_span_id == export.span_id])
    # Whether the parent is remote is known of all: of the Exports' it is, of the commits' it is not.
    flags = {span.name: span.flags for span in script.raw}
    assert flags == {GRPC_NAME: 0x301, HTTP_NAME: 0x301, "spool commit": 0x101}


def test_unsampled_and_repeated_parents(receiver, make_daemon, shared_mongod, database):
    script, endpoint = receiver
    daemon = make_daemon(shared_mongod, database.name, EVERY | endpoint).start()
    assert send_grpc(daemon, traceparent=UNSAMPLED) == grpc.StatusCode.OK
    assert send_http(daemon, traceparent=UNSAMPLED) == 200
    with HttpClient(daemon.http_endpoint) as client:
        client.connection.putrequest("POST", PATH)
        client.connection.putheader("Content-Type", PROTOBUF)
        client.connection.putheader("Content-Length", str(len(REQUEST)))
        for _ in range(2):
            client.connection.putheader("traceparent", UNSAMPLED)
        client.connection.endheaders(REQUEST)
        assert client.connection.getresponse().status == 200
    daemon.wait_delivered()
    daemon.stop()
    # Two are none: that request begins a trace.
    assert not script.named(GRPC_NAME) and only(script.named(HTTP_NAME)).trace_id != TRACE_ID


def test_who_may_not_send_is_not_traced(receiver, make_daemon, shared_mongod, database, folder):
    script, endpoint = receiver
    tokens = write_secret(folder / "tokens", "of-the-tracing-test-0123456789")
    settings = EVERY | endpoint | {"receiver.bearer_tokens_file": tokens}
    daemon = make_daemon(shared_mongod, database.name, settings).start()
    assert send_grpc(daemon, traceparent=SAMPLED) == grpc.StatusCode.UNAUTHENTICATED
    assert send_http(daemon, traceparent=SAMPLED) == 401
    daemon.stop()
    assert not script.spans


# --- off, and wrong ---------------------------------------------------------------------------------


def test_off_by_default(daemon):
    assert send_grpc(daemon, traceparent=SAMPLED) == grpc.StatusCode.OK
    assert send_http(daemon, traceparent=SAMPLED) == 200
    daemon.wait_delivered()
    assert outcomes(daemon) == {"exported": 0, "failed": 0, "dropped": 0}
    daemon.stop()
    assert "event=tracing" not in daemon.output()


PROBLEMS = {
    "tracing.endpoint": [
        ("127.0.0.1:4318", 'must begin with http:// or https://, such as "http://127.0.0.1:4318"'),
        ("ftp://127.0.0.1", 'must begin with http:// or https://, such as "http://127.0.0.1:4318"'),
        ("http://", "has no host"),
        ("http://host:65536", "has no valid port"),
        ("http://me:hidden@host", "must hold no user and password: a token belongs into tracing.token_file"),
        ("http://host/path?query", "must end with the path: /v1/traces is added to it"),
        ("http://host/a path", "has characters that no URL has"),
    ],
    "tracing.sample_ratio": [
        ("0.01", '"0.01" is not a share, write it as "1%"'),
        ("101%", '"101%" is not a share, write it as "1%"'),
    ],
}


@pytest.mark.parametrize("key", PROBLEMS)
def test_bad_values_are_told_with_file_and_line(key, make_daemon, shared_mongod):
    for value, text in PROBLEMS[key]:
        daemon = make_daemon(shared_mongod, "tracing", {key: value})
        daemon.launch()
        assert daemon.wait_exit() == 78
        line = daemon.line_of(f"{key.split('.')[1]} = ")
        told = daemon.output().replace('\\"', '"')  # it is quoted in the log
        assert f"{daemon.config}:{line}: {key}: {text}" in told
        assert "hidden" not in daemon.output()


@pytest.mark.parametrize("key", ["ca_file", "token_file"])
def test_file_that_is_not_there_ends_the_start(key, make_daemon, shared_mongod):
    settings = {"tracing.endpoint": "https://127.0.0.1:1", f"tracing.{key}": "/nonexistent/file"}
    daemon = make_daemon(shared_mongod, "tracing", settings)
    daemon.launch()
    assert daemon.wait_exit() == 78
    assert f"tracing.{key}: cannot read /nonexistent/file: No such file or directory" in daemon.output()


def test_reload_names_changed_keys(daemon):
    daemon.configure({"tracing.endpoint": "https://127.0.0.1:1", "tracing.sample_ratio": "5%"})
    daemon.signal(1)
    wait_until(lambda: "event=daemon.needs_restart" in daemon.output(), "the keys that need a restart")
    assert "after a restart only: tracing.endpoint tracing.sample_ratio" in daemon.output()
