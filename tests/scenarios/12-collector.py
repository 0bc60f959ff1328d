"""A real OpenTelemetry Collector in front, with deploy/collector.yaml as it stands.

Needs OTELCOL, the path of one; tests/collector/build makes it.
"""

import pathlib

import pytest

from lib import documents, otlp, verify
from lib.clients import Client, Load
from lib.collector import Collector
from lib.waiting import wait_until

CONFIG = pathlib.Path(__file__).parent.parent.parent / "deploy" / "collector.yaml"


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
