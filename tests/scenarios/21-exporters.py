"""The exporters of OpenTelemetry's SDKs deliver, over each protocol and with each compression that they offer.

Python's own exporters are always there. Those of Node.js and Java, and Python's
for JSON, need TRACESPOOL_EXPORTERS, the folder that tests/exporters/build makes.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
from typing import Any, NamedTuple

import pytest

from lib import documents
from lib.spans import Attributes, Span, Value, double

EXPORTERS = pathlib.Path(__file__).parent.parent / "exporters"
SPEC = EXPORTERS / "spans.json"
PREPARED = pathlib.Path(os.environ.get("TRACESPOOL_EXPORTERS", "/nonexistent"))
KINDS = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3}
STATUS_CODES = {"UNSET": 0, "OK": 1, "ERROR": 2}

PYTHON_SOURCE = str(EXPORTERS / "python" / "emit.py")
PYTHON = [sys.executable, PYTHON_SOURCE]
PYTHON_JSON = [str(PREPARED / "python" / "bin" / "python"), PYTHON_SOURCE]
NODE = ["node", str(PREPARED / "node" / "emit.js")]
JAVA = ["java", "-cp", f"{PREPARED}/java/target/classes:{PREPARED}/java/target/lib/*", "Emit"]


class Case(NamedTuple):
    name: str
    command: list[str]
    protocol: str
    compression: str

    def __str__(self) -> str:
        return f"{self.name}-{self.protocol.replace('/', '-')}-{self.compression}"


def cases_of(name: str, command: list[str], protocols: list[str], compressions: list[str]) -> list[Case]:
    return [Case(name, command, protocol, compression) for protocol in protocols for compression in compressions]


CASES = cases_of("python", PYTHON, ["grpc", "http/protobuf"], ["none", "gzip", "deflate"])
if "TRACESPOOL_EXPORTERS" in os.environ:
    CASES += cases_of("python", PYTHON_JSON, ["http/json"], ["none", "gzip", "deflate"])
    CASES += cases_of("node", NODE, ["grpc", "http/protobuf", "http/json"], ["none", "gzip"])
    CASES += cases_of("java", JAVA, ["grpc", "http/protobuf"], ["none", "gzip", "zstd"])  # it has no JSON


def value_of(kind: str, value: Any) -> Value:
    if kind.endswith("s"):
        return ("array", tuple(value_of(kind[:-1], item) for item in value))
    return double(value) if kind == "double" else (kind, value)


def attributes_of(pairs: list[dict[str, Any]]) -> Attributes:
    return tuple(sorted((pair["key"], value_of(pair["type"], pair["value"])) for pair in pairs))


def nanoseconds(time: list[int]) -> int:
    return time[0] * 10**9 + time[1]


def expected(spec: dict[str, Any], note: dict[str, Any], parent: str | None) -> dict[str, Any]:
    """What the span has to be, from spans.json and the ids that the SDK chose."""
    one = spec["spans"][note["spec"]]
    return {
        "trace_id": note["traceId"],
        "span_id": note["spanId"],
        "parent_span_id": parent,
        "name": one["name"],
        "kind": KINDS[one["kind"]],
        "start": nanoseconds(one["start"]),
        "end": nanoseconds(one["end"]),
        "attributes": attributes_of(one["attributes"]),
        "events": [(nanoseconds(e["time"]), e["name"], attributes_of(e["attributes"])) for e in one["events"]],
        "links": [(link["traceId"], link["spanId"], attributes_of(link["attributes"])) for link in one["links"]],
        "status_code": STATUS_CODES[one["status"]["code"]],
        "status_message": one["status"]["message"],
        "scope_name": spec["scope"]["name"],
        "scope_version": spec["scope"]["version"],
        "service": spec["service"],
    }


def stored(span: Span) -> dict[str, Any]:
    """The same of a span in MongoDB; SDKs differ in the order of attributes."""
    as_it_is = (
        "trace_id span_id parent_span_id name kind start end status_code status_message "
        "scope_name scope_version service"
    )
    return {
        **{name: getattr(span, name) for name in as_it_is.split()},
        "attributes": tuple(sorted(span.attributes)),
        "events": [(event.time, event.name, tuple(sorted(event.attributes))) for event in span.events],
        "links": [(link.trace_id, link.span_id, tuple(sorted(link.attributes))) for link in span.links],
    }


def emit(case: Case, endpoint: str) -> list[dict[str, Any]]:
    """Runs the program, which fails when an export did; the ids of what it sent."""
    command = [*case.command, str(SPEC), case.protocol, case.compression, endpoint]
    env = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, f"{done.stdout[-300:]}\n{done.stderr[-3000:]}"
    report = json.loads(done.stdout)
    assert report["requests"] > 1, "all went in one request, which shows less than it should"
    return report["sent"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_an_sdk_exports_arrives_as_it_was_made(case, daemon, database):
    spec = json.loads(SPEC.read_text(encoding="utf-8"))
    sent = emit(case, f"http://{daemon.endpoint}" if case.protocol == "grpc" else daemon.http_url)
    assert len(sent) == spec["repeat"] * len(spec["spans"])
    daemon.wait_delivered()
    found = collections.defaultdict(list)
    for span in documents.read(database):
        found[span.span_id].append(stored(span))
    roots = {note["traceId"]: note["spanId"] for note in sent if note["spec"] == 0}
    for note in sent:
        parent = None if note["spec"] == 0 else roots[note["traceId"]]
        assert found.pop(note["spanId"], []) == [expected(spec, note, parent)]
    assert not found, "spans that were not sent"
