"""Load and comparison for volumes at which comparing every field of every span would take minutes."""

import collections
from typing import Iterable

import pymongo.database

from . import documents, otlp, verify
from .clients import Load

Ids = collections.Counter  # of (trace id, span id)


class Volume(Load):
    """As fast as it is answered, with requests as an agent sends them when it is busy: about 130 spans each."""

    TEMPLATES = ("java-0003", "node-0002", "node-0005", "java-0004")

    def __init__(self, endpoint: str, seed: int = 1, **options: int):
        super().__init__(endpoint, seed=seed, requests_per_second=100_000, **options)

    def spans(self) -> int:
        return sum(len(list(otlp.every_span(otlp.parse(request)))) for request in self.acknowledged)


def ids_of(requests: Iterable[bytes]) -> Ids:
    return collections.Counter(
        (span.trace_id.hex(), span.span_id.hex())
        for request in requests
        for span in otlp.every_span(otlp.parse(request))
    )


def stored_ids(database: pymongo.database.Database) -> Ids:
    found: Ids = collections.Counter()
    for day in documents.collections(database):
        for document in database[day].find({}, {"_id": 0, "traceId": 1, "spans.spanId": 1}):
            found.update((document["traceId"], span["spanId"]) for span in document["spans"])
    return found


def holds_ids(database: pymongo.database.Database, sent: list[bytes], unacknowledged: Iterable[bytes] = ()) -> int:
    """Every span by its ids, as often as it was sent; and every field of the first and the last requests."""
    wanted, stored = ids_of(sent), stored_ids(database)
    lost, surplus = wanted - stored, stored - wanted - ids_of(unacknowledged)
    if lost or surplus:
        raise verify.Mismatch(f"{lost.total()} spans missing, {surplus.total()} that were not sent so often")
    sample = otlp.spans_of(*sent[:5], *sent[-5:])
    verify.compare(sample, documents.read(database, sorted({span.trace_id for span in sample})))
    return wanted.total()
