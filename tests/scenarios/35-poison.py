"""MongoDB refuses one span of a hundred: the others arrive, those are parked, and arrive when the rule is gone."""

import pathlib
import time

import pytest

from lib import ctl, documents, otlp
from lib.daemon import Daemon
from lib.mongod import Mongod
from lib.process import Process
from lib.volume import Volume, holds_ids, ids_of, stored_ids
from lib.waiting import wait_until

BAD_NAME = "refused by the operator's rule"
BAD_EVERY = 100
DOCUMENT_VALIDATION_FAILURE = 121
RULE = {"spans.name": {"$ne": BAD_NAME}}


class Clean(Volume):
    """Nothing that the rule refuses."""


class Poisoned(Volume):
    """Every hundredth span of a request has a name that the rule refuses."""

    def make(self, template: otlp.Template, identity: int) -> bytes:
        request = otlp.parse(super().make(template, identity))
        first = identity % BAD_EVERY  # another one in each request
        for span in list(otlp.every_span(request))[first::BAD_EVERY]:
            span.name = BAD_NAME
        return request.SerializeToString()


def bad_spans(requests: list[bytes]) -> int:
    return sum(span.name == BAD_NAME for request in requests for span in otlp.every_span(otlp.parse(request)))


def drain_rate(daemon: Daemon) -> float:
    """Spans a second, from when the first are confirmed or parked until none is left."""
    pending = daemon.pending_spans()
    wait_until(lambda: daemon.pending_spans() < pending, "delivery to begin", 60)
    left, started = daemon.pending_spans(), time.monotonic()
    daemon.wait_delivered(300)
    return left / (time.monotonic() - started)


class Bench:
    """Backlogs of so many spans, made while MongoDB is away and delivered to collections with the rule."""

    def __init__(self, mongod: Mongod, folder: pathlib.Path, processes: list[Process], spans: int):
        self.mongod, self.folder, self.processes, self.spans = mongod, folder, processes, spans

    def make_rule(self, database: str) -> None:
        spans = otlp.spans_of(*(path.read_bytes() for path in otlp.captures(*Volume.TEMPLATES)))
        days = {documents.day_of(span.start) for span in spans}
        with self.mongod.start().client() as client:
            for day in days:
                client[database].create_collection(day, validator=RULE)
        self.mongod.stop()

    def make_daemon(self, database: str) -> Daemon:
        place = self.folder / database
        place.mkdir()
        daemon = Daemon(place, self.mongod.uri, database, {"spool.size": "256MiB"})
        self.processes.append(daemon)
        return daemon.start()

    def drain(self, kind: type[Volume]) -> tuple[Daemon, Volume, float]:
        """The daemon, what it was sent, and spans a second. MongoDB runs afterwards."""
        self.make_rule(kind.__name__)
        daemon = self.make_daemon(kind.__name__)
        with kind(daemon.endpoint) as load:
            gathered = lambda: load.failures or daemon.pending_spans() >= self.spans
            wait_until(gathered, f"{self.spans} spans to be acknowledged", 120)
        self.mongod.start()
        return daemon, load, drain_rate(daemon)


@pytest.fixture
def bench(own_mongod, folder, processes, pytestconfig):
    return Bench(own_mongod(), folder, processes, pytestconfig.getoption("--poison-spans"))


def check_parked(daemon: Daemon, bad: int) -> list[str]:
    """The numbers of the batches that something is parked of."""
    parked = ctl.objects("ls", "--parked", "--limit", "0", config=daemon.config)
    assert len(parked) == bad
    assert {(entry["reason"], entry["code"], entry["spans"]) for entry in parked} == {
        ("refused", DOCUMENT_VALIDATION_FAILURE, 1)
    }
    assert all("validation" in entry["text"] for entry in parked)
    return sorted({str(entry["seq"]) for entry in parked})


@pytest.mark.long
def test_one_of_a_hundred(bench, capsys):
    clean_daemon, _, clean = bench.drain(Clean)
    assert clean_daemon.metrics()["tracespool_spool_parked_entries"] == 0
    clean_daemon.stop()
    bench.mongod.stop()

    daemon, load, poisoned = bench.drain(Poisoned)
    bad = bad_spans(load.acknowledged)
    with capsys.disabled():
        print(f"\n{bad} bad spans: {poisoned:,.0f} spans/s, clean {clean:,.0f}, ratio {poisoned / clean:.2f}")
    assert bad >= bench.spans / BAD_EVERY / 2
    batches = check_parked(daemon, bad)
    with bench.mongod.client() as client:
        database = client[Poisoned.__name__]
        without_bad(database, load, bad)
        for day in documents.collections(database):
            database.command("collMod", day, validator={})
        ctl.text("requeue", *batches, config=daemon.config)
        wait_until(lambda: daemon.metrics()["tracespool_spool_parked_entries"] == 0, "what was parked to be sent", 60)
        daemon.wait_delivered()
        holds_ids(database, load.acknowledged, load.unacknowledged)


def without_bad(database, load: Volume, bad: int) -> None:
    """All but the bad ones are there: their neighbours in the same document too."""
    assert sum(database[day].count_documents({"spans.name": BAD_NAME}) for day in documents.collections(database)) == 0
    missing = ids_of(load.acknowledged) - stored_ids(database)
    assert missing.total() == bad
