"""gRPC over HTTP/2, frame by frame: what a library would hide or not let us send.

One connection with any number of calls, driven by its caller in one thread:
nothing is read but while something is waited for.
"""

import base64
import struct
from typing import Iterable, NamedTuple
from urllib.parse import unquote

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from google.rpc import error_details_pb2, status_pb2

from .messages import DECODINGS
from .target import Broken, Target, what_has_come

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

CODES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "
    "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS "
    "UNAUTHENTICATED"
).split()

RETRYABLE = {"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"}


class Answer(NamedTuple):
    http_status: str
    headers: dict[str, str]
    trailers: dict[str, str]
    body: bytes
    reset: int | None  # RST_STREAM's code, when there is no status

    @property
    def code(self) -> str:
        number = self.trailers.get("grpc-status")
        if number is None:
            return f"no grpc-status (HTTP {self.http_status or '-'}, reset {self.reset})"
        return CODES[int(number)] if int(number) < len(CODES) else number

    @property
    def ok(self) -> bool:
        return self.code == "OK"

    @property
    def said(self) -> str:
        return unquote(self.trailers.get("grpc-message", ""))

    def __str__(self) -> str:
        return f"{self.code} {self.said!r}"[:200] if self.said else self.code

    @property
    def message(self) -> bytes:
        """The one message of the answer."""
        if len(self.body) < 5:
            raise Broken(f"an answer of {len(self.body)} bytes holds no message")
        compressed, length = struct.unpack_from(">BI", self.body)
        if len(self.body) != 5 + length:
            raise Broken(f"a length of {length}, and {len(self.body) - 5} bytes")
        decode = DECODINGS[self.headers["grpc-encoding"]] if compressed else bytes
        return decode(self.body[5:])

    @property
    def details(self) -> list[object]:
        """RetryInfo and BadRequest of grpc-status-details-bin."""
        encoded = self.trailers.get("grpc-status-details-bin", "")
        status = status_pb2.Status.FromString(base64.b64decode(encoded + "=" * (-len(encoded) % 4)))
        found = []
        for kind in (error_details_pb2.RetryInfo, error_details_pb2.BadRequest):
            found += [unpacked for detail in status.details if detail.Unpack(unpacked := kind())]
        return found


class Call:
    def __init__(self, stream: int):
        self.stream = stream
        self.ended = False
        self.headers: dict[str, str] = {}
        self.trailers: dict[str, str] = {}
        self.body = b""
        self.reset: int | None = None

    def answer(self) -> Answer:
        trailers = self.trailers or self.headers  # Trailers-Only
        return Answer(self.headers.get(":status", ""), self.headers, trailers, self.body, self.reset)


class Connection:
    def __init__(self, target: Target):
        assert target.grpc is not None
        self.target = target
        self.authority = f"{target.grpc.host}:{target.grpc.port}"
        self.socket = target.connect(target.grpc, "h2")
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.h2 = h2.connection.H2Connection(config=config)
        self.calls: dict[int, Call] = {}
        self.settled = False  # the peer's settings have come
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def open(self, headers: dict[str, str] | None = None, path: str = EXPORT) -> Call:
        while not self.settled:
            self.pump()
        fields = {
            ":method": "POST",
            ":scheme": "https" if self.target.tls_ca else "http",
            ":path": path,
            ":authority": self.authority,
            "te": "trailers",
            "content-type": "application/grpc",
            "grpc-accept-encoding": "identity,gzip,deflate,snappy,zstd",
            **self.target.headers,
            **(headers or {}),
        }
        call = Call(self.h2.get_next_available_stream_id())
        self.calls[call.stream] = call
        self.h2.send_headers(call.stream, list(fields.items()))
        self.flush()
        return call

    def write(self, call: Call, data: bytes, end: bool = False) -> None:
        """Stops early when the call has been answered."""
        at = 0
        while not call.ended and (at < len(data) or end):
            room = min(self.h2.local_flow_control_window(call.stream), self.h2.max_outbound_frame_size)
            if self.look():
                continue
            if room == 0 and at < len(data):
                self.pump()
                continue
            piece = data[at : at + room]
            at += len(piece)
            last = end and at == len(data)
            self.h2.send_data(call.stream, piece, end_stream=last)
            self.flush()
            if last:
                return

    def look(self) -> bool:
        """Takes what has come already; whether there was anything."""
        data = what_has_come(self.socket)
        if data is not None:
            self.take_all(data)
        return data is not None

    def pump(self) -> None:
        """Waits for something, and takes it."""
        self.take_all(self.socket.recv(65536))

    def take_all(self, data: bytes) -> None:
        if not data:
            raise Broken("closed by the peer")
        try:
            events: Iterable[h2.events.Event] = self.h2.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            raise Broken(f"not HTTP/2: {error}") from error
        for event in events:
            self.take(event)
        self.flush()

    def take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RemoteSettingsChanged):
            self.settled = True
        elif isinstance(event, h2.events.ConnectionTerminated) and event.error_code != 0:
            raise Broken(f"GOAWAY with {event.error_code}")
        call = self.calls.get(getattr(event, "stream_id", None) or 0)
        if call is None:
            return
        if isinstance(event, h2.events.ResponseReceived):
            call.headers = dict(event.headers)
        elif isinstance(event, h2.events.TrailersReceived):
            call.trailers = dict(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            call.body += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            call.ended = True
        elif isinstance(event, h2.events.StreamReset):
            call.reset = None if call.ended else event.error_code
            call.ended = True

    def finish(self, call: Call) -> Answer:
        while not call.ended:
            self.pump()
        return call.answer()

    def export(
        self, message: bytes, headers: dict[str, str] | None = None, flag: int = 0, path: str = EXPORT
    ) -> Answer:
        call = self.open(headers, path)
        self.write(call, framed(message, flag), end=True)
        return self.finish(call)


def framed(message: bytes, flag: int = 0) -> bytes:
    return struct.pack(">BI", flag, len(message)) + message


def export(target: Target, message: bytes, headers: dict[str, str] | None = None, flag: int = 0) -> Answer:
    """One call on a connection of its own."""
    with Connection(target) as connection:
        return connection.export(message, headers, flag)
