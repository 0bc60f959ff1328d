"""What was sent comes back out of MongoDB, every field of it, by `tracespool show --otlp`.

Read with opentelemetry-proto, and by whoever reads OTLP/JSON: tracespoold itself, and a Collector.
"""

import collections
import math
import os
import struct
from typing import Any, Iterable

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from conformance.messages import new_span, request_of
from lib import ctl, documents, fidelity, otlp, verify
from lib.clients import Client
from lib.collector import Collector
from lib.daemon import Daemon
from lib.http_clients import JSON, HttpClient
from lib.spans import double
from lib.waiting import wait_until

TRACES_OF_A_CAPTURE = 4  # that are looked at of a capture by an agent; of a made-up one all

COLLECTOR = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "{endpoint}"}}}}}}}}
exporters: {{otlp: {{endpoint: "{target}", tls: {{insecure: true}}, sending_queue: {{enabled: false}}}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]}}}}
"""

# --- awkward requests --------------------------------------------------------------------------------------

NOT_A_NUMBER = struct.unpack("<d", bytes.fromhex("000000000000f87f"))[0]
DOUBLES = [0.0, -0.0, 1.0, 0.1, 1e300, 5e-324, float(2**53), math.inf, -math.inf, NOT_A_NUMBER]
KEYS = ["a.b", "a_b", "a.b", "", "", "$price", "nul\0", "%", "%00", "%#2", "twice", "twice", "twice_2", "한글.키", "._."]
COUNTS = [0, 1, 2**31 - 1, 2**31, 2**32 - 1]


def values() -> list[AnyValue]:
    texts = [AnyValue(string_value=text) for text in ("", "x", "nul\0inside", "주문 😀 \"\\\n\x7f")]
    numbers = [AnyValue(int_value=number) for number in (0, -1, 2**63 - 1, -(2**63), 2**53 + 1)]
    doubles = [AnyValue(double_value=number) for number in DOUBLES]
    others = [AnyValue(bool_value=True), AnyValue(bool_value=False), AnyValue()]
    others += [AnyValue(bytes_value=data) for data in (b"", b"\0", bytes(range(256)))]
    flat = texts + numbers + doubles + others
    array = AnyValue(array_value=ArrayValue(values=[*flat, AnyValue(array_value=ArrayValue())]))
    pairs = [KeyValue(key=KEYS[number % len(KEYS)], value=value) for number, value in enumerate([*flat, array])]
    nested = AnyValue(kvlist_value=KeyValueList(values=pairs))
    others = [AnyValue(array_value=ArrayValue(values=[nested])), AnyValue(kvlist_value=KeyValueList())]
    return [*flat, array, nested, *others]


def attributes() -> list[KeyValue]:
    return [KeyValue(key=KEYS[number % len(KEYS)], value=value) for number, value in enumerate(values())]


def full_span(number: int, **fields) -> Span:
    count = COUNTS[number % len(COUNTS)]
    span = new_span(["", "name", "nul\0"][number % 3], attributes=attributes(), **fields)
    span.trace_state, span.flags = "a=b,c=d", count
    span.dropped_attributes_count = span.dropped_events_count = span.dropped_links_count = count
    span.events.add(time_unix_nano=2**63 - 1, name="", dropped_attributes_count=count).attributes.extend(attributes())
    span.events.add()
    link = span.links.add(trace_id=os.urandom(16), span_id=os.urandom(8), trace_state="x=y", flags=count)
    link.attributes.extend(attributes())
    link.dropped_attributes_count = count
    span.links.add(trace_id=b"\1\2\3")
    span.links.add()
    return span


def awkward() -> list[ExportTraceServiceRequest]:
    """Every field that there is, as it may be and as it may be missing."""
    spans = [full_span(number) for number in range(len(COUNTS))]
    parents = [bytes(8), bytes(3), b"\7", os.urandom(8), os.urandom(20)]
    spans += [full_span(0, parent_span_id=parent) for parent in parents]
    statuses = [Status(), Status(message="m"), Status(code=1), Status(code=77)]
    spans += [full_span(0, status=status) for status in statuses]
    for kind in (0, 5, 6, 1000, 2**31 - 1, -1, -(2**31)):
        spans.append(full_span(0))
        spans[-1].kind = kind
    spans.append(Span(trace_id=os.urandom(16), span_id=os.urandom(8)))
    rich = request_of(*spans)
    group = rich.resource_spans[0]
    group.schema_url, group.scope_spans[0].schema_url = "urn:resource", "urn:scope"
    group.resource.attributes.extend(attributes())
    group.resource.dropped_attributes_count = 2**32 - 1
    group.resource.entity_refs.add(schema_url="urn:entity", type="service", id_keys=["a", ""], description_keys=["b"])
    group.resource.entity_refs.add()
    group.scope_spans[0].scope.attributes.extend(attributes())
    group.scope_spans[0].scope.dropped_attributes_count = 7
    for scope in ({}, {"name": "n"}, {"version": "v"}, {"dropped_attributes_count": 1}, {"attributes": attributes()}):
        scoped = group.scope_spans.add(schema_url="" if scope else "urn:alone")
        for field, value in scope.items():
            if isinstance(value, list):
                scoped.scope.attributes.extend(value)
            else:
                setattr(scoped.scope, field, value)
        scoped.spans.append(new_span("in its scope"))
    bare = ExportTraceServiceRequest()
    bare.resource_spans.add().scope_spans.add().spans.append(new_span("without resource and scope"))
    bare.resource_spans.add(schema_url="urn:alone").scope_spans.add().spans.append(new_span("with a url alone"))
    return [rich, bare]


def captures() -> list[ExportTraceServiceRequest]:
    return [otlp.parse(path.read_bytes()) for path in otlp.captures()]


# --- sending and looking ---------------------------------------------------------------------------------------


def send(daemon: Daemon, requests: Iterable[ExportTraceServiceRequest]) -> None:
    with Client(daemon.endpoint) as client:
        for request in requests:
            assert client.send(request.SerializeToString()).ok


def chosen_traces() -> list[str]:
    """All of the made-up captures and some of each agent's."""
    traces: dict[str, None] = {}
    for path in otlp.captures():
        found = dict.fromkeys(span.trace_id for span in otlp.spans_of(path.read_bytes()))
        traces.update(dict.fromkeys(list(found)[: None if "awkward" in path.name else TRACES_OF_A_CAPTURE]))
    return list(traces)


