"""MongoDB is put back to a backup: what it had been given since is delivered again out of the spool's history."""

import datetime
import pathlib
import shutil
import signal
from typing import Callable

import pytest

from lib import ctl, documents, verify
from lib.clients import Load
from lib.daemon import Daemon
from lib.mongod import Mongod
from lib.waiting import wait_until

DAY_NS = 24 * 3600 * 10**9
NOISE = 150_000  # bytes of a request, so that a replay is several batches
STORED = "tracing"


class Backup:
    """A copy of the folder of a mongod that is stopped."""

    def __init__(self, mongod: Mongod, folder: pathlib.Path):
        self.mongod, self.copy = mongod, folder / "backup"
        mongod.stop()
        self.taken = datetime.datetime.now(datetime.timezone.utc)
        shutil.copytree(mongod.data, self.copy)
        mongod.start()

    def put_back(self) -> None:
        self.mongod.stop()
        shutil.rmtree(self.mongod.data)
        shutil.copytree(self.copy, self.mongod.data)
        self.mongod.start()


class Story:
    """A load, a backup, another load, and the backup put back."""

    def __init__(self, mongod: Mongod, daemon: Daemon, folder: pathlib.Path, **load: int):
        self.mongod, self.daemon = mongod, daemon
        self.loads: list[Load] = []
        self.load(1)
        self.backup = Backup(mongod, folder)
        self.load(2, **load)

    def load(self, seed: int, count: int = 60, **options: int) -> Load:
        load = Load(self.daemon.endpoint, seed=seed, **options)
        with load:
            load.wait_for(count)
        self.loads.append(load)
        self.daemon.wait_delivered()
        return load

    def put_back(self) -> None:
        self.backup.put_back()
        self.holds(self.loads[:1])

    def replay(self) -> int:
        """How many batches: those since the backup, by the time of the clock."""
        since = self.backup.taken.isoformat().replace("+00:00", "Z")
        (answer,) = ctl.objects("replay", "--since", since, config=self.daemon.config)
        assert answer["failed"] == 0 and answer["error"] is None, answer
        return answer["batches"]

    def holds(self, loads: list[Load]) -> int:
        sent = [request for load in loads for request in load.acknowledged]
        unsure = [request for load in loads for request in load.unacknowledged]
        with self.mongod.client() as client:
            return verify.holds_exactly(client[STORED], sent, unsure)

    def stored(self) -> int:
        with self.mongod.client() as client:
            return len(documents.read(client[STORED]))


@pytest.fixture
def story(own_mongod, make_daemon, folder) -> Callable[..., Story]:
    def make(replica_set: bool = True, **load: int) -> Story:
        mongod = own_mongod(replica_set=replica_set).start()
        daemon = make_daemon(mongod, STORED, {"spool.size": "256MiB"}).start()
        return Story(mongod, daemon, folder, **load)

    return make


@pytest.mark.parametrize("replica_set", [True, False], ids=["replica-set", "standalone"])
def test_history_since_the_backup_comes_back(story, replica_set):
    told = story(replica_set)
    told.put_back()
    assert told.replay() == told.loads[1].count
    told.daemon.wait_delivered()
    told.holds(told.loads)
    # Once more, all of it, into a database that has everything.
    (answer,) = ctl.objects("replay", "ALL", "--yes", config=told.daemon.config)
    assert answer["batches"] == sum(load.count for load in told.loads)
    told.daemon.wait_delivered()
    told.holds(told.loads)


@pytest.mark.long
def test_a_day_that_the_backup_does_not_have_comes_back_too(story):
    """Its collection is made again, with its indexes once the daemon has looked: at a restart at the latest."""
    yesterday = int(datetime.datetime.now().timestamp()) * 10**9 - DAY_NS
    told = story(start_unix_nano=yesterday)
    told.put_back()
    told.daemon.stop()
    assert told.replay() == told.loads[1].count
    told.daemon.start()
    told.daemon.wait_delivered()
    told.holds(told.loads)
    with told.mongod.client() as client:
        day = client[STORED][documents.day_of(yesterday)]
        assert {"trace", "service", "service_root", "service_error"} <= day.index_information().keys()


@pytest.mark.long
def test_under_load(story):
    """Clients send while MongoDB is put back, while history is replayed, and afterwards."""
    told = story()
    with Load(told.daemon.endpoint, seed=3) as load:
        load.wait_for(30)
        told.backup.put_back()
        load.wait_for(30)
        assert told.replay() >= told.loads[1].count
        load.wait_for(30)
        told.replay()  # what is being delivered, too
        load.wait_for(30)
    told.daemon.wait_delivered()
    told.holds([*told.loads, load])


@pytest.mark.long
@pytest.mark.parametrize("point", ["flush.claimed:2", "flush.written:1", "flush.written:2", "spool.delivered:1"])
def test_killed_in_the_middle_of_it(story, point):
    told = story(noise_bytes=NOISE, count=150)
    told.put_back()
    told.daemon.stop()
    replayed = told.replay()
    assert replayed == told.loads[1].count
    told.daemon.launch(TRACESPOOL_FAULT=f"{point}:kill")
    assert told.daemon.wait_exit(60) == -signal.SIGKILL
    left = ctl.status(told.daemon.config)["pending"]["batches"]
    assert 0 < left <= replayed
    told.daemon.start()
    told.daemon.wait_delivered()
    told.holds(told.loads)


@pytest.mark.long
def test_stopped_and_started_in_the_middle_of_it(story):
    told = story(noise_bytes=NOISE, count=150)
    told.put_back()
    before = told.stored()
    replayed = told.replay()
    wait_until(lambda: told.stored() > before, "the first of it to be stored")
    told.daemon.stop()
    left = ctl.status(told.daemon.config)["pending"]["batches"]
    print(f"{left} of {replayed} batches were left")
    told.daemon.start()
    told.daemon.wait_delivered()
    told.holds(told.loads)


@pytest.mark.long
def test_a_backup_from_before_some_elections(story):
    """The driver has seen newer terms than the one that MongoDB is put back to, and has to take it all the same."""
    told = story()
    for seed in (3, 4, 5):
        told.mongod.stop()
        told.mongod.start()
        told.load(seed, count=10)
    told.put_back()
    assert told.replay() == sum(load.count for load in told.loads[1:])
    told.daemon.wait_delivered()
    told.holds(told.loads)
