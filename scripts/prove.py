"""What ./quickstart asks of an independent reader: opentelemetry-proto for the requests, pymongo for MongoDB.

    prove.py count FILE...                          spans in the requests
    prove.py trace FILE...                          id of a trace that crosses services and is complete
    prove.py ping                                   exit 0 only when MongoDB answers
    prove.py compare --database DB FILE...          exit 0 only when MongoDB holds exactly these spans, once

MongoDB is the one of the environment's PROVE_URI.
"""

import argparse
import collections
import os
import pathlib
import sys

import pymongo
import pymongo.errors

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


def connect() -> pymongo.MongoClient:
    return pymongo.MongoClient(os.environ["PROVE_URI"], serverSelectionTimeoutMS=10000)


def ping() -> None:
    try:
        with connect() as client:
            client.admin.command("ping")
    except pymongo.errors.PyMongoError as error:
        sys.exit(f"MongoDB does not answer: {error}")


def compare(database: str, spans: list[Span]) -> None:
    traces = sorted({span.trace_id for span in spans})
    with connect() as client:
        stored = documents.read(client[database], traces)
    same = verify.compare(spans, stored)
    print(f"{same} spans of {len(traces)} traces: each is in MongoDB once, every field as it was sent")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("ping")
    for name in ("count", "trace", "compare"):
        command = commands.add_parser(name)
        command.add_argument("files", nargs="+", type=pathlib.Path)
        if name == "compare":
            command.add_argument("--database", required=True)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    if arguments.command == "ping":
        ping()
        return
    spans = otlp.spans_of(*(path.read_bytes() for path in arguments.files))
    match arguments.command:
        case "count":
            print(len(spans))
        case "trace":
            print(choose_trace(spans))
        case "compare":
            try:
                compare(arguments.database, spans)
            except AssertionError as difference:
                sys.exit(f"MongoDB does not hold what was sent: {difference}")


main()
