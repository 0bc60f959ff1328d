"""Export requests, read with opentelemetry-proto: the captures, their spans, and copies with fresh ids."""

import os
import pathlib
from typing import Iterable, Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from .spans import Attributes, Entity, Event, Link, Span, Value, clamp, double

CAPTURES = pathlib.Path(__file__).parent.parent / "data" / "otlp"


def captures(*patterns: str) -> list[pathlib.Path]:
    """Paths of the captured requests, in order; all without a pattern."""
    paths = {path for pattern in patterns or ("*",) for path in CAPTURES.glob(f"{pattern}.pb")}
    assert paths, f"no capture matches {patterns}"
    return sorted(paths)


def parse(request: bytes) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(request)


def value_of(value: AnyValue) -> Value:
    kind = value.WhichOneof("value")
    match kind:
        case None:
            return ("none",)
        case "string_value":
            return ("string", value.string_value)
        case "bool_value":
            return ("bool", value.bool_value)
        case "int_value":
            return ("int", value.int_value)
        case "double_value":
            return double(value.double_value)
        case "bytes_value":
            return ("bytes", value.bytes_value)
        case "array_value":
            return ("array", tuple(value_of(item) for item in value.array_value.values))
        case "kvlist_value":
            return ("map", attributes_of(value.kvlist_value.values))
    raise AssertionError(f"a kind of value that this test does not know: {kind}")


def attributes_of(pairs: Iterable[KeyValue]) -> Attributes:
    return tuple((pair.key, value_of(pair.value)) for pair in pairs)


def event_of(event: trace_pb2.Span.Event) -> Event:
    return Event(
        clamp(event.time_unix_nano), event.name, attributes_of(event.attributes), event.dropped_attributes_count
    )


def link_of(link: trace_pb2.Span.Link) -> Link:
    return Link(
        link.trace_id.hex(),
        link.span_id.hex(),
        link.trace_state,
        attributes_of(link.attributes),
        link.dropped_attributes_count,
        link.flags,
    )


def is_valid(span: trace_pb2.Span) -> bool:
    """What the specification asks of ids; other spans are rejected."""
    return len(span.trace_id) == 16 and any(span.trace_id) and len(span.span_id) == 8 and any(span.span_id)


def service_of(resource: Resource) -> str:
    names = [pair.value.string_value for pair in resource.attributes if pair.key == "service.name"]
    return names[0] if names else ""


def entities_of(resource: Resource) -> tuple[Entity, ...]:
    return tuple(
        Entity(entity.schema_url, entity.type, tuple(entity.id_keys), tuple(entity.description_keys))
        for entity in resource.entity_refs
    )


def spans_in(request: ExportTraceServiceRequest) -> Iterator[Span]:
    """The valid spans, in the order of the request."""
    for group in request.resource_spans:
        resource = attributes_of(group.resource.attributes)
        for scoped in group.scope_spans:
            scope = attributes_of(scoped.scope.attributes)
            for span in scoped.spans:
                if is_valid(span):
                    yield span_of(span, scoped, scope, group, resource)


def span_of(
    span: trace_pb2.Span,
    scoped: trace_pb2.ScopeSpans,
    scope_attributes: Attributes,
    group: trace_pb2.ResourceSpans,
    resource_attributes: Attributes,
) -> Span:
    scope: InstrumentationScope = scoped.scope
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex() if any(span.parent_span_id) else None,
        trace_state=span.trace_state,
        flags=span.flags,
        name=span.name,
        kind=span.kind,
        start=clamp(span.start_time_unix_nano),
        end=clamp(span.end_time_unix_nano),
        attributes=attributes_of(span.attributes),
        dropped_attributes=span.dropped_attributes_count,
        events=tuple(event_of(event) for event in span.events),
        dropped_events=span.dropped_events_count,
        links=tuple(link_of(link) for link in span.links),
        dropped_links=span.dropped_links_count,
        status_code=span.status.code,
        status_message=span.status.message,
        scope_name=scope.name,
        scope_version=scope.version,
        scope_attributes=scope_attributes,
        scope_dropped_attributes=scope.dropped_attributes_count,
        scope_schema_url=scoped.schema_url,
        resource_attributes=resource_attributes,
        resource_dropped_attributes=group.resource.dropped_attributes_count,
        resource_schema_url=group.schema_url,
        entities=entities_of(group.resource),
        service=service_of(group.resource),
    )


def spans_of(*requests: bytes) -> list[Span]:
    return [span for request in requests for span in spans_in(parse(request))]


def every_span(request: ExportTraceServiceRequest) -> Iterator[trace_pb2.Span]:
    for group in request.resource_spans:
        for scoped in group.scope_spans:
            yield from scoped.spans


def with_noise(request: bytes, count: int) -> bytes:
    """With an attribute of bytes that do not compress, so that a small spool is full soon."""
    parsed = parse(request)
    attribute = next(every_span(parsed)).attributes.add()
    attribute.key = "noise"
    attribute.value.bytes_value = os.urandom(count)
    return parsed.SerializeToString()


class Template:
    """A captured request from which any number of requests with ids of their own are made."""

    def __init__(self, path: pathlib.Path):
        self.request = parse(path.read_bytes())
        self.ids = [(span, span.trace_id, span.span_id, span.parent_span_id) for span in every_span(self.request)]
        self.times = [
            (part, name, getattr(part, name))
            for span in every_span(self.request)
            for part, name in [(span, "start_time_unix_nano"), (span, "end_time_unix_nano")]
            + [(event, "time_unix_nano") for event in span.events]
        ]

    def with_ids(self, nonce: int) -> bytes:
        """The request with every id changed by the nonce; the shape of its traces stays."""
        trace_mask, span_mask = nonce, nonce & (2**64 - 1)
        for span, trace_id, span_id, parent in self.ids:
            span.trace_id = masked(trace_id, trace_mask)
            span.span_id = masked(span_id, span_mask)
            span.parent_span_id = masked(parent, span_mask) if parent else b""
        return self.request.SerializeToString()

    def at(self, nonce: int, start_unix_nano: int) -> bytes:
        """The same, with its times moved so that the earliest is `start_unix_nano`."""
        shift = start_unix_nano - min(value for _, _, value in self.times)
        for part, name, value in self.times:
            setattr(part, name, value + shift)
        return self.with_ids(nonce)


def masked(identifier: bytes, mask: int) -> bytes:
    return (int.from_bytes(identifier, "big") ^ mask).to_bytes(len(identifier), "big")
