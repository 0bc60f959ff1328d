"""Every clause of the OTLP specification that can be put to an endpoint; see tests/conformance."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from lib import otlp, verify
from lib.clients import Client

TESTS = pathlib.Path(__file__).parent.parent
MAX_REQUEST_BYTES = 4 << 20

# What no row can make true of a daemon on a port of its own that is not overloaded.
NEEDS_MORE = {
    "grpc": {"grpc.port", "grpc.overload", "grpc.overload.retry_info"},
    "http": {"http.port"}
    | {f"http.{kind}.overload{part}" for kind in ("protobuf", "json") for part in ("", ".retry_after", ".status")},
}


def ask(*arguments: str) -> dict[str, dict[str, str]]:
    """The rows, by id."""
    command = [sys.executable, "-m", "conformance", "--report", "json", *arguments]
    env = {**os.environ, "PYTHONPATH": str(TESTS)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1) and done.stdout, done.stderr
    return {row["id"]: row for row in json.loads(done.stdout)["rows"]}


def not_passed(rows: dict[str, dict[str, str]]) -> dict[str, str]:
    """Id to what was seen and asked."""
    return {
        name: f"{row['result']}: {row['seen']} [{row['level']}, {row['section']}: {row['clause']}]"
        for name, row in rows.items()
        if row["result"] != "pass"
    }


def shown(left: dict[str, str]) -> str:
    return "\n".join(f"{name}: {text}" for name, text in left.items())


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_every_row_passes_and_what_was_acknowledged_is_stored(
    transport, make_daemon, shared_mongod, database, folder
):
    settings = {"receiver.max_request_bytes": f"{MAX_REQUEST_BYTES >> 20}MiB"}
    daemon = make_daemon(shared_mongod, database.name, settings).start()
    where = {"grpc": daemon.endpoint, "http": daemon.http_url}[transport]
    sent = folder / "sent"
    sent.mkdir()
    rows = ask(f"--{transport}", where, "--max-request-bytes", str(MAX_REQUEST_BYTES), "--sent", str(sent))
    left = not_passed(rows)
    assert left.keys() == NEEDS_MORE[transport], shown(left)
    # In whichever encoding it came: each field is what was meant.
    daemon.wait_delivered()
    requests = [path.read_bytes() for path in sent.iterdir()]
    assert len(requests) > len(rows) / 2
    verify.holds_exactly(database, requests)
    assert daemon.metrics()["tracespool_spool_parked_entries"] == 0


def fill(endpoint: str) -> None:
    template = otlp.Template(otlp.CAPTURES / "java-0001.pb")
    with Client(endpoint) as client:
        for number in range(1, 1000):
            if not client.send(otlp.with_noise(template.with_ids(number << 64 | number), 100_000)).ok:
                return
    raise AssertionError("it did not become full")


def test_every_row_of_overload_passes_against_a_full_spool(own_mongod, make_daemon):
    settings = {"spool.size": "16MiB", "receiver.max_request_bytes": "4MiB"}
    daemon = make_daemon(own_mongod(), "tracing", settings).start()  # there is no mongod behind it
    fill(daemon.endpoint)
    rows = ask("--grpc", daemon.endpoint, "--http", daemon.http_url, "--expect-overload")
    assert rows.keys() == {name for names in NEEDS_MORE.values() for name in names if "overload" in name}
    left = not_passed(rows)
    assert not left, shown(left)
