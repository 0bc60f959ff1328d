"""OTLP servers that give chosen answers and note what comes, over gRPC (by h2) and over HTTP."""

import base64
import collections
import gzip
import http.server
import socket
import threading
import time
from typing import Callable, NamedTuple

import grpc
import h2.config
import h2.connection
import h2.events
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from . import otlp
from .listener import Listener


class Arrival(NamedTuple):
    trace_id: bytes
    monotonic: float
    compressed: bool = False  # over gRPC


class Script:
    """What is answered to which trace, each answer once and then OK, and what has come."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.answers: dict[bytes, list] = {}  # by trace id
        self.arrivals: list[Arrival] = []

    def next(self, request: bytes, compressed: bool = False) -> object:
        """Notes an export and returns its answer; None: OK."""
        span = next(otlp.every_span(otlp.parse(request)))
        with self.lock:
            self.arrivals.append(Arrival(span.trace_id, time.monotonic(), compressed))
            answers = self.answers.get(span.trace_id)
            return answers.pop(0) if answers else None

    def of(self, trace_id: bytes) -> list[Arrival]:
        with self.lock:
            return [arrival for arrival in self.arrivals if arrival.trace_id == trace_id]


def partial_success(rejected_spans: int, message: str) -> ExportTraceServiceResponse:
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = rejected_spans
    response.partial_success.error_message = message
    return response


# --- gRPC ---

Peer = h2.connection.H2Connection
GrpcAnswer = Callable[[Peer, int], bool]  # writes the answer to a stream; false: and closes the connection

HEADERS = [(":status", "200"), ("content-type", "application/grpc")]


def ok(response: ExportTraceServiceResponse = ExportTraceServiceResponse()) -> GrpcAnswer:
    body = response.SerializeToString()

    def give(peer: Peer, stream: int) -> bool:
        peer.send_headers(stream, HEADERS)
        peer.send_data(stream, b"\0" + len(body).to_bytes(4, "big") + body)
        peer.send_headers(stream, [("grpc-status", "0")], end_stream=True)
        return True

    return give


def retry_info(code: int, seconds: float) -> str:
    """The trailer grpc-status-details-bin."""
    detail = any_pb2.Any()
    nanos = round(seconds * 1e9)
    delay = duration_pb2.Duration(seconds=nanos // 10**9, nanos=nanos % 10**9)
    detail.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    encoded = status_pb2.Status(code=code, message="later", details=[detail]).SerializeToString()
    return base64.b64encode(encoded).decode().rstrip("=")


def status(code: grpc.StatusCode, retry_seconds: float | None = None) -> GrpcAnswer:
    number = code.value[0]
    headers = HEADERS + [("grpc-status", str(number)), ("grpc-message", "as the test wants it")]
    if retry_seconds is not None:
        headers.append(("grpc-status-details-bin", retry_info(number, retry_seconds)))

    def give(peer: Peer, stream: int) -> bool:
        peer.send_headers(stream, headers, end_stream=True)
        return True

    return give


def http_status(code: int) -> GrpcAnswer:
    """As a proxy answers that knows nothing of gRPC."""

    def give(peer: Peer, stream: int) -> bool:
        peer.send_headers(stream, [(":status", str(code)), ("content-type", "text/html")], end_stream=True)
        return True

    return give


def ok_without_message(peer: Peer, stream: int) -> bool:
    peer.send_headers(stream, HEADERS + [("grpc-status", "0")], end_stream=True)
    return True


def no_status(peer: Peer, stream: int) -> bool:
    peer.send_headers(stream, HEADERS, end_stream=True)
    return True


def reset(code: int) -> GrpcAnswer:
    def give(peer: Peer, stream: int) -> bool:
        peer.reset_stream(stream, code)
        return True

    return give


def goaway(processed: bool, code: int = 0) -> GrpcAnswer:
    """Whether this stream was looked at; then the connection ends."""

    def give(peer: Peer, stream: int) -> bool:
        peer.close_connection(code, last_stream_id=stream if processed else stream - 2)
        return False

    return give


def hang_up(_peer: Peer, _stream: int) -> bool:
    return False


def silence(_peer: Peer, _stream: int) -> bool:
    return True


def serve_grpc(script: Script, connection: socket.socket) -> None:
    peer = Peer(h2.config.H2Configuration(client_side=False))
    peer.initiate_connection()
    connection.sendall(peer.data_to_send())
    bodies: dict[int, bytes] = collections.defaultdict(bytes)
    while received := connection.recv(1 << 16):
        goes_on = True
        for event in peer.receive_data(received):
            if isinstance(event, h2.events.DataReceived):
                peer.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                bodies[event.stream_id] += event.data
            elif isinstance(event, h2.events.StreamEnded):
                body = bodies.pop(event.stream_id)
                request = gzip.decompress(body[5:]) if body[0] else body[5:]
                answer = script.next(request, bool(body[0])) or ok()
                goes_on = answer(peer, event.stream_id)
        connection.sendall(peer.data_to_send())
        if not goes_on:
            return


def grpc_server(script: Script) -> Listener:
    return Listener(lambda connection: serve_grpc(script, connection))


# --- HTTP ---


class HttpAnswer(NamedTuple):
    code: int | None  # None: no answer
    headers: Callable[[], dict[str, str]] = dict
    body: bytes = b""
    hang_up: bool = False


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def do_POST(self) -> None:  # pylint: disable=invalid-name
        request = self.rfile.read(int(self.headers["content-length"]))
        answer = self.script.next(request) or HttpAnswer(200)
        if answer.hang_up:
            self.close_connection = True
        elif answer.code is None:
            self.rfile.read(1)  # until the client goes
            self.close_connection = True
        else:
            self.respond(answer)

    def respond(self, answer: HttpAnswer) -> None:
        self.send_response(answer.code)
        headers = {"content-type": "application/x-protobuf", **answer.headers()}
        for name, value in {**headers, "content-length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        pass


def serve_http(script: Script, connection: socket.socket) -> None:
    handler = type("ScriptedHandler", (Handler,), {"script": script})
    handler(connection, connection.getpeername(), None)


def http_server(script: Script) -> Listener:
    return Listener(lambda connection: serve_http(script, connection))
