"""Free TCP ports that stay free: below the range from which the kernel gives out ports to clients.

A port is free until somebody listens, so one that was given is not given again, and each of several processes that
run tests at the same time (pytest-xdist's workers) has a share of its own.
"""

import os
import random
import socket

FIRST, END = 20000, 30000

given: set[int] = set()


def own_share() -> range:
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = (END - FIRST) // workers
    return range(FIRST + worker * size, FIRST + (worker + 1) * size)


def free_port() -> int:
    for port in random.sample(own_share(), 200):
        if port in given:
            continue
        with socket.socket() as probe:
            # As servers do: a port in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            given.add(port)
            return port
    raise RuntimeError(f"no free port found in {own_share()}")
