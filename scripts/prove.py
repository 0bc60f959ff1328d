"""What ./quickstart asks of an independent reader: opentelemetry-proto for the requests, pymongo for MongoDB.

    prove.py count FILE...                          spans in the requests
    prove.py trace FILE...                          id of a trace that crosses services and is complete
    prove.py compare --database DB FILE...          exit 0 only when MongoDB holds exactly these spans, once;
                                                    the connection string is $PROVE_URI
"""

import argparse
import collections
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests"))

# pylint: disable=wrong-import-position
from lib import documents, otlp, verify
from lib.spans import Span

READABLE_SPANS = range(6, 30)  # a tree of this size fits on a screen


def choose_trace(spans: list[Span]) -> str:
    """The trace that goes most often from one service to another, complete and of a size that is nice to read."""
    traces: dict[str, list[Span]] = collections.defaultdict(list)
    for span in spans:
        traces[span.trace_id].append(span)

    def crossings(trace: list[Span]) -> int:
        service = {span.span_id: span.service for span in trace}
        return sum(service.get(span.parent_span_id, span.service) != span.service for span in trace)

    def is_complete(trace: list[Span]) -> bool:
        ids = {span.span_id for span in trace}
        roots = [span for span in trace if span.parent_span_id is None]
        return len(roots) == 1 and all(span.parent_span_id in ids for span in trace if span.parent_span_id)

    candidates = [
        identifier for identifier, trace in traces.items() if len(trace) in READABLE_SPANS and is_complete(trace)
    ]
    # The id makes the choice the same every time.
    return max(candidates, key=lambda identifier: (crossings(traces[identifier]), len(traces[identifier]), identifier))


def compare(uri: str, database: str, spans: list[Span]) -> None:
    import pymongo  # only this command needs it

    traces = sorted({span.trace_id for span in spans})
    with pymongo.MongoClient(uri, serverSelectionTimeoutMS=10000) as client:
        stored = documents.read(client[database], traces)
    same = verify.compare(spans, stored)
    print(f"{same} spans of {len(traces)} traces: each is in MongoDB once, every field as it was sent")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["count", "trace", "compare"])
    parser.add_argument("--database")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    spans = otlp.spans_of(*(path.read_bytes() for path in arguments.files))
    match arguments.command:
        case "count":
            print(len(spans))
        case "trace":
            print(choose_trace(spans))
        case "compare":
            try:
                compare(os.environ["PROVE_URI"], arguments.database, spans)
            except AssertionError as difference:
                sys.exit(f"MongoDB does not hold what was sent: {difference}")


main()
