"""Rows of the JSON Protobuf Encoding: what a receiver has to understand, member by member."""

import base64
import json
from typing import Any, Callable

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from . import http_wire, messages
from .http_ask import accepted
from .http_wire import Answer
from .media import JSON, json_body, response_of
from .messages import HEX_FIELDS, START
from .rows import MAY, MUST, CannotProvoke, check, row
from .target import Target

SECTION = "JSON Protobuf Encoding"
PROTO3 = "proto3 JSON Mapping, which JSON Protobuf Encoding adopts"
INT64_FIELDS = {"startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "intValue"}


def send_text(target: Target, text: bytes) -> Answer:
    return http_wire.send(target, text, JSON.header)


def taken(target: Target, request: ExportTraceServiceRequest, tree: Any) -> None:
    """The tree is an encoding of the request."""
    accepted(target, request, send_text(target, messages.json_text(tree)), JSON)


def with_change(target: Target, change: Callable[[str, Any], Any]) -> None:
    request = messages.with_everything()
    taken(target, request, messages.changed(messages.json_tree(request), change))


def first_span(tree: dict[str, Any]) -> dict[str, Any]:
    return tree["resourceSpans"][0]["scopeSpans"][0]["spans"][0]


@row("http.json.ids.lower", SECTION, MUST, "traceId and spanId are represented as hex-encoded strings.")
def ids_lower(target: Target) -> str:
    with_change(target, lambda key, value: value.lower() if key in HEX_FIELDS else value)
    return "200 in lower case"


@row("http.json.ids.upper", SECTION, MUST, "[These strings are] case-insensitive.")
def ids_upper(target: Target) -> str:
    with_change(target, lambda key, value: value.upper() if key in HEX_FIELDS else value)
    with_change(target, lambda key, value: value[:8].upper() + value[8:] if key in HEX_FIELDS else value)
    return "200 in upper case, and in both cases"


@row("http.json.ids.base64", SECTION, MUST, "They are not base64-encoded as in the standard Protobuf JSON Mapping.")
def ids_base64(target: Target) -> str:
    def to_base64(key: str, value: Any) -> Any:
        return base64.b64encode(bytes.fromhex(value)).decode() if key in HEX_FIELDS else value

    tree = messages.changed(messages.json_tree(messages.simple()), to_base64)
    answer = send_text(target, messages.json_text(tree))
    if answer.status == 400:
        return str(answer)
    check(response_of(answer, JSON).partial_success.rejected_spans == 1, f"base64 is taken as an id: {answer}")
    return "the span is rejected"


@row("http.json.enums", SECTION, MUST, "Values of enum fields MUST be encoded as integer values.")
def enums(target: Target) -> str:
    for kind in range(6):
        request = messages.simple()
        span = request.resource_spans[0].scope_spans[0].spans[0]
        span.kind, span.status.code = kind, kind % 3
        tree = messages.json_tree(request)
        first_span(tree).update(kind=kind, status={"code": kind % 3})
        taken(target, request, tree)
    return "200 for kinds 0 to 5 and status codes 0 to 2"


@row("http.json.enums.names", SECTION, MAY,
     "Enum name strings MUST NOT be used [by who sends]: a receiver may refuse them as bad data.")
def enum_names(target: Target) -> str:
    request = messages.simple()
    tree = messages.json_tree(request)
    first_span(tree)["kind"] = "SPAN_KIND_SERVER"
    answer = send_text(target, messages.json_text(tree))
    check(answer.status in (200, 400), answer)
    if answer.status == 200:
        accepted(target, request, answer, JSON)
    return str(answer)


@row("http.json.int64.strings", SECTION, MUST, "64-bit integer numbers are encoded as decimal strings.")
def int64_strings(target: Target) -> str:
    with_change(target, lambda key, value: str(value) if key in INT64_FIELDS else value)
    return "200"


@row("http.json.int64.numbers", SECTION, MUST, "Either numbers or strings are accepted when decoding.")
def int64_numbers(target: Target) -> str:
    with_change(target, lambda key, value: int(value) if key in INT64_FIELDS else value)
    return "200, also for numbers that a double does not hold"


@row("http.json.int32.strings", PROTO3, MUST,
     "int32, fixed32, uint32: JSON value will be a decimal number. Either numbers or strings are accepted.")
def int32_strings(target: Target) -> str:
    fields = {"flags", "droppedAttributesCount", "droppedEventsCount", "droppedLinksCount"}
    with_change(target, lambda key, value: str(value) if key in fields else value)
    return "200 for flags and counts as strings"


@row("http.json.bytes", PROTO3, MUST,
     "bytesValue is base64: either standard or URL-safe base64 encoding with/without paddings are accepted.")
def bytes_value(target: Target) -> str:
    forms = (
        lambda text: text,
        lambda text: text.rstrip("="),
        lambda text: text.replace("+", "-").replace("/", "_"),
        lambda text: text.replace("+", "-").replace("/", "_").rstrip("="),
    )
    for form in forms:
        with_change(target, lambda key, value, form=form: form(value) if key == "bytesValue" else value)
    return "200 for the four forms"


@row("http.json.doubles", PROTO3, MUST,
     'JSON value will be a number or one of "NaN", "Infinity", "-Infinity"; numbers or strings are accepted.')
def doubles(target: Target) -> str:
    words = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}
    forms = {**words, "1.5": "1.5", "-2.5e-3": "-2.5e-3", 3: "3", 1e20: "1e20"}
    request = messages.simple()
    span = request.resource_spans[0].scope_spans[0].spans[0]
    for number, text in enumerate(forms.values()):
        span.attributes.add(key=f"double.{number}").value.double_value = float(text)
    tree = messages.json_tree(request)
    for pair, form in zip(first_span(tree)["attributes"], forms):
        pair["value"]["doubleValue"] = form
    taken(target, request, tree)
    return f"200 for {', '.join(map(repr, forms))}"


