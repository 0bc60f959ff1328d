"""What a real Collector does with each answer: the answers, the trial of one, and the tables for docs/collector.md."""

import email.utils
import json
import pathlib
import re
import time
from typing import Callable, NamedTuple

import grpc
import h2.errors

from . import otlp, scripted
from .clients import Client, nonce
from .collector import Collector
from .listener import Listener
from .scripted import HttpAnswer, Script
from .waiting import wait_until

TIMES = 2  # an answer is given so often, then OK
SHORT, LONG = 1.0, 2.0  # delays, in seconds, above every wait of the configuration below

# One consumer: a batch is looked at only when the one before is stored or dropped.
CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "${{env:COLLECTOR_GRPC}}"}}
exporters:
  {exporter}:
    endpoint: {scheme}${{env:TRACESPOOL_ENDPOINT}}
    tls: {{insecure: true}}
    compression: none
    timeout: 1s
    sending_queue: {{num_consumers: 1}}
    retry_on_failure: {{initial_interval: 100ms, max_interval: 200ms, max_elapsed_time: 0}}
service:
  telemetry:
    metrics: {{level: none}}
    logs: {{encoding: json, sampling: {{enabled: false}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [{exporter}]}}
"""


class Case(NamedTuple):
    name: str
    answer: scripted.GrpcAnswer | HttpAnswer
    delay: float | None = None  # seconds that the answer asks to wait


class Seen(NamedTuple):
    name: str
    batch: str
    logged: str


class Protocol(NamedTuple):
    title: str
    exporter: str
    scheme: str
    server: Callable[[Script], Listener]
    cases: list[Case]


def grpc_cases() -> list[Case]:
    codes = grpc.StatusCode
    partial = scripted.partial_success(3, "three of them")
    cases = [Case("OK", scripted.ok()), Case("OK with `partial_success`", scripted.ok(partial))]
    for code in sorted(codes, key=lambda code: code.value[0]):
        if code != codes.OK:
            cases.append(Case(code.name, scripted.status(code)))
        if code in (codes.RESOURCE_EXHAUSTED, codes.UNAVAILABLE, codes.INTERNAL):
            cases.append(Case(f"{code.name}, RetryInfo {SHORT:g} s", scripted.status(code, SHORT), SHORT))
    for number in (400, 401, 403, 404, 413, 429, 500, 502, 503, 504):
        cases.append(Case(f"HTTP status {number}", scripted.http_status(number)))
    resets = h2.errors.ErrorCodes
    for code in (
        resets.NO_ERROR,
        resets.PROTOCOL_ERROR,
        resets.INTERNAL_ERROR,
        resets.FLOW_CONTROL_ERROR,
        resets.REFUSED_STREAM,
        resets.CANCEL,
        resets.ENHANCE_YOUR_CALM,
    ):
        cases.append(Case(f"RST_STREAM {code.name}", scripted.reset(code)))
    return cases + [
        Case("OK without a message", scripted.ok_without_message),
        Case("no `grpc-status`", scripted.no_status),
        Case("GOAWAY that leaves this call out, the connection ends", scripted.goaway(False)),
        Case("GOAWAY that takes this call in, the connection ends", scripted.goaway(True)),
        Case("GOAWAY ENHANCE_YOUR_CALM, the connection ends", scripted.goaway(True, resets.ENHANCE_YOUR_CALM)),
        Case("the connection ends", scripted.hang_up),
        Case("no answer before the timeout", scripted.silence),
    ]


def retry_after_seconds() -> dict[str, str]:
    return {"Retry-After": f"{SHORT:.0f}"}


def retry_after_date() -> dict[str, str]:
    """Cut to the second, so at least SHORT seconds ahead."""
    return {"Retry-After": email.utils.formatdate(time.time() + LONG, usegmt=True)}


def http_cases() -> list[Case]:
    partial = scripted.partial_success(3, "three of them").SerializeToString()
    cases = [
        Case("200", HttpAnswer(200)),
        Case("200 with `partial_success`", HttpAnswer(200, body=partial)),
        Case("200 with a body that is no response", HttpAnswer(200, body=b"\xff<html>")),
    ]
    for code in (400, 401, 403, 404, 405, 408, 411, 413, 415, 429, 431, 500, 501, 502, 503, 504):
        cases.append(Case(str(code), HttpAnswer(code)))
        if code in (429, 503):
            cases.append(Case(f"{code}, Retry-After {SHORT:.0f}", HttpAnswer(code, retry_after_seconds), SHORT))
            cases.append(Case(f"{code}, Retry-After with a date", HttpAnswer(code, retry_after_date), SHORT))
    return cases + [
        Case("the connection ends", HttpAnswer(None, hang_up=True)),
        Case("no answer before the timeout", HttpAnswer(None)),
    ]


PROTOCOLS = {
    "grpc": Protocol("OTLP/gRPC, exporter `otlp`", "otlp", "", scripted.grpc_server, grpc_cases()),
    "http": Protocol("OTLP/HTTP, exporter `otlphttp`", "otlphttp", "http://", scripted.http_server, http_cases()),
}


def try_all(folder: pathlib.Path, protocol: Protocol) -> list[Seen]:
    """Each answer in turn, to one Collector that ends with this."""
    config = folder / "otelcol.yaml"
    config.write_text(CONFIG.format(exporter=protocol.exporter, scheme=protocol.scheme))
    script = Script()
    with protocol.server(script) as server:
        collector = Collector(folder, config, f"127.0.0.1:{server.port}").start()
        try:
            with Client(collector.endpoint) as client:
                cases = enumerate(protocol.cases)
                return [Trial(script, collector, client, number, case).run() for number, case in cases]
        finally:
            collector.kill()


class Trial:
    def __init__(self, script: Script, collector: Collector, client: Client, number: int, case: Case):
        self.script = script
        self.collector = collector
        self.client = client
        self.number = number
        self.case = case

    def run(self) -> Seen:
        logged_before = len(self.collector.output())
        trace_id = self.send(2 * self.number + 1, [self.case.answer] * TIMES)
        self.send(2 * self.number + 2, [])  # it comes when the first has been decided
        lines = self.collector.output()[logged_before:].splitlines()
        log = [json.loads(line) for line in lines if line.startswith("{")]
        return Seen(self.case.name, self.fate(self.script.of(trace_id), log), words_of(log))

    def send(self, number: int, answers: list) -> bytes:
        """One span, and until it has come."""
        request = otlp.Template(otlp.CAPTURES / "java-0001.pb").with_ids(nonce(1, number))
        trace_id = next(otlp.every_span(otlp.parse(request))).trace_id
        self.script.answers[trace_id] = answers
        assert self.client.send(request).ok
        wait_until(lambda: self.script.of(trace_id), f"the batch of {self.case.name} to come", 60)
        return trace_id

    def fate(self, arrivals: list[scripted.Arrival], log: list[dict]) -> str:
        dropped = any("Dropping data" in line["msg"] for line in log)
        if dropped:
            assert len(arrivals) == 1, f"{self.case.name}: dropped after {len(arrivals)} tries"
            return "dropped"
        if len(arrivals) == 1:
            return "taken"
        assert len(arrivals) == TIMES + 1, f"{self.case.name}: {len(arrivals)} tries"
        waits = [after.monotonic - before.monotonic for before, after in zip(arrivals, arrivals[1:])]
        if self.case.delay is not None and min(waits) >= self.case.delay:
            return "kept, sent again after the delay"
        return "kept, sent again"


def words_of(log: list[dict]) -> str:
    """Levels and messages, each once."""
    lines = dict.fromkeys(f"{line['level']}: {line['msg']}" for line in log)
    return "; ".join(lines) or "nothing"


def markdown(seen: list[Seen]) -> str:
    rows = "".join(f"| {' | '.join(row)} |\n" for row in seen)
    return f"| answer | the batch is | logged |\n|---|---|---|\n{rows}"


def documented(page: str, protocol: Protocol) -> list[Seen]:
    """The table under the protocol's heading."""
    section = page.split(f"### {protocol.title}\n", 1)[1].split("\n#", 1)[0]
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", section, re.MULTILINE)
    return [Seen(*row) for row in rows[1:]]
