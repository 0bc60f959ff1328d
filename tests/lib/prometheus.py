"""A real Prometheus that scrapes one target with short intervals, and promtool."""

import json
import os
import pathlib
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from .ports import free_port
from .process import Process
from .waiting import wait_until

DEPLOY = pathlib.Path(__file__).parents[2] / "deploy"
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def program(name: str) -> str:
    return str(pathlib.Path(os.environ["TRACESPOOL_TEST_PROMETHEUS"]) / name)


def promtool(*arguments: str, text: str | None = None) -> str:
    """What a run that must succeed has written; `text` is its standard input."""
    command = [program("promtool"), *arguments]
    result = subprocess.run(command, input=text, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout + result.stderr


def compressed(rules: str, factor: int) -> str:
    """The rules with all their times divided: ranges, how long something has to hold, how often a group is looked at."""

    def shorter(match: re.Match[str]) -> str:
        number, unit = int(match["number"]), match["unit"]
        return f"{match['before']}{max(1, round(1000 * number * SECONDS[unit] / factor))}ms"

    return re.sub(r"(?P<before>\[|\bfor: |\binterval: )(?P<number>\d+)(?P<unit>[smhd])\b", shorter, rules)


class Prometheus(Process):
    def __init__(self, folder: pathlib.Path, target: str, rules: str, interval: str = "200ms"):
        """`target` is HOST:PORT of the job "tracespool", `rules` a file's text."""
        super().__init__("prometheus", folder / "prometheus.log")
        self.folder = folder / "prometheus"
        self.folder.mkdir()
        self.port = free_port()
        (self.folder / "rules.yaml").write_text(rules)
        config = {  # JSON is YAML
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [{"job_name": "tracespool", "static_configs": [{"targets": [target]}]}],
        }
        (self.folder / "prometheus.yaml").write_text(json.dumps(config))

    def start(self) -> "Prometheus":
        self.spawn(
            [
                program("prometheus"),
                f"--config.file={self.folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={self.folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ]
        )
        wait_until(self.ready, "Prometheus to be ready", 60)
        return self

    def ready(self) -> bool:
        assert self.running, f"Prometheus ended: {self.tail()}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=10) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def ask(self, path: str, **parameters: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def query(self, expression: str) -> list[dict[str, Any]]:
        return self.ask("query", query=expression)["result"]

    def firing(self) -> set[str]:
        return {found["metric"]["alertname"] for found in self.query('ALERTS{alertstate="firing"}')}

    def fired(self, since: float) -> dict[str, float]:
        """Every alert that has fired since then, a Unix time, and when it first did."""
        first: dict[str, float] = {}
        for found in self.query('ALERTS{alertstate="firing"}[1h]'):
            name = found["metric"]["alertname"]
            times = [float(at) for at, _ in found["values"] if float(at) >= since]
            if times:
                first[name] = min([*times, first.get(name, times[0])])
        return first

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
