"""Rows of OTLP/gRPC, and of gRPC itself where OTLP leans on it."""

from google.rpc import error_details_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from . import grpc_wire, messages
from .grpc_ask import accepted, final, retry_infos
from .grpc_wire import Connection
from .rows import MAY, MUST, SHOULD, CannotProvoke, NotOffered, check, row
from .target import Target

SEQUENTIAL = 200
CONCURRENT = 16
GARBAGE = {
    "a length past the end": b"\x0a\xff\xff\xff\xff\x0f",
    "a wrong wire type": b"\x0b\x00",
    "text": b"resourceSpans: none",
    "a truncated span": messages.simple().SerializeToString()[:-3],
}


@row("grpc.success", "OTLP/gRPC Response, Full Success", MUST,
     "On success, the server response MUST be an ExportTraceServiceResponse message.")
def success(target: Target) -> str:
    request = messages.with_everything()
    answer = grpc_wire.export(target, request.SerializeToString())
    accepted(target, request, answer)
    return f"OK, a message of {len(answer.message)} bytes"


@row("grpc.success.partial_unset", "OTLP/gRPC Response, Full Success", MUST,
     "The server MUST leave the partial_success field unset in case of a successful response.")
def partial_unset(target: Target) -> str:
    request = messages.simple()
    response = accepted(target, request, grpc_wire.export(target, request.SerializeToString()))
    check(not response.HasField("partial_success"), "partial_success is there, and empty")
    return "unset"


@row("grpc.success.empty", "OTLP/gRPC Response, Full Success", SHOULD,
     "If the server receives an empty request the server SHOULD respond with success.")
def empty(target: Target) -> str:
    accepted(target, ExportTraceServiceRequest(), grpc_wire.export(target, b""))
    return "OK for a request of 0 bytes"


@row("grpc.empty_envelope", "Empty Telemetry Envelopes", MAY,
     "Receivers MAY ignore empty envelopes: spans are what counts, and none is no error.")
def empty_envelope(target: Target) -> str:
    request = messages.request_of()
    accepted(target, request, grpc_wire.export(target, request.SerializeToString()))
    return "OK for a resource and a scope without spans"


@row("grpc.sequence", "OTLP/gRPC", MUST,
     "The client continuously sends a sequence of requests and expects a response to each.")
def sequence(target: Target) -> str:
    with Connection(target) as connection:
        for _ in range(SEQUENTIAL):
            request = messages.simple()
            accepted(target, request, connection.export(request.SerializeToString()))
    return f"{SEQUENTIAL} on one connection"


@row("grpc.concurrent", "OTLP/gRPC Concurrent Requests", SHOULD,
     "Implementations SHOULD support concurrent unary calls.")
