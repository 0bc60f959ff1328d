"""Spans at the edge of what OTLP allows and past it, over gRPC and over HTTP in both encodings.

What may be stored arrives as it was meant; what may not is refused by itself,
and the rest of its batch arrives.
"""

import gzip
import os
from typing import Any, NamedTuple

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from conformance.messages import json_text, json_tree, new_span, request_of
from lib import ctl, documents, otlp, verify
from lib.clients import Client
from lib.http_clients import JSON, PROTOBUF, HttpAnswer, HttpClient

WAYS = ["grpc", "http", "json"]


class Outcome(NamedTuple):
    ok: bool
    rejected: int = 0
    message: str = ""
    invalid: bool = False  # INVALID_ARGUMENT, or 400: final


def http_refusal(answer: HttpAnswer) -> str:
    status = status_pb2.Status()
    if answer.headers["content-type"] == JSON:
        json_format.Parse(answer.body, status)
    else:
        status.ParseFromString(answer.body)
    return status.message


def give(daemon, way: str, body: bytes) -> Outcome:
    if way == "grpc":
        with Client(daemon.endpoint) as client:
            answer = client.send(body)
        message = answer.partial_message or answer.message
        return Outcome(answer.ok, answer.rejected_spans, message, answer.code == grpc.StatusCode.INVALID_ARGUMENT)
    with HttpClient(daemon.http_endpoint) as client:
        http_answer = client.send(body, JSON if way == "json" else PROTOBUF)
    if not http_answer.ok:
        return Outcome(False, message=http_refusal(http_answer), invalid=http_answer.status == 400)
    partial = http_answer.response().partial_success
    return Outcome(True, partial.rejected_spans, partial.error_message)


def encoded(way: str, request: ExportTraceServiceRequest) -> bytes:
    return json_text(json_tree(request)) if way == "json" else request.SerializeToString()


def arrives(daemon, database, way: str, *requests: ExportTraceServiceRequest) -> None:
    """As it was sent, with nothing rejected."""
    for request in requests:
        assert give(daemon, way, encoded(way, request)) == Outcome(True)
    stored_are(daemon, database, *requests)


def stored_are(daemon, database, *requests: ExportTraceServiceRequest) -> None:
    daemon.wait_delivered()
    verify.holds_exactly(database, [request.SerializeToString() for request in requests])
    assert daemon.metrics()["tracespool_spool_parked_entries"] == 0
    for batch in ctl.objects("ls", "--all", config=daemon.config):
        assert ctl.text("show", str(batch["seq"]), config=daemon.config), "people can look at it"


# --- ids --------------------------------------------------------------------------------------

BAD_TRACE_IDS = [b"", b"\1" * 15, b"\1" * 17, bytes(16), b"\1" * 32]
BAD_SPAN_IDS = [b"", b"\2" * 7, b"\2" * 9, bytes(8), b"\2" * 16]


def rejected(daemon, reason: str) -> float:
    return daemon.metrics()[f'tracespool_receiver_rejected_spans_total{{reason="{reason}"}}']


@pytest.mark.parametrize("way", WAYS)
def test_spans_with_bad_ids_are_rejected_by_reason_and_the_rest_is_stored(way, daemon, database):
    bad = [new_span(trace_id=identifier) for identifier in BAD_TRACE_IDS]
    bad += [new_span(span_id=identifier) for identifier in BAD_SPAN_IDS]
    bad.append(new_span(trace_id=b"", span_id=b""))  # one reason is enough
    good = [new_span(parent_span_id=identifier) for identifier in (b"", bytes(8), b"\3" * 8)]
    good[0].links.add(trace_id=b"\4" * 3, span_id=b"")  # a link is only told
    mixed = request_of(*[span for pair in zip(bad, good) for span in pair], *bad[len(good) :])
    outcome = give(daemon, way, encoded(way, mixed))
    assert outcome.ok and outcome.rejected == len(bad), outcome
    for words in (f"{len(bad)} of {len(bad) + 3} spans", "6 with an invalid trace_id", "5 with an invalid span_id"):
        assert words in outcome.message
    assert (rejected(daemon, "trace_id"), rejected(daemon, "span_id")) == (6, 5)
    assert daemon.metrics()["tracespool_receiver_spans_total"] == 3
    stored_are(daemon, database, mixed)

    outcome = give(daemon, way, encoded(way, request_of(*bad)))
    assert outcome.ok and outcome.rejected == len(bad), outcome
    assert (rejected(daemon, "trace_id"), rejected(daemon, "span_id")) == (12, 10)
    assert len(ctl.objects("ls", "--all", config=daemon.config)) == 1, "a batch without a valid span is not kept"


# --- texts --------------------------------------------------------------------------------------

ILL_FORMED = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80k", b"\xf0\x9f\x98"]


