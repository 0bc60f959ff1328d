"""kill -9 exactly at each point between receipt and done, again and again, under load.

After each kill the spool at rest is checked; after the kills of a point all
that was acknowledged is in MongoDB, once.
"""

import shutil
import signal

import pymongo.database
import pytest

from lib import crash, ctl, otlp, records, verify
from lib.clients import Client, Load
from lib.crash import Point
from lib.daemon import Daemon
from lib.ports import free_port
from lib.waiting import wait_until

SHARE = 0.75 / len(crash.POINTS)
CLIENTS = 4

SMALL: dict[str, object] = {
    "spool.reserve": False, "spool.size": "16MiB", "receiver.max_request_bytes": "4MiB"
}
NOISE_BYTES = 150_000  # more than one part of a record
NOISY_PER_SECOND = 60


class World:
    """The circumstances of a series of kills: how the spool is, and how it is judged in the end."""

    settings: dict[str, object] = {"spool.reserve": False}
    noise_bytes = 0

    def __init__(self, daemon: Daemon, database: pymongo.database.Database, point: Point, kills: int, seed: int):
        self.daemon = daemon
        self.database = database
        self.point = point
        self.kills = kills
        daemon.configure(self.settings)
        rate = NOISY_PER_SECOND if self.noise_bytes else 200
        self.load = Load(daemon.endpoint, CLIENTS, seed, rate, self.noise_bytes)

    def prepare(self) -> None:
        """Before there is any load. The daemon does not run, before and after."""

    def warm(self) -> None:
        """Under load, before the first kill. The daemon does not run, before and after."""

    def kill(self, countdown: int) -> None:
        """From a daemon that does not run to one that was killed."""
        crash.launch_to_die(self.daemon, self.point, countdown)
        crash.wait_killed(self.daemon)

    def look(self) -> None:
        """At the spool that the crash has left."""
        crash.check(self.daemon)

    def judge(self) -> None:
        """After the load. The daemon runs."""
        self.daemon.wait_delivered()
        verify.holds_exactly(self.database, self.load.acknowledged, self.load.unacknowledged)


class Flowing(World):
    pass


class Ring(World):
    """Full of history."""

    settings = SMALL
    noise_bytes = NOISE_BYTES

    def warm(self) -> None:
        self.daemon.start()
        wait_until(lambda: self.daemon.metrics()["tracespool_spool_evicted_records_total"] > 0, "the ring to turn", 60)
        self.daemon.kill()


class Growing(World):
    settings = {"spool.reserve": False, "spool.size": "2GiB"}
    noise_bytes = NOISE_BYTES


class Dropping(World):
    """MongoDB is not reached, and the oldest that waits makes room for what comes."""

    settings = {**SMALL, "spool.when_full": "drop_oldest"}
    noise_bytes = NOISE_BYTES

    def prepare(self) -> None:
        self.uri = self.daemon.sections["mongodb"]["uri"]
        self.daemon.configure({"mongodb.uri": f"mongodb://127.0.0.1:{free_port()}/"})

    def warm(self) -> None:
        self.daemon.start()
        dropped = "tracespool_spool_dropped_records_total"
        wait_until(lambda: self.daemon.metrics()[dropped] > 0, "the ring to be full", 60)
        self.daemon.kill()

    def judge(self) -> None:
        self.daemon.kill()
        self.daemon.configure({"mongodb.uri": self.uri})
        self.daemon.start()
        self.daemon.wait_delivered()
        stored = list(verify.documents.read(self.database))
        sent = set(otlp.spans_of(*self.load.acknowledged, *self.load.unacknowledged))
        assert len(stored) == len(set(stored)), "a span is stored twice"
        assert set(stored) <= sent, "MongoDB has what was not sent"
        missing = set(otlp.spans_of(*self.load.acknowledged)) - set(stored)
        counted = ctl.status(self.daemon.config)["totals"]["dropped_spans"]
        assert missing, "nothing was dropped, so this has shown nothing"
        assert len(missing) <= counted, f"{len(missing)} spans are missing and {counted} were counted as dropped"


