"""OTLP/HTTP clients: raw requests with the whole answer, on one connection that is kept."""

import http.client
import json
import socket
import ssl
import threading
from typing import NamedTuple

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

PATH = "/v1/traces"
PROTOBUF, JSON = "application/x-protobuf", "application/json"

# What the specification lets a client send again; None: the connection ended without an answer.
RETRYABLE = {429, 502, 503, 504, None}


class HttpAnswer(NamedTuple):
    status: int | None
    headers: dict[str, str] = {}  # names in lower case
    body: bytes = b""

    @property
    def ok(self) -> bool:
        return self.status == 200

    def response(self) -> ExportTraceServiceResponse:
        """In the format that the answer says it has."""
        assert self.ok, self
        if self.headers["content-type"] == JSON:
            return json_format.Parse(self.body, ExportTraceServiceResponse())
        assert self.headers["content-type"] == PROTOBUF, self
        return ExportTraceServiceResponse.FromString(self.body)

    @property
    def rejected_spans(self) -> int:
        return self.response().partial_success.rejected_spans

    @property
    def message(self) -> str:
        """Of an answer in JSON that is an error."""
        return json.loads(self.body)["message"]


class Connection(http.client.HTTPConnection):
    """To HOST:PORT, [V6]:PORT or unix:PATH, with TLS or without; counts how often it was made."""

    def __init__(self, address: str, tls: ssl.SSLContext | None):
        super().__init__("localhost", timeout=30)
        self.address = address
        self.tls = tls
        self.made = 0

    def connect(self) -> None:
        self.made += 1
        if self.address.startswith("unix:"):
            plain = socket.socket(socket.AF_UNIX)
            plain.settimeout(self.timeout)
            plain.connect(self.address.removeprefix("unix:"))
        else:
            host, _, port = self.address.rpartition(":")
            plain = socket.create_connection((host.strip("[]"), int(port)), timeout=self.timeout)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.sock = self.tls.wrap_socket(plain, server_hostname=self.host) if self.tls else plain
        except OSError:
            plain.close()
            raise


class HttpClient:
    def __init__(self, address: str, tls: ssl.SSLContext | None = None, token: str | None = None):
        self.connection = Connection(address, tls)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __enter__(self) -> "HttpClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    @property
    def connections(self) -> int:
        """That were needed so far."""
        return self.connection.made

    @property
    def peer(self) -> bytes | None:
        """The server's certificate, of a connection that is open."""
        assert isinstance(self.connection.sock, ssl.SSLSocket)
        return self.connection.sock.getpeercert(binary_form=True)

    def open(self) -> None:
        """Raises what makes a connection impossible."""
        self.connection.connect()

    def ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> HttpAnswer:
        """Raises OSError or HTTPException when there is no answer."""
        self.connection.request(method, path, body, {**self.headers, **headers})
        answer = self.connection.getresponse()
        body = answer.read()
        return HttpAnswer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)

    def send(self, request: bytes, media: str = PROTOBUF) -> HttpAnswer:
        try:
            return self.ask("POST", PATH, request, {"Content-Type": media})
        except (OSError, http.client.HTTPException):
            self.connection.close()  # the next one is made anew
            return HttpAnswer(None)

    def send_until_ok(self, request: bytes, stop: threading.Event) -> bool:
        """As a Collector does: the same again while the answer allows it. True when it was acknowledged."""
        while True:
            answer = self.send(request)
            if answer.ok:
                return True
            if answer.status not in RETRYABLE:
                raise AssertionError(f"an answer that makes a Collector drop the batch: {answer}")
            if stop.wait(0.02):
                return False
