"""Free TCP ports that stay free: below the range from which the kernel gives out ports to clients."""

import random
import socket

FIRST, LAST = 20000, 30000

given: set[int] = set()  # a port is free until somebody listens: one that was given is not given again


def free_port() -> int:
    for _ in range(200):
        port = random.randint(FIRST, LAST)
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
    raise RuntimeError(f"no free port found between {FIRST} and {LAST}")
