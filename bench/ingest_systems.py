"""The servers that bench/ingest measures: tracespoold, and a Collector in three configurations.

What each writes to is away: nothing listens where MongoDB or the next Collector
would be, so all that is acknowledged has to be kept.
"""

import abc
import os
import pathlib

from lib.daemon import Daemon
from lib.ports import free_port
from lib.process import Process
from lib.waiting import wait_until

import ingest_watch

AWAY = "127.0.0.1:9"  # nobody listens on the port of "discard"
START_SECONDS = 60


class System(abc.ABC):
    """A server in a folder of its own, started fresh for each run."""

    storage: pathlib.Path | None = None  # where it keeps what it has acknowledged

    @property
    @abc.abstractmethod
    def endpoint(self) -> str: ...

    @property
    @abc.abstractmethod
    def pid(self) -> int: ...

    @abc.abstractmethod
    def start(self) -> None: ...

    @abc.abstractmethod
    def end(self) -> None:
        """Its files are of no use afterwards."""

    @abc.abstractmethod
    def tail(self) -> str:
        """The end of its log."""

    def disk_bytes(self) -> int:
        """That what it has acknowledged takes."""
        return ingest_watch.folder_bytes(self.storage) if self.storage is not None else 0

    def check(self, requests: int, spans: int) -> None:
        """Fails when it does not have what it has acknowledged, as far as it can be asked."""


class Tracespool(System):
    """A new spool, allocated at start, with all else at its default."""

    def __init__(self, folder: pathlib.Path, size: str):
        settings: dict[str, object] = {"spool.size": size, "spool.reserve": True, "receiver.max_request_bytes": "64MiB"}
        self.daemon = Daemon(folder, f"mongodb://{AWAY}", "bench", settings)
        self.storage = self.daemon.spool

    @property
    def endpoint(self) -> str:
        return self.daemon.endpoint

    @property
    def pid(self) -> int:
        assert self.daemon.child is not None
        return self.daemon.child.pid

    def start(self) -> None:
        self.daemon.start()

    def end(self) -> None:
        self.daemon.kill()

    def tail(self) -> str:
        return self.daemon.tail()

    def disk_bytes(self) -> int:
        return int(self.daemon.metrics()["tracespool_spool_used_bytes"])

    def check(self, requests: int, spans: int) -> None:
        metrics = self.daemon.metrics()
        has = {
            'tracespool_receiver_requests_total{code="OK"}': requests,
            "tracespool_receiver_spans_total": spans,
            "tracespool_spool_pending_records": requests,
            "tracespool_spool_pending_spans": spans,
        }
        for name, acknowledged in has.items():
            assert metrics[name] == acknowledged, f"{acknowledged} acknowledged, and {name} is {metrics[name]:.0f}"


COLLECTOR = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: {endpoint}
{parts}
  telemetry:
    metrics:
      level: none
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [{exporter}]
"""

QUEUE = """
exporters:
  otlp:
    endpoint: {away}
    tls:
      insecure: true
    retry_on_failure:
      max_elapsed_time: 0
    sending_queue:
      storage: file_storage
      queue_size: 100000000
extensions:
  file_storage:
    directory: {storage}
    fsync: {fsync}
service:
  extensions: [file_storage]
"""

NO_QUEUE = """
exporters:
  nop:
service:
"""


class Collector(System):
    """The otlp receiver and an exporter, no processor. `fsync` is file_storage's; None is no queue, and nothing is kept."""

    def __init__(self, folder: pathlib.Path, fsync: bool | None):
        self.process = Process("otelcol", folder / "otelcol.log")
        self.address = f"127.0.0.1:{free_port()}"
        self.config = folder / "collector.yaml"
        if fsync is None:
            parts, exporter = NO_QUEUE, "nop"
        else:
            self.storage = folder / "storage"
            self.storage.mkdir()
            parts = QUEUE.format(away=AWAY, storage=self.storage, fsync=str(fsync).lower())
            exporter = "otlp"
        self.config.write_text(COLLECTOR.format(endpoint=self.address, parts=parts.strip(), exporter=exporter))

    @property
    def endpoint(self) -> str:
        return self.address

    @property
    def pid(self) -> int:
        assert self.process.child is not None
        return self.process.child.pid

    def start(self) -> None:
        self.process.spawn([os.environ["OTELCOL"], "--config", str(self.config)])
        wait_until(self._ready, "the Collector to be ready", START_SECONDS)

    def _ready(self) -> bool:
        assert self.process.running, f"the Collector ended: {self.process.tail()}"
        return "Everything is ready" in self.process.output()

    def end(self) -> None:
        self.process.kill()

    def tail(self) -> str:
        return self.process.tail()
