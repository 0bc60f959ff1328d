"""kill -9 at any time: while it starts, while it works, while it stops."""

import random
import signal
import time

import pytest

from lib import crash, verify
from lib.clients import Load

# Seconds after the start of the process; until it is ready takes about a quarter of a second.
MOMENTS = {"starting": 0.4, "working": 1.5}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_any_time(moment, make_daemon, shared_mongod, database, seed, share):
    kills = share(0.05)
    draw = random.Random(f"{seed} {moment}")
    daemon = make_daemon(shared_mongod, database.name, {"spool.reserve": False})
    with Load(daemon.endpoint, clients=6, seed=seed) as load:
        daemon.start()
        daemon.kill()
        for number in range(kills):
            seconds = draw.uniform(0, MOMENTS[moment])
            print(f"kill {number + 1} of {kills}: after {seconds:.3f} s")
            daemon.launch()
            time.sleep(seconds)  # the time is what is tried
            crash.kill_now(daemon)
            crash.check(daemon)
        daemon.start()
        load.wait_for(50)
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


def test_killed_while_stopping(make_daemon, shared_mongod, database, seed, share):
    kills = share(0.03)
    draw = random.Random(f"{seed} stopping")
    daemon = make_daemon(shared_mongod, database.name, {"spool.reserve": False})
    with Load(daemon.endpoint, clients=6, seed=seed) as load:
        for number in range(kills):
            seconds = draw.uniform(0, 0.05)
            print(f"kill {number + 1} of {kills}: {seconds:.3f} s after SIGTERM")
            daemon.start()
            load.wait_for(20)
            daemon.signal(signal.SIGTERM)
            time.sleep(seconds)  # the time is what is tried
            crash.kill_now(daemon)
            crash.check(daemon)
        daemon.start()
        load.wait_for(50)
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)
