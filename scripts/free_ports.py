"""For each wanted port prints it if nothing listens on it, else a free one; all different."""

import socket
import sys


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


chosen: list[int] = []
for wanted in map(int, sys.argv[1:]):
    # Others are looked for below the range from which the kernel gives ports to clients.
    candidates = [wanted, *range(20000, 30000)]
    chosen.append(next(port for port in candidates if port not in chosen and is_free(port)))
print(*chosen)
