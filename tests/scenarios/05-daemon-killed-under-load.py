"""kill -9 of the daemon: at any time, and at the points where it would hurt most.

tests/crash is the same for all points, many times.
"""

import signal

import pytest

from lib import verify
from lib.clients import Load

ROUNDS = 5

# Where a crash could lose an acknowledged request or store one twice.
KILL_POINTS = [
    "receiver.received:20",
    "spool.append:20",
    "spool.commit:10",
    "spool.synced:10",  # durable, nobody was told
    "receiver.durable:20",  # durable, the client was not told
    "flush.written:3",  # MongoDB has it, the spool does not know
    "flush.delivered:3",
]

ENOSPC = 28


def test_killed_at_any_time(daemon, database):
    with Load(daemon.endpoint, clients=6) as load:
        for number in range(ROUNDS):
            load.wait_for(40 + 17 * number)
            daemon.kill()
            daemon.start()
        load.wait_for(50)
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


@pytest.mark.parametrize("point", KILL_POINTS)
def test_killed_at(point, make_daemon, shared_mongod, database):
    daemon = make_daemon(shared_mongod, database.name).start(TRACESPOOL_FAULT=f"{point}:kill")
    with Load(daemon.endpoint) as load:
        status = daemon.wait_exit(60)
        assert status == -signal.SIGKILL, status
        daemon.start()
        load.wait_for(50)
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


def test_full_disk_refuses_and_goes_on(make_daemon, shared_mongod, database):
    daemon = make_daemon(shared_mongod, database.name).start(TRACESPOOL_FAULT=f"spool.append:10:{ENOSPC}")
    with Load(daemon.endpoint) as load:
        load.wait_for(100)
    assert daemon.running
    assert daemon.metrics()['tracespool_receiver_requests_total{code="UNAVAILABLE"}'] >= 1
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)
