"""The drain of a backlog beside a bare loop of libmongoc, in turn: tables, and all figures as JSON. Run by bench/delivery.

A round: requests wait in a fresh spool; MongoDB is there and the daemon drains them; delivery_loop writes the very
documents that came of it into another database of the same mongod, as they are and as one document a span; then the
whole history is replayed, of which MongoDB has everything. A round that ends with other than every span fails.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import figures  # noqa: E402
from ingest_watch import Memory, cpu_seconds  # noqa: E402
from lib.daemon import Daemon, binary  # noqa: E402
from lib.mongod import Mongod  # noqa: E402

AWAY = "mongodb://127.0.0.1:9"  # nobody listens on the port of "discard"
SPANS = 500
REQUESTS_PER_SECOND = 400
POLL_SECONDS = 0.1  # a look costs half a millisecond of the cores on which all of this runs
GIVE_UP_SECONDS = 600
SETTINGS: dict[str, object] = {"spool.size": "2GiB", "receiver.max_request_bytes": "64MiB"}
STORED = "tracespool_flush_spans_total"
PENDING = "tracespool_spool_pending_spans"

GOALS = {  # of bench/README.md
    "spans/s against the bare loop": ("bare", 0.9),
    "spans/s against the bare loop with one document a span": ("singles", 2.5),
}


def fill(daemon: Daemon, requests: int) -> int:
    """Spans that wait: the daemon has acknowledged them, and MongoDB is away."""
    command = [binary("ingest_load"), "--target", daemon.endpoint, "--captures", str(ROOT / "tests/data/otlp")]
    command += ["--spans", str(SPANS), "--rate", str(REQUESTS_PER_SECOND), "--warm-up", "0ms"]
    command += ["--duration", f"{requests * 1000 // REQUESTS_PER_SECOND}ms"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["acknowledged"]["spans"]


def drain(daemon: Daemon, mongod: Mongod, spans: int) -> dict:
    """From the first span that MongoDB confirmed to the last, and what it cost."""
    assert daemon.child is not None and mongod.child is not None
    cpu, server_cpu = cpu_seconds(daemon.child.pid), cpu_seconds(mongod.child.pid)
    begun, stored, give_up = 0.0, 0.0, time.monotonic() + GIVE_UP_SECONDS
    before = daemon.metrics()[STORED]
    with Memory(daemon.child.pid, daemon.spool) as memory:
        while True:
            metrics = daemon.metrics()
            now = time.monotonic()
            assert now < give_up, f"{metrics[PENDING]:.0f} spans are still pending"
            if begun == 0.0 and metrics[STORED] > before:
                begun, stored = now, metrics[STORED]
            if metrics[PENDING] == 0 and metrics[STORED] - before >= spans:
                break
            time.sleep(POLL_SECONDS)
    return {
        "spans": spans,
        "spans_per_s": (metrics[STORED] - stored) / (now - begun),
        "cpu_s_per_million": (cpu_seconds(daemon.child.pid) - cpu) / spans * 1e6,
        "server_cpu_s_per_million": (cpu_seconds(mongod.child.pid) - server_cpu) / spans * 1e6,
        "memory_kib": memory.without_map_kib,
    }


def loop(mongod: Mongod, to: str, *more: str) -> dict:
    assert mongod.child is not None
    server_cpu = cpu_seconds(mongod.child.pid)
    command = [binary("delivery_loop"), mongod.uri, "tracing", to, "--threads", "2", "--batch", "1000", *more]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return {
        "spans": told["spans"],
        "documents": told["documents"],
        "spans_per_s": told["spans"] / told["seconds"],
        "cpu_s_per_million": told["cpu_s"] / told["spans"] * 1e6,
        "server_cpu_s_per_million": (cpu_seconds(mongod.child.pid) - server_cpu) / told["spans"] * 1e6,
    }


def stored_spans(mongod: Mongod, database: str) -> int:
    with mongod.client() as client:
        days = [name for name in client[database].list_collection_names() if name.startswith("traces_")]
        count = [{"$group": {"_id": None, "spans": {"$sum": {"$size": "$spans"}}}}]
        return sum(row["spans"] for day in days for row in client[database][day].aggregate(count))


def replay(daemon: Daemon, mongod: Mongod, spans: int) -> dict:
    command = [binary("tracespool"), "--spool", str(daemon.spool), "replay", "--since", "1d", "--yes"]
    subprocess.run(command, check=True, capture_output=True)
    return drain(daemon, mongod, spans)


def run_round(folder: pathlib.Path, requests: int) -> dict[str, dict]:
    folder.mkdir()
    mongod = Mongod(folder)
    daemon = Daemon(folder, AWAY, "tracing", SETTINGS)
    try:
        mongod.start()
        daemon.start()
        spans = fill(daemon, requests)
        daemon.terminate(60)
        daemon.configure({"mongodb.uri": mongod.uri})
        daemon.start()
        result = {"tracespoold": drain(daemon, mongod, spans)}
        assert stored_spans(mongod, "tracing") == spans
        result["bare"] = loop(mongod, "bare")
        result["singles"] = loop(mongod, "singles", "--singles")
        result["again"] = replay(daemon, mongod, spans)
        assert stored_spans(mongod, "tracing") == spans, "a span was stored twice"
        return result
    finally:
        daemon.kill()
        mongod.kill()
        shutil.rmtree(folder)


NAMES = {
    "tracespoold": "tracespoold, first time",
    "bare": "bare loop, the same documents",
    "singles": "bare loop, one document a span",
    "again": "tracespoold, all of it again",
}


def tell(rounds: list[dict[str, dict]]) -> dict:
    rows = []
    for name, title in NAMES.items():
        spread = {key: figures.spread([r[name][key] for r in rounds]) for key in
                  ("spans_per_s", "cpu_s_per_million", "server_cpu_s_per_million")}
        memory = [r[name]["memory_kib"] / 1024 for r in rounds if "memory_kib" in r[name]]
        ratio = figures.spread([r[name]["spans_per_s"] / r["bare"]["spans_per_s"] for r in rounds])
        rows.append([title, figures.wide(spread["spans_per_s"], ",.0f"), figures.wide(ratio, ".2f"),
                     figures.wide(spread["cpu_s_per_million"], ".1f"),
                     figures.wide(spread["server_cpu_s_per_million"], ".1f"),
                     f"{max(memory):.0f} MiB" if memory else ""])
    figures.table(["", "spans/s", "of the bare loop", "its CPU s a million spans", "mongod's", "memory without the map"],
                  rows)
    goals = {}
    for name, (peer, goal) in GOALS.items():
        value = figures.spread([r["tracespoold"]["spans_per_s"] / r[peer]["spans_per_s"] for r in rounds])["median"]
        goals[name] = {"value": value, "goal": f"at least {goal}", "met": value >= goal}
    figures.tell_goals(goals)
    return goals


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--arguments", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    rounds = []
    for number in range(options.rounds):
        rounds.append(run_round(options.folder / "round", options.requests))
        rates = ", ".join(f"{name} {result['spans_per_s']:,.0f}" for name, result in rounds[-1].items())
        print(f"   round {number + 1}, spans/s: {rates}", flush=True)
    machine = figures.machine(options.folder)
    print(f"\n`bench/delivery {options.arguments}`".rstrip() + f", commit {figures.revision(ROOT)}, Release; mongod 6.0.5, "
          f"single-node replica set, 0.25 GB cache. {machine['cores']} cores of {machine['cpu']}, "
          f"{machine['memory_gib']} GiB, shared; {machine['file_system']} on {machine['device']}; "
          f"Linux {machine['kernel']}.\n")
    goals = tell(rounds)
    options.out.write_text(json.dumps({"machine": machine, "rounds": rounds, "goals": goals}, indent=1))


main()
