"""`tracespool` running on, with its output read line by line."""

import json
import pathlib
import signal
import subprocess
import threading
from typing import Any

from .daemon import binary
from .terminal import environment
from .waiting import wait_until


class Background:
    """A verb that goes on, without a terminal; both outputs are gathered as they come."""

    def __init__(self, *arguments: str, config: pathlib.Path, **env: str):
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.child = subprocess.Popen(
            [binary("tracespool"), "-c", str(config), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**env),
        )
        sources = [(self.child.stdout, self.lines), (self.child.stderr, self.errors)]
        self.readers = [threading.Thread(target=self.gather, args=source, daemon=True) for source in sources]
        for reader in self.readers:
            reader.start()

    def gather(self, source: Any, lines: list[str]) -> None:
        for line in source:
            lines.append(line.rstrip("\n"))

    def __enter__(self) -> "Background":
        return self

    def __exit__(self, *_: object) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait(30)
        for reader in self.readers:
            reader.join(30)

    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self.lines)]

    def wait_lines(self, count: int, seconds: float = 30) -> list[str]:
        wait_until(lambda: len(self.lines) >= count or self.child.poll() is not None, f"{count} lines", seconds)
        assert len(self.lines) >= count, (self.lines, self.errors)
        return self.lines

    def wait_error(self, words: str, seconds: float = 30) -> str:
        return wait_until(lambda: next((line for line in list(self.errors) if words in line), None), words, seconds)

    def end(self, number: int = signal.SIGINT, seconds: float = 30) -> int:
        """Its exit status after the signal."""
        self.child.send_signal(number)
        status = self.child.wait(seconds)
        for reader in self.readers:
            reader.join(30)
        return status
