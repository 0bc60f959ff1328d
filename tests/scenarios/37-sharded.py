"""A sharded cluster, as far as a stand-in for its mongos goes (lib/mongos.py): days are sharded, nothing is lost."""

import datetime
import time

import pytest

from lib import ctl, otlp, verify
from lib.clients import Client, Load
from lib.mongos import Mongos, Treatment
from lib.waiting import wait_until

DAY_NS = 86_400 * 10**9
GIB = 1 << 30
KEY = {"traceId": "hashed"}
SHARD = {"mongodb.shard": True}


@pytest.fixture
def mongos(shared_mongod):
    with Mongos(shared_mongod.port) as stand_in:
        yield stand_in


def day_name(days_ago: int) -> str:
    day = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=days_ago)
    return f"traces_{day:%Y%m%d}"


def send_one(daemon, number: int) -> bytes:
    """A request that goes to today's collection, acknowledged."""
    request = otlp.Template(otlp.CAPTURES / "java-0001.pb").at(number << 64 | number, time.time_ns())
    with Client(daemon.endpoint) as client:
        assert client.send(request).ok
    return request


def trace_ids(*requests: bytes) -> set[str]:
    return {span.trace_id.hex() for request in requests for span in otlp.every_span(otlp.parse(request))}


def outcomes(daemon, *options: str) -> dict[str, str]:
    return {row["day"]: row["outcome"] for row in ctl.objects("shard", *options, config=daemon.config)}


# --- new days -----------------------------------------------------------------------------


def test_days_are_sharded_before_their_first_insert(make_daemon, mongos, database):
    """Today's and tomorrow's ahead of need, an older one when a span of it comes; every span arrives, once."""
    daemon = make_daemon(mongos, database.name, SHARD).start()
    three_days_ago = time.time_ns() - 3 * DAY_NS
    load = Load(daemon.endpoint, clients=2)
    old = Load(daemon.endpoint, clients=1, seed=2, start_unix_nano=three_days_ago)
    with load, old:
        load.wait_for(100)
        old.wait_for(20)
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged + old.acknowledged, load.unacknowledged + old.unacknowledged)

    assert mongos.keyless == 0
    assert len(mongos.written()) >= 2
    for namespace in mongos.written():
        assert mongos.first("shardCollection", namespace) < mongos.first("insert", namespace)
    for days_ago in (0, -1, 3):
        assert mongos.sharded[f"{database.name}.{day_name(days_ago)}"] == KEY
        keys = [dict(index["key"]) for index in database[day_name(days_ago)].list_indexes()]
        assert keys.count(KEY) == 1 and {"traceId": 1} not in keys, "the shard key costs no second index"
    metrics = daemon.metrics()
    assert metrics["tracespool_mongodb_up"] == 1
    assert metrics["tracespool_mongodb_index_differences"] == 0
    assert "mongodb.shard_failed" not in daemon.output()

    one = trace_ids(load.acknowledged[0]).pop()
    shown = ctl.objects("show", "--from", "mongodb", one, config=daemon.config)
    assert shown and all(span["mongodb"] for span in shown)


def test_notes_of_what_was_taken_apart_are_not_sharded(make_daemon, mongos, database):
    daemon = make_daemon(mongos, database.name, SHARD).start()
    before = send_one(daemon, 1)
    daemon.wait_delivered()
    database.command("collMod", day_name(0), validator={"serviceName": "nobody's"})
    refused = otlp.Template(otlp.CAPTURES / "java-0005.pb").at(2 << 64 | 2, time.time_ns())
    with Client(daemon.endpoint) as client:
        assert client.send(refused).ok
    wait_until(lambda: daemon.metrics()["tracespool_spool_parked_entries"] > 0, "its spans to be parked")
    daemon.wait_delivered()
    notes = day_name(0).replace("traces_", "tracespool_apart_")
    assert database[notes].count_documents({}) > 0
    assert f"{database.name}.{notes}" not in mongos.sharded

    database.command("collMod", day_name(0), validator={})
    for verb in (["requeue"], ["replay", "--yes"]):
        ctl.text(*verb, "ALL", config=daemon.config)
        daemon.wait_delivered()
    verify.holds_exactly(database, [before, refused])


def test_a_database_is_enabled_first_where_a_server_wants_that(make_daemon, mongos, database):
    mongos.must_enable = True
    daemon = make_daemon(mongos, database.name, SHARD).start()
    request = send_one(daemon, 1)
    daemon.wait_delivered()
    verify.holds_exactly(database, [request])
    assert mongos.enabled == {database.name}
    assert mongos.sharded[f"{database.name}.{day_name(0)}"] == KEY


