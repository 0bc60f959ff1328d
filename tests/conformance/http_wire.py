"""HTTP/1.1 by hand on one socket, so that nothing is added to what a row wants to send."""

import email.utils
import http.client
import io
import socket
from typing import Iterator, NamedTuple

from .target import Broken, Target, what_has_come

PIECE_BYTES = 65536


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def media(self) -> str:
        """Content-Type without its parameters."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def __str__(self) -> str:
        text = self.body.decode("utf-8", "replace")
        shown = text if text.isprintable() else repr(self.body)
        return f"{self.status} {self.media or 'without Content-Type'} {shown}"[:200].rstrip()


class Incoming(io.RawIOBase):
    """What an answer is read from: bytes that came early, then the socket."""

    def __init__(self, connected: socket.socket, early: bytes | None):
        self.connected = connected
        self.early = early or b""

    def readable(self) -> bool:
        return True

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self.early:
            return self.connected.recv_into(buffer)
        count = min(len(buffer), len(self.early))
        buffer[:count], self.early = self.early[:count], self.early[count:]
        return count


class Connection:
    def __init__(self, target: Target):
        assert target.http is not None
        self.target = target
        self.address = target.http
        self.socket = target.connect(target.http, "http/1.1")
        self.closed = False  # by the peer, after the last answer
        self.rest = b""  # of a body that was begun
        self.early: bytes | None = None  # read while a body was being sent

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(
        self,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        method: str = "POST",
        path: str = "/v1/traces",
        chunked: bool = False,
    ) -> Answer:
        length = {"transfer-encoding": "chunked"} if chunked else {"content-length": str(len(body))}
        if not body and method != "POST":
            length = {}
        try:
            self.socket.sendall(self.head(method, path, {**length, **(headers or {})}))
            self.write(pieces(body, chunked))
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before it was read: the answer may be there all the same
        return self.read(method)

    def head(self, method: str, path: str, headers: dict[str, str]) -> bytes:
        fields = {"host": f"{self.address.host}:{self.address.port}", **self.target.headers, **headers}
        lines = [f"{method} {self.address.path}{path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        return "\r\n".join(lines + ["", ""]).encode()

    def write(self, parts: Iterator[bytes]) -> None:
        """Stops when the peer has something to say already."""
        for part in parts:
            self.early = what_has_come(self.socket)
            if self.early is not None:
                return
            self.socket.sendall(part)

    def read(self, method: str) -> Answer:
        incoming = Incoming(self.socket, self.early)
        self.early = None
        response = http.client.HTTPResponse(incoming, method=method)  # type: ignore[arg-type] # a socket's makefile()
        try:
            response.begin()
            body = response.read()
        except http.client.HTTPException as error:
            raise Broken(f"not HTTP/1.1: {type(error).__name__} {error}") from error
        self.closed = response.will_close
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def begin(self, body: bytes, headers: dict[str, str]) -> None:
        """Sends the head and half of the body; complete() the rest."""
        half = len(body) // 2
        head = self.head("POST", "/v1/traces", {"content-length": str(len(body)), **headers})
        self.socket.sendall(head + body[:half])
        self.rest = body[half:]

    def complete(self) -> Answer:
        self.socket.sendall(self.rest)
        return self.read("POST")

    def send_after_continue(self, body: bytes, headers: dict[str, str]) -> tuple[bytes, Answer]:
        """Sends the body only when the peer has said 100; its first line, and the answer in the end."""
        length = {"content-length": str(len(body)), "expect": "100-continue"}
        self.socket.sendall(self.head("POST", "/v1/traces", {**length, **headers}))
        interim = b""
        while not interim.endswith(b"\r\n\r\n"):
            byte = self.socket.recv(1)
            if not byte:
                raise Broken("closed by the peer")
            interim += byte
        self.socket.sendall(body)
        return interim.split(b"\r\n")[0], self.read("POST")


def pieces(body: bytes, chunked: bool) -> Iterator[bytes]:
    if not chunked:
        for at in range(0, len(body), PIECE_BYTES):
            yield body[at : at + PIECE_BYTES]
        return
    size = max(1, min(PIECE_BYTES, len(body) // 3))  # several, also of a small body
    for at in range(0, len(body), size):
        piece = body[at : at + size]
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    yield b"0\r\n\r\n"


def send(target: Target, body: bytes = b"", headers: dict[str, str] | None = None, **options) -> Answer:
    """One request on a connection of its own."""
    with Connection(target) as connection:
        return connection.send(body, headers, **options)


def is_retry_after(value: str) -> bool:
    """RFC 9110, 10.2.3: seconds, or a date."""
    if value.isascii() and value.isdigit():
        return True
    try:
        return email.utils.parsedate_to_datetime(value) is not None
    except ValueError:
        return False
