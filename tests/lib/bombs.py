"""Requests that are small on the wire and large, deep or slow once they are read."""

import functools
import gzip
import struct
import threading
import zlib
from typing import Callable

ZSTD_BLOCK_BYTES = 128 << 10
SNAPPY_BLOCK_BYTES = 64 << 10


def once(make: Callable[..., bytes]) -> Callable[..., bytes]:
    """Kept, and made by one thread while the others wait."""
    kept, lock = functools.cache(make), threading.Lock()

    def get(*arguments: object) -> bytes:
        with lock:
            return kept(*arguments)

    return get


def zeros(count: int, chunk: int = 1 << 20):
    for start in range(0, count, chunk):
        yield bytes(min(chunk, count - start))


def deflated(count: int, window_bits: int) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, window_bits)
    return b"".join(stream.compress(part) for part in zeros(count)) + stream.flush()


def zstd(count: int) -> bytes:
    """Blocks of one byte that is repeated: 4 bytes for 128 KiB."""
    blocks = count // ZSTD_BLOCK_BYTES
    header = struct.pack("<IBB", 0xFD2FB528, 0, (20 - 10) << 3)  # no content size; a window of 1 MiB
    repeated = (ZSTD_BLOCK_BYTES << 3) | (1 << 1)
    block = repeated.to_bytes(3, "little") + b"\0"
    last = (repeated | 1).to_bytes(3, "little") + b"\0"
    return header + block * (blocks - 1) + last


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


@once
def snappy_block(count: int) -> bytes:
    """A zero, then copies of 64 bytes from one byte before: 3 bytes for 64."""
    copy = bytes([(64 - 1) << 2 | 2]) + struct.pack("<H", 1)
    rest = (count - 1) % 64
    last = bytes([(rest - 1) << 2 | 2]) + struct.pack("<H", 1) if rest else b""
    return varint(count) + b"\0\0" + copy * ((count - 1) // 64) + last


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def snappy(count: int) -> bytes:
    """The framed format."""
    crc = crc32c(bytes(SNAPPY_BLOCK_BYTES))
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    body = struct.pack("<I", masked) + snappy_block(SNAPPY_BLOCK_BYTES)
    chunk = b"\0" + len(body).to_bytes(3, "little") + body
    return b"\xff\x06\0\0sNaPpY" + chunk * (count // SNAPPY_BLOCK_BYTES)


@once
def compressed(encoding: str, count: int) -> bytes:
    """`count` zeros."""
    match encoding:
        case "gzip":
            return deflated(count, 16 + zlib.MAX_WBITS)
        case "deflate":
            return deflated(count, zlib.MAX_WBITS)
        case "zstd":
            return zstd(count)
        case "snappy":
            return snappy(count)
    raise ValueError(encoding)


@once
def gzip_in_gzip(count: int) -> bytes:
    return gzip.compress(deflated(count, 16 + zlib.MAX_WBITS))


def in_fields(payload: bytes, *fields: int) -> bytes:
    """As the value of these protobuf fields, the last the innermost."""
    for field in reversed(fields):
        payload = varint(field << 3 | 2) + varint(len(payload)) + payload
    return payload


@once
def nested_values(depth: int) -> bytes:
    """A request with an attribute of arrays in arrays."""
    heads, length = [], 0
    for _ in range(depth):  # ArrayValue.values, AnyValue.array_value
        for tag in (b"\x0a", b"\x2a"):
            head = tag + varint(length)
            heads.append(head)
            length += len(head)
    value = b"".join(reversed(heads))
    # resource_spans, scope_spans, spans, attributes, value
    return in_fields(value, 1, 2, 2, 9, 2)


def empty_groups(count: int) -> bytes:
    """A request of so many ResourceSpans of 2 bytes."""
    return b"\x0a\0" * count


def nested_json(depth: int) -> bytes:
    return b'{"resourceSpans":' + b"[" * depth + b"]" * depth + b"}"


def nested_json_values(depth: int) -> bytes:
    opening, closing = b'{"arrayValue":{"values":[', b"]}}"
    start = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"a","value":'
    return start + opening * depth + closing * depth + b"}]}]}]}]}"


@once
def long_number_json(digits: int) -> bytes:
    return b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":' + b"9" * digits + b"}]}]}]}"


@once
def many_keys_json(count: int) -> bytes:
    return b"{" + b",".join(b'"k%d":0' % number for number in range(count)) + b"}"


@once
def endless_string_json(count: int) -> bytes:
    return b'{"resourceSpans":"' + b"\\u0000" * (count // 6)
