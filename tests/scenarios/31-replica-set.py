"""A replica set of three loses its primary, its majority, each member in turn, under load: nothing lost, none twice."""

import re

import pymongo
import pytest

from lib import ctl, verify
from lib.clients import Load
from lib.waiting import wait_until

REQUESTS_PER_SECOND = 20  # bounds what is compared in the end


@pytest.fixture
def loaded(replica_set, make_daemon, request):
    """A daemon in front of the set, and a load on it. In the end all that was acknowledged is there, nothing parked."""
    name = re.sub("[^a-z]", "_", request.node.name)
    options = getattr(request, "param", "")
    daemon = make_daemon(replica_set, name, {"mongodb.uri": replica_set.uri + options}).start()
    with Load(daemon.endpoint, requests_per_second=REQUESTS_PER_SECOND) as load:
        load.wait_for(10)
        yield daemon, load
        load.wait_for(10)
    daemon.wait_delivered()
    assert daemon.metrics()["tracespool_spool_parked_entries"] == 0
    with replica_set.client() as client:
        verify.holds_exactly(client[name], load.acknowledged, load.unacknowledged)
        client.drop_database(name)


def wait_delivering(daemon) -> None:
    """Until more has been confirmed than now."""
    before = daemon.metrics()["tracespool_flush_spans_total"]
    wait_until(lambda: daemon.metrics()["tracespool_flush_spans_total"] > before, "delivery to go on", 60)


def wait_backing_off(daemon) -> dict:
    """Until the daemon has noted the outage: what `tracespool status` then says."""

    def noted() -> dict | None:
        status = ctl.status(daemon.config)
        return status if status["mongodb"]["state"] == "backing off" else None

    return wait_until(noted, "status to show the outage", 60)


def check_outage(daemon) -> None:
    status = wait_backing_off(daemon)
    assert status["receiving"]
    assert status["mongodb"]["last_error"]
    assert status["mongodb"]["failed_attempts"] >= 1
    assert [finding["code"] for finding in status["findings"]] == ["mongodb_unavailable"]
    assert daemon.http("/readyz")[0] == 200


@pytest.mark.long
def test_primary_killed_twice(replica_set, loaded):
    daemon, load = loaded
    for _ in range(2):
        primary = replica_set.primary()
        primary.kill()
        wait_backing_off(daemon)
        load.wait_for(10)
        wait_delivering(daemon)  # to another primary
        primary.launch()
        wait_until(replica_set.is_whole, "the killed member to follow", 60)


def test_majority_is_cut_off(replica_set, loaded):
    """Two members stop answering with their connections open, the primary too. The third cannot be elected."""
    daemon, load = loaded
    gone = [replica_set.primary(), replica_set.secondaries()[0]]
    for member in gone:
        member.pause()
    check_outage(daemon)
    load.wait_for(20)
    for member in gone:
        member.resume()
    wait_delivering(daemon)
    assert ctl.status(daemon.config)["receiving"]


@pytest.mark.long
@pytest.mark.parametrize("loaded", ["&retryWrites=true"], indirect=True, ids=["retryable-writes"])
def test_rolling_restart(replica_set, loaded):
    daemon, load = loaded
    for member in [*replica_set.secondaries(), replica_set.primary()]:
        member.stop()
        load.wait_for(10)
        wait_delivering(daemon)
        member.launch()
        wait_until(replica_set.is_whole, "the restarted member to follow", 60)


@pytest.mark.long
def test_step_down_again_and_again(replica_set, loaded, pytestconfig):
    daemon, load = loaded
    for _ in range(pytestconfig.getoption("--step-downs")):
        replica_set.step_down()
        load.wait_for(10)
        wait_delivering(daemon)


@pytest.mark.long
def test_what_no_majority_had_is_written_again(replica_set, make_daemon):
    """A primary that was cut off has applied what it could not confirm, and rolls it back when it returns."""
    name = "rolled_back"
    daemon = make_daemon(replica_set, name, {"flush.threads": 4}).start()
    with Load(daemon.endpoint, requests_per_second=REQUESTS_PER_SECOND) as load:
        load.wait_for(10)
        wait_delivering(daemon)
        primary, secondaries = replica_set.primary(), replica_set.secondaries()
        before = count_of(primary, name)
        for member in secondaries:
            member.kill()  # SIGSTOP would not do: what is sent to them meanwhile is theirs when they go on
        wait_until(lambda: count_of(primary, name) > before, "the primary to apply inserts alone")
        with primary.client() as client:
            client.admin.command("fsync")  # else kill -9 takes them before there is anything to roll back
        primary.kill()
        for member in secondaries:
            member.launch()
        wait_delivering(daemon)
        primary.launch()
        wait_until(lambda: "Rollback complete" in primary.output(), "the old primary to give up what it had alone", 20)
        wait_until(replica_set.is_whole, "the old primary to follow", 60)
    daemon.wait_delivered()
    with replica_set.client() as client:
        verify.holds_exactly(client[name], load.acknowledged, load.unacknowledged)
        client.drop_database(name)


def count_of(member, database: str) -> int:
    with pymongo.MongoClient("127.0.0.1", member.port, directConnection=True) as client:
        names = verify.documents.collections(client[database])
        return sum(client[database][day].estimated_document_count() for day in names)