def traces_of(*requests: ExportTraceServiceRequest) -> list[str]:
    spans = (span for request in requests for span in otlp.every_span(request) if otlp.is_valid(span))
    return list(dict.fromkeys(span.trace_id.hex() for span in spans))


def by_trace(requests: Iterable[ExportTraceServiceRequest]) -> dict[str, list[fidelity.Whole]]:
    found = collections.defaultdict(list)
    for request in requests:
        for whole in fidelity.wholes(request):
            found[Span.FromString(whole.span).trace_id.hex()].append(whole)
    return found


def comes_back(daemon: Daemon, traces: Iterable[str], sent: list[ExportTraceServiceRequest], *arguments: str) -> int:
    """Each of these traces, by the command, is what was sent of it."""
    expected, count = by_trace(sent), 0
    for trace in traces:
        requests = fidelity.shown(daemon.config, trace, *arguments)
        assert set(traces_of(*requests)) == {trace}
        back = [whole for request in requests for whole in fidelity.wholes(request)]
        count += fidelity.compare(expected[trace], back)
    return count


# --- the tests -----------------------------------------------------------------------------------------------------


def test_every_field_of_awkward_requests_comes_back_from_mongodb(daemon, database):
    requests = awkward()
    send(daemon, requests)
    daemon.wait_delivered()
    verify.holds_exactly(database, [request.SerializeToString() for request in requests])
    assert comes_back(daemon, traces_of(*requests), requests, "--from", "mongodb") == 29


def test_captures_come_back_from_mongodb(daemon):
    requests = captures()
    send(daemon, requests)
    daemon.wait_delivered()
    stored = [fidelity.as_stored(request) for request in requests]
    assert comes_back(daemon, chosen_traces(), stored, "--from", "mongodb") > 2000


def test_from_both_each_span_comes_once_and_the_spools_with_what_mongodb_cannot_hold(daemon, database):
    late = request_of(*[new_span(f"late {number}", trace_id=b"\5" * 16) for number in range(3)])
    next(otlp.every_span(late)).end_time_unix_nano = 2**64 - 1
    early = request_of(new_span("early", trace_id=b"\5" * 16))
    send(daemon, [late, early, late])
    daemon.wait_delivered()
    trace = (b"\5" * 16).hex()
    assert comes_back(daemon, [trace], [late, early]) == 4
    assert comes_back(daemon, [trace], [fidelity.as_stored(late), early], "--from", "mongodb") == 4

    database.client.drop_database(database.name)
    assert comes_back(daemon, [trace], [late, early]) == 4
    missing = ctl.run("show", "--otlp", "--from", "mongodb", trace, config=daemon.config)
    assert missing.returncode == 1 and missing.stdout == "" and "no span of trace" in missing.stderr, missing


