"""The endpoint that is asked: where it is, how to reach it, and what it was given and should have kept."""

import pathlib
import socket
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SECONDS = 30  # for each read and write


class Broken(Exception):
    """The peer closed, or what it says is not the protocol."""


class Address(NamedTuple):
    host: str
    port: int
    path: str = ""


class Target:
    def __init__(
        self,
        grpc: str | None = None,
        http: str | None = None,
        tls_ca: str | None = None,
        headers: dict[str, str] | None = None,
        max_request_bytes: int = 64 << 20,
        overloaded: bool = False,
        sent: pathlib.Path | None = None,
    ):
        self.grpc = address_of(f"//{grpc}") if grpc else None
        self.http = address_of(http) if http else None
        self.tls_ca = tls_ca
        self.headers = {name.lower(): value for name, value in (headers or {}).items()}
        self.max_request_bytes = max_request_bytes
        self.overloaded = overloaded
        self.sent = sent
        self.row = ""
        self.kept = 0

    def has(self, transport: str) -> bool:
        return (self.grpc if transport == "grpc" else self.http) is not None

    def begin(self, row: str) -> None:
        self.row = row

    def keeps(self, request: ExportTraceServiceRequest) -> None:
        """Notes what the endpoint has acknowledged, whatever encoding it came in."""
        if self.sent is not None:
            self.kept += 1
            (self.sent / f"{self.kept:05}-{self.row}.pb").write_bytes(request.SerializeToString())

    def connect(self, address: Address, protocol: str) -> socket.socket:
        """`protocol`: h2 or http/1.1, for ALPN."""
        plain = socket.create_connection((address.host, address.port), timeout=SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls_ca is None:
            return plain
        context = ssl.create_default_context(cafile=self.tls_ca)
        context.set_alpn_protocols([protocol])
        return context.wrap_socket(plain, server_hostname=address.host)


def what_has_come(connected: socket.socket) -> bytes | None:
    """Without waiting: None when there is nothing to read. Over TLS, select() would count a session ticket."""
    connected.settimeout(0)
    try:
        return connected.recv(65536)
    except (BlockingIOError, ssl.SSLWantReadError):
        return None
    finally:
        connected.settimeout(SECONDS)


def address_of(url: str) -> Address:
    parts = urlsplit(url)
    if not parts.hostname or not parts.port:
        raise ValueError(f"{url.lstrip('/')}: a host and a port are needed")
    return Address(parts.hostname, parts.port, parts.path.rstrip("/"))