@row("http.json.null", PROTO3, MUST, "null is an accepted value for all field types, and is the default value.")
def null(target: Target) -> str:
    request = messages.simple()
    tree = messages.json_tree(request)
    names = "parentSpanId traceState attributes events links status droppedAttributesCount flags"
    first_span(tree).update({name: None for name in names.split()})
    taken(target, request, tree)
    return f"200 for null as {names.replace(' ', ', ')}"


@row("http.json.unknown", SECTION, MUST,
     "OTLP/JSON receivers MUST ignore message fields with unknown names, as if they were not present.")
def unknown(target: Target) -> str:
    request = messages.with_everything()
    deep = {"a": [1, {"b": None, "c": [[], {}]}, "}]"], "spans": [{"traceId": "zz"}]}
    tree = add_everywhere(messages.json_tree(request), {"later": deep, "laterToo": 1.5e3, "": True})
    taken(target, request, tree)
    return "200 with unknown members in every object"


def add_everywhere(node: Any, extra: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [add_everywhere(item, extra) for item in node]
    if isinstance(node, dict):
        return {**extra, **{key: add_everywhere(value, extra) for key, value in node.items()}}
    return node


@row("http.json.camel_case", SECTION, MUST,
     "Keys are field names in lowerCamelCase; original field names are not valid (what a receiver does with them is open).")
def camel_case(target: Target) -> str:
    request = messages.with_everything()
    taken(target, request, messages.json_tree(request))
    # Ids that are all zero, under an original name: they would be rejected, were they read.
    request = messages.simple()
    tree = messages.json_tree(request)
    tree["resource_spans"] = messages.json_tree(messages.with_zero_ids(valid=0))["resourceSpans"]
    rejected = response_of(send_text(target, messages.json_text(tree)), JSON).partial_success.rejected_spans
    target.keeps(request)
    return f"200; original names are {'read as well' if rejected > 0 else 'not seen to be read'}"


@row("http.json.order", "RFC 8259, 4 and 2", MUST,
     "Members of an object come in any order, and white space is insignificant.")
def order(target: Target) -> str:
    request = messages.with_everything()
    tree = reversed_members(messages.json_tree(request))
    text = json.dumps(tree, indent="\t ", separators=(" ,\r\n", " : ")).encode()
    accepted(target, request, send_text(target, b"\n " + text + b"\r\n"), JSON)
    return "200 in the opposite order, with white space everywhere"


def reversed_members(node: Any) -> Any:
    if isinstance(node, list):
        return [reversed_members(item) for item in node]
    if isinstance(node, dict):
        return {key: reversed_members(value) for key, value in reversed(node.items())}
    return node


@row("http.json.escapes", "RFC 8259, 7", MUST,
     "Any character may be escaped; outside the Basic Multilingual Plane as a surrogate pair.")
def escapes(target: Target) -> str:
    request = messages.with_everything()
    text = json.dumps(messages.json_tree(request), ensure_ascii=True)
    text = text.replace('"traceId"', '"\\u0074race\\u0049d"').replace("conformance", "\\u0063onformance")
    check("\\ud83d\\ude00" in text, text)
    accepted(target, request, send_text(target, text.encode()), JSON)
    return "200 for \\uXXXX in keys and values, and for a surrogate pair"


@row("http.json.example", "JSON Protobuf Encoding; examples/trace.json", MUST,
     "For JSON payload examples see: OTLP JSON request examples.")
def example(target: Target) -> str:
    """Shaped like that file, with ids of our own: the same each time would be one span."""
    request = messages.simple()
    span = request.resource_spans[0].scope_spans[0].spans[0]
    text = """{"resourceSpans": [{"resource": {"attributes": [
        {"key": "service.name", "value": {"stringValue": "conformance"}}]},
        "scopeSpans": [{"scope": {"name": "conformance"}, "spans": [{
        "traceId": "%s", "spanId": "%s", "name": "conformance", "kind": 2,
        "startTimeUnixNano": "%d", "endTimeUnixNano": "%d"}]}]}]}"""
    ids = span.trace_id.hex().upper(), span.span_id.hex().upper()
    body = text % (*ids, START, span.end_time_unix_nano)
    accepted(target, request, send_text(target, body.encode()), JSON)
    return "200"


@row("http.json.response", SECTION, MUST,
     "In answers too: keys in lowerCamelCase, 64-bit integer numbers as decimal strings.")
def response(target: Target) -> str:
    request = messages.with_zero_ids()
    answer = send_text(target, JSON.encode(request))
    check(answer.status == 200, answer)
    body = json_body(answer)
    partial = body.get("partialSuccess") if isinstance(body, dict) else None
    if not partial:
        raise CannotProvoke("accepts spans whose ids are all zero")
    target.keeps(request)
    check(partial.get("rejectedSpans") == "2", answer)
    check(set(partial) <= {"rejectedSpans", "errorMessage"}, answer)
    return str(answer)
