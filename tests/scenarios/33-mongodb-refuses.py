"""MongoDB refuses until a person acts, refuses some documents only, hangs, has forgotten all: what arrives in the end.

13-refused-by-mongodb has what is refused for good.
"""

import contextlib

import pytest

from lib import ctl, documents, otlp, verify
from lib.clients import Client, Load, nonce
from lib.daemon import Daemon
from lib.waiting import wait_until

# A daemon that is misconfigured tries again every 30 s: it must not fill mongod's log.
PROBED_SECONDS = 60
THREADS = 4
REQUESTS_PER_SECOND = 40  # bounds what is compared in the end
INDEXES = {"_id_", "trace", "service", "service_root", "service_error"}
RIGHTS = ["listCollections", "createCollection", "createIndex", "collMod", "find"]
ROOT = {"username": "root", "password": "root"}


# --- a person has to act ------------------------------------------------------------------


@pytest.fixture
def guarded(own_mongod):
    """A mongod with users: root, and `reader` of each database, who lacks the right to insert."""
    mongod = own_mongod(replica_set=False, arguments=["--auth"]).start()
    with mongod.client() as client:
        client.admin.command("createUser", "root", pwd="root", roles=["root"])
    with mongod.client(**ROOT) as client:
        for database in ("password", "right"):
            privilege = {"resource": {"db": database, "collection": ""}, "actions": RIGHTS}
            client[database].command("createRole", "tracespool", privileges=[privilege], roles=[])
            client[database].command("createUser", "trace", pwd="right", roles=["tracespool"])
        grant(client["password"])
    return mongod


def grant(database) -> None:
    privilege = {"resource": {"db": database.name, "collection": ""}, "actions": ["insert"]}
    database.command("grantPrivilegesToRole", "tracespool", privileges=[privilege])


@pytest.fixture
def make_user_daemon(guarded, folder, processes):
    def make(database: str, password: str) -> Daemon:
        place = folder / database
        place.mkdir()
        uri = f"mongodb://trace:{password}@127.0.0.1:{guarded.port}/?authSource={database}"
        daemon = Daemon(place, uri, database, {"flush.threads": THREADS})
        processes.append(daemon)
        return daemon.start()

    return make


def check_misconfigured(daemon: Daemon, words: str) -> None:
    """Said once, however many threads find it out; readers of status are told what to do; receiving goes on."""
    failed = lambda: daemon.metrics()["tracespool_flush_failed_attempts_total"]
    wait_until(lambda: failed() >= THREADS, "every thread to have failed")
    status = ctl.status(daemon.config)
    assert status["mongodb"]["state"] == "misconfigured"
    assert words in status["mongodb"]["last_error"]
    assert status["receiving"]
    (finding,) = status["findings"]
    assert finding["code"] == "mongodb_misconfigured"
    assert "mongodb.uri, user, rights" in finding["text"]
    assert daemon.output().count("event=flush.misconfigured") == 1
    assert daemon.http("/readyz")[0] == 200


@pytest.mark.long
def test_what_a_person_puts_right_is_noticed(guarded, make_user_daemon):
    """A wrong password, and a missing right; both at the same time, as each is tried again only after half a minute."""
    daemons = {"password": make_user_daemon("password", "wrong"), "right": make_user_daemon("right", "right")}
    loads = {name: Load(daemon.endpoint, requests_per_second=10) for name, daemon in daemons.items()}
    with contextlib.ExitStack() as stack:
        for load in loads.values():
            stack.enter_context(load)
            load.wait_for(5)
        check_misconfigured(daemons["password"], "Authentication failed")
        check_misconfigured(daemons["right"], "not authorized")
        with guarded.client(**ROOT) as client:
            client["password"].command("updateUser", "trace", pwd="wrong")
            grant(client["right"])
        for name, daemon in daemons.items():
            loads[name].wait_for(5)
            flows = lambda: ctl.status(daemon.config)["mongodb"]["state"] == "flowing"
            wait_until(flows, f"delivery to go on, with the {name} put right", PROBED_SECONDS)
    for name, daemon in daemons.items():
        daemon.wait_delivered()
        assert daemon.metrics()["tracespool_spool_parked_entries"] == 0
        with guarded.client(**ROOT) as client:
            verify.holds_exactly(client[name], loads[name].acknowledged, loads[name].unacknowledged)


# --- some documents only ------------------------------------------------------------------


def with_other_traces(request: bytes) -> bytes:
    """The same spans by their span ids, in other traces."""
    parsed = otlp.parse(request)
    for span in otlp.every_span(parsed):
        span.trace_id = bytes(byte ^ 0x5A for byte in span.trace_id)
    return parsed.SerializeToString()


