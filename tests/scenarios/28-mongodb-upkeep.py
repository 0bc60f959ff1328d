"""The days in MongoDB are kept in order: made ahead of need, dropped in time, and never a volume filled up."""

import datetime
import os
import time

import pytest

from lib import ctl, otlp, verify
from lib.clients import Client, Load
from lib.waiting import wait_until

MIB = 1 << 20
DAY_NS = 86_400 * 10**9
VOLUME_MIB = 1024  # mongod's journal takes up to 300 of it
OLD_DAY_MIB = 150  # what dropping the old day gives back
SLACK_MIB = 25  # that may be filled before the rule applies
NOISE_BYTES = 50_000


def day_name(days_ago: int) -> str:
    day = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=days_ago)
    return f"traces_{day:%Y%m%d}"


def send_one(daemon, number: int) -> bytes:
    """A request of now, acknowledged."""
    request = otlp.Template(otlp.CAPTURES / "java-0001.pb").with_ids(number << 64 | number)
    with Client(daemon.endpoint) as client:
        assert client.send(request).ok
    return request


def index_names(database, name: str) -> set[str]:
    return set(database[name].index_information())


OURS = {"_id_", "trace", "service", "service_root", "service_error"}


# --- days -----------------------------------------------------------------------


def test_days_are_there_before_the_first_span(daemon, database):
    for name in (day_name(0), day_name(-1)):
        wait_until(lambda: index_names(database, name) == OURS, f"{name} with its indexes")
    wait_until(lambda: {"traces", "spans"} <= set(database.list_collection_names()), "the views")


def test_retention_drops_old_days_and_nothing_else(make_daemon, shared_mongod, database):
    look_alikes = ["traces_20200230", "traces_202001011", "traces_2020010", "traces_20200101_kept", "old_20200101"]
    kept = [day_name(7), day_name(1), *look_alikes]
    for name in [day_name(8), day_name(300), *kept]:
        database[name].insert_one({"traceId": "ab", "root": True})
    database.create_collection("traces_20200102", viewOn="traces_20200230", pipeline=[])
    daemon = make_daemon(shared_mongod, database.name, {"mongodb.retention": "7d"}).start()
    dropped = 'tracespool_mongodb_dropped_collections_total{reason="retention"}'
    wait_until(lambda: daemon.metrics()[dropped] == 2, "the old days to be dropped")
    wait_until(lambda: day_name(-1) in database.list_collection_names(), "tomorrow's day")
    left = set(database.list_collection_names())
    assert {*kept, "traces_20200102"} <= left
    assert not {day_name(8), day_name(300)} & left
    assert daemon.output().count("event=mongodb.day_dropped") == 2
    wait_until(lambda: database["traces"].count_documents({}) == 2, "the view to show the days that are left")


def test_a_replay_of_a_dropped_day_is_stored_and_goes_with_the_next_pass(make_daemon, shared_mongod, database):
    """Received when its day was kept; delivered again after retention was shortened and the day was dropped."""
    daemon = make_daemon(shared_mongod, database.name).start()
    with Load(daemon.endpoint, clients=1, start_unix_nano=time.time_ns() - 3 * DAY_NS) as load:
        load.wait_for(5)
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)
    assert database[day_name(3)].count_documents({}) > 0
    database[day_name(3)].drop()
    ctl.text("replay", "--since", "1h", config=daemon.config)
    wait_until(lambda: database[day_name(3)].count_documents({}) > 0, "the replay")
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)
    daemon.stop()
    daemon.configure({"mongodb.retention": "1d"})
    daemon.start()
    wait_until(lambda: day_name(3) not in database.list_collection_names(), "the day to go")


# --- indexes --------------------------------------------------------------------


def test_changed_indexes_are_reported_and_delivery_goes_on(make_daemon, shared_mongod, database):
    database[day_name(2)].insert_one({"traceId": "ab"})  # an insert made it: no index
    daemon = make_daemon(shared_mongod, database.name).start()
    for name in (day_name(2), day_name(0)):
        wait_until(lambda: index_names(database, name) == OURS, f"{name} with its indexes")
    assert daemon.metrics()["tracespool_mongodb_index_differences"] == 0
    daemon.stop()

    database[day_name(2)].drop_index("service_error")
    database[day_name(0)].drop_index("trace")
    database[day_name(0)].create_index([("traceId", 1), ("spanCount", 1)], name="trace")
    database[day_name(2)].delete_many({})
    daemon.start()
    wait_until(lambda: daemon.metrics()["tracespool_mongodb_index_differences"] == 2, "both to be reported")
    sent = [send_one(daemon, number) for number in range(1, 6)]
    daemon.wait_delivered()
    verify.holds_exactly(database, sent)
    log = daemon.output()
    assert log.count("event=mongodb.index_differs") == 2, "said once each"
    assert f"index service_error of {database.name}.{day_name(2)} is missing" in log
    assert f"index trace of {database.name}.{day_name(0)} is another one than ours" in log
    assert "level=error" not in log
    assert index_names(database, day_name(2)) == OURS - {"service_error"}, "not made again"
    assert database[day_name(0)].index_information()["trace"]["key"] == [("traceId", 1), ("spanCount", 1)]


