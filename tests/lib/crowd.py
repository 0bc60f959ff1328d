"""usage: python -m lib.crowd GRPC_PORT HTTP_PORT [--idle N] [--slow N] [--hostile N]: bad clients, many at once.

A process of its own, so that its work is not the test's. It writes "ready" when all that are idle or slow have
been there, "round N" when each attack has been run N times, and at SIGTERM leaves at once.
"""

import argparse
import contextlib
import itertools
import random
import resource
import signal
import socket
import threading
import time
from typing import Callable, Iterator, NamedTuple

import hpack

from . import attacks
from .attacks import ATTACKS, Ports
from .wire import DATA, END_HEADERS, HEADERS, PREFACE, frame, message, request_headers, settings

TICK_SECONDS = 1.0


class Kind(NamedTuple):
    """A client that does little: what it begins with, and what it adds every second."""

    port: str
    opening: bytes = b""
    more: Callable[[], Iterator[bytes]] = lambda: itertools.repeat(b"")


def one_by_one(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


HEAD = b"POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-protobuf\r\n"
BLOCK = hpack.Encoder().encode(request_headers())
CALL = PREFACE + settings() + frame(HEADERS, END_HEADERS, 1, BLOCK)
LONG = message(b"", length=100_000)

IDLE = [
    Kind("grpc"),
    Kind("grpc", PREFACE + settings()),
    Kind("http"),
    Kind("http", HEAD + b"Content-Length: 0\r\n\r\n"),
]
SLOW = [
    Kind("grpc", b"", lambda: one_by_one(PREFACE)),
    Kind("grpc", PREFACE + settings(), lambda: one_by_one(frame(HEADERS, END_HEADERS, 1, BLOCK))),
    Kind("grpc", CALL + frame(DATA, 0, 1, LONG), lambda: itertools.repeat(frame(DATA, 0, 1, b"\n"))),
    Kind("http", HEAD + b"X-Slow: ", lambda: itertools.repeat(b"y")),
    Kind("http", HEAD + b"Content-Length: 100000\r\n\r\n", lambda: itertools.repeat(b"\n")),
]


class Held:
    """A connection of a kind, made again whenever it is gone."""

    def __init__(self, kind: Kind, port: int):
        self.kind = kind
        self.port = port
        self.socket: socket.socket | None = None
        self.more: Iterator[bytes] = iter(())

    def tick(self) -> None:
        try:
            if self.socket is None:
                self.open()
                return
            with contextlib.suppress(BlockingIOError):
                while self.socket.recv(1 << 16):
                    pass
                self.close()
                return
            self.socket.send(next(self.more, b""))
        except OSError:
            self.close()

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=1)
        self.socket.setblocking(False)
        self.more = self.kind.more()
        self.socket.send(self.kind.opening)

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class Crowd:
    def __init__(self, ports: Ports, idle: int, slow: int, hostile: int):
        self.ports = ports
        self.leaving = threading.Event()
        self.lock = threading.Lock()
        self.begun = dict.fromkeys(ATTACKS, 0)
        self.done = dict.fromkeys(ATTACKS, 0)
        self.rounds = 0  # how often each has been done
        kinds = [*itertools.islice(itertools.cycle(IDLE), idle), *itertools.islice(itertools.cycle(SLOW), slow)]
        self.held = [Held(kind, getattr(ports, kind.port)) for kind in kinds]
        self.threads = [threading.Thread(target=self.hold)]
        self.threads += [threading.Thread(target=self.attack, args=(seed,)) for seed in range(hostile)]

    def run(self) -> None:
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join()

    def hold(self) -> None:
        said_ready = False
        while not self.leaving.is_set():
            started = time.monotonic()
            for held in self.held:
                held.tick()
            if not said_ready:
                print("ready", flush=True)
                said_ready = True
            self.leaving.wait(max(0.0, started + TICK_SECONDS - time.monotonic()))
        for held in self.held:
            held.close()

    def attack(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self.leaving.is_set():
            name = self.begin(chance)
            attacks.run(name, self.ports)
            self.end(name)

    def begin(self, chance: random.Random) -> str:
        """One of those that have been run least."""
        with self.lock:
            least = min(self.begun.values())
            name = chance.choice([name for name, count in self.begun.items() if count == least])
            self.begun[name] += 1
            return name

    def end(self, name: str) -> None:
        with self.lock:
            self.done[name] += 1
            if min(self.done.values()) > self.rounds:
                self.rounds += 1
                print(f"round {self.rounds}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("grpc", type=int)
    parser.add_argument("http", type=int)
    for name in ("--idle", "--slow", "--hostile"):
        parser.add_argument(name, type=int, default=0)
    chosen = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd = Crowd(Ports(chosen.grpc, chosen.http), chosen.idle, chosen.slow, chosen.hostile)
    signal.signal(signal.SIGTERM, lambda *_: crowd.leaving.set())
    crowd.run()


main()
