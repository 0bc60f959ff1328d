"""One document a fragment against one document a span: insert rate and bytes, in one run.

The documents are those that tracespoold writes for the captured requests,
repeated with other trace ids.  Both shapes go to the same mongod, in turn,
A B A B …, with the same indexes, compressor and write concern; what is quoted
is the ratio.  Run by bench/documents.
"""

import os
import pathlib
import statistics
import sys
import tempfile
import time

import bson
import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo.write_concern import WriteConcern

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from lib import otlp  # noqa: E402
from lib.clients import Client  # noqa: E402
from lib.daemon import Daemon  # noqa: E402
from lib.mongod import Mongod  # noqa: E402

COPIES = 8
ROUNDS = 3
BATCH_SPANS = 2000  # in one insert, either way
INDEXES = [[("traceId", 1)], [("serviceName", 1), ("startTimeUnixNano", -1)]]


def stored_fragments(mongod: Mongod, folder: pathlib.Path) -> list[dict]:
    """The agents' captures; the awkward ones are for correctness and would distort sizes."""
    daemon = Daemon(folder, mongod.uri, "source").start()
    try:
        with Client(daemon.endpoint) as client:
            for path in otlp.captures("java-*", "node-*", "collector-*"):
                client.export(path.read_bytes(), timeout=30)
        daemon.wait_delivered()
    finally:
        daemon.stop()
    with mongod.client() as client:
        return list(client.source.traces.find())


def copies(fragments: list[dict]) -> list[dict]:
    """COPIES times as many, each copy with trace ids and _ids of its own."""
    made = []
    for _ in range(COPIES):
        renamed: dict[str, str] = {}
        for fragment in fragments:
            trace_id = renamed.setdefault(fragment["traceId"], os.urandom(16).hex())
            made.append({**fragment, "_id": fragment["_id"][:8] + os.urandom(16), "traceId": trace_id})
    return made


def as_spans(fragment: dict) -> list[dict]:
    """The same, a document a span: what it shares with its fragment is in each."""
    shared = {key: fragment[key] for key in ("traceId", "serviceName", "resource")}
    return [
        {"_id": span["startTimeUnixNano"].to_bytes(8, "big") + os.urandom(16), **shared, **span}
        for span in fragment["spans"]
    ]


def batches(documents: list[dict], spans_a_document: float) -> list[list[RawBSONDocument]]:
    """Encoded beforehand: the client's encoder is not what is measured."""
    size = max(1, round(BATCH_SPANS / spans_a_document))
    encoded = [RawBSONDocument(bson.encode(document)) for document in documents]
    return [encoded[at : at + size] for at in range(0, len(encoded), size)]


def measure(mongod: Mongod, name: str, work: list[list[RawBSONDocument]], spans: int) -> tuple[float, float, float]:
    """Spans a second, bytes of data and of indexes a span."""
    with mongod.client() as client:
        database = client[name]
        client.drop_database(name)
        options = {"wiredTiger": {"configString": "block_compressor=zstd"}}
        database.create_collection("documents", storageEngine=options)
        for index in INDEXES:
            database.documents.create_index(index)
        collection = database.documents.with_options(write_concern=WriteConcern(w="majority", j=True))
        began = time.monotonic()
        for batch in work:
            collection.insert_many(batch, ordered=False)
        seconds = time.monotonic() - began
        client.admin.command("fsync", 1)  # a checkpoint: sizes are those of what is on disk
        sizes = database.command("collStats", "documents")
        client.drop_database(name)
    return spans / seconds, sizes["storageSize"] / spans, sizes["totalIndexSize"] / spans


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tracespool-bench-") as path:
        folder = pathlib.Path(path)
        mongod = Mongod(folder).start()
        try:
            fragments = copies(stored_fragments(mongod, folder))
            spans = sum(fragment["spanCount"] for fragment in fragments)
            shapes = {
                "fragment": batches(fragments, spans / len(fragments)),
                "span": batches([span for fragment in fragments for span in as_spans(fragment)], 1),
            }
            print(f"{spans} spans in {len(fragments)} fragments, {spans / len(fragments):.1f} spans a fragment")
            results: dict[str, list[tuple[float, float, float]]] = {name: [] for name in shapes}
            for _ in range(ROUNDS):
                for name, work in shapes.items():
                    results[name].append(measure(mongod, f"bench_{name}", work, spans))
            for name, rounds in results.items():
                rate, data, index = (statistics.median(column) for column in zip(*rounds))
                print(f"a document a {name}: {rate:,.0f} spans/s, {data:.0f} + {index:.0f} bytes a span (data + indexes)")
            ratios = [a[0] / b[0] for a, b in zip(results["fragment"], results["span"])]
            print(f"fragment / span, round by round: {', '.join(f'{ratio:.2f}' for ratio in ratios)} times the spans/s")
        finally:
            mongod.kill()


if __name__ == "__main__":
    main()