def test_unique_index_of_an_operator(make_daemon, shared_mongod, database):
    """Only what collides is parked, with the code and the index; without the index it is delivered after all."""
    daemon = make_daemon(shared_mongod, database.name).start()
    template = otlp.Template(otlp.CAPTURES / "java-0005.pb")
    first, other = template.with_ids(nonce(1, 1)), template.with_ids(nonce(1, 2))
    second = with_other_traces(first)
    with Client(daemon.endpoint) as client:
        assert client.send(first).ok
        daemon.wait_delivered()
        days = documents.collections(database)
        for day in days:
            database[day].create_index("entry.spanId", name="of_an_operator", unique=True)
        entries = sum(len(database[day].distinct("entry.spanId")) for day in days)
        assert client.send(second).ok
        assert client.send(other).ok
    daemon.wait_delivered()

    parked = ctl.objects("ls", "--parked", config=daemon.config)
    assert len(parked) == entries, "as many spans as the first request has entries"
    assert {(entry["seq"], entry["code"]) for entry in parked} == {(2, 11000)}
    assert all("of_an_operator" in entry["text"] for entry in parked)
    stored = documents.read(database)
    assert len(stored) == len(otlp.spans_of(first, second, other)) - entries
    verify.compare(otlp.spans_of(first, other), stored, otlp.spans_of(second))

    for day in days:
        database[day].drop_index("of_an_operator")
    ctl.text("requeue", "2", config=daemon.config)
    wait_until(lambda: daemon.metrics()["tracespool_spool_parked_entries"] == 0, "what was parked to be delivered")
    daemon.wait_delivered()
    verify.holds_exactly(database, [first, second, other])


# --- it hangs, it has forgotten -----------------------------------------------------------


@pytest.mark.long
def test_hangs_for_longer_than_every_timeout(own_mongod, make_daemon):
    """Whatever it does with what it read before it hung: it is sent again, and there once."""
    mongod = own_mongod().start()
    short = "&socketTimeoutMS=1000&serverSelectionTimeoutMS=500&connectTimeoutMS=500"
    daemon = make_daemon(mongod, "tracing", {"mongodb.uri": mongod.uri + short}).start()
    with Load(daemon.endpoint, requests_per_second=REQUESTS_PER_SECOND) as load:
        for _ in range(2):
            load.wait_for(20)
            before = daemon.metrics()["tracespool_flush_failed_attempts_total"]
            mongod.pause()
            failed = lambda: daemon.metrics()["tracespool_flush_failed_attempts_total"]
            wait_until(lambda: failed() >= before + 4, "each thread to give up twice")
            mongod.resume()
            flows = lambda: ctl.status(daemon.config)["mongodb"]["state"] == "flowing"
            wait_until(flows, "delivery to go on", 60)
    daemon.wait_delivered()
    assert daemon.metrics()["tracespool_spool_parked_entries"] == 0
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], load.acknowledged, load.unacknowledged)


def check_made_again(database) -> None:
    days = documents.collections(database)
    assert days
    for day in days:
        assert set(database[day].index_information()) == INDEXES, day
        options = database[day].options()
        assert options["storageEngine"]["wiredTiger"]["configString"] == "block_compressor=zstd", day
    views = {entry["name"]: entry["options"] for entry in database.list_collections(filter={"type": "view"})}
    assert set(views) == {"traces", "spans"}
    assert database["spans"].count_documents({}) == len(documents.read(database))


@pytest.mark.parametrize("busy", [True, False], ids=["under-load", "idle"])
def test_comes_back_empty(own_mongod, make_daemon, busy):
    """A data folder that was lost: collections, indexes and views are made again at once, and what waited arrives."""
    mongod = own_mongod(replica_set=False).start()
    daemon = make_daemon(mongod, "tracing").start()
    with Load(daemon.endpoint, requests_per_second=REQUESTS_PER_SECOND) as before:
        before.wait_for(20)
    daemon.wait_delivered()
    mongod.stop()
    mongod.wipe()
    with Load(daemon.endpoint, seed=2, requests_per_second=REQUESTS_PER_SECOND) as load:
        if busy:
            load.wait_for(20)
            wait_until(lambda: daemon.metrics()['tracespool_flush_state{state="backing_off"}'] == 1, "delivery to back off")
        else:
            load.stop()
        mongod.start()
        if not busy:
            with Load(daemon.endpoint, seed=3, requests_per_second=REQUESTS_PER_SECOND) as late:
                late.wait_for(20)
            load.acknowledged += late.acknowledged
            load.unacknowledged += late.unacknowledged
        else:
            load.wait_for(20)
    daemon.wait_delivered()
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], load.acknowledged, load.unacknowledged)
        check_made_again(client["tracing"])
