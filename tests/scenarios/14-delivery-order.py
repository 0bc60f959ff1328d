"""After an outage: what is delivered first, by `flush.order`, while the backlog drains.

MongoDB's oplog is the witness: it has every insert in the order in which it was made. No time decides.
"""

import re

import pymongo
import pytest

from lib import otlp, verify
from lib.clients import Client, Load, nonce
from lib.waiting import wait_until

BACKLOG_REQUESTS = 400
NOISE_BYTES = 100_000  # a request; they do not compress, so the backlog takes tens of megabytes
EARLY = slice(20, 40)  # of the backlog: old, but behind what was in a thread's hands from when the outage began
NEWCOMER = "sent when the outage was over"
NEWCOMER_IDS = nonce(9999, 1)


def newcomer() -> bytes:
    request = otlp.parse(otlp.Template(otlp.CAPTURES / "java-0001.pb").with_ids(NEWCOMER_IDS))
    for span in otlp.every_span(request):
        span.name = NEWCOMER
    return request.SerializeToString()


def inserts(client: pymongo.MongoClient, most: int = 0) -> list[dict]:
    """The documents of the days, in the order in which they were inserted: trace ids and names."""
    entries = client["local"]["oplog.rs"].find(
        {"op": "i", "ns": re.compile(r"^tracing\.traces_")}, {"o.traceId": 1, "o.spans.name": 1}, limit=most
    )
    return [entry["o"] for entry in entries.sort("$natural", pymongo.ASCENDING)]


def is_newcomer(document: dict) -> bool:
    return document["spans"][0]["name"] == NEWCOMER


def gather_backlog(daemon) -> Load:
    with Load(daemon.endpoint, requests_per_second=400, noise_bytes=NOISE_BYTES) as load:
        load.wait_for(BACKLOG_REQUESTS)
    assert daemon.metrics()["tracespool_spool_pending_bytes"] > BACKLOG_REQUESTS * NOISE_BYTES
    assert daemon.metrics()["tracespool_flush_spans_total"] == 0
    return load


@pytest.fixture
def deliver(own_mongod, make_daemon):
    """Outage, backlog, MongoDB again, a newcomer while the backlog drains: all documents in the order of their
    insertion, and the trace ids of the early ones."""

    def run(order: str, threads: int) -> tuple[list[dict], set[str]]:
        mongod = own_mongod()
        settings = {"spool.size": "256MiB", "flush.order": order, "flush.threads": threads, "flush.batch_documents": 100}
        daemon = make_daemon(mongod, "tracing", settings).start()
        load = gather_backlog(daemon)
        mongod.start()
        with mongod.client() as client, Client(daemon.endpoint) as sender:
            wait_until(lambda: inserts(client, 1), "delivery to begin")
            late = newcomer()
            assert sender.send(late).ok
            daemon.wait_delivered()
            verify.holds_exactly(client["tracing"], load.acknowledged + [late], load.unacknowledged)
            documents = inserts(client)
        return documents, {span.trace_id for span in otlp.spans_of(*load.acknowledged[EARLY])}

    return run


def waiting_after_the_newcomer(documents: list[dict]) -> list[dict]:
    """What was still in the spool when the newcomer was stored."""
    places = [place for place, document in enumerate(documents) if is_newcomer(document)]
    assert places, "the newcomer is not in the oplog"
    return documents[places[-1] + 1 :]


@pytest.mark.parametrize("threads", [1, 2])
def test_both_delivers_a_newcomer_beside_the_backlog(deliver, threads):
    documents, early = deliver("both", threads)
    after = waiting_after_the_newcomer(documents)
    assert len(after) > len(documents) / 4, f"{len(after)} of {len(documents)} came after the newcomer"
    # One end did not wait for the other: what is left at last is from the middle.
    assert not early & {document["traceId"] for document in after[-10:]}


def test_newest_first_delivers_a_newcomer_before_the_oldest(deliver):
    documents, early = deliver("newest_first", 1)
    after = waiting_after_the_newcomer(documents)
    assert len(after) > len(documents) / 4, f"{len(after)} of {len(documents)} came after the newcomer"
    assert early <= {document["traceId"] for document in after}


def test_oldest_first_delivers_a_newcomer_last(deliver):
    documents, early = deliver("oldest_first", 1)
    assert waiting_after_the_newcomer(documents) == []
    assert early <= {document["traceId"] for document in documents[: len(documents) // 4]}
