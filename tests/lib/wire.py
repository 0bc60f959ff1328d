"""Raw connections for clients that keep to no rules: every attack on one is bounded in time and ends by itself."""

import collections
import select
import socket
import struct
import time

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
ACK = END_STREAM = 0x1
END_HEADERS = 0x4
FRAME_BYTES_MAX = 16384
WINDOW_BYTES = 65535

TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(190))

EXPORT_PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class Ended(Exception):
    """The other side has closed or reset the connection."""


class Spent(Exception):
    """The attack's time is over."""


class Wire:
    """A connection that reads whatever comes while it sends, unless `reading` is off."""

    def __init__(self, port: int, seconds: float):
        self.deadline = time.monotonic() + seconds
        self.reading = True
        self.received = bytearray()  # how it begins, at most KEPT_BYTES
        self.sent_bytes = 0
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    KEPT_BYTES = 1 << 16

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self.wait(writing=True)
            try:
                count = self.socket.send(view[: 1 << 20])
            except BlockingIOError:
                continue
            except OSError as error:
                raise Ended from error
            self.sent_bytes += count
            view = view[count:]

    def half_close(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise Ended from error

    def wait(self, writing: bool = False) -> None:
        """Until something can be sent, or something has come; what has come is taken in."""
        if self.seconds_left <= 0:
            raise Spent
        poll = select.poll()
        poll.register(self.socket, (select.POLLIN if self.reading else 0) | (select.POLLOUT if writing else 0))
        for _, events in poll.poll(max(1, self.seconds_left * 1000)):
            if events & select.POLLIN:
                self.take_in()
            elif events & (select.POLLERR | select.POLLHUP):
                raise Ended

    def take_in(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError as error:
            raise Ended from error
        if not data:
            raise Ended
        self.received += data[: self.KEPT_BYTES - len(self.received)]
        self.parse(data)

    def parse(self, data: bytes) -> None:
        """For what understands its answers."""

    @property
    def answered(self) -> bool:
        return b"HTTP/1." in self.received[:64]

    def drain(self) -> None:
        """Until the other side has answered or ended, or the time is over."""
        while not self.answered:
            self.wait()

    def outcome(self) -> str:
        line = bytes(self.received).split(b"\r\n", 1)[0]
        return line[:60].decode(errors="replace") if self.answered else ""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"", length: int | None = None) -> bytes:
    """`length`: what the frame claims, if that is not the payload's."""
    claimed = len(payload) if length is None else length
    return struct.pack(">HBBBI", claimed >> 8, claimed & 0xFF, kind, flags, stream) + payload


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def request_headers(encoding: str | None = None, **changes: str) -> list[tuple[str, str]]:
    """Of an Export as it should be."""
    headers = {":method": "POST", ":scheme": "http", ":path": EXPORT_PATH, ":authority": "test"}
    headers |= {"content-type": "application/grpc", "te": "trailers"}
    if encoding is not None:
        headers["grpc-encoding"] = encoding
    return list((headers | changes).items())


def message(payload: bytes, compressed: bool = False, length: int | None = None) -> bytes:
    """gRPC's prefix and the payload; `length`: what it claims."""
    return struct.pack(">BI", compressed, len(payload) if length is None else length) + payload


class Http2(Wire):
    """After the preface; notes what the other side says in frames, and keeps to its windows in send_data()."""

    def __init__(self, port: int, seconds: float):
        super().__init__(port, seconds)
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()
        self.buffer = bytearray()
        self.owed = b""  # acknowledgements
        self.said: collections.Counter[str] = collections.Counter()
        self.initial_window = WINDOW_BYTES
        self.windows: dict[int, int] = {0: WINDOW_BYTES}
        self.send(PREFACE + settings())
        while not self.owed:
            self.wait()
        self.acknowledge()

    def acknowledge(self) -> None:
        """The other side's settings; only where a frame may be, so not by itself."""
        owed, self.owed = self.owed, b""
        self.send(owed)

    def open(self, stream: int, headers: list[tuple[str, str]] | None = None, end: bool = False) -> None:
        self.send(self.headers(stream, headers, end))

    def headers(self, stream: int, headers: list[tuple[str, str]] | None = None, end: bool = False) -> bytes:
        flags = END_HEADERS | (END_STREAM if end else 0)
        return frame(HEADERS, flags, stream, self.encoder.encode(headers or request_headers()))

    def send_data(self, stream: int, data: bytes, end: bool = True) -> None:
        """Until an answer has come."""
        self.windows.setdefault(stream, self.initial_window)
        start = 0
        while start < len(data) and not self.answered:
            count = min(self.windows[0], self.windows[stream], FRAME_BYTES_MAX, len(data) - start)
            if count <= 0:
                self.acknowledge()  # what the other side may wait for
                self.wait()
                continue
            last = end and start + count == len(data)
            self.send(frame(DATA, END_STREAM if last else 0, stream, data[start : start + count]))
            for number in (0, stream):
                self.windows[number] -= count
            start += count

    def parse(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) >= 9 and len(self.buffer) >= 9 + (length := int.from_bytes(self.buffer[:3], "big")):
            kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
            payload = bytes(self.buffer[9 : 9 + length])
            del self.buffer[: 9 + length]
            self.note(kind, flags, stream, payload)

    def note(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == GOAWAY:
            self.said[f"GOAWAY {int.from_bytes(payload[4:8], 'big')}"] += 1
        elif kind == RST_STREAM:
            self.said[f"RST_STREAM {int.from_bytes(payload, 'big')}"] += 1
        elif kind == HEADERS:
            for name, value in self.decoder.decode(payload):
                if name == "grpc-status" or name == ":status" and value != "200":
                    self.said[f"{name} {value}"] += 1
        elif kind == WINDOW_UPDATE:
            self.windows[stream] = self.windows.get(stream, self.initial_window) + int.from_bytes(payload, "big")
        elif kind == SETTINGS and not flags & ACK:
            self.apply(payload)

    def apply(self, payload: bytes) -> None:
        for name, value in struct.iter_unpack(">HI", payload):
            if name == 4:  # SETTINGS_INITIAL_WINDOW_SIZE
                for stream in self.windows.keys() - {0}:
                    self.windows[stream] += value - self.initial_window
                self.initial_window = value
        self.owed += frame(SETTINGS, ACK, 0)

    @property
    def answered(self) -> bool:
        return bool(self.said)

    def outcome(self) -> str:
        return ", ".join(f"{words} x{count}" if count > 1 else words for words, count in sorted(self.said.items()))
