"""Rows of OTLP/HTTP that hold for both encodings: success, bad data, partial success."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from . import http_wire, messages
from .http_ask import accepted, in_both, sent_with
from .media import Media, bad_requests, response_of, status_of
from .rows import MAY, MUST, SHOULD, CannotProvoke, check
from .target import Target


@in_both("success", "OTLP/HTTP Request; OTLP/HTTP Response, Full Success", MUST,
         "POST to /v1/traces; on success HTTP 200 OK, and the body MUST be an ExportTraceServiceResponse.")
def success(target: Target, media: Media) -> str:
    return sent_with(target, media)


@in_both("content_type", "OTLP/HTTP Response", MUST,
         "The server MUST use the same Content-Type in the response as it received in the request.")
def content_type(target: Target, media: Media) -> str:
    request = messages.simple()
    good = http_wire.send(target, media.encode(request), media.header)
    accepted(target, request, good, media)
    bad = http_wire.send(target, next(iter(media.garbage.values())), media.header)
    check(bad.media == media.type, f"{bad.headers.get('content-type')!r} with {bad.status}")
    return f"{good.headers['content-type']} with {good.status} and with {bad.status}"


@in_both("success.partial_unset", "OTLP/HTTP Response, Full Success", MUST,
         "The server MUST leave the partial_success field unset in case of a successful response.")
def partial_unset(target: Target, media: Media) -> str:
    request = messages.simple()
    answer = http_wire.send(target, media.encode(request), media.header)
    response = accepted(target, request, answer, media)
    check(not response.HasField("partial_success"), f"partial_success is there, and empty: {answer}")
    return "unset"


@in_both("success.empty", "OTLP/HTTP Response, Full Success", SHOULD,
         "If the server receives an empty request the server SHOULD respond with success.")
def empty(target: Target, media: Media) -> str:
    answer = http_wire.send(target, media.empty, media.header)
    accepted(target, ExportTraceServiceRequest(), answer, media)
    return f"200 for {len(media.empty)} bytes"


@in_both("empty_envelope", "Empty Telemetry Envelopes", MAY,
         "Receivers MAY ignore empty envelopes: spans are what counts, and none is no error.")
def empty_envelope(target: Target, media: Media) -> str:
    request = messages.request_of()
    accepted(target, request, http_wire.send(target, media.encode(request), media.header), media)
    return "200 for a resource and a scope without spans"


@in_both("content_type.case", "RFC 9110, 8.3.1", MUST,
         "The type and subtype of a media type are case-insensitive, and parameters may follow.")
def content_type_case(target: Target, media: Media) -> str:
    seen = sent_with(target, media, {"content-type": media.type.upper()})
    sent_with(target, media, {"content-type": f"{media.type}; charset=utf-8"})
    return f"{seen} in upper case, and with charset=utf-8"


@in_both("bad_data", "OTLP/HTTP Response, Bad Data", MUST,
         "If the request contains data that cannot be decoded the server MUST respond with HTTP 400 Bad Request.")
def bad_data(target: Target, media: Media) -> str:
    for name, body in media.garbage.items():
        answer = http_wire.send(target, body, media.header)
        check(answer.status == 400, f"{answer} for {name}")
    return f"400 for {', '.join(media.garbage)}"


@in_both("bad_data.status", "OTLP/HTTP Response, Failures", MUST,
         "The response body for all HTTP 4xx and HTTP 5xx responses MUST be a Protobuf-encoded Status message.")
def bad_data_status(target: Target, media: Media) -> str:
    for body in media.garbage.values():
        answer = http_wire.send(target, body, media.header)
        status_of(answer, media)
    return str(answer)


@in_both("bad_data.message", "OTLP/HTTP Response, Failures", SHOULD,
         "The Status.message field SHOULD contain a developer-facing error message.")
def bad_data_message(target: Target, media: Media) -> str:
    answer = http_wire.send(target, next(iter(media.garbage.values())), media.header)
    said = status_of(answer, media).message
    check(said, f"no message in {answer}")
    return said


@in_both("bad_data.details", "OTLP/HTTP Response, Bad Data", SHOULD,
         "The Status.details field SHOULD contain a BadRequest that describes the bad data.")
def bad_data_details(target: Target, media: Media) -> str:
    answer = http_wire.send(target, next(iter(media.garbage.values())), media.header)
    found = bad_requests(status_of(answer, media))
    check(found, f"no BadRequest in {answer}")
    return " ".join(str(found[0]).split())[:120] or "an empty BadRequest"


def provoke_partial(target: Target, media: Media) -> ExportTraceServiceResponse:
    request = messages.with_zero_ids()
    response = response_of(http_wire.send(target, media.encode(request), media.header), media)
    if response.partial_success.rejected_spans == 0:
        raise CannotProvoke("accepts spans whose ids are all zero")
    target.keeps(request)
    return response


@in_both("partial", "OTLP/HTTP Response, Partial Success", MUST,
         "HTTP 200 OK; the server MUST initialize partial_success, and set rejected_spans to the number it rejected.")
def partial(target: Target, media: Media) -> str:
    response = provoke_partial(target, media)
    check(response.partial_success.rejected_spans == 2, response)
    return "rejected_spans 2, of 2 with ids that are all zero and 2 others"


@in_both("partial.message", "OTLP/HTTP Response, Partial Success", SHOULD,
         "The server SHOULD populate error_message with a human-readable error message in English.")
def partial_message(target: Target, media: Media) -> str:
    said = provoke_partial(target, media).partial_success.error_message
    check(len(said.split()) >= 3 and said.isascii(), repr(said))
    return said


@in_both("partial.length", "trace.proto, Span.trace_id and Span.span_id", MUST,
         "An id of another length than 16 or 8 bytes is invalid: rejected alone, or with its request as bad data.")
def partial_length(target: Target, media: Media) -> str:
    request = messages.with_short_ids()
    answer = http_wire.send(target, media.encode(request), media.header)
    if answer.status == 400:
        return str(answer)
    response = response_of(answer, media)
    check(response.partial_success.rejected_spans == 3, response or "all accepted")
    target.keeps(request)
    return "rejected_spans 3, of 3 with ids of another length and 1 other"