def with_texts(texts: list[str]) -> ExportTraceServiceRequest:
    """Each somewhere else; nine of them."""
    name, key, value, event, state, message, scope, service, inner = texts
    span = new_span(name, trace_state=state, status=Status(code=Status.STATUS_CODE_ERROR, message=message))
    span.attributes.add(key=key).value.string_value = value
    span.attributes.add(key="map").value.kvlist_value.values.add(key=inner).value.string_value = inner
    span.events.add(name=event)
    request = request_of(span)
    request.resource_spans[0].resource.attributes[0].value.string_value = service
    request.resource_spans[0].scope_spans[0].scope.name = scope
    return request


@pytest.mark.parametrize("way", WAYS)
def test_texts_that_are_no_utf8_are_repaired(way, daemon, database):
    """Each way of being wrong in each place, put in the place of as many bytes that are well-formed."""
    sent, meant = [], []
    for first in range(len(ILL_FORMED)):
        bad = [b"%d-" % place + ILL_FORMED[(first + place) % len(ILL_FORMED)] for place in range(9)]
        standing = [f"{place}-".encode() + b"~" * (len(text) - 2) for place, text in enumerate(bad)]
        request = with_texts([text.decode() for text in standing])
        body = encoded(way, request)
        for place, text in enumerate(bad):
            assert standing[place] in body
            body = body.replace(standing[place], text)
        sent.append(body)
        repaired = with_texts([text.decode("utf-8", "replace") for text in bad])
        for before, after in zip(otlp.every_span(request), otlp.every_span(repaired)):
            after.trace_id, after.span_id = before.trace_id, before.span_id
        meant.append(repaired)
    for body in sent:
        assert give(daemon, way, body) == Outcome(True)
    stored_are(daemon, database, *meant)
    assert daemon.metrics()["tracespool_sink_repaired_texts_total"] >= 9 * len(ILL_FORMED)


def test_half_of_a_surrogate_pair_in_json_is_not_worth_a_request(daemon, database):
    request = request_of(new_span("high ~"), new_span("low ~"))
    body = encoded("json", request).replace(b"high ~", b"high \\ud83d").replace(b"low ~", b"low \\ude00")
    assert give(daemon, "json", body) == Outcome(True)
    daemon.wait_delivered()
    assert {span.name for span in documents.read(database)} == {"high ?", "low \ufffd\ufffd\ufffd"}


KEYS = ["twice", "twice", "", "", "a.b", "a_b", "a.b", "$price", "$price", "nul\0", "nul_", "%", "한글", "한글"]
KEYS += ["twice_2", "_", "__"]


@pytest.mark.parametrize("way", WAYS)
def test_keys_that_come_twice_or_collide(way, daemon, database):
    def pairs() -> list[KeyValue]:
        return [KeyValue(key=key, value=AnyValue(int_value=number)) for number, key in enumerate(KEYS)]

    span = new_span(attributes=pairs())
    span.attributes.add(key="map").value.kvlist_value.CopyFrom(KeyValueList(values=pairs()))
    span.events.add(name="event").attributes.extend(pairs())
    span.links.add(trace_id=b"\1" * 16, span_id=b"\2" * 8).attributes.extend(pairs())
    request = request_of(span)
    group = request.resource_spans[0]
    group.scope_spans[0].scope.attributes.extend(pairs())
    group.resource.attributes.extend(pairs())
    group.resource.attributes.add(key="service.name").value.string_value = "the first one counts"
    arrives(daemon, database, way, request)


# --- numbers and sizes ------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_times_of_zero_and_past_int64(way, daemon, database):
    times = [(0, 0), (1, 0), (0, 2**63 - 1), (2**63 - 1, 2**63), (2**63, 2**64 - 1), (2**64 - 1, 0)]
    spans = []
    for start, end in times:
        span = new_span(f"{start} {end}")
        span.start_time_unix_nano, span.end_time_unix_nano = start, end
        span.events.add(time_unix_nano=end, name="event")
        spans.append(span)
    arrives(daemon, database, way, request_of(*spans))
    assert daemon.metrics()["tracespool_sink_clamped_times_total"] > 0


@pytest.mark.parametrize("way", WAYS)
def test_ten_thousand_attributes_and_a_mebibyte_of_text(way, daemon, database):
    many = new_span("many")
    for number in range(10_000):
        many.attributes.add(key=f"key.{number}").value.int_value = number
    long = new_span("long" + "n" * (1 << 20))
    long.attributes.add(key="text").value.string_value = "글" * (1 << 20)
    long.attributes.add(key="k" * (1 << 20)).value.string_value = ""
    arrives(daemon, database, way, request_of(many, long))