# --- free space -----------------------------------------------------------------


@pytest.fixture
def small_mongod(own_mongod, make_mount):
    """A standalone mongod on a volume of its own, which gives dropped files back in seconds and not in minutes."""
    volume = make_mount("tmpfs", VOLUME_MIB)
    mongod = own_mongod(replica_set=False)
    (volume.outside / "mongod").mkdir()
    mongod.data = volume.path / "mongod"
    mongod.prefix = volume.prefix
    mongod.arguments = ["--setParameter", "minSnapshotHistoryWindowInSeconds=0", "--syncdelay", "1"]
    return mongod.start()


def free_bytes(database) -> int:
    stats = database.command("dbStats")
    return int(stats["fsTotalSize"] - stats["fsUsedSize"])


def fill_day(database, name: str) -> None:
    for _ in range(OLD_DAY_MIB):
        database[name].insert_one({"filling": os.urandom(MIB)})
    database.client.admin.command("fsync")


def start_near_the_bound(make_daemon, mongod, database, **settings):
    bound = free_bytes(database) - SLACK_MIB * MIB
    assert bound > SLACK_MIB * MIB
    all_settings = {"spool.size": "512MiB", "mongodb.min_free": f"{bound}B", **settings}
    return make_daemon(mongod, database.name, all_settings).start()


def load_of_today(daemon) -> Load:
    return Load(daemon.endpoint, requests_per_second=80, noise_bytes=NOISE_BYTES, start_unix_nano=time.time_ns())


def is_full(daemon) -> bool:
    return ctl.status(daemon.config)["mongodb"]["state"] == "storage full"


@pytest.mark.long
def test_delivery_pauses_before_the_volume_is_full(make_daemon, small_mongod):
    """Receiving goes on; when a person has made room, all of it arrives."""
    with small_mongod.client() as client:
        database = client["tracing"]
        fill_day(database, day_name(2))
        daemon = start_near_the_bound(make_daemon, small_mongod, database)
        with load_of_today(daemon) as load:
            wait_until(lambda: is_full(daemon), "delivery to pause", 120)
            load.wait_for(100)
            metrics = daemon.metrics()
            assert metrics['tracespool_receiver_requests_total{code="UNAVAILABLE"}'] == 0, "receiving goes on"
            assert metrics["tracespool_mongodb_size_bytes"] == VOLUME_MIB * MIB
            assert 0 < metrics["tracespool_mongodb_available_bytes"]
            assert metrics['tracespool_flush_state{state="storage_full"}'] == 1
            assert small_mongod.running and free_bytes(database) > SLACK_MIB * MIB
        status = ctl.status(daemon.config)
        assert "mongodb_full" in [finding["code"] for finding in status["findings"]]
        assert "MongoDB's volume has " in daemon.output()
        assert "free, mongodb.min_free asks for " in daemon.output()

        database[day_name(2)].drop()
        daemon.wait_delivered()
        assert "event=mongodb.space_again" in daemon.output()
        verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


@pytest.mark.long
def test_oldest_day_is_dropped_when_that_is_wanted(make_daemon, small_mongod):
    with small_mongod.client() as client:
        database = client["tracing"]
        fill_day(database, day_name(3))
        database.create_collection(day_name(2))
        daemon = start_near_the_bound(make_daemon, small_mongod, database, **{"mongodb.when_full": "drop_oldest"})
        dropped = 'tracespool_mongodb_dropped_collections_total{reason="full"}'
        with load_of_today(daemon) as load:
            wait_until(lambda: daemon.metrics()[dropped] == 1, "the oldest day to be dropped", 120)
            wait_until(lambda: "event=mongodb.space_again" in daemon.output(), "delivery to go on", 60)
        daemon.wait_delivered()
        names = database.list_collection_names()
        assert day_name(3) not in names
        assert day_name(2) in names and day_name(0) in names
        assert daemon.output().count("event=mongodb.day_dropped") == 1
        verify.holds_exactly(database, load.acknowledged, load.unacknowledged)
