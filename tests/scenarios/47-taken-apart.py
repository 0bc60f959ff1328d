"""What MongoDB refused was taken apart: whatever comes of it and in which order, each span is stored once."""

import pathlib
import uuid
from typing import Callable

import pymongo.database
import pytest

from lib import ctl, documents, otlp, verify
from lib.clients import Client
from lib.crash import Point, launch_to_die, wait_killed
from lib.daemon import Daemon

NOBODY = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100"  # nothing is delivered, and stopping waits for nothing
REQUESTS = [(otlp.CAPTURES / f"{name}.pb").read_bytes() for name in ("java-0005", "node-0001")]
NOTES = "tracespool_apart_"

# Of the fragments of several spans: one span of some, every one of a service's, every one.
RULES: dict[str, dict] = {
    "in-part": {"spans.name": {"$nin": ["Transaction.commit", "middleware - jsonParser"]}},
    "of-a-service": {"serviceName": {"$ne": "order"}},
    "in-whole": {"serviceName": "nobody's"},
}


# One rule shows what the order of things does; the others are for .ci/run.
EACH_RULE = ["in-part", *(pytest.param(rule, marks=pytest.mark.long) for rule in ("of-a-service", "in-whole"))]


class World:
    """A daemon, the requests in its spool, and a rule on the days that they go to."""

    def __init__(self, daemon: Daemon, database: pymongo.database.Database, folder: pathlib.Path, rule: dict):
        self.daemon, self.database, self.folder, self.rule = daemon, database, folder, rule
        for day in {documents.day_of(span.start) for span in otlp.spans_of(*REQUESTS)}:
            database.create_collection(day, validator=rule)
        self.others: list[Daemon] = []

    def settled(self) -> None:
        """Delivered, and nothing is there twice so far."""
        for daemon in (self.daemon, *self.others):
            daemon.wait_delivered()
        stored = documents.read(self.database)
        assert len(stored) == len(set(stored)), "a span is stored twice"

    def send(self) -> None:
        with Client(self.daemon.endpoint) as client:
            for request in REQUESTS:
                assert client.send(request).ok

    def set_rule(self, rule: dict) -> None:
        for day in documents.collections(self.database):
            self.database.command("collMod", day, validator=rule)

    def mend(self) -> None:
        self.set_rule({})

    def requeue(self) -> None:
        ctl.text("requeue", "ALL", config=self.daemon.config)

    def rm(self) -> None:
        entries = (f"{entry['seq']}:{entry['span_index']}" for entry in self.parked())
        ctl.text("rm", "--yes", *entries, config=self.daemon.config)

    def replay(self) -> None:
        """What was sent at first."""
        ctl.text("replay", *(str(seq) for seq in range(1, len(REQUESTS) + 1)), config=self.daemon.config)

    def restart(self) -> None:
        self.daemon.kill()
        self.daemon.start()

    def carry(self) -> None:
        """Into another daemon's spool, byte by byte."""
        out = self.folder / f"exported-{uuid.uuid4()}"
        seqs = [str(seq) for seq in range(1, len(REQUESTS) + 1)]
        ctl.text("export", "--format", "proto", "--output", str(out), *seqs, config=self.daemon.config)
        ctl.text("import", str(out), config=self.others[0].config)

    def parked(self) -> list[dict]:
        return ctl.objects("ls", "--parked", "--limit", "0", config=self.daemon.config)

    def notes(self) -> int:
        names = [name for name in self.database.list_collection_names() if name.startswith(NOTES)]
        return sum(self.database[name].count_documents({}) for name in names)

    def do(self, steps: str) -> None:
        for step in steps.split():
            getattr(self, step)()
            self.settled()


@pytest.fixture
def make_world(make_daemon, shared_mongod, database, folder) -> Callable[[dict], World]:
    def make(rule: dict) -> World:
        return World(make_daemon(shared_mongod, database.name), database, folder, rule)

    return make


def check_refused(world: World) -> None:
    """Before anything is mended: what the rule lets pass is there, the rest is parked, and it was noted."""
    parked = world.parked()
    assert parked and {(entry["reason"], entry["spans"]) for entry in parked} == {("refused", 1)}
    stored = documents.read(world.database)
    assert len(stored) + len(parked) == len(otlp.spans_of(*REQUESTS))
    assert world.notes() > 0


