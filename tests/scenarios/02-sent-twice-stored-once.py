"""A resend, also across a crash of the daemon, changes nothing in MongoDB."""

from lib import otlp, verify
from lib.clients import Client


def send_all(endpoint: str, requests: list[bytes], gzip: bool) -> None:
    with Client(endpoint, gzip=gzip) as client:
        for request in requests:
            assert client.send(request).ok


def test_every_capture_twice_with_a_crash_between(daemon, database):
    requests = [path.read_bytes() for path in otlp.captures()]
    send_all(daemon.endpoint, requests, gzip=False)
    daemon.kill()
    daemon.start()
    send_all(daemon.endpoint, requests, gzip=True)
    daemon.wait_delivered()
    assert verify.holds_exactly(database, requests) == 12181


def test_every_capture_twice_without_a_crash_is_counted_as_stored_before(daemon, database):
    requests = [path.read_bytes() for path in otlp.captures("java-0*", "node-0*")]
    send_all(daemon.endpoint, requests, gzip=False)
    daemon.wait_delivered()
    stored = daemon.metrics()['tracespool_flush_fragments_total{outcome="stored"}']
    send_all(daemon.endpoint, requests, gzip=False)
    daemon.wait_delivered()
    verify.holds_exactly(database, requests)
    metrics = daemon.metrics()
    assert metrics['tracespool_flush_fragments_total{outcome="stored"}'] == stored
    assert metrics['tracespool_flush_fragments_total{outcome="stored_before"}'] == stored
