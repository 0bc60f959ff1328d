"""A proxy in front of a mongod that cuts connections where it hurts: it knows where messages and inserts begin.

Every so many-th insert is treated as `arm` says, until `disarm`; all else passes as it is.
"""

import contextlib
import enum
import socket
import struct
import threading

from .listener import Listener

CONNECTIONS_MAX = 256
MESSAGE_BYTES_MAX = 64 << 20
HEADER = struct.Struct("<iiii")  # length, request id, response to, opcode
OP_MSG = 2013
COMMAND_AT = HEADER.size + 4 + 1 + 4 + 1  # flags, kind of section, length of the document, type of its first element


class Treatment(enum.Enum):
    CUT_REQUEST = "half of it reaches mongod"
    LOSE_ANSWER = "mongod applies it, its answer does not come back"
    CUT_ANSWER = "half of the answer comes back"
    DELAY = "it reaches mongod late"


class Cut(Exception):
    """Both sides of this connection end here."""


def read_exactly(connection: socket.socket, count: int) -> bytes:
    parts = []
    while count > 0:
        part = connection.recv(min(count, 1 << 20))
        if not part:
            raise Cut
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def read_message(connection: socket.socket) -> bytes:
    length = read_exactly(connection, 4)
    (count,) = struct.unpack("<i", length)
    assert HEADER.size <= count <= MESSAGE_BYTES_MAX, f"a message of {count} bytes"
    return length + read_exactly(connection, count - 4)


def is_insert(message: bytes) -> bool:
    """An OP_MSG whose first section is {insert: ...}."""
    return HEADER.unpack_from(message)[3] == OP_MSG and message.startswith(b"insert\0", COMMAND_AT)


class CuttingProxy:
    def __init__(self, port: int):
        """`port` is mongod's."""
        self.server_port = port
        self.lock = threading.Lock()
        self.treatment: Treatment | None = None
        self.every = 1
        self.delay_seconds = 0.0
        self.hole = threading.Event()
        self.inserts = 0  # seen
        self.treated = 0
        self.swallowed = 0  # messages that came while it was a black hole
        self.closing = threading.Event()
        self.slots = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self.listener = Listener(self.serve)

    def __enter__(self) -> "CuttingProxy":
        self.listener.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.listener.__exit__()

    @property
    def uri(self) -> str:
        """Without discovery, which would lead past the proxy."""
        return f"mongodb://127.0.0.1:{self.listener.port}/?directConnection=true"

    def arm(self, treatment: Treatment, every: int, delay_seconds: float = 0) -> None:
        with self.lock:
            self.treatment, self.every, self.delay_seconds = treatment, every, delay_seconds
            self.treated = 0

    def disarm(self) -> None:
        with self.lock:
            self.treatment = None

    def choose(self) -> Treatment | None:
        """What becomes of one more insert."""
        with self.lock:
            self.inserts += 1
            if self.treatment is None or self.inserts % self.every != 0:
                return None
            self.treated += 1
            return self.treatment

    def serve(self, client: socket.socket) -> None:
        assert self.slots.acquire(blocking=False), "the daemon has more connections than it should"
        try:
            self.pump_requests(client)
        finally:
            self.slots.release()

    def pump_requests(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self.server_port), 10) as server:
            server.settimeout(None)
            doomed: dict[int, Treatment] = {}  # request ids, by what becomes of the answer
            back = threading.Thread(target=self.pump_answers, args=(server, client, doomed))
            back.start()
            with contextlib.suppress(Cut, OSError):
                while True:
                    self.pass_request(read_message(client), server, doomed)
            end(client, server)
            back.join()

    def pass_request(self, message: bytes, server: socket.socket, doomed: dict[int, Treatment]) -> None:
        if self.hole.is_set():
            self.swallowed += 1
            return
        treatment = self.choose() if is_insert(message) else None
        if treatment == Treatment.CUT_REQUEST:
            server.sendall(message[: len(message) // 2])
            raise Cut
        if treatment == Treatment.DELAY:
            self.closing.wait(self.delay_seconds)
        elif treatment is not None:
            doomed[HEADER.unpack_from(message)[1]] = treatment
        server.sendall(message)

    def pump_answers(self, server: socket.socket, client: socket.socket, doomed: dict[int, Treatment]) -> None:
        with contextlib.suppress(Cut, OSError):
            while True:
                self.pass_answer(read_message(server), client, doomed)
        end(client, server)

    def pass_answer(self, message: bytes, client: socket.socket, doomed: dict[int, Treatment]) -> None:
        treatment = doomed.pop(HEADER.unpack_from(message)[2], None)
        if treatment == Treatment.CUT_ANSWER:
            client.sendall(message[: len(message) // 2])
        if treatment is not None:
            raise Cut
        if not self.hole.is_set():
            client.sendall(message)


def end(*connections: socket.socket) -> None:
    for connection in connections:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
