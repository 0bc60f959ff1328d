"""SIGTERM under load: every answer is OK or allows a retry, and every OK arrives."""

import pytest

from lib import verify
from lib.clients import Load


def test_sigterm_under_load_and_restart(daemon, database):
    with Load(daemon.endpoint, clients=6) as load:
        for number in range(3):
            load.wait_for(60 + 23 * number)
            daemon.stop()  # asserts exit status 0
            daemon.start()
        load.wait_for(50)
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


@pytest.mark.long
def test_sigterm_while_mongodb_is_stalled_ends_in_time_and_loses_nothing(own_mongod, make_daemon):
    mongod = own_mongod().start()
    daemon = make_daemon(mongod, "tracing", {"receiver.stop_timeout": "2s"}).start()
    with Load(daemon.endpoint) as load:
        load.wait_for(50)
        mongod.pause()
        load.wait_for(100)
        daemon.stop()
        load.stop()
    mongod.resume()
    daemon.start()
    daemon.wait_delivered()
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], load.acknowledged, load.unacknowledged)