def test_a_day_that_is_dropped_is_made_and_sharded_again(make_daemon, mongos, database):
    daemon = make_daemon(mongos, database.name, SHARD).start()
    send_one(daemon, 1)
    daemon.wait_delivered()
    with mongos.lock:
        mongos.sharded.clear()
    wait_until(lambda: day_name(-1) in database.list_collection_names(), "tomorrow's day")
    database.client.drop_database(database.name)
    mongos.treatments = [Treatment.STALE_CONFIG]  # after which the daemon looks
    request = send_one(daemon, 2)
    daemon.wait_delivered()
    verify.holds_exactly(database, [request])
    assert mongos.sharded[f"{database.name}.{day_name(0)}"] == KEY


def test_ok_to_create_does_not_mean_that_a_day_is_new(make_daemon, mongos, database):
    """A mongos says it of a collection that is there, too: an index that was dropped stays so, and is reported."""
    daemon = make_daemon(mongos, database.name, SHARD).start()
    requests = [send_one(daemon, 1)]
    daemon.wait_delivered()
    database[day_name(0)].drop_index("service")
    mongos.treatments = [Treatment.STALE_CONFIG]  # after which the daemon looks
    requests.append(send_one(daemon, 2))
    daemon.wait_delivered()
    verify.holds_exactly(database, requests)
    assert "service" not in database[day_name(0)].index_information()
    assert daemon.metrics()["tracespool_mongodb_index_differences"] == 1


def test_without_the_right_it_is_said_once_and_delivery_goes_on(make_daemon, mongos, database):
    mongos.refusals["shardCollection"] = (13, "not authorized on admin to execute command")
    daemon = make_daemon(mongos, database.name, SHARD).start()
    requests = [send_one(daemon, number) for number in range(1, 4)]
    daemon.wait_delivered()
    verify.holds_exactly(database, requests)
    wait_until(lambda: day_name(-1) in database.list_collection_names(), "tomorrow's day")
    assert not mongos.sharded
    assert daemon.output().count("event=mongodb.shard_failed") == 1
    assert ctl.status(daemon.config)["mongodb"]["state"] == "flowing"


def test_a_new_day_waits_for_what_passes(make_daemon, mongos, database):
    """Its config servers have no primary, say: nothing is written before it is sharded."""
    mongos.refusals["shardCollection"] = (133, "could not find host matching read preference")
    daemon = make_daemon(mongos, database.name, SHARD).start()
    request = send_one(daemon, 1)
    wait_until(lambda: ctl.is_backing_off(daemon.config), "delivery to wait")
    assert not mongos.written()
    del mongos.refusals["shardCollection"]
    daemon.wait_delivered()
    verify.holds_exactly(database, [request])
    today = f"{database.name}.{day_name(0)}"
    assert mongos.first("shardCollection", today) < mongos.first("insert", today)


def test_a_server_that_is_no_mongos_is_said_once(make_daemon, shared_mongod, database):
    daemon = make_daemon(shared_mongod, database.name, SHARD).start()
    request = send_one(daemon, 1)
    daemon.wait_delivered()
    verify.holds_exactly(database, [request])
    assert daemon.output().count("event=mongodb.shard_failed") == 1
    assert "mongodb.shard has no effect" in daemon.output()


# --- the command --------------------------------------------------------------------------


def test_command_shards_the_days_that_are_there(make_daemon, mongos, database):
    daemon = make_daemon(mongos, database.name).start()
    requests = [send_one(daemon, 1), send_one(daemon, 2)]
    daemon.wait_delivered()
    today, tomorrow = day_name(0), day_name(-1)
    wait_until(lambda: tomorrow in database.list_collection_names(), "tomorrow's day")
    assert not mongos.sharded, "nobody asked for it"

    assert outcomes(daemon, "--dry-run") == {today: "would_shard", tomorrow: "would_shard"}
    assert not mongos.sharded
    assert outcomes(daemon) == {today: "sharded", tomorrow: "sharded"}
    assert mongos.sharded == {f"{database.name}.{day}": KEY for day in (today, tomorrow)}
    assert "traceId_hashed" in database[today].index_information()
    assert outcomes(daemon) == {today: "sharded_before", tomorrow: "sharded_before"}
    assert outcomes(daemon, "--dry-run") == {today: "sharded_before", tomorrow: "sharded_before"}
    text = ctl.run("shard", config=daemon.config)
    assert f"{today}: is sharded already\n" in text.stdout
    assert "mongodb.shard is false: days to come will not be sharded" in text.stderr

    ctl.text("replay", "--yes", "--since", "1h", config=daemon.config)
    requests.append(send_one(daemon, 3))
    daemon.wait_delivered()
    verify.holds_exactly(database, requests)


