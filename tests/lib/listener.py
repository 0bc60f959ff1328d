"""A TCP server of a test's own: a thread for each connection, all gone at the end of the `with`."""

import contextlib
import socket
import threading
from typing import Callable


class Listener:
    def __init__(self, serve: Callable[[socket.socket], None]):
        """`serve` has a connection until it returns; OSError is the peer's going away."""
        self.serve = serve
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.connections: list[socket.socket] = []
        self.threads = [threading.Thread(target=self.accept)]

    def __enter__(self) -> "Listener":
        self.threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for connection in [self.socket, *self.connections]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept() or recv()
        for thread in self.threads:
            thread.join()
        self.socket.close()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            thread = threading.Thread(target=self.run, args=(connection,))
            self.threads.append(thread)
            thread.start()

    def run(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.serve(connection)
