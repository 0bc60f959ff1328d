"""A child process with its output in a file, and finding what was left behind."""

import os
import pathlib
import re
import signal
import subprocess

from .waiting import wait_until


def memory_kib(pid: int, name: str) -> int:
    """Such as VmHWM or RssAnon of /proc/PID/status; 0 when the process has ended and nobody has waited for it."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


class Process:
    """One program that may be started again and again; `log` gathers the output of all its runs."""

    def __init__(self, name: str, log: pathlib.Path):
        self.name = name
        self.log = log
        self.child: subprocess.Popen | None = None
        self.log_start = 0  # where the present run's output begins

    def spawn(self, command: list[str], env: dict[str, str] | None = None) -> None:
        assert self.child is None, f"{self.name} runs already"
        with self.log.open("ab") as sink:
            self.log_start = sink.tell()
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=env)

    @property
    def running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def output(self) -> str:
        """What the present or last run has written."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as source:
            source.seek(self.log_start)
            return source.read().decode(errors="replace")

    def signal(self, number: int) -> None:
        assert self.child is not None
        self.child.send_signal(number)

    def wait_exit(self, seconds: float = 30) -> int:
        """The exit status, negative for a signal; the process must be ending."""
        assert self.child is not None
        child = self.child
        wait_until(lambda: child.poll() is not None, f"{self.name} to exit; its log ends with {self.tail()}", seconds)
        self.child = None
        return child.returncode

    def terminate(self, seconds: float = 30) -> int:
        self.signal(signal.SIGTERM)
        return self.wait_exit(seconds)

    def kill(self) -> None:
        if self.child is not None:
            self.signal(signal.SIGKILL)
            self.wait_exit()

    def tail(self, lines: int = 30) -> str:
        return "\n".join(self.output().splitlines()[-lines:])


def processes_that_mention(folder: pathlib.Path) -> list[str]:
    """Command lines of living processes, other than this one, that name something in the folder."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it ended while we looked, or is another user's
            continue
        line = b" ".join(words).decode(errors="replace")
        if str(folder) in line:
            found.append(f"{entry.name}: {line}")
    return found
