"""Attacks on the HTTP port: requests that are wrong, endless, or meant to be expensive; bodies that are."""

import itertools
import os

from . import bombs
from .attack import on_http
from .wire import PREFACE, TLS_HELLO, Wire, settings

TARGET = b"POST /v1/traces HTTP/1.1\r\nHost: test\r\n"
PROTOBUF = b"Content-Type: application/x-protobuf\r\n"
JSON = b"Content-Type: application/json\r\n"


def post(wire: Wire, body: bytes, headers: bytes = PROTOBUF) -> None:
    wire.send(TARGET + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body)


# --- not HTTP/1 at all ---


@on_http
def http_random_bytes(wire: Wire) -> None:
    for _ in range(64):
        wire.send(os.urandom(1 << 14))


@on_http
def http_tls_hello(wire: Wire) -> None:
    wire.send(TLS_HELLO)


@on_http
def http2_to_http(wire: Wire) -> None:
    wire.send(PREFACE + settings())


# --- heads ---


@on_http
def http_giant_header(wire: Wire) -> None:
    wire.send(TARGET + b"X: " + b"y" * (1 << 24) + b"\r\n\r\n")


@on_http
def http_many_headers(wire: Wire) -> None:
    wire.send(TARGET + b"".join(b"X-%d: y\r\n" % number for number in range(200_000)) + b"\r\n")


@on_http
def http_giant_target(wire: Wire) -> None:
    wire.send(b"POST /" + b"v" * (1 << 22) + b" HTTP/1.1\r\nHost: test\r\n\r\n")


@on_http
def http_empty_lines(wire: Wire) -> None:
    wire.send(b"\r\n" * 1_000_000)


HEADS = {
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "obscured chunks": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked with a tab": b"Transfer-Encoding:\tchunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "space before the colon": b"Content-Length : 5\r\n\r\nhello",
    "folded line": b"X: y\r\n Content-Length: 5\r\nContent-Length: 0\r\n\r\n",
    "NUL": b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "bare LF": b"X: y\nContent-Length: 5\n\nhello",
    "bare CR": b"X: y\rContent-Length: 5\r\n\r\nhello",
    "negative length": b"Content-Length: -1\r\n\r\n",
    "length with a plus": b"Content-Length: +5\r\n\r\nhello",
    "length in hex": b"Content-Length: 0x5\r\n\r\nhello",
    "length of 2^64": b"Content-Length: 18446744073709551616\r\n\r\nhello",
    "no name": b": y\r\n\r\n",
}


def odd_head(head: bytes):
    """Behind it a second request, which must not be taken for one when the first was not understood."""

    def run(wire: Wire) -> None:
        wire.send(TARGET + PROTOBUF + head + b"GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n")

    return run


for _name, _head in HEADS.items():
    _run = odd_head(_head)
    _run.__name__ = "http_" + "_".join(_name.split())
    on_http(_run)


# --- bodies ---


@on_http
def http_length_10gib(wire: Wire) -> None:
    wire.send(TARGET + PROTOBUF + b"Content-Length: 10737418240\r\n\r\n")
    while True:
        wire.send(bytes(1 << 16))


@on_http
def http_body_cut_off(wire: Wire) -> None:
    wire.send(TARGET + PROTOBUF + b"Content-Length: 5000\r\n\r\nhello")
    wire.half_close()


@on_http
def http_body_beyond_its_length(wire: Wire) -> None:
    wire.send(TARGET + PROTOBUF + b"Content-Length: 0\r\n\r\n" + b"hello" * 10000)


@on_http
def http_expect_and_nothing(wire: Wire) -> None:
    wire.send(TARGET + PROTOBUF + b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
    while b"100" not in wire.received:
        wire.wait()
    wire.received.clear()


@on_http
def http_chunk_garbage(wire: Wire) -> None:
    wire.send(TARGET + PROTOBUF + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n")


@on_http
def http_chunk_huge(wire: Wire) -> None:
    wire.send(TARGET + PROTOBUF + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nhello")


@on_http
def http_chunk_extension(wire: Wire) -> None:
    wire.send(TARGET + PROTOBUF + b"Transfer-Encoding: chunked\r\n\r\n")
    wire.send(b"5;" + b"x" * (1 << 22) + b"\r\nhello\r\n0\r\n\r\n")


@on_http
def http_chunks_of_one(wire: Wire) -> None:
    wire.send(TARGET + PROTOBUF + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1_000_000 + b"0\r\n\r\n")


@on_http
def http_endless_chunks(wire: Wire) -> None:
    wire.send(TARGET + PROTOBUF + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        wire.send(b"10000\r\n" + bytes(1 << 16) + b"\r\n")


@on_http
def http_endless_trailers(wire: Wire) -> None:
    wire.send(TARGET + PROTOBUF + b"Transfer-Encoding: chunked\r\n\r\n0\r\n")
    for number in itertools.count():
        wire.send(b"".join(b"X-%d-%d: y\r\n" % (number, line) for line in range(1000)))


@on_http
def http_pipelined_never_read(wire: Wire) -> None:
    wire.reading = False
    request = TARGET + PROTOBUF + b"Content-Length: 0\r\n\r\n"
    for _ in range(1000):
        wire.send(request * 100)


def encoded(encoding: bytes) -> bytes:
    return PROTOBUF + b"Content-Encoding: " + encoding + b"\r\n"


@on_http
def http_gzip_bomb(wire: Wire) -> None:
    post(wire, bombs.compressed("gzip", 1 << 27), encoded(b"gzip"))


@on_http
def http_deflate_bomb(wire: Wire) -> None:
    post(wire, bombs.compressed("deflate", 1 << 27), encoded(b"deflate"))


@on_http
def http_zstd_bomb(wire: Wire) -> None:
    post(wire, bombs.compressed("zstd", 1 << 34), encoded(b"zstd"))


@on_http
def http_snappy_bomb(wire: Wire) -> None:
    post(wire, bombs.snappy_block(1 << 27), encoded(b"snappy"))


@on_http
def http_gzip_in_gzip(wire: Wire) -> None:
    post(wire, bombs.gzip_in_gzip(1 << 27), encoded(b"gzip, gzip"))


@on_http
def http_nested_values(wire: Wire) -> None:
    post(wire, bombs.nested_values(100_000))


BODIES = {
    "nesting": lambda: bombs.nested_json(100_000),
    "nested_values": lambda: bombs.nested_json_values(20_000),
    "long_number": lambda: bombs.long_number_json(4_000_000),
    "many_keys": lambda: bombs.many_keys_json(400_000),
    "endless_string": lambda: bombs.endless_string_json(4_000_000),
}


def json_bomb(make):
    def run(wire: Wire) -> None:
        post(wire, make(), JSON)

    return run


for _name, _make in BODIES.items():
    _run = json_bomb(_make)
    _run.__name__ = f"http_json_{_name}"
    on_http(_run)
