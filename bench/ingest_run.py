"""tracespoold beside a Collector under the same load, in turn: raw figures as JSON.

Each run is a server started fresh in an empty folder, one run of ingest_load
against it, and its end.  A run in which anything was answered other than OK,
or whose server has not what it has acknowledged, fails the whole.  Run by
bench/ingest; ingest_report.py makes medians, ratios and tables.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Callable

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from ingest_systems import Collector, System, Tracespool  # noqa: E402
from ingest_watch import Memory, asked_bytes, cpu_seconds, device_bytes  # noqa: E402
from lib.daemon import binary  # noqa: E402

CONNECTIONS = 4
IN_FLIGHT = 64
CLOSED = ("tracespool", "fsync", "nofsync", "nop")
OPEN = ("tracespool", "fsync")


@dataclasses.dataclass(frozen=True)
class Workload:
    spans: int  # of a request
    rate: int | None  # requests a second; None: IN_FLIGHT at a time
    systems: tuple[str, ...]


WORKLOADS = {
    "10": Workload(10, None, CLOSED),
    "100": Workload(100, None, CLOSED),
    "1000": Workload(1000, None, CLOSED),
    "rate": Workload(100, 200, OPEN),
}


def load(system: System, workload: Workload, options: argparse.Namespace) -> dict:
    command = [binary("ingest_load"), "--target", system.endpoint, "--captures", str(ROOT / "tests/data/otlp")]
    command += ["--spans", str(workload.spans), "--connections", str(CONNECTIONS), "--in-flight", str(IN_FLIGHT)]
    command += ["--warm-up", f"{options.warm_up_ms}ms", "--duration", f"{options.seconds}s"]
    if workload.rate is not None:
        command += ["--rate", str(workload.rate)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(figures: dict) -> None:
    others = {verdict: count for verdict, count in figures["answers"].items() if verdict != "ok" and count > 0}
    assert not others, f"not all was answered OK: {others}, by code {figures['grpc_codes']}"
    assert figures["in_window"]["requests"] > 0, "nothing was answered in the time that is measured"


def measure(system: System, workload: Workload, options: argparse.Namespace) -> dict:
    """One run: what the client saw, and what the server used from the first call to the last answer."""
    disk, device = system.disk_bytes(), device_bytes(options.folder)
    cpu, asked = cpu_seconds(system.pid), asked_bytes(system.pid)
    with Memory(system.pid, system.storage) as memory:
        figures = load(system, workload, options)
        cpu, asked = cpu_seconds(system.pid) - cpu, asked_bytes(system.pid) - asked
    os.sync()  # what was written and not synced is written as well
    used = {
        "cpu_s": cpu,
        "asked_bytes": asked,
        "device_bytes": None if device is None else device_bytes(options.folder) - device,
        "disk_bytes": system.disk_bytes() - disk,
        "peak_kib": memory.peak_kib,
        "without_map_kib": memory.without_map_kib,
    }
    check(figures)
    system.check(figures["acknowledged"]["requests"], figures["acknowledged"]["spans"])
    return {"client": figures, "server": used}


def makers(options: argparse.Namespace) -> dict[str, Callable[[pathlib.Path], System]]:
    return {
        "tracespool": lambda folder: Tracespool(folder, options.size),
        "fsync": lambda folder: Collector(folder, True),
        "nofsync": lambda folder: Collector(folder, False),
        "nop": lambda folder: Collector(folder, None),
    }


def run(name: str, workload: Workload, options: argparse.Namespace) -> dict:
    folder = options.folder / "run"
    folder.mkdir()
    os.sync()  # what the last one left is not this one's
    system = makers(options)[name](folder)
    try:
        system.start()
        return measure(system, workload, options)
    except Exception:
        print(f"{name}'s log ends with:\n{system.tail()}\n", file=sys.stderr)
        raise
    finally:
        system.end()
        shutil.rmtree(folder)


def turns(systems: tuple[str, ...], number: int) -> list[str]:
    """Each round begins with another one."""
    first = number % len(systems)
    return [*systems[first:], *systems[:first]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--warm-up-ms", type=int, required=True)
    parser.add_argument("--size", required=True, help="of the spool")
    parser.add_argument("--only", required=True, help="workloads, with commas between")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()

    chosen = options.only.split(",")
    unknown = set(chosen) - set(WORKLOADS)
    assert not unknown, f"no workloads: {unknown}; there are {', '.join(WORKLOADS)}"
    runs: dict[str, dict[str, list[dict]]] = {
        name: {system: [] for system in WORKLOADS[name].systems} for name in WORKLOADS if name in chosen
    }
    for number in range(options.rounds):
        for name, results in runs.items():
            for system in turns(WORKLOADS[name].systems, number):
                result = run(system, WORKLOADS[name], options)
                results[system].append(result)
                rate = result["client"]["requests_per_s"]
                print(f"   round {number + 1}, {name}, {system}: {rate:,.0f} requests/s", flush=True)
    options.out.write_text(json.dumps(runs))


main()
