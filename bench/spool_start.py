"""From the start of tracespoold to its first OK, with a backlog in the spool: JSON on standard output.

The daemon is the real one, the client is `tracespool send`; MongoDB is away,
so the backlog stays.  Time runs from just before exec until the client, which
is started as soon as the port takes connections, has ended with status 0.
Starts after a clean stop and after kill -9 take turns.  Run by bench/spool.
"""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from lib.daemon import Daemon, binary  # noqa: E402

REQUEST = pathlib.Path(__file__).resolve().parent.parent / "tests/data/otlp/java-0001.pb"
NO_MONGOD = "mongodb://127.0.0.1:9"
DEADLINE_SECONDS = 300
DROP_CACHES = pathlib.Path("/proc/sys/vm/drop_caches")


def wait_connect(daemon: Daemon) -> None:
    """Until somebody listens.  A poll every millisecond: a wait is what is measured."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", daemon.port), timeout=DEADLINE_SECONDS).close()
            return
        except ConnectionRefusedError:
            assert daemon.running, f"tracespoold ended: {daemon.tail()}"
            assert time.monotonic() < deadline, f"nobody listens after {DEADLINE_SECONDS} s: {daemon.tail()}"
            time.sleep(0.001)


def send(daemon: Daemon) -> float:
    began = time.monotonic()
    command = [binary("tracespool"), "--config", str(daemon.config), "send", "--endpoint", daemon.endpoint]
    subprocess.run([*command, "--timeout", "60s", "--retry-for", "0", str(REQUEST)], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def first_ok(daemon: Daemon, after_kill: bool) -> float:
    began = time.monotonic()
    daemon.launch()
    wait_connect(daemon)
    send(daemon)
    seconds = time.monotonic() - began
    assert ("event=spool.recovered" in daemon.output()) == after_kill, f"another kind of start: {daemon.tail()}"
    return seconds


def can_drop_caches() -> bool:
    return os.access(DROP_CACHES, os.W_OK)


def drop_caches() -> None:
    os.sync()
    DROP_CACHES.write_text("3\n")


def measure(daemon: Daemon, rounds: int, cold: bool, client: list[float]) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {"clean": [], "killed": []}
    for _ in range(rounds):
        if cold:
            drop_caches()
        seconds["clean"].append(first_ok(daemon, after_kill=False))
        daemon.kill()
        if cold:
            drop_caches()
        seconds["killed"].append(first_ok(daemon, after_kill=True))
        if not cold:
            client.append(send(daemon))
        daemon.stop()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--spool", required=True)
    parser.add_argument("--size", required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--cold", action="store_true")
    options = parser.parse_args()
    settings: dict[str, object] = {"spool.path": options.spool, "spool.size": options.size}
    daemon = Daemon(pathlib.Path(options.spool).parent, NO_MONGOD, "bench", settings)
    client: list[float] = []
    try:
        warm = measure(daemon, options.rounds, False, client)
        cold = measure(daemon, options.rounds, True, client) if options.cold and can_drop_caches() else None
    finally:
        daemon.kill()
    acknowledged = len(client) + sum(len(seconds) for part in (warm, cold or {}) for seconds in part.values())
    print(json.dumps({"warm": warm, "cold": cold, "client": client, "acknowledged": acknowledged}))


main()
