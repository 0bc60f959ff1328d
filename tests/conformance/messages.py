"""What is sent: requests with fresh ids, as protobuf and as OTLP/JSON, and their encodings."""

import base64
import gzip
import json
import os
import zlib
from typing import Any, Callable

import cramjam
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

START = 1_760_000_000_123_456_789  # needs 61 bits: lost when it goes through a double
PADDING_BYTES = 1 << 20  # of one span; a larger one is more than some stores take

ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "identity": lambda data: data,
    "gzip": lambda data: gzip.compress(data, compresslevel=1),
    "deflate": lambda data: zlib.compress(data, 1),  # RFC 9110: the zlib format
    "zstd": lambda data: bytes(cramjam.zstd.compress(data)),
    "snappy": lambda data: bytes(cramjam.snappy.compress(data)),  # the framed format, as Go clients send it
}

DECODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "zstd": lambda data: bytes(cramjam.zstd.decompress(data)),
    "snappy": lambda data: bytes(cramjam.snappy.decompress(data)),
}


def new_span(name: str = "conformance", **fields: Any) -> Span:
    """With ids of its own unless `fields` say otherwise."""
    chosen = {"trace_id": os.urandom(16), "span_id": os.urandom(8), **fields}
    times = {"start_time_unix_nano": START, "end_time_unix_nano": START + 5_000_000}
    return Span(name=name, kind=Span.SPAN_KIND_SERVER, **times, **chosen)


def request_of(*spans: Span) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value="conformance")))
    scoped = group.scope_spans.add()
    scoped.scope.name = "conformance"
    scoped.spans.extend(spans)
    return request


def simple() -> ExportTraceServiceRequest:
    return request_of(new_span())


VALUES: dict[str, AnyValue] = {
    "text": AnyValue(string_value="주문 \U0001f600 \"quoted\" \\ \n"),
    "yes": AnyValue(bool_value=True),
    "int.small": AnyValue(int_value=-7),
    "int.largest": AnyValue(int_value=2**63 - 1),
    "int.smallest": AnyValue(int_value=-(2**63)),
    "double": AnyValue(double_value=0.1),
    "double.huge": AnyValue(double_value=1.5e300),
    "bytes": AnyValue(bytes_value=b"\xfb\xff\x00\xfe?"),  # its base64 has + and /
    "array": AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(string_value="two")])),
    "map": AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="inner", value=AnyValue(bool_value=False))])),
}


def with_everything() -> ExportTraceServiceRequest:
    """A span that uses every field and every kind of value."""
    span = new_span(
        "everything",
        parent_span_id=os.urandom(8),
        trace_state="vendor=value",
        flags=0x301,
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=3,
        status=Status(code=Status.STATUS_CODE_ERROR, message="가격이 없습니다"),
        attributes=[KeyValue(key=key, value=value) for key, value in VALUES.items()],
    )
    event = span.events.add(time_unix_nano=START + 1, name="event", dropped_attributes_count=4)
    event.attributes.add(key="inner").value.string_value = "event"
    link = span.links.add(trace_id=os.urandom(16), span_id=os.urandom(8), trace_state="a=b", flags=0x100)
    link.attributes.add(key="inner").value.string_value = "link"
    request = request_of(span)
    request.resource_spans[0].schema_url = "https://opentelemetry.io/schemas/1.30.0"
    return request


def of_size(count: int, noise: bool = False) -> ExportTraceServiceRequest:
    """About `count` bytes, at most; `noise`: of a kind that does not compress."""
    request = request_of()
    left = count - 1024
    while left > 0:
        share = min(left, PADDING_BYTES) - 256
        span = new_span()
        if share > 0:
            value = span.attributes.add(key="padding").value
            value.bytes_value = os.urandom(share) if noise else bytes(share)
        request.resource_spans[0].scope_spans[0].spans.append(span)
        left -= share + 256
    assert request.ByteSize() <= count
    return request


def with_zero_ids(valid: int = 2) -> ExportTraceServiceRequest:
    """So many valid spans, and two whose ids are all zero."""
    spans = [new_span() for _ in range(valid)]
    return request_of(*spans, new_span(trace_id=bytes(16)), new_span(span_id=bytes(8)))


def with_short_ids() -> ExportTraceServiceRequest:
    """A valid span, and three whose ids have another length."""
    wrong = [new_span(trace_id=os.urandom(8)), new_span(span_id=os.urandom(7)), new_span(span_id=b"")]
    return request_of(new_span(), *wrong)


HEX_FIELDS = {"traceId", "spanId", "parentSpanId"}


def json_tree(request: ExportTraceServiceRequest) -> dict[str, Any]:
    """OTLP/JSON: protobuf's mapping, but ids in hex and enums as numbers."""
    return with_hex_ids(json_format.MessageToDict(request, use_integers_for_enums=True))


def with_hex_ids(node: Any) -> Any:
    if isinstance(node, list):
        return [with_hex_ids(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: base64_to_hex(value) if key in HEX_FIELDS else with_hex_ids(value) for key, value in node.items()
    }


def base64_to_hex(text: str) -> str:
    return base64.b64decode(text).hex()


def json_text(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode()


def changed(node: Any, change: Callable[[str, Any], Any]) -> Any:
    """A copy of a tree with each member's value as `change(key, value)` gives it."""
    if isinstance(node, list):
        return [changed(item, change) for item in node]
    if isinstance(node, dict):
        return {key: change(key, changed(value, change)) for key, value in node.items()}
    return node
