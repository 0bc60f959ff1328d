"""Free TCP ports that stay free: below the range from which the kernel gives out ports to clients."""

import random
import socket

FIRST, LAST = 20000, 30000


def free_port() -> int:
    for _ in range(200):
        port = random.randint(FIRST, LAST)
        with socket.socket() as probe:
            # As servers do: a port in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port found between {FIRST} and {LAST}")
