"""A real OpenTelemetry Collector in front: with deploy/collector.yaml as it stands, and by each way that it sends.

Needs OTELCOL, the path of one; tests/collector/build makes it.
"""

import pathlib

import pytest

from lib import documents, otlp, verify
from lib.clients import Client, Load
from lib.collector import Collector
from lib.waiting import wait_until

CONFIG = pathlib.Path(__file__).parent.parent.parent / "deploy" / "collector.yaml"

# One exporter at a time, and an answer only when tracespool has given its own: nothing is queued or sent again.
ONE_EXPORTER = """
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "${{env:COLLECTOR_GRPC}}", max_recv_msg_size_mib: 64}}}}}}
exporters:
  {kind}:
    endpoint: {endpoint}
    tls: {{insecure: true}}
    compression: {compression}
    {encoding}
    sending_queue: {{enabled: false}}
    retry_on_failure: {{enabled: false}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [{kind}]}}}}
"""

WAYS = [("otlp", "", compression) for compression in ("none", "gzip", "snappy", "zstd")]
WAYS += [
    ("otlphttp", f"encoding: {encoding}", compression)
    for encoding in ("proto", "json")
    for compression in ("none", "gzip", "deflate", "zstd")
]


@pytest.fixture
def collector(folder, processes, daemon):
    process = Collector(folder, CONFIG, daemon.endpoint)
    processes.append(process)
    return process.start()


def stored(database, requests: list[bytes]) -> bool:
    return len({(span.trace_id, span.span_id) for span in documents.read(database)}) >= len(otlp.spans_of(*requests))


def test_captures_through_the_collector(collector, daemon, database):
    requests = [path.read_bytes() for path in otlp.captures("java-0*", "node-*")]
    with Client(collector.endpoint, gzip=True) as client:
        for request in requests:
            assert client.send(request).ok
    wait_until(lambda: stored(database, requests), "the Collector's batches to arrive", 60)
    daemon.wait_delivered()
    verify.holds_exactly(database, requests)
    assert collector.dropped() == []


@pytest.mark.parametrize("kind, encoding, compression", WAYS)
def test_captures_by_each_way_that_a_collector_sends(kind, encoding, compression, folder, processes, daemon, database):
    config = folder / "collector.yaml"
    endpoint = daemon.http_url if kind == "otlphttp" else daemon.endpoint
    config.write_text(ONE_EXPORTER.format(kind=kind, endpoint=endpoint, compression=compression, encoding=encoding))
    collector = Collector(folder, config, daemon.endpoint)
    processes.append(collector)
    collector.start()
    requests = [path.read_bytes() for path in otlp.captures()]
    with Client(collector.endpoint) as client:
        for path, request in zip(otlp.captures(), requests):
            answer = client.send(request)
            assert answer.ok, (path.name, answer, collector.tail(5))
    daemon.wait_delivered()
    verify.holds_exactly(database, requests)


def test_nothing_is_lost_when_the_daemon_is_killed_and_stopped_behind_it(collector, daemon, database):
    with Load(collector.endpoint, requests_per_second=100) as load:
        load.wait_for(100)
        daemon.kill()
        load.wait_for(50)
        daemon.start()
        load.wait_for(50)
        daemon.stop()
        load.wait_for(50)
        daemon.start()
        load.wait_for(50)
    # The Collector answers before tracespool has the batch: only its draining tells that all is there.
    wait_until(lambda: stored(database, load.acknowledged), "the Collector to send what it held", 120)
    assert collector.terminate(60) == 0
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)
    assert collector.dropped() == []
