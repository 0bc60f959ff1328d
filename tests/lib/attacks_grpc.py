"""Attacks on the gRPC port by what is no HTTP/2, and by messages that are wrong, endless or expensive to read."""

import os

from . import bombs
from .attack import on_grpc, on_grpc_raw
from .wire import DATA, PREFACE, TLS_HELLO, Http2, Wire, frame, message, request_headers, settings


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
