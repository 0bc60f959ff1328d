"""A relay in front of one server that can cut it off from some of its clients while both go on: a partition.

Who a client is, is found by the process that has the other end of the connection, so on one machine, and on
loopback, traffic between two processes can be lost without any right of root's.

What is cut loses its bytes in both directions and stays open, as packets that are dropped look like; what was
sent meanwhile never arrives, and when the network is mended such connections end.
"""

import contextlib
import os
import pathlib
import socket
import threading
from typing import Callable, Collection

from .listener import Listener

CHUNK_BYTES = 1 << 16


def inode_of_peer(connection: socket.socket) -> str | None:
    """The kernel's name of the other end's socket; None when that is closed."""
    ours, theirs = (f":{address[1]:04X}" for address in (connection.getsockname(), connection.getpeername()))
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[1].endswith(theirs) and words[2].endswith(ours):
            return words[9]
    return None


def has_socket(pid: int, inode: str) -> bool:
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):  # closed meanwhile
                if os.readlink(entry.path) == f"socket:[{inode}]":
                    return True
    return False


class Link:
    """One connection. Once it is severed nothing passes until both sides end."""

    def __init__(self, client: socket.socket, is_cut: bool, server: socket.socket | None = None):
        self.client = client
        self.server = server
        self.is_cut = is_cut

    def end(self) -> None:
        for side in (self.client, self.server):
            if side is not None:
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)

    def pump(self, source: socket.socket, target: socket.socket | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if target is not None and not self.is_cut:
                    target.sendall(data)
        if not self.is_cut:  # else the other side does not hear of it
            self.end()


class Relay:
    def __init__(self, server_port: int, find_client: Callable[[socket.socket], str]):
        """`find_client` says who is at the other end of a connection."""
        self.server_port = server_port
        self.find_client = find_client
        self.lock = threading.Lock()
        self.cut_clients: set[str] = set()
        self.links: dict[Link, str] = {}
        self.listener = Listener(self.serve)

    @property
    def port(self) -> int:
        return self.listener.port

    def start(self) -> None:
        self.listener.__enter__()

    def stop(self) -> None:
        self.mend()
        self.listener.__exit__()

    def cut(self, clients: Collection[str]) -> None:
        with self.lock:
            self.cut_clients.update(clients)
            for link, client in self.links.items():
                link.is_cut = link.is_cut or client in self.cut_clients

    def mend(self) -> None:
        with self.lock:
            self.cut_clients.clear()
            for link in self.links:
                if link.is_cut:
                    link.end()

    def serve(self, client: socket.socket) -> None:
        name = self.find_client(client)
        if name in self.cut_clients:
            self.carry(name, client, None)
        else:
            with socket.create_connection(("127.0.0.1", self.server_port), 10) as server:
                server.settimeout(None)
                self.carry(name, client, server)

    def carry(self, name: str, client: socket.socket, server: socket.socket | None) -> None:
        with self.lock:
            link = Link(client, server is None or name in self.cut_clients, server)
            self.links[link] = name
        try:
            threads = [threading.Thread(target=link.pump, args=(server, client))] if server is not None else []
            for thread in threads:
                thread.start()
            link.pump(client, server)
            for thread in threads:
                thread.join()
        finally:
            with self.lock:
                del self.links[link]