class Refused(World):
    """A rule on the collection refuses one service's spans, and of another's fragments a span: they are parked, and
    requeued in the end. What was sent then comes again as it was, and must not be stored beside its spans."""

    RULE = {"serviceName": {"$ne": "order"}, "spans.name": {"$ne": "middleware - jsonParser"}}

    def rule(self, validator: dict[str, object]) -> None:
        for name in verify.documents.collections(self.database):
            self.database.command("collMod", name, validator=validator)

    def prepare(self) -> None:
        self.daemon.start()
        with Client(self.daemon.endpoint) as client:
            self.first = [otlp.Template(otlp.CAPTURES / f"{name}.pb").with_ids(7) for name in Load.TEMPLATES]
            assert all(client.send(request).ok for request in self.first)
        self.daemon.wait_delivered()
        self.daemon.stop()
        self.rule(self.RULE)

    def judge(self) -> None:
        self.daemon.wait_delivered()
        assert ctl.objects("ls", "--parked", config=self.daemon.config), "nothing was refused"
        self.rule({})
        ctl.text("requeue", "ALL", config=self.daemon.config)
        self.daemon.wait_delivered()
        ctl.text("replay", "--yes", "ALL", config=self.daemon.config)
        self.daemon.wait_delivered()
        assert not ctl.objects("ls", "--parked", config=self.daemon.config)
        verify.holds_exactly(self.database, self.load.acknowledged + self.first, self.load.unacknowledged)


class Damaged(World):
    """Bytes of some records were changed on disk: these are held; mended and released in the end."""

    def prepare(self) -> None:
        self.seqs = range(1, self.kills * self.point.passes + 1)
        uri = self.daemon.sections["mongodb"]["uri"]
        self.daemon.configure({"mongodb.uri": f"mongodb://127.0.0.1:{free_port()}/"})
        self.daemon.start()
        template = otlp.Template(otlp.CAPTURES / "java-0001.pb")
        self.first = [otlp.with_noise(template.with_ids(seq), 20_000) for seq in self.seqs]
        with Client(self.daemon.endpoint) as client:
            assert all(client.send(request).ok for request in self.first)
        self.daemon.kill()
        records.flip(self.daemon.spool, self.seqs)
        self.daemon.configure({"mongodb.uri": uri})

    def look(self) -> None:
        """What was changed is found, and nothing else."""
        told = crash.findings(self.daemon)
        assert {finding["seq"] for finding in told} == set(self.seqs), told

    def judge(self) -> None:
        self.daemon.wait_delivered()
        parked = ctl.objects("ls", "--parked", config=self.daemon.config)
        assert [(entry["seq"], entry["reason"]) for entry in parked] == [(seq, "damaged") for seq in self.seqs]
        self.daemon.stop()
        records.flip(self.daemon.spool, self.seqs)
        self.daemon.start()
        ctl.text("release", "ALL", config=self.daemon.config)
        self.daemon.wait_delivered()
        assert not ctl.objects("ls", "--parked", config=self.daemon.config)
        verify.holds_exactly(self.database, self.load.acknowledged + self.first, self.load.unacknowledged)


class Starting(World):
    """A spool that is being made, and then one that is used."""

    settings = {**SMALL, "spool.reserve": True}

    def prepare(self) -> None:
        for _ in range(2):
            self.kill(1)
            self.daemon.start()  # what the crash has left is no obstacle
            self.look()
            self.daemon.stop()
            shutil.rmtree(self.daemon.spool)

    def warm(self) -> None:
        self.daemon.start()
        self.load.wait_for(50)
        self.daemon.kill()


class Stopping(World):
    """The kill comes after SIGTERM."""

    def kill(self, countdown: int) -> None:
        crash.launch_to_die(self.daemon, self.point, countdown)
        wait_until(self.daemon.ready, "tracespoold to be ready")
        self.load.wait_for(20)
        self.daemon.signal(signal.SIGTERM)
        crash.wait_killed(self.daemon)


WORLDS: dict[str, type[World]] = {
    "flowing": Flowing,
    "ring": Ring,
    "dropping": Dropping,
    "refused": Refused,
    "damaged": Damaged,
    "growing": Growing,
    "starting": Starting,
    "stopping": Stopping,
}


@pytest.mark.parametrize("point", crash.POINTS, ids=str)
def test_killed_at(point, make_daemon, shared_mongod, database, seed, share):
    kills = share(SHARE)
    daemon = make_daemon(shared_mongod, database.name)
    world = WORLDS[point.world](daemon, database, point, kills, seed)
    world.prepare()
    with world.load:
        world.warm()
        for countdown in crash.countdowns(seed, point, kills):
            world.kill(countdown)
            world.look()
        daemon.start()
        world.load.wait_for(50)
    world.judge()