def check_all_is_there(world: World) -> None:
    world.settled()
    assert not world.parked()
    assert verify.holds_exactly(world.database, REQUESTS) == len(otlp.spans_of(*REQUESTS))


ORDERS = [
    "mend requeue replay send",
    "mend replay requeue send",
    "mend send requeue replay",
    "requeue mend requeue replay",  # what is requeued is refused again
    "replay requeue mend requeue send",  # and what is replayed, too
    "mend rm replay send",
    "mend requeue restart replay restart send",
]


@pytest.mark.parametrize("rule", EACH_RULE)
@pytest.mark.parametrize("order", ORDERS)
def test_one_daemon(make_world, rule, order):
    world = make_world(RULES[rule])
    world.daemon.start()
    world.do("send")
    check_refused(world)
    noted = world.notes()
    world.do(order)
    check_all_is_there(world)
    assert world.notes() == noted, "the same fragments, and no others"


@pytest.mark.parametrize("rule", EACH_RULE)
@pytest.mark.parametrize("order", ["mend requeue carry replay", "mend carry requeue carry", "carry mend requeue carry"])
def test_two_daemons(make_world, processes, shared_mongod, folder, rule, order):
    """The second has what the first has exported, and knows of nothing but MongoDB."""
    world = make_world(RULES[rule])
    place = folder / "second"
    place.mkdir()
    second = Daemon(place, shared_mongod.uri, world.database.name)
    processes.append(second)
    world.daemon.start()
    second.start()
    world.others.append(second)
    world.do("send")
    check_refused(world)
    world.do(order)
    if any(ctl.objects("ls", "--parked", config=second.config)):
        ctl.text("requeue", "ALL", config=second.config)
    check_all_is_there(world)
    assert not ctl.objects("ls", "--parked", config=second.config)


# From the refusal on: before the note, after it, among the single spans, when they are parked.
POINTS = [
    ("sink.note", 1),
    ("sink.noted", 1),
    ("sink.noted", 2),
    ("sink.send", 2),
    ("sink.answer", 2),
    ("sink.answer", 3),
    ("spool.park", 1),
    ("flush.parked", 1),
    ("flush.written", 1),
]


@pytest.mark.parametrize("rule", EACH_RULE)
@pytest.mark.parametrize(("name", "countdown"), POINTS)
def test_killed_when_it_is_taken_apart(make_world, shared_mongod, rule, name, countdown):
    """And what is delivered again then is not refused any more: what was half done must not be done another way."""
    world = make_world(RULES[rule])
    world.daemon.configure({"mongodb.uri": NOBODY, "flush.threads": 1, "flush.batch_documents": 10})
    world.daemon.start()
    world.send()
    world.daemon.stop()
    world.daemon.configure({"mongodb.uri": shared_mongod.uri})
    launch_to_die(world.daemon, Point(name, countdown), countdown)
    wait_killed(world.daemon)
    world.mend()
    world.daemon.start()
    world.settled()
    if world.parked():
        world.requeue()
    world.do("replay send")
    check_all_is_there(world)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_comes_later_takes_nothing_apart(make_world, rule):
    """MongoDB refuses again what it has stored before the rule was made: it is there, so nothing is parked."""
    world = make_world({})
    world.daemon.start()
    world.do("send")
    assert verify.holds_exactly(world.database, REQUESTS) == len(otlp.spans_of(*REQUESTS))
    world.set_rule(RULES[rule])
    world.do("replay send")
    assert world.notes() == 0
    check_all_is_there(world)


def test_taken_apart_again_is_no_refusal(make_world):
    """Nothing is parked, counted as such, or said of a fragment that was taken apart before."""
    world = make_world(RULES["in-part"])
    world.daemon.start()
    world.do("send mend requeue")
    world.restart()
    world.do("replay")
    assert "event=flush.parked" not in world.daemon.output().rpartition("event=daemon.ready")[2]
    metrics = world.daemon.metrics()
    assert metrics['tracespool_flush_fragments_total{outcome="parked"}'] == 0
    assert metrics["tracespool_flush_spans_total"] == len(otlp.spans_of(*REQUESTS))
    assert metrics['tracespool_flush_fragments_total{outcome="stored"}'] == 0
    check_all_is_there(world)
