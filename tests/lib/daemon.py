"""A real tracespoold in a folder of its own, with a configuration made for the test."""

import os
import pathlib
import re
import urllib.request
from typing import Any, Iterator

from .ports import free_port
from .process import Process
from .waiting import wait_until


def binary(name: str) -> str:
    return str(pathlib.Path(os.environ["TRACESPOOL_TEST_BIN"]) / name)


def config_value(value: object) -> str:
    """libconfig: text in quotes, numbers and booleans bare."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def config_lines(group: dict[str, object], indent: str = "") -> Iterator[str]:
    for key, value in group.items():
        if isinstance(value, dict):
            yield f"{indent}{key} = {{"
            yield from config_lines(value, indent + "    ")
            yield f"{indent}}};"
        else:
            yield f"{indent}{key} = {config_value(value)};"


class Daemon(Process):
    """`settings` are configuration keys, "section.key" or "section.group.key": value, over defaults that suit a test."""

    def __init__(self, folder: pathlib.Path, mongo_uri: str, database: str, settings: dict[str, object] | None = None):
        super().__init__("tracespoold", folder / "tracespoold.log")
        self.config = folder / "tracespool.conf"
        self.spool = folder / "spool"
        self.port = free_port()
        self.http_port = free_port()
        self.admin_port = free_port()
        self.prefix: list[str] = []  # what it is started by: nsenter, setpriv
        self.sections: dict[str, Any] = {
            "receiver": {
                "grpc": self.endpoint,
                "http": self.http_endpoint,
                "max_request_bytes": "16MiB",
            },
            "spool": {"path": self.spool, "size": "64MiB"},
            # min_free: how full this machine's disk is decides no test.
            "mongodb": {"uri": mongo_uri, "database": database, "min_free": "0"},
            "admin": {"listen": f"127.0.0.1:{self.admin_port}"},
        }
        self.configure(settings or {})

    def configure(self, settings: dict[str, object]) -> None:
        """For the next start."""
        for name, value in settings.items():
            *groups, key = name.split(".")
            group = self.sections
            for word in groups:
                group = group.setdefault(word, {})
            group[key] = value
        self.config.write_text("\n".join([*config_lines(self.sections), ""]))

    def line_of(self, words: str) -> int:
        """The first line of the configuration that holds these."""
        lines = self.config.read_text().splitlines()
        return next(number for number, line in enumerate(lines, 1) if words in line)

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def http_endpoint(self) -> str:
        return f"127.0.0.1:{self.http_port}"

    @property
    def http_url(self) -> str:
        """Where OTLP/HTTP is spoken; a path follows."""
        return f"http://{self.http_endpoint}"

    def launch(self, **env: str) -> None:
        """Starts without waiting; for a daemon that is expected to fail."""
        inherited = {key: value for key, value in os.environ.items() if key != "MONGO_URI"}
        self.spawn(self.prefix + [binary("tracespoold"), "-c", str(self.config)], env={**inherited, **env})

    def start(self, **env: str) -> "Daemon":
        self.launch(**env)
        wait_until(self.ready, "tracespoold to be ready")
        return self

    def ready(self) -> bool:
        assert self.running, f"tracespoold ended: {self.tail()}"
        return "event=daemon.ready" in self.output()

    def stop(self) -> None:
        status = self.terminate(60)
        assert status == 0, f"exit status {status}: {self.tail()}"

    def http(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self) -> dict[str, float]:
        """By the name and labels of the line, as the exposition format has them."""
        status, text = self.http("/metrics")
        assert status == 200, text
        pairs = re.findall(r"^([a-z]\S*) (\S+)$", text, re.MULTILINE)
        return {name: float(value) for name, value in pairs}

    def pending_spans(self) -> int:
        return int(self.metrics()["tracespool_spool_pending_spans"])

    def wait_delivered(self, seconds: float = 120) -> None:
        def delivered() -> bool:
            assert self.running, f"tracespoold ended: {self.tail()}"
            return self.metrics()["tracespool_spool_pending_records"] == 0

        wait_until(delivered, f"the spool to drain; the log ends with {self.tail(5)}", seconds)