@pytest.mark.parametrize("way", WAYS)
def test_what_is_empty(way, daemon, database):
    """Resources and scopes without anything, without spans, or not there; and requests without anything."""
    request = ExportTraceServiceRequest()
    request.resource_spans.add()
    request.resource_spans.add().resource.SetInParent()
    request.resource_spans.add().scope_spans.add()
    request.resource_spans.add(schema_url="url").scope_spans.add().scope.SetInParent()
    for group in (request.resource_spans.add(), request.resource_spans.add()):
        group.scope_spans.add().spans.append(new_span(""))
        group.scope_spans.add().scope.SetInParent()
        group.scope_spans[1].spans.append(Span(trace_id=os.urandom(16), span_id=os.urandom(8)))
    request.resource_spans[-1].resource.SetInParent()
    arrives(daemon, database, way, request)
    nothing = ExportTraceServiceRequest()
    for empty in (nothing, request_of(), ExportTraceServiceRequest(resource_spans=list(request.resource_spans)[:4])):
        assert give(daemon, way, encoded(way, empty)) == Outcome(True)
    if way == "json":
        assert give(daemon, way, b"").invalid, "no JSON at all"
    assert len(ctl.objects("ls", "--all", config=daemon.config)) == 1, "without a span there is nothing to keep"
    stored_are(daemon, database, request)


# --- nesting ---------------------------------------------------------------------------------------
# By hand: the libraries for Python stop at 100 messages.


def field(number: int, body: bytes) -> bytes:
    length, count = b"", len(body)
    while count >= 0x80:
        length, count = length + bytes([count & 0x7F | 0x80]), count >> 7
    return bytes([number << 3 | 2]) + length + bytes([count]) + body


def nested(depth: int) -> bytes:
    """An AnyValue: arrays and maps in turns around a text."""
    value = field(1, b"core")
    for level in range(1, depth):
        value = field(5, field(1, value)) if level % 2 else field(6, field(1, field(1, b"k") + field(2, value)))
    return value


def nested_json(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"stringValue": "core"}
    for level in range(1, depth):
        if level % 2:
            value = {"arrayValue": {"values": [value]}}
        else:
            value = {"kvlistValue": {"values": [{"key": "k", "value": value}]}}
    return value


def nested_meant(depth: int) -> tuple:
    value: tuple = ("string", "core")
    for level in range(1, depth):
        value = ("array", (value,)) if level % 2 else ("map", (("k", value),))
    return value


def with_nested(way: str, span: Span, depth: int) -> bytes:
    request = request_of(span)
    if way == "json":
        tree = json_tree(request)
        tree["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = [
            {"key": "deep", "value": nested_json(depth)}
        ]
        return json_text(tree)
    group = request.resource_spans[0]
    attribute = field(9, field(1, b"deep") + field(2, nested(depth)))
    scoped = field(1, group.scope_spans[0].scope.SerializeToString()) + field(2, span.SerializeToString() + attribute)
    return field(1, field(1, group.resource.SerializeToString()) + field(2, scoped))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("most", [7, 90])
def test_values_nest_to_max_depth_and_not_one_level_more(way, most, make_daemon, shared_mongod, database):
    daemon = make_daemon(shared_mongod, database.name, {"receiver.max_depth": most}).start()
    span = new_span()
    outcome = give(daemon, way, with_nested(way, span, most + 1))
    assert outcome.invalid and "nest" in outcome.message, outcome
    assert give(daemon, way, with_nested(way, span, most)) == Outcome(True)
    daemon.wait_delivered()
    (meant,) = otlp.spans_of(request_of(span).SerializeToString())
    verify.compare([meant._replace(attributes=(("deep", nested_meant(most)),))], documents.read(database))
    assert ctl.text("show", "1", config=daemon.config)


# --- what a newer OTLP may bring ----------------------------------------------------------------------


def test_fields_that_are_not_known_survive_in_the_spool(daemon, database, folder):
    """Byte by byte, however the request came: a later version can read them."""
    unknown = b"\xfa\x7f\x05later" + b"\xf8\x7f\x07"  # field 2047, a text and a number
    sent, known = [], []
    for number, way in enumerate(["grpc", "http", "gzip"]):
        span = new_span(way)
        known.append(request_of(span))
        scoped = field(2, span.SerializeToString() + unknown) + unknown
        group = field(1, known[-1].resource_spans[0].resource.SerializeToString() + unknown)
        sent.append(field(1, group + field(2, scoped) + unknown) + unknown * (number + 1))
        known[-1].resource_spans[0].scope_spans[0].scope.Clear()
    assert give(daemon, "grpc", sent[0]) == give(daemon, "http", sent[1]) == Outcome(True)
    with HttpClient(daemon.http_endpoint) as client:
        headers = {"Content-Type": PROTOBUF, "Content-Encoding": "gzip"}
        assert client.ask("POST", "/v1/traces", gzip.compress(sent[2]), headers).ok
    stored_are(daemon, database, *known)
    daemon.stop()
    found = folder / "found.pb"
    result = ctl.run("salvage", "--output", str(found), str(daemon.spool), config=daemon.config)
    assert result.returncode == 0, result
    assert all(request in found.read_bytes() for request in sent)


# --- what the captures have ------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["http", "json"])
def test_awkward_captures_arrive_over_http_too(way, daemon, database):
    requests = [otlp.parse(path.read_bytes()) for path in otlp.captures("*-awkward-*")]
    arrives(daemon, database, way, *requests)
