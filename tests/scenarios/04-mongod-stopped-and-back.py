"""MongoDB goes away while spans stream in, in every way that it does, and comes back."""

import signal

import pytest

from lib import documents, verify
from lib.clients import Load


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["sigterm", "sigkill"])
def test_stopped_under_load(own_mongod, make_daemon, how):
    mongod = own_mongod().start()
    daemon = make_daemon(mongod, "tracing").start()
    with Load(daemon.endpoint) as load:
        for _ in range(2):
            load.wait_for(100)
            mongod.signal(how)
            mongod.wait_exit(60)
            load.wait_for(100)
            mongod.start()
        load.wait_for(50)
    daemon.wait_delivered()
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], load.acknowledged, load.unacknowledged)


def test_stalled_under_load(own_mongod, make_daemon):
    """SIGSTOP: connections stay open and nothing answers; Exports must not feel it."""
    mongod = own_mongod().start()
    daemon = make_daemon(mongod, "tracing").start()
    with Load(daemon.endpoint) as load:
        load.wait_for(50)
        mongod.pause()
        load.wait_for(200)
        mongod.resume()
        load.wait_for(50)
    daemon.wait_delivered()
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], load.acknowledged, load.unacknowledged)


def test_a_database_that_is_dropped_is_made_again(own_mongod, make_daemon):
    """By hand, or to begin anew: what comes afterwards is stored, and a restart at the latest makes the indexes."""
    mongod = own_mongod().start()
    daemon = make_daemon(mongod, "tracing").start()
    with mongod.client() as client:
        with Load(daemon.endpoint) as load:
            load.wait_for(50)
        daemon.wait_delivered()
        client.drop_database("tracing")
        with Load(daemon.endpoint, seed=2) as second:
            second.wait_for(50)
            daemon.stop()
            daemon.start()
            second.wait_for(50)
        daemon.wait_delivered()
        verify.holds_exactly(client["tracing"], second.acknowledged, second.unacknowledged)
        for day in documents.collections(client["tracing"]):
            assert "traceId" in str(client["tracing"][day].index_information())
