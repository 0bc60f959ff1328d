"""Rows of OTLP/HTTP on how a body is encoded and transferred, and on how large it may be."""

import gzip

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from . import http_wire, messages
from .http_ask import accepted, in_both, sent_with
from .http_wire import Answer, Connection
from .media import PROTOBUF, Media, status_of
from .rows import MAY, MUST, SHOULD, NotOffered, check
from .target import Target

REJECTED_MANY = 20_000
RESPONSE_BYTES_MAX = 4 << 20


def encoded_with(target: Target, media: Media, encoding: str) -> Answer:
    request = messages.with_everything()
    body = messages.ENCODINGS[encoding](media.encode(request))
    answer = http_wire.send(target, body, {**media.header, "content-encoding": encoding})
    if answer.status == 200:
        accepted(target, request, answer, media)
    return answer


@in_both("encoding.gzip", "Protocol Details; OTLP/HTTP Request", MUST,
         "All server components MUST support gzip: the client MAY gzip the content, with Content-Encoding: gzip.")
def gzip_content(target: Target, media: Media) -> str:
    answer = encoded_with(target, media, "gzip")
    check(answer.status == 200, answer)
    return "200"


def offers(encoding: str, section: str, clause: str) -> None:
    @in_both(f"encoding.{encoding}", section, MAY, clause)
    def other(target: Target, media: Media) -> str:
        answer = encoded_with(target, media, encoding)
        if answer.status in (400, 415):
            raise NotOffered(str(answer))
        check(answer.status == 200, answer)
        return "200"


offers("deflate", "RFC 9110, 8.4.1.2", "Content-Encoding may be deflate, which is the zlib format.")
offers("zstd", "RFC 8878, 6", "Content-Encoding may be zstd.")
offers("identity", "RFC 9110, 8.4", "Content-Encoding may be identity, though senders should not say so.")


@in_both("encoding.unknown", "RFC 9110, 8.4 and 15.5.16", MAY,
         "An origin server MAY respond with 415 if a Content-Encoding is not acceptable: it is not taken as data.")
def unknown_encoding(target: Target, media: Media) -> str:
    body = media.encode(messages.simple())
    answer = http_wire.send(target, body, {**media.header, "content-encoding": "x-unheard-of"})
    if answer.status == 400:
        raise NotOffered(f"refused, but as bad data: {answer}")
    check(answer.status == 415, answer)
    return str(answer)


@in_both("encoding.corrupt", "OTLP/HTTP Response, Bad Data", MUST,
         "Data that cannot be decoded is HTTP 400: here gzip that is none.")
def corrupt(target: Target, media: Media) -> str:
    answer = http_wire.send(target, b"\x1f\x8b\x08none", {**media.header, "content-encoding": "gzip"})
    check(answer.status == 400, answer)
    return str(answer)


@in_both("accept_encoding", "OTLP/HTTP Response", MAY,
         "If Accept-Encoding: gzip is present the server MAY gzip-encode the response, with Content-Encoding: gzip.")
def accept_encoding(target: Target, media: Media) -> str:
    request = messages.simple()
    answer = http_wire.send(target, media.encode(request), {**media.header, "accept-encoding": "gzip"})
    coding = answer.headers.get("content-encoding", "identity")
    check(coding in ("identity", "gzip"), f"Content-Encoding {coding}")
    plain = gzip.decompress(answer.body) if coding == "gzip" else answer.body
    accepted(target, request, answer._replace(body=plain), media)
    return f"the response is {coding}"


@in_both("response_size", "OTLP/HTTP Response", MUST,
         "The server MUST limit the size of the response body. It is RECOMMENDED to use 4 MiB.")
def response_size(target: Target, media: Media) -> str:
    span = messages.new_span(trace_id=bytes(16))
    one = len(media.encode(messages.request_of(span)))
    count = min(REJECTED_MANY, (target.max_request_bytes - 1024) // one)
    answer = http_wire.send(target, media.encode(messages.request_of(*[span] * count)), media.header)
    check(len(answer.body) <= RESPONSE_BYTES_MAX, f"{len(answer.body)} bytes")
    return f"{len(answer.body)} bytes for {count} spans with an invalid id"


def in_size(target: Target, media: Media, count: int) -> tuple[ExportTraceServiceRequest, bytes]:
    """A request whose encoding has at most `count` bytes, and nearly so many."""
    request = messages.of_size(count if media is PROTOBUF else count * 3 // 4 - 4096)  # base64
    return request, media.encode(request)


@in_both("limit.below", "OTLP/HTTP Request", SHOULD,
         "It is RECOMMENDED to use 64 MiB as the default limit: below the limit (--max-request-bytes) all is taken.")
def limit_below(target: Target, media: Media) -> str:
    request, body = in_size(target, media, target.max_request_bytes - 1024)
    accepted(target, request, http_wire.send(target, body, media.header), media)
    headers = {**media.header, "content-encoding": "gzip"}
    accepted(target, request, http_wire.send(target, messages.ENCODINGS["gzip"](body), headers), media)
    return f"200 for {len(body)} bytes, plain and gzip"


@in_both("limit.above", "OTLP/HTTP Request", MUST,
         "If the limit is exceeded, the server MUST respond with HTTP 413 Content Too Large.")
def limit_above(target: Target, media: Media) -> str:
    body = media.encode(messages.of_size(target.max_request_bytes + (1 << 20)))
    answer = http_wire.send(target, body, media.header)
    check(answer.status == 413, answer)
    in_chunks = http_wire.send(target, body, media.header, chunked=True)
    check(in_chunks.status == 413, f"{in_chunks} in chunks")
    return f"413 for {len(body)} bytes, also when their number comes last"


@in_both("limit.decompressed", "OTLP/HTTP Request", MUST,
         "The server MUST limit the size of the request body, including after decompression.")
def limit_decompressed(target: Target, media: Media) -> str:
    body = media.encode(messages.of_size(target.max_request_bytes + (1 << 20)))
    compressed = messages.ENCODINGS["gzip"](body)
    answer = http_wire.send(target, compressed, {**media.header, "content-encoding": "gzip"})
    check(answer.status == 413, answer)
    return f"413 for {len(compressed)} bytes that hold {len(body)}"


@in_both("limit.status", "OTLP/HTTP Response, Failures", MUST,
         "The response body for all HTTP 4xx and HTTP 5xx responses MUST be a Protobuf-encoded Status: here of 413.")
def limit_status(target: Target, media: Media) -> str:
    body = messages.ENCODINGS["gzip"](media.encode(messages.of_size(target.max_request_bytes + (1 << 20))))
    answer = http_wire.send(target, body, {**media.header, "content-encoding": "gzip"})
    status_of(answer, media)
    return str(answer)


@in_both("chunked", "RFC 9112, 7.1", MUST,
         "A recipient MUST be able to parse and decode the chunked transfer coding.")
def chunked(target: Target, media: Media) -> str:
    return sent_with(target, media, chunked=True)


@in_both("expect_continue", "RFC 9110, 10.1.1", MUST,
         "Upon 100-continue an origin server MUST send a 100 response before the content, or a final one.")
def expect_continue(target: Target, media: Media) -> str:
    request = messages.simple()
    with Connection(target) as connection:
        interim, answer = connection.send_after_continue(media.encode(request), media.header)
    check(interim.split()[1:2] == [b"100"], interim)
    accepted(target, request, answer, media)
    return "100, then 200"
