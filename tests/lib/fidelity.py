"""What was sent against what `tracespool show --otlp` gives back: whole messages, with nothing left out.

verify.py compares by meaning, as a reader of MongoDB sees it. Here a status that says nothing differs from
none, and so do a parent id of zeros and none.
"""

import base64
import collections
import difflib
import json
import pathlib
from typing import Any, Iterable, Iterator, NamedTuple

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from . import ctl, otlp
from .spans import clamp

HEX_FIELDS = {"traceId", "spanId", "parentSpanId"}
SHOWN = 3


class Whole(NamedTuple):
    """A span with its surroundings, each message in protobuf: equal if every field is."""

    span: bytes
    scope: bytes
    scope_schema_url: str
    resource: bytes
    resource_schema_url: str

    def text(self) -> str:
        resource, scope = Resource.FromString(self.resource), InstrumentationScope.FromString(self.scope)
        urls = f"{self.resource_schema_url!r} {self.scope_schema_url!r}"
        return f"{urls}\n{resource}\n{scope}\n{Span.FromString(self.span)}"


def wholes(request: ExportTraceServiceRequest) -> Iterator[Whole]:
    """The valid spans."""
    for group in request.resource_spans:
        resource = group.resource.SerializeToString(deterministic=True)
        for scoped in group.scope_spans:
            scope = scoped.scope.SerializeToString(deterministic=True)
            for span in filter(otlp.is_valid, scoped.spans):
                body = span.SerializeToString(deterministic=True)
                yield Whole(body, scope, scoped.schema_url, resource, group.schema_url)


# --- what the command prints -----------------------------------------------------------------------


def with_base64_ids(node: Any) -> Any:
    """OTLP/JSON has ids in hexadecimal where protobuf's mapping, which the library reads, has base64."""
    if isinstance(node, list):
        return [with_base64_ids(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: base64.b64encode(bytes.fromhex(value)).decode() if key in HEX_FIELDS else with_base64_ids(value)
        for key, value in node.items()
    }


def read_line(line: str) -> ExportTraceServiceRequest:
    return json_format.ParseDict(with_base64_ids(json.loads(line)), ExportTraceServiceRequest())


def with_hex_ids(node: Any) -> Any:
    """The way back."""
    if isinstance(node, list):
        return [with_hex_ids(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: base64.b64decode(value).hex() if key in HEX_FIELDS else with_hex_ids(value) for key, value in node.items()
    }


def as_otlp_json(request: ExportTraceServiceRequest) -> Any:
    """By another writer than ours."""
    return with_hex_ids(json_format.MessageToDict(request, use_integers_for_enums=True))


def shown(config: pathlib.Path, *arguments: str) -> list[ExportTraceServiceRequest]:
    """What `tracespool show --otlp` prints, a request a line."""
    return [read_line(line) for line in ctl.text("show", "--otlp", *arguments, config=config).splitlines()]


# --- what does not come back: docs/mongodb.md --------------------------------------------------------


def as_stored(request: ExportTraceServiceRequest) -> ExportTraceServiceRequest:
    """A copy without what the documents do not keep."""
    copy = ExportTraceServiceRequest.FromString(request.SerializeToString())
    copy.DiscardUnknownFields()
    for span in otlp.every_span(copy):
        span.start_time_unix_nano = clamp(span.start_time_unix_nano)
        span.end_time_unix_nano = clamp(span.end_time_unix_nano)
        for event in span.events:
            event.time_unix_nano = clamp(event.time_unix_nano)
        for holder in [span, *span.events, *span.links]:
            give_values(holder.attributes)
    for group in copy.resource_spans:
        give_values(group.resource.attributes)
        for scoped in group.scope_spans:
            give_values(scoped.scope.attributes)
    return copy


def give_values(pairs: Any) -> None:
    """An attribute without a value comes back with one that is empty."""
    for pair in pairs:
        if not pair.HasField("value"):
            pair.value.CopyFrom(AnyValue())


# --- comparing ------------------------------------------------------------------------------------------


def compare(sent: Iterable[Whole], back: Iterable[Whole]) -> int:
    """Every span that was sent is there once, and nothing else. Returns their number."""
    wanted, found = set(sent), collections.Counter(back)
    missing, strange = wanted - found.keys(), found.keys() - wanted
    twice = [whole for whole, count in found.items() if count > 1]
    if not missing and not strange and not twice:
        return len(wanted)
    by_id = {Span.FromString(whole.span).span_id: whole for whole in strange}
    lines = [f"{len(missing)} spans missing or changed, {len(strange)} not as sent, {len(twice)} more than once"]
    for whole in list(missing)[:SHOWN]:
        near = by_id.get(Span.FromString(whole.span).span_id)
        after = near.text().splitlines() if near else ["nothing"]
        lines += difflib.unified_diff(whole.text().splitlines(), after, "sent", "shown", lineterm="", n=1)
    raise AssertionError("\n".join(lines))
