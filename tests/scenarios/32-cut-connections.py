"""The connection to MongoDB is cut where it hurts, many times under load: nothing is lost, nothing stored twice."""

import pytest

from lib import ctl, verify
from lib.clients import Load
from lib.cutting_proxy import CuttingProxy, Treatment
from lib.waiting import wait_until

TIMES = 5
EVERY = 3  # so that delivery goes on between two cuts, and its backoff begins anew
REQUESTS_PER_SECOND = 20  # bounds what is compared in the end
CUTS = [Treatment.LOSE_ANSWER, Treatment.CUT_ANSWER, Treatment.CUT_REQUEST]
SOCKET_TIMEOUT_MS = 1000
PAST_THE_TIMEOUT = 1.5  # seconds


@pytest.fixture
def proxied(shared_mongod, database, make_daemon):
    """A proxy, a daemon that sees MongoDB through it, and a load; in the end all is there once, and nothing parked."""
    with CuttingProxy(shared_mongod.port) as proxy:
        uri = f"{proxy.uri}&socketTimeoutMS={SOCKET_TIMEOUT_MS}&serverSelectionTimeoutMS=1000&connectTimeoutMS=1000"
        daemon = make_daemon(shared_mongod, database.name, {"mongodb.uri": uri}).start()
        with Load(daemon.endpoint, requests_per_second=REQUESTS_PER_SECOND) as load:
            load.wait_for(10)
            yield proxy, daemon, load
            proxy.disarm()
            load.wait_for(10)
        daemon.wait_delivered()
        assert daemon.metrics()["tracespool_spool_parked_entries"] == 0
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


def stored_before(daemon) -> float:
    return daemon.metrics()['tracespool_flush_fragments_total{outcome="stored_before"}']


@pytest.mark.parametrize("treatment", CUTS, ids=lambda treatment: treatment.name.lower())
def test_cut(proxied, treatment):
    proxy, daemon, _ = proxied
    before = stored_before(daemon)
    proxy.arm(treatment, EVERY)
    wait_until(lambda: proxy.treated >= TIMES, f"{TIMES} inserts to be cut", 60)
    if treatment == Treatment.CUT_REQUEST:
        return
    # MongoDB had applied what the daemon knew nothing of: it was sent again, and found.
    wait_until(lambda: stored_before(daemon) >= before + TIMES - 1, "what was applied to be sent again")


def test_late(proxied):
    """An insert arrives when it was given up long ago and sent again: MongoDB has seen its documents, or will."""
    proxy, _, _ = proxied
    proxy.arm(Treatment.DELAY, EVERY, PAST_THE_TIMEOUT)
    wait_until(lambda: proxy.treated >= TIMES / 2, "inserts to come late", 60)


def test_black_hole(proxied):
    """Connections are accepted and nothing is answered: Exports go on, and so does delivery afterwards."""
    proxy, daemon, load = proxied
    state = lambda: ctl.status(daemon.config)["mongodb"]["state"]
    proxy.hole.set()
    load.wait_for(10)
    wait_until(lambda: state() == "backing off", "the outage to be noted")
    swallowed = proxy.swallowed
    wait_until(lambda: proxy.swallowed > swallowed + 2, "the daemon to try again")
    proxy.hole.clear()
    wait_until(lambda: state() == "flowing", "delivery to go on")
