"""The daemon starts, acknowledges and keeps without MongoDB, and delivers when it comes."""

from lib import otlp, verify
from lib.clients import Client
from lib.waiting import wait_until


def deliver_after_start(mongod, daemon):
    requests = [path.read_bytes() for path in otlp.captures("java-*", "python-*")]
    daemon.start()
    with Client(daemon.endpoint) as client:
        for request in requests:
            assert client.send(request).ok
    sent = len(otlp.spans_of(*requests))
    assert daemon.pending_spans() == sent
    assert daemon.http("/readyz")[0] == 200, "without MongoDB an Export is acknowledged, so it is ready"
    wait_until(lambda: daemon.metrics()['tracespool_flush_state{state="backing_off"}'] == 1, "delivery to back off")
    mongod.start()
    daemon.wait_delivered()
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], requests)
    assert daemon.metrics()['tracespool_flush_state{state="flowing"}'] == 1


def test_replica_set(own_mongod, make_daemon):
    mongod = own_mongod()
    deliver_after_start(mongod, make_daemon(mongod, "tracing"))


def test_standalone(own_mongod, make_daemon):
    mongod = own_mongod(replica_set=False)
    deliver_after_start(mongod, make_daemon(mongod, "tracing"))


def test_a_restart_without_mongod_keeps_the_backlog(own_mongod, make_daemon):
    mongod = own_mongod()
    daemon = make_daemon(mongod, "tracing").start()
    requests = [path.read_bytes() for path in otlp.captures("node-0*")]
    with Client(daemon.endpoint) as client:
        for request in requests:
            assert client.send(request).ok
    before = daemon.pending_spans()
    daemon.stop()
    daemon.start()
    assert daemon.pending_spans() == before
    mongod.start()
    daemon.wait_delivered()
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], requests)
