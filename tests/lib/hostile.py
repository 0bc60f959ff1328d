"""A daemon among bad clients: the crowd as a process, what the daemon takes, how long good clients wait."""

import os
import pathlib
import statistics
import sys
import threading
from typing import NamedTuple

from .clients import Load
from .daemon import Daemon
from .process import Process, memory_kib
from .waiting import wait_until

# Where the limits are within reach of a test. 2,048 connections: the crowd's, and room for good clients.
SETTINGS: dict[str, object] = {
    "receiver.threads": 2,
    "receiver.max_request_bytes": "16MiB",
    "receiver.max_in_flight_bytes": "64MiB",
    "receiver.max_connections": 2048,
    "receiver.max_calls": 1024,
    "receiver.max_header_bytes": "16KiB",
    "receiver.read_timeout": "2s",
    "receiver.idle_timeout": "10m",
}
MIB = 1 << 20
IDLE, SLOW, HOSTILE = 1000, 200, 50
DESCRIPTORS = 4096  # for the daemon: above its connections

# What is not a connection or a listener: the spool, MongoDB's, the log, epoll, /metrics.
OTHER_DESCRIPTORS = 128
# A connection's state beside its header block: HTTP/2's tables, TLS's buffers when there are any, the socket's not.
CONNECTION_BYTES = 48 << 10
# Beside the bytes in flight, a thread holds a request as it came, inflated, indexed, and compressed again: each of
# those that answer a small one, and one a large one.
REQUEST_COPIES = 6
SMALL_MIB = 0.5


def memory_bound(before_bytes: int) -> int:
    """The most anonymous memory that SETTINGS allow, from what the daemon takes with few clients."""
    connections = 2048 * ((16 << 10) + CONNECTION_BYTES)
    threads = 2 * 2  # for gRPC and HTTP
    return before_bytes + 64 * MIB + connections + int(REQUEST_COPIES * (16 + threads * SMALL_MIB) * MIB)


class CrowdProcess(Process):
    def __init__(self, folder: pathlib.Path, daemon: Daemon, idle: int = 0, slow: int = 0, hostile: int = 0):
        super().__init__("crowd", folder / "crowd.log")
        self.command = [sys.executable, "-m", "lib.crowd", str(daemon.port), str(daemon.http_port)]
        self.command += [f"--idle={idle}", f"--slow={slow}", f"--hostile={hostile}"]

    def start(self) -> "CrowdProcess":
        """Nice: its work would be done elsewhere, the CPUs here are the daemon's and the good clients'."""
        path = pathlib.Path(__file__).parent.parent
        self.spawn(["nice", "-n", "10", *self.command], env={**os.environ, "PYTHONPATH": str(path)})
        wait_until(lambda: self.said("ready"), "the crowd to be there", 120)
        return self

    def said(self, word: str) -> bool:
        assert self.running, f"the crowd ended: {self.tail()}"
        return word in self.output().splitlines()

    def wait_rounds(self, count: int, seconds: float = 300) -> None:
        """Until each attack has been run so often."""
        wait_until(lambda: self.said(f"round {count}"), f"{count} rounds of attacks", seconds)


class Watch:
    """The most that the daemon takes while this is open."""

    SECONDS_BETWEEN = 0.2

    def __init__(self, daemon: Daemon):
        assert daemon.child is not None
        self.pid = daemon.child.pid
        self.memory_bytes = 0
        self.descriptors = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self) -> "Watch":
        self.look()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def run(self) -> None:
        while not self.over.wait(self.SECONDS_BETWEEN):
            try:
                self.look()
            except OSError:  # it has ended, which is for the test to find
                return

    def look(self) -> None:
        kib = memory_kib(self.pid, "RssAnon")
        if kib == 0:
            raise OSError(f"process {self.pid} has ended")
        self.memory_bytes = max(self.memory_bytes, kib << 10)
        self.descriptors = max(self.descriptors, len(os.listdir(f"/proc/{self.pid}/fd")))


def cpu_seconds(daemon: Daemon) -> float:
    assert daemon.child is not None
    fields = pathlib.Path(f"/proc/{daemon.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Waits(NamedTuple):
    """Of clients for their acknowledgements, in milliseconds."""

    median: float
    p99: float
    count: int

    def __str__(self) -> str:
        return f"p50 {self.median:.1f} ms, p99 {self.p99:.1f} ms of {self.count} exports"


def waits_of(seconds: list[float]) -> Waits:
    hundredths = statistics.quantiles(seconds, n=100)
    return Waits(hundredths[49] * 1000, hundredths[98] * 1000, len(seconds))


class Beside(NamedTuple):
    """A steady load alone, then beside a crowd."""

    alone: Waits
    beside: Waits
    memory_before: int
    memory_most: int
    descriptors_most: int

    def __str__(self) -> str:
        return (
            f"alone:   {self.alone}\nbeside:  {self.beside}, {self.beside.p99 / self.alone.p99:.1f} times\n"
            f"memory:  {self.memory_before / MIB:.0f} MiB before, {self.memory_most / MIB:.0f} MiB at most, "
            f"bound {memory_bound(self.memory_before) / MIB:.0f} MiB\ndescriptors: {self.descriptors_most} at most"
        )


def measure(daemon: Daemon, load: Load, crowd: CrowdProcess, exports: int, rounds: int) -> Beside:
    """So many exports alone; then the crowd comes, runs each attack so often, and goes."""
    load.wait_for(exports)
    alone = waits_of(load.seconds)
    with Watch(daemon) as watch:
        memory_before = watch.memory_bytes
        crowd.start()
        first = len(load.seconds)
        crowd.wait_rounds(rounds)
        load.wait_for(max(0, exports - (len(load.seconds) - first)))
        beside = waits_of(load.seconds[first:])
        status = crowd.terminate(60)
        assert status == 0, f"the crowd ended with {status}: {crowd.tail()}"
    return Beside(alone, beside, memory_before, watch.memory_bytes, watch.descriptors)
