"""Rows of OTLP/gRPC on how a message is compressed, and on how large it may be."""

from . import grpc_wire, messages
from .grpc_ask import accepted, final
from .grpc_wire import Answer, Connection
from .rows import MAY, MUST, SHOULD, NotOffered, check, row
from .target import Target

REJECTED_MANY = 20_000
RESPONSE_BYTES_MAX = 4 << 20


def compressed_with(target: Target, encoding: str) -> Answer:
    request = messages.with_everything()
    body = messages.ENCODINGS[encoding](request.SerializeToString())
    answer = grpc_wire.export(target, body, {"grpc-encoding": encoding}, flag=1)
    if answer.ok:
        accepted(target, request, answer)
    return answer


@row("grpc.compression.none", "Protocol Details", MUST, "All server components MUST support no compression.")
def no_compression(target: Target) -> str:
    request = messages.simple()
    answer = grpc_wire.export(target, request.SerializeToString(), {"grpc-encoding": "identity"})
    accepted(target, request, answer)
    return "OK with grpc-encoding: identity"


@row("grpc.compression.gzip", "Protocol Details", MUST, "All server components MUST support gzip compression.")
def gzip(target: Target) -> str:
    answer = compressed_with(target, "gzip")
    check(answer.ok, answer)
    return "OK"


def offers(encoding: str, clause: str) -> None:
    @row(f"grpc.compression.{encoding}", "gRPC, PROTOCOL-HTTP2.md, Requests", MAY, clause)
    def other(target: Target) -> str:
        answer = compressed_with(target, encoding)
        if answer.code == "UNIMPLEMENTED":
            raise NotOffered(str(answer))
        check(answer.ok, answer)
        return "OK"


offers("deflate", "Content-Coding may be deflate.")
offers("snappy", "Content-Coding may be snappy.")
offers("zstd", "Content-Coding may be a custom one: zstd, which Collectors and SDKs send.")


@row("grpc.compression.flag_clear", "gRPC, PROTOCOL-HTTP2.md, Requests", MUST,
     "A Compressed-Flag of 0 indicates that no encoding has occurred, whatever grpc-encoding says.")
def flag_clear(target: Target) -> str:
    request = messages.simple()
    answer = grpc_wire.export(target, request.SerializeToString(), {"grpc-encoding": "gzip"}, flag=0)
    accepted(target, request, answer)
    return "OK for an uncompressed message with grpc-encoding: gzip"


@row("grpc.compression.flag_alone", "gRPC, compression.md, Test cases", MUST,
     "A message with its Compressed-Flag set but lacking a grpc-encoding MUST fail with INTERNAL.")
def flag_alone(target: Target) -> str:
    answer = grpc_wire.export(target, messages.simple().SerializeToString(), flag=1)
    check(answer.code == "INTERNAL", answer)
    return str(answer)


@row("grpc.compression.answer", "gRPC, compression.md, Compression Method Asymmetry Between Peers", MUST,
     "When the client does not support an algorithm, as its grpc-accept-encoding says, it SHALL send uncompressed.")
def answer_uncompressed(target: Target) -> str:
    request = messages.simple()
    body = messages.ENCODINGS["gzip"](request.SerializeToString())
    headers = {"grpc-encoding": "gzip", "grpc-accept-encoding": "identity"}
    answer = grpc_wire.export(target, body, headers, flag=1)
    accepted(target, request, answer)
    coding = answer.headers.get("grpc-encoding", "identity")
    check(answer.body[0] == 0, f"the answer is compressed by {coding}, to a client that accepts identity")
    return "uncompressed"


@row("grpc.compression.unknown", "gRPC, compression.md, Compression Method Asymmetry Between Peers", MUST,
     "An unsupported algorithm results in UNIMPLEMENTED, with grpc-accept-encoding naming those that are supported.")
def unknown_encoding(target: Target) -> str:
    answer = grpc_wire.export(target, b"whatever", {"grpc-encoding": "x-unheard-of"}, flag=1)
    check(answer.code == "UNIMPLEMENTED", answer)
    named = answer.headers.get("grpc-accept-encoding", answer.trailers.get("grpc-accept-encoding", ""))
    check("gzip" in named, f"{answer}, grpc-accept-encoding: {named!r}")
    return f"UNIMPLEMENTED, grpc-accept-encoding: {named}"


@row("grpc.compression.corrupt", "OTLP/gRPC Response, Failures", MUST,
     "A request that cannot be deserialized is a non-retryable error: here gzip that is none.")
def corrupt(target: Target) -> str:
    answer = grpc_wire.export(target, b"\x1f\x8b\x08this is no deflate stream", {"grpc-encoding": "gzip"}, flag=1)
    return final(answer)


@row("grpc.response_size", "OTLP/gRPC Response", MUST,
     "The server MUST limit the size of the response message. It is RECOMMENDED to use 4 MiB.")
def response_size(target: Target) -> str:
    span = messages.new_span(trace_id=bytes(16))
    room = (target.max_request_bytes - 1024) // (span.ByteSize() + 8)
    count = min(REJECTED_MANY, room)
    answer = grpc_wire.export(target, messages.request_of(*[span] * count).SerializeToString())
    check(len(answer.body) <= RESPONSE_BYTES_MAX, f"{len(answer.body)} bytes")
    return f"{len(answer.body)} bytes for {count} spans with an invalid id"


def too_large(target: Target) -> bytes:
    return messages.of_size(target.max_request_bytes + (1 << 20)).SerializeToString()


@row("grpc.limit.below", "OTLP/gRPC Request", SHOULD,
     "It is RECOMMENDED to use 64 MiB as the default limit: below the limit (--max-request-bytes) all is taken.")
def limit_below(target: Target) -> str:
    request = messages.of_size(target.max_request_bytes - 1024)
    body = request.SerializeToString()
    with Connection(target) as connection:
        accepted(target, request, connection.export(body))
        compressed = messages.ENCODINGS["gzip"](body)
        accepted(target, request, connection.export(compressed, {"grpc-encoding": "gzip"}, flag=1))
    return f"OK for {len(body)} bytes, plain and gzip"


@row("grpc.limit.above", "OTLP/gRPC Request", MUST,
     "If the limit is exceeded, the server MUST report RESOURCE_EXHAUSTED as a non-retryable error.")
def limit_above(target: Target) -> str:
    body = too_large(target)
    answer = grpc_wire.export(target, body)
    check(answer.code == "RESOURCE_EXHAUSTED", answer)
    return f"{final(answer)} for {len(body)} bytes"


@row("grpc.limit.decompressed", "OTLP/gRPC Request", MUST,
     "The server MUST enforce a message size limit, including after decompression.")
def limit_decompressed(target: Target) -> str:
    body = too_large(target)
    compressed = messages.ENCODINGS["gzip"](body)
    answer = grpc_wire.export(target, compressed, {"grpc-encoding": "gzip"}, flag=1)
    check(answer.code == "RESOURCE_EXHAUSTED", answer)
    return f"{final(answer)} for {len(compressed)} bytes that hold {len(body)}"