def test_what_waits_and_what_is_parked_is_shown_beside_what_is_stored(make_daemon, shared_mongod, database):
    daemon = make_daemon(shared_mongod, database.name).start()
    trace = os.urandom(16)
    stored, refused, held = (request_of(full_span(0, trace_id=trace), new_span(trace_id=trace)) for _ in range(3))
    refused.resource_spans[0].resource.attributes[0].value.string_value = "refused"
    send(daemon, [stored])
    daemon.wait_delivered()
    for name in documents.collections(database):
        database.command("collMod", name, validator={"serviceName": {"$ne": "refused"}})
    send(daemon, [refused])
    wait_until(lambda: daemon.metrics()["tracespool_spool_parked_entries"] == 2, "both to be parked")
    daemon.wait_delivered()
    daemon.configure({"mongodb.uri": "mongodb://127.0.0.1:1/"})  # nothing is delivered any more
    daemon.stop()
    daemon.start()
    send(daemon, [held])
    daemon.stop()
    daemon.configure({"mongodb.uri": shared_mongod.uri})
    assert comes_back(daemon, [trace.hex()], [stored, refused, held]) == 6
    assert comes_back(daemon, [trace.hex()], [stored], "--from", "mongodb") == 2


def test_a_batch_as_a_request(daemon):
    requests = awkward()
    send(daemon, requests)
    for seq, request in enumerate(requests, 1):
        (back,) = fidelity.shown(daemon.config, str(seq))
        assert back == request or fidelity.compare(fidelity.wholes(request), fidelity.wholes(back))


def lines(daemon: Daemon, requests: list[ExportTraceServiceRequest]) -> list[bytes]:
    """What the command prints of each trace."""
    return [
        line.encode()
        for trace in traces_of(*requests)
        for line in ctl.text("show", "--otlp", "--from", "mongodb", trace, config=daemon.config).splitlines()
    ]


def post(endpoint: str, bodies: list[bytes]) -> None:
    with HttpClient(endpoint) as client:
        for body in bodies:
            answer = client.send(body, JSON)
            assert answer.ok and answer.rejected_spans == 0, answer


@pytest.mark.long
def test_what_is_shown_can_be_sent_again(make_daemon, shared_mongod, database):
    """Out of one database and into another: there it is the same, and shown the same."""
    daemon = make_daemon(shared_mongod, database.name).start()
    requests = awkward() + [otlp.parse(path.read_bytes()) for path in otlp.captures("java-0001", "node-sdk3-0*")]
    send(daemon, requests)
    daemon.wait_delivered()
    first = lines(daemon, requests)
    daemon.stop()
    other = f"{database.name}_again"
    try:
        daemon.configure({"mongodb.database": other})
        daemon.start()
        post(daemon.http_endpoint, first)
        daemon.wait_delivered()
        verify.holds_exactly(database.client[other], [request.SerializeToString() for request in requests])
        assert sorted(lines(daemon, requests)) == sorted(first)
    finally:
        database.client.drop_database(other)


def with_gos_nan(value: Any) -> Any:
    """Go reads "NaN" as one that has other bits."""
    if value == double(NOT_A_NUMBER):
        return double(struct.unpack("<d", bytes.fromhex("010000000000f87f"))[0])
    if not isinstance(value, tuple):
        return value
    parts = [with_gos_nan(part) for part in value]
    return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)


@pytest.mark.skipif("OTELCOL" not in os.environ, reason="needs OTELCOL, see tests/README.md")
def test_a_collector_reads_it(folder, processes, make_daemon, shared_mongod, database):
    """Its receiver of OTLP/HTTP reads JSON by the code by which its otlpjsonfile receiver does."""
    daemon = make_daemon(shared_mongod, database.name).start()
    requests = [otlp.parse(path.read_bytes()) for path in otlp.captures("java-0001", "node-sdk3-0*", "python-a*-000*")]
    requests.append(request_of(full_span(0)))
    for span in otlp.every_span(requests[-1]):
        del span.links[1:]  # a Collector takes no id of another length
    send(daemon, requests)
    daemon.wait_delivered()
    shown = lines(daemon, requests)
    config = folder / "collector.yaml"
    collector = Collector(folder, config, daemon.endpoint)
    config.write_text(COLLECTOR.format(endpoint=collector.endpoint, target=daemon.endpoint))
    processes.append(collector)
    database.client.drop_database(database.name)
    daemon.stop()  # so that what was known of the day is forgotten
    daemon.start()
    collector.start()
    post(collector.endpoint, shown)
    daemon.wait_delivered()
    sent = otlp.spans_of(*[request.SerializeToString() for request in requests])
    assert verify.compare(map(with_gos_nan, sent), documents.read(database)) == len(sent)
