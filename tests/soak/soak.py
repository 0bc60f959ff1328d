"""A steady load with outages and restarts, watched for what grows. Run by tests/soak/run.

The daemon's own memory is what it has that no file is behind (RssAnon): the spool's pages are the kernel's cache.
Some of it is not in use: malloc keeps what was freed, up to a bound. What is allocated must not grow at all.
"""

import argparse
import os
import pathlib
import sys
import time
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from lib import otlp  # noqa: E402
from lib.alone import alone  # noqa: E402
from lib.clients import Load  # noqa: E402
from lib.daemon import Daemon  # noqa: E402
from lib.mongod import Mongod  # noqa: E402
from lib.process import memory_kib  # noqa: E402

MINUTES_MIN = 6  # of which two are judged, by a slope
CYCLE_SECONDS = 60
AWAY_SECONDS = 15
LOOK_SECONDS = 1
SETTINGS: dict[str, object] = {"spool.size": "512MiB", "flush.threads": 2}
HEAP_KIB_GROWN_MAX = 1024  # by the slope, over the time that it is watched
KEPT_KIB_MAX = 64 * 1024  # DAEMON_MALLOC_ARENAS times DAEMON_MALLOC_KEEP_BYTES
FILES_GROWN_MAX = 8


class Look(NamedTuple):
    seconds: float
    kib: int
    heap_kib: float
    files: int
    pending: float


def look(daemon: Daemon, begun: float) -> Look:
    assert daemon.child is not None
    pid = daemon.child.pid
    kib = memory_kib(pid, "RssAnon")
    metrics = daemon.metrics()
    heap_kib = metrics["tracespool_process_heap_used_bytes"] / 1024
    files = len(os.listdir(f"/proc/{pid}/fd"))
    return Look(time.monotonic() - begun, kib, heap_kib, files, metrics["tracespool_spool_pending_spans"])


def slope(points: list[tuple[float, float]]) -> float:
    """Of the straight line nearest to the points, by least squares."""
    mean_x, mean_y = (sum(axis) / len(points) for axis in zip(*points))
    above = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return above / sum((x - mean_x) ** 2 for x, _ in points)


def watch(daemon: Daemon, mongod: Mongod, begun: float, minutes: int) -> list[Look]:
    """Outages, restarts in the first third; what was seen of the process that ran to the end."""
    looks: list[Look] = []
    for minute in range(minutes):
        cycle_end = begun + (minute + 1) * CYCLE_SECONDS
        mongod.kill() if minute % 2 else mongod.stop()
        back = time.monotonic() + AWAY_SECONDS
        if 0 < minute < minutes / 3:
            daemon.kill() if minute % 2 else daemon.stop()
            daemon.start()
            looks = []
        while time.monotonic() < cycle_end:
            if mongod.child is None and time.monotonic() >= back:
                mongod.start()
            looks.append(look(daemon, begun))
            time.sleep(LOOK_SECONDS)  # a sampling interval
        last = looks[-1]
        print(f"   minute {minute + 1}: {last.kib / 1024:.1f} MiB, {last.heap_kib / 1024:.1f} MiB of it in use, "
              f"{last.files} open files, {last.pending:,.0f} spans pending", flush=True)
    return looks


def lost_and_twice(mongod: Mongod, load: Load) -> tuple[int, int, int]:
    """Acknowledged spans, those of them that are not in MongoDB, and those that are there more than once."""
    stored: dict[tuple[str, str], int] = {}
    with mongod.client() as client:
        for name in client.tracing.list_collection_names():
            if not name.startswith("traces_"):
                continue
            for document in client.tracing[name].find({}, {"traceId": 1, "spans.spanId": 1}):
                for span in document["spans"]:
                    key = (document["traceId"], span["spanId"])
                    stored[key] = stored.get(key, 0) + 1
    wanted: dict[tuple[str, str], int] = {}
    for request in load.acknowledged:
        for span in otlp.spans_of(request):
            key = (span.trace_id, span.span_id)
            wanted[key] = wanted.get(key, 0) + 1
    lost = sum(key not in stored for key in wanted)
    twice = sum(stored.get(key, 0) > count for key, count in wanted.items())
    return len(wanted), lost, twice


def floors(looks: list[Look]) -> list[tuple[float, float]]:
    """The least that was in use in each minute: between the writes of a backlog, whose buffers come and go."""
    least: dict[int, Look] = {}
    for at in looks:
        minute = int(at.seconds // CYCLE_SECONDS)
        if minute not in least or at.heap_kib < least[minute].heap_kib:
            least[minute] = at
    return [(at.seconds, at.heap_kib) for at in least.values()]


def judge(looks: list[Look]) -> list[str]:
    """By the second half: in the first, what the work needs at a time comes to its size."""
    problems = []
    looks = looks[len(looks) // 2 :]
    watched = looks[-1].seconds - looks[0].seconds
    heap_kib = slope(floors(looks)) * watched
    kept_kib = max(at.kib - at.heap_kib for at in looks)
    files = max(at.files for at in looks[len(looks) // 2 :]) - max(at.files for at in looks[: len(looks) // 2])
    print(f"   watched for {watched / 60:.1f} minutes: memory in use {heap_kib / 1024:+.2f} MiB by its slope "
          f"({heap_kib / watched * 3600 / 1024:+.1f} MiB an hour), at most {kept_kib / 1024:.1f} MiB kept for later, "
          f"open files {files:+d}")
    if heap_kib > HEAP_KIB_GROWN_MAX:
        problems.append("memory grows")
    if kept_kib > KEPT_KIB_MAX:
        problems.append("more memory is kept than may be")
    if files > FILES_GROWN_MAX:
        problems.append("open files grow")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--rate", type=int, default=40)
    options = parser.parse_args()
    if options.minutes < MINUTES_MIN:
        parser.error(f"--minutes takes {MINUTES_MIN} or more: less shows no slope")
    with alone("soak", SETTINGS) as (mongod, daemon):
        with Load(daemon.endpoint, requests_per_second=options.rate) as load:
            looks = watch(daemon, mongod, time.monotonic(), options.minutes)
        if mongod.child is None:
            mongod.start()
        daemon.wait_delivered(600)
        problems = judge(looks)
        spans, lost, twice = lost_and_twice(mongod, load)
        print(f"   {load.count:,} requests with {spans:,} spans acknowledged: {lost} lost, {twice} twice")
        if lost or twice:
            problems.append("spans are lost or stored twice")
    print("   " + (", ".join(problems) if problems else "nothing grows, nothing is lost"))
    return 1 if problems else 0


sys.exit(main())
