"""A large spool under full load, and each look through all of it. Run by tests/large/run.

The same few requests are sent over and over: MongoDB has their documents already, so the spool's history grows as
fast as batches are taken, and MongoDB does not.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from lib import ctl, otlp  # noqa: E402
from lib.alone import alone  # noqa: E402
from lib.daemon import Daemon, binary  # noqa: E402
from lib.process import memory_kib  # noqa: E402

TEMPLATES = ("java-0001", "node-0001", "java-0005", "python-awkward-0001")
NOISE_BYTES = 32 << 10  # so that 20 GiB hold some 600,000 batches
SENDERS = 4
ENDLESS = "1000000000"
MEMORY_KIB_MAX = 64 << 10
FILL_SECONDS_MAX = 3600
NAP_SECONDS = 1
SAMPLE_SECONDS = 0.005
LOOKS = (
    ("status",),
    ("ls", "--all", "--limit", "0"),
    ("ls", "--all", "--limit", "0", "--reverse"),
    ("ls", "--all", "--limit", "50"),
    ("ls", "--all", "--service", "nobody"),
    ("ls", "--history", "--since", "10s", "--limit", "0"),
    ("ls", "--parked"),
    ("shape", "--history", "--pending"),
    ("show", "0" * 31 + "1", "--from", "spool"),
    ("replay", "ALL", "--service", "nobody", "--dry-run"),
    ("export", "--history", "--since", "10s"),
    ("size", "--outage", "36h", "--rate", "10000"),
    ("check",),
)
EXPECTED = {"show": 1, "size": 2}  # where it is not 0: nothing is found, and no such spool lasts for 36 hours


class Outcome(NamedTuple):
    status: int
    lines: int
    first_seconds: float | None  # until output began
    seconds: float
    peak_kib: int
    complaints: str


class Peak(threading.Thread):
    """The most that was resident of a process until it ended, with what is mapped of the spool's file."""

    def __init__(self, pid: int):
        super().__init__()
        self.pid = pid
        self.kib = 0
        self.start()

    def run(self) -> None:
        while kib := memory_kib(self.pid, "VmHWM"):
            self.kib = kib
            time.sleep(SAMPLE_SECONDS)


def look(daemon: Daemon, *arguments: str) -> Outcome:
    command = [binary("tracespool"), "-c", str(daemon.config), "--json", *arguments]
    begun = time.monotonic()
    first, lines = None, 0
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
        ) as child:
            assert child.stdout is not None
            peak = Peak(child.pid)
            for _ in child.stdout:
                first = first or time.monotonic() - begun
                lines += 1
            peak.join()  # a process that has ended and was not waited for has no memory
        complaints.seek(0)
        said = complaints.read().decode()
    return Outcome(child.returncode, lines, first, time.monotonic() - begun, peak.kib, said)


class Senders:
    """As many processes that send without a pause."""

    def __init__(self, daemon: Daemon):
        self.children = []
        for number, name in enumerate((TEMPLATES * SENDERS)[:SENDERS]):
            request = daemon.config.parent / f"{number}.pb"
            request.write_bytes(otlp.with_noise((otlp.CAPTURES / f"{name}.pb").read_bytes(), NOISE_BYTES))
            command = [binary("tracespool"), "-c", str(daemon.config), "send", "--repeat", ENDLESS, str(request)]
            self.children.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL))

    def all_running(self) -> bool:
        return all(child.poll() is None for child in self.children)

    def stop(self) -> None:
        for child in self.children:
            child.terminate()
            child.wait()


def fill(daemon: Daemon, senders: Senders) -> None:
    """Until the ring turns."""
    begun = time.monotonic()
    while daemon.metrics()["tracespool_spool_evicted_records_total"] == 0:
        assert senders.all_running(), "a sender has ended"
        assert time.monotonic() - begun < FILL_SECONDS_MAX, "the spool does not fill"
        time.sleep(NAP_SECONDS)  # a sampling interval
    seconds = time.monotonic() - begun
    count = ctl.status(daemon.config)["totals"]["received_batches"]
    print(f"   {count:,.0f} batches in {seconds:.0f} s, {count / seconds:,.0f} a second; the ring turns", flush=True)


def look_at_all(daemon: Daemon, senders: Senders) -> list[str]:
    problems = []
    print("   look                                                        lines    first       all  memory", flush=True)
    for arguments in LOOKS:
        name = " ".join(arguments)
        outcome = look(daemon, *arguments)
        first = "-" if outcome.first_seconds is None else f"{outcome.first_seconds:.2f} s"
        print(f"   {name:<55} {outcome.lines:>9,} {first:>8} {outcome.seconds:>7.1f} s {outcome.peak_kib / 1024:>4.0f} MiB",
              flush=True)
        if outcome.status != EXPECTED.get(arguments[0], 0):
            problems.append(f"{name} ended with {outcome.status}: {outcome.complaints.strip()}")
        if outcome.peak_kib > MEMORY_KIB_MAX:
            problems.append(f"{name} took {outcome.peak_kib} KiB")
        if not senders.all_running():
            problems.append("a sender has ended")
    return problems


def watch(daemon: Daemon) -> list[str]:
    senders = Senders(daemon)
    try:
        fill(daemon, senders)
        before = daemon.metrics()["tracespool_spool_evicted_records_total"]
        problems = look_at_all(daemon, senders)
    finally:
        senders.stop()
    daemon.wait_delivered(600)
    metrics = daemon.metrics()
    status = ctl.status(daemon.config)
    print(f"   {json.dumps(status['disk'])}, {status['history']['batches']:,} delivered batches; meanwhile "
          f"{metrics['tracespool_spool_evicted_records_total'] - before:,.0f} gave way to new ones")
    for name in ("tracespool_spool_refused_records_total", "tracespool_spool_refusing_seconds_total"):
        if metrics[name] != 0:
            problems.append(f"{name} is {metrics[name]}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gib", type=int, default=20)
    parser.add_argument("--folder", default="/var/tmp")
    options = parser.parse_args()
    with alone("large", {"spool.size": f"{options.gib}GiB"}, options.folder) as (_, daemon):
        problems = watch(daemon)
    print("   " + ("; ".join(problems) if problems else "nobody was refused, nothing grew"))
    return 1 if problems else 0


sys.exit(main())