def test_daemon_leaves_a_day_with_documents_to_the_command(make_daemon, mongos, database):
    daemon = make_daemon(mongos, database.name).start()
    requests = [send_one(daemon, 1)]
    daemon.wait_delivered()
    daemon.stop()
    daemon.configure(SHARD)
    daemon.start()
    requests.append(send_one(daemon, 2))
    daemon.wait_delivered()
    verify.holds_exactly(database, requests)
    assert f"{database.name}.{day_name(0)}" not in mongos.sharded
    assert daemon.output().count("`tracespool shard` makes the index and shards it") == 1
    assert outcomes(daemon)[day_name(0)] == "sharded"


def test_command_says_what_is_in_the_way(make_daemon, mongos, shared_mongod, database):
    daemon = make_daemon(mongos, database.name).start()
    wait_until(lambda: {day_name(0), day_name(-1)} <= set(database.list_collection_names()), "the days")
    daemon.stop()

    mongos.refusals["shardCollection"] = (13, "not authorized on admin to execute command")
    result = ctl.run("shard", config=daemon.config)
    assert result.returncode == 1
    assert result.stderr.count("code 13 Unauthorized") == 2 and day_name(0) in result.stderr

    del mongos.refusals["shardCollection"]
    mongos.sharded[f"{database.name}.{day_name(0)}"] = {"_id": 1}
    result = ctl.run("shard", config=daemon.config)
    assert result.returncode == 2
    assert f"{day_name(-1)}: sharded\n" in result.stdout
    assert "code 23 AlreadyInitialized" in result.stderr
    assert mongos.sharded[f"{database.name}.{day_name(0)}"] == {"_id": 1}

    daemon.configure({"mongodb.uri": shared_mongod.uri})
    result = ctl.run("shard", config=daemon.config)
    assert result.returncode == 1 and result.stdout == ""
    assert "it is no sharded cluster: mongodb.uri has to lead to a mongos" in result.stderr


# --- what a cluster does --------------------------------------------------------------------


@pytest.mark.long
def test_the_fullest_shard_pauses_delivery(make_daemon, mongos, database):
    """Of one shard 5 % are free, of the other 90 %: the sums would let it write."""
    full, empty = mongos.SHARDS
    mongos.volumes = {full: (100 * GIB, 95 * GIB), empty: (900 * GIB, 90 * GIB)}
    daemon = make_daemon(mongos, database.name, {**SHARD, "mongodb.min_free": "10%"}).start()
    wait_until(lambda: "event=mongodb.space_low" in daemon.output(), "the shard to be found full")
    request = send_one(daemon, 1)
    wait_until(lambda: ctl.status(daemon.config)["mongodb"]["state"] == "storage full", "delivery to wait")
    assert "MongoDB's volume of shard shard0 has 5.00 GiB of 100 GiB" in daemon.output()
    metrics = daemon.metrics()
    assert metrics["tracespool_mongodb_available_bytes"] == 5 * GIB
    assert metrics["tracespool_mongodb_size_bytes"] == 100 * GIB

    mongos.volumes = {full: (100 * GIB, 20 * GIB), empty: (900 * GIB, 90 * GIB)}
    daemon.wait_delivered()
    verify.holds_exactly(database, [request])


def test_what_a_mongos_could_not_route_is_sent_again(make_daemon, mongos, database):
    """A stale version that it gave up on, no progress with half of a batch, a shard without a primary."""
    daemon = make_daemon(mongos, database.name, SHARD).start()
    with Load(daemon.endpoint, clients=2) as load:
        load.wait_for(20)
        for treatment in Treatment:
            with mongos.lock:
                mongos.treatments = [treatment, treatment]
            wait_until(lambda: not mongos.treatments, f"inserts to meet {treatment}")
        load.wait_for(20)
    daemon.wait_delivered()
    assert daemon.metrics()["tracespool_spool_parked_entries"] == 0
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


def test_a_document_that_is_offered_again_has_its_shard_key(make_daemon, mongos, database):
    """Before one that is refused is parked, a stored one is tried: without its key, a cluster would take it as new."""
    daemon = make_daemon(mongos, database.name, SHARD).start()
    good = send_one(daemon, 1)
    daemon.wait_delivered()
    bad = otlp.Template(otlp.CAPTURES / "java-0001.pb").at(2 << 64 | 2, time.time_ns())
    mongos.poison = trace_ids(bad)
    with Client(daemon.endpoint) as client:
        assert client.send(bad).ok
    daemon.wait_delivered()
    parked = ctl.objects("ls", "--parked", config=daemon.config)
    assert parked and {entry["code"] for entry in parked} == {9}
    assert mongos.keyless == 0
    verify.holds_exactly(database, [good])