def concurrent(target: Target) -> str:
    """All are begun before the first is complete, and completed in the opposite order."""
    requests = [messages.with_everything() for _ in range(CONCURRENT)]
    bodies = [grpc_wire.framed(request.SerializeToString()) for request in requests]
    with Connection(target) as connection:
        calls = [connection.open() for _ in requests]
        for call, body in zip(calls, bodies):
            connection.write(call, body[: len(body) // 2])
        for call, body in reversed(list(zip(calls, bodies))):
            connection.write(call, body[len(body) // 2 :], end=True)
        for call, request in zip(calls, requests):
            accepted(target, request, connection.finish(call))
    return f"{CONCURRENT} under way at once on one connection"


@row("grpc.bad_data", "OTLP/gRPC Response, Failures", MUST,
     "A request with bad data that cannot be deserialized is answered with a non-retryable error.")
def bad_data(target: Target) -> str:
    seen = {name: final(grpc_wire.export(target, body)).split()[0] for name, body in GARBAGE.items()}
    return ", ".join(f"{code} for {name}" for name, code in seen.items())


@row("grpc.bad_data.code", "OTLP/gRPC Response, Failures", SHOULD,
     "To indicate non-retryable errors, the server is recommended to use code InvalidArgument.")
def bad_data_code(target: Target) -> str:
    answers = [grpc_wire.export(target, body) for body in GARBAGE.values()]
    for answer in answers:
        check(answer.code == "INVALID_ARGUMENT", answer)
    return str(answers[0])


@row("grpc.bad_data.details", "OTLP/gRPC Response, Failures", MAY,
     "[The server] MAY supply additional details via status using BadRequest.")
def bad_data_details(target: Target) -> str:
    answer = grpc_wire.export(target, GARBAGE["a length past the end"])
    found = [detail for detail in answer.details if isinstance(detail, error_details_pb2.BadRequest)]
    if not found:
        raise NotOffered("no BadRequest in grpc-status-details-bin")
    return " ".join(str(found[0]).split())[:120] or "an empty BadRequest"


@row("grpc.bad_data.goes_on", "OTLP/gRPC", SHOULD,
     "A request that is refused does no harm to others on its connection.")
def goes_on(target: Target) -> str:
    with Connection(target) as connection:
        connection.export(GARBAGE["text"])
        request = messages.simple()
        accepted(target, request, connection.export(request.SerializeToString()))
    return "OK after a refusal, on the same connection"


def provoke_partial(target: Target, request: ExportTraceServiceRequest) -> ExportTraceServiceResponse:
    answer = grpc_wire.export(target, request.SerializeToString())
    check(answer.ok, answer)
    response = ExportTraceServiceResponse.FromString(answer.message)
    if response.partial_success.rejected_spans == 0:
        raise CannotProvoke("accepts spans whose ids are all zero")
    target.keeps(request)
    return response


@row("grpc.partial", "OTLP/gRPC Response, Partial Success", MUST,
     "The server MUST initialize partial_success, and set rejected_spans to the number of spans it rejected.")
def partial(target: Target) -> str:
    response = provoke_partial(target, messages.with_zero_ids())
    check(response.partial_success.rejected_spans == 2, response)
    return "rejected_spans 2, of 2 with ids that are all zero and 2 others"


@row("grpc.partial.message", "OTLP/gRPC Response, Partial Success", SHOULD,
     "The server SHOULD populate error_message with a human-readable error message in English.")
def partial_message(target: Target) -> str:
    said = provoke_partial(target, messages.with_zero_ids()).partial_success.error_message
    check(len(said.split()) >= 3 and said.isascii(), repr(said))
    return said


@row("grpc.partial.length", "trace.proto, Span.trace_id and Span.span_id", MUST,
     "An id of another length than 16 or 8 bytes is invalid: rejected alone, or with its request as bad data.")
def partial_length(target: Target) -> str:
    request = messages.with_short_ids()
    answer = grpc_wire.export(target, request.SerializeToString())
    if not answer.ok:
        return final(answer)
    response = ExportTraceServiceResponse.FromString(answer.message)
    check(response.partial_success.rejected_spans == 3, response or "all accepted")
    target.keeps(request)
    return "rejected_spans 3, of 3 with ids of another length and 1 other"


@row("grpc.unknown_fields", "Future Versions and Interoperability", MUST,
     "Newer versions may add new fields that will be ignored by servers that do not understand them.")
def unknown_fields(target: Target) -> str:
    request = messages.with_everything()
    span = request.resource_spans[0].scope_spans[0].spans[0]
    unknown = b"\xa2\xfa\x04\x05later" + b"\xa8\xfa\x04\x2a" + b"\xad\xfa\x04abcd"  # 10052 text, 10053 int, 10053 fixed
    for part in (span, span.attributes[0], span.attributes[0].value, span.events[0], request.resource_spans[0]):
        part.MergeFromString(unknown)
    body = request.SerializeToString() + unknown
    accepted(target, request, grpc_wire.export(target, body))
    return "OK with unknown fields in five kinds of message"


@row("grpc.unknown_enum", "Future Versions and Interoperability", MUST,
     "Newer versions may add values: an enum's number that has no name yet is no error.")
def unknown_enum(target: Target) -> str:
    span = messages.new_span()
    span.kind = 99
    span.status.code = 77
    request = messages.request_of(span)
    accepted(target, request, grpc_wire.export(target, request.SerializeToString()))
    return "OK with kind 99 and status code 77"


@row("grpc.unimplemented", "OTLP/gRPC Response, Failures; gRPC, statuscodes.md", MUST,
     "A service or method that the server does not have is UNIMPLEMENTED, which is non-retryable.")
def unimplemented(target: Target) -> str:
    with Connection(target) as connection:
        for path in ("/unheard.of.Service/Export", grpc_wire.EXPORT.replace("/Export", "/Import")):
            answer = connection.export(b"", path=path)
            check(answer.code == "UNIMPLEMENTED", f"{path}: {answer}")
    return str(answer)


@row("grpc.content_type.proto", "gRPC, PROTOCOL-HTTP2.md, Requests", MUST,
     "Content-Type is application/grpc, with +proto or without.")
def content_type_proto(target: Target) -> str:
    request = messages.simple()
    answer = grpc_wire.export(target, request.SerializeToString(), {"content-type": "application/grpc+proto"})
    accepted(target, request, answer)
    return "OK"


@row("grpc.content_type.other", "gRPC, PROTOCOL-HTTP2.md, Requests", SHOULD,
     "If Content-Type does not begin with application/grpc, gRPC servers SHOULD respond with HTTP status 415.")
def content_type_other(target: Target) -> str:
    answer = grpc_wire.export(target, messages.simple().SerializeToString(), {"content-type": "text/plain"})
    check(answer.http_status == "415", answer)
    return "HTTP 415"


@row("grpc.metadata", "gRPC, PROTOCOL-HTTP2.md, Requests", MUST,
     "Custom-Metadata is arbitrary: what the server has no use for is no error.")
def metadata(target: Target) -> str:
    request = messages.simple()
    extra = {"x-unheard-of": "value", "x-unheard-of-bin": "AAEC", "grpc-timeout": "20S", "user-agent": "grpc-row/1"}
    accepted(target, request, grpc_wire.export(target, request.SerializeToString(), extra))
    return "OK with unknown headers, a binary one, and a deadline"


@row("grpc.port", "OTLP/gRPC Default Port", SHOULD, "The default network port for OTLP/gRPC is 4317.")
def port(target: Target) -> str:
    assert target.grpc is not None
    if target.grpc.port != 4317:
        raise CannotProvoke(f"this endpoint's port was chosen: {target.grpc.port}")
    return "4317"


OVERLOAD_BYTES = 256 << 10


@row("grpc.overload", "OTLP/gRPC Throttling", SHOULD,
     "To signal backpressure the server SHOULD return an error with code Unavailable.", overload=True)
def overload(target: Target) -> str:
    answer = grpc_wire.export(target, messages.of_size(OVERLOAD_BYTES, noise=True).SerializeToString())
    check(answer.code == "UNAVAILABLE", answer)
    return str(answer)


@row("grpc.overload.retry_info", "OTLP/gRPC Throttling", MAY,
     "[The server] MAY supply additional details via status using RetryInfo.", overload=True)
def overload_retry_info(target: Target) -> str:
    answer = grpc_wire.export(target, messages.of_size(OVERLOAD_BYTES, noise=True).SerializeToString())
    found = retry_infos(answer)
    if not found:
        raise NotOffered(f"no RetryInfo with {answer}")
    delay = found[0].retry_delay.ToTimedelta().total_seconds()
    check(0 < delay <= 300, f"retry_delay {delay} s")
    return f"retry_delay {delay} s"
