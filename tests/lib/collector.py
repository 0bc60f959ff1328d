"""A real OpenTelemetry Collector, whose path is in OTELCOL; tests/collector/build makes one."""

import os
import pathlib

from .ports import free_port
from .process import Process
from .waiting import wait_until


class Collector(Process):
    """Runs `config`, which takes its addresses from the environment as deploy/collector.yaml does."""

    def __init__(self, folder: pathlib.Path, config: pathlib.Path, target: str):
        super().__init__("otelcol", folder / "otelcol.log")
        self.config = config
        self.endpoint = f"127.0.0.1:{free_port()}"
        self.env = {
            **os.environ,
            "COLLECTOR_GRPC": self.endpoint,
            "COLLECTOR_HTTP": f"127.0.0.1:{free_port()}",
            "TRACESPOOL_ENDPOINT": target,
        }

    def start(self) -> "Collector":
        self.spawn([os.environ["OTELCOL"], "--config", str(self.config)], env=self.env)
        wait_until(self.ready, "the Collector to be ready", 60)
        return self

    def ready(self) -> bool:
        assert self.running, f"the Collector ended: {self.tail()}"
        return "Everything is ready" in self.output()

    def dropped(self) -> list[str]:
        """What it says when it gives a batch up."""
        return [line for line in self.output().splitlines() if "Dropping data" in line or "dropped_items" in line]
