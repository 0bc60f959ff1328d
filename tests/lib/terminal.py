"""A program on a real pseudo-terminal: what it writes there, and keys and sizes that it gets."""

import fcntl
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import termios
import time
from typing import Callable, Sequence

from .daemon import binary
from .waiting import wait_until

SEQUENCE = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")
CTRL_C = b"\x03"


def environment(**env: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("MONGO_URI", "COLUMNS", "NO_COLOR")}
    return {**kept, "TERM": "xterm-256color", **env}


def set_size(fd: int, rows: int, columns: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Terminal:
    """`tracespool` with the terminal for its input and both outputs, as the leader of its session."""

    def __init__(
        self, *arguments: str, config: pathlib.Path, rows: int = 40, columns: int = 120, **env: str
    ):
        # Not pty.fork(): what runs between fork and exec must be nothing of Python's where gRPC has threads.
        command = ["setsid", "--ctty", binary("tracespool"), "-c", str(config), *arguments]
        self.written = b""
        self.fd, inner = pty.openpty()
        set_size(inner, rows, columns)
        self.child = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=environment(**env))
        os.close(inner)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.child.kill()
        self.child.wait(30)
        os.close(self.fd)

    def resize(self, rows: int, columns: int) -> None:
        """The kernel sends SIGWINCH to who is in front."""
        set_size(self.fd, rows, columns)

    def press(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def signal(self, number: int) -> None:
        self.child.send_signal(number)

    def read(self) -> str:
        """All that was written so far; a terminal makes CR LF of a line's end."""
        while select.select([self.fd], [], [], 0)[0]:
            try:
                more = os.read(self.fd, 1 << 16)
            except OSError:  # EIO: the other side is closed
                break
            if not more:
                break
            self.written += more
        return self.written.decode(errors="replace")

    def wait_for(self, condition: Callable[[str], object], what: str, seconds: float = 30) -> str:
        wait_until(lambda: condition(self.read()), f"{what} on the terminal, which has {self.read()[-2000:]!r}", seconds)
        return self.read()

    def stopped(self) -> bool:
        state = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
        return state == "T"

    def wait_exit(self, seconds: float = 30) -> int:
        """Its exit status, negative for a signal; reads on meanwhile, as a terminal does."""
        deadline = time.monotonic() + seconds
        while self.child.poll() is None:
            self.read()
            assert time.monotonic() < deadline, f"it does not end; the terminal has {self.read()[-2000:]!r}"
            select.select([self.fd], [], [], 0.02)
        return self.child.returncode


def frames(text: str) -> list[list[str]]:
    """The screens that were drawn from the top left corner on, whole ones only, without sequences."""
    parts = text.split("\x1b[H")[1:]
    return [SEQUENCE.sub("", part.split("\x1b[J")[0]).split("\r\n") for part in parts if "\x1b[J" in part]


def plain(text: str) -> str:
    return SEQUENCE.sub("", text)


def sequences(text: str) -> Sequence[str]:
    return SEQUENCE.findall(text)
