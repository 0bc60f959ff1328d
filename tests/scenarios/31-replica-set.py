"""A replica set of three loses its primary, its majority, each member in turn, the network between its members,
under load: nothing lost, none twice."""

import re

import bson
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


def rolled_back(member) -> dict[bytes, str]:
    """The fragments that the member has had alone and given up, as it has written them down: by _id, their trace."""
    files = (member.data / "rollback").rglob("*.bson")
    found = [document for path in files for document in bson.decode_all(path.read_bytes())]
    return {document["_id"]: document["traceId"] for document in found if "traceId" in document}


def wait_stepped_down(replica_set, member) -> None:
    wait_until(lambda: replica_set.state(member) != "PRIMARY", "the member that was cut off to step down", 30)


def test_primary_cut_off_from_the_others_takes_writes(replica_set, loaded):
    """Both sides of the partition live, and tracespoold reaches both. What the old primary took alone is nobody's."""
    daemon, load = loaded
    wait_delivering(daemon)  # else it is days and indexes that are made alone
    old = replica_set.primary()
    before = rolled_back(old)
    with replica_set.cut_off(old):
        wait_stepped_down(replica_set, old)
        load.wait_for(10)
        wait_delivering(daemon)
        assert replica_set.primary() is not old
    wait_until(lambda: len(rolled_back(old)) > len(before), "the old primary to give up what it had alone", 60)
    wait_until(replica_set.is_whole, "the old primary to follow", 60)
    given_up = rolled_back(old).keys() - before.keys()
    with replica_set.client() as client:
        traces = client[daemon.sections["mongodb"]["database"]]["traces"]
        ids = {"_id": {"$in": list(given_up)}}
        wait_until(lambda: traces.count_documents(ids) == len(given_up), "what was given up to be written again", 60)


@pytest.mark.long
def test_primary_cut_off_from_everybody(replica_set, loaded):
    """Nobody hears of it: inserts that are under way have no answer, and its monitor's connection is silent."""
    daemon, load = loaded
    old = replica_set.primary()
    with replica_set.cut_off(old, outside=True):
        load.wait_for(10)
        wait_stepped_down(replica_set, old)
        wait_delivering(daemon)
        assert replica_set.primary() is not old
    wait_until(replica_set.is_whole, "the old primary to follow", 60)


def count_of(member, database: str) -> int:
    with pymongo.MongoClient("127.0.0.1", member.port, directConnection=True) as client:
        names = verify.documents.collections(client[database])
        return sum(client[database][day].estimated_document_count() for day in names)
