"""Raw figures of bench/ingest into one JSON file, and into tables on standard output.

The tables are Markdown: docs/measurements.md quotes them as they are printed.
Ratios are made round by round, of runs that stood next to each other.  Run by
bench/ingest.
"""

import argparse
import json
import pathlib
import re
import subprocess

from figures import machine, revision, spread, table, tell_goals, wide

SYSTEMS = {
    "tracespool": "tracespoold",
    "fsync": "Collector, queue on disk, fsync",
    "nofsync": "Collector, queue on disk, no fsync",
    "nop": "Collector, no queue, nop",
}
HEADS = {
    "10": "10 spans a request, 64 in flight",
    "100": "100 spans a request, 64 in flight",
    "1000": "1,000 spans a request, 64 in flight",
    "rate": "100 spans a request, 200 requests a second",
}
RATE_GOALS = [  # workload, tracespoold's requests a second against those of this, at least so many times
    ("100", "fsync", 12),
    ("100", "nofsync", 5),
    ("100", "nop", 2),
    ("10", "fsync", 20),
    ("1000", "fsync", 10),
]
LATENCY_GOAL = 1 / 3  # of the Collector's, at the fixed rate
COST_GOALS = [  # figure of tracespoold with 100 spans a request, words, at most
    ("cpu_us", "CPU a request of 100 spans, us", 200),
    ("asked_a_span", "bytes written a span, 100 a request", 130),
    ("disk_a_span", "bytes on disk a span, 100 a request", 90),
]
MEMORY_GOAL_MIB = 100
COMPARED = ("requests_per_s", "p50_ms", "p99_ms", "cpu_us")


# --- figures from raw figures --------------------------------------------------


def figures_of(run: dict) -> dict[str, float]:
    client, server, done = run["client"], run["server"], run["client"]["acknowledged"]
    return {
        "requests_per_s": client["requests_per_s"],
        "spans_per_s": client["spans_per_s"],
        **{f"{name}_ms": client["latency_ns"][name] / 1e6 for name in ("p50", "p90", "p99", "p999", "max")},
        "cpu_us": server["cpu_s"] / done["requests"] * 1e6,
        "asked_a_span": server["asked_bytes"] / done["spans"],
        "device_a_span": (server["device_bytes"] or 0) / done["spans"],
        "disk_a_span": server["disk_bytes"] / done["spans"],
        "peak_mib": server["peak_kib"] / 1024,
        "without_map_mib": server["without_map_kib"] / 1024,
        "request_bytes": done["bytes"] / done["requests"],
        "client_cpu": client["cpu_s"] / client["elapsed_s"],
    }


def spreads(runs: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    return {name: spread([run[name] for run in runs]) for name in runs[0]}


def judge(systems: dict[str, list[dict]]) -> dict:
    """Of one workload: figures of each system, and tracespoold's against each other's, round by round."""
    rounds = {name: [figures_of(run) for run in runs] for name, runs in systems.items()}
    ratios = {}
    for name, others in rounds.items():
        if name != "tracespool":
            pairs = [{key: ours[key] / theirs[key] for key in COMPARED} for ours, theirs in zip(rounds["tracespool"], others)]
            ratios[name] = spreads(pairs)
    return {"figures": {name: spreads(runs) for name, runs in rounds.items()}, "ratios": ratios, "runs": systems}


# --- goals -----------------------------------------------------------------------


def at_least(value: float, goal: float) -> dict:
    return {"value": value, "goal": f"at least {goal:.3g}", "met": value >= goal}


def at_most(value: float, goal: float) -> dict:
    return {"value": value, "goal": f"at most {goal:.3g}", "met": value <= goal}


def goals_of(workloads: dict[str, dict]) -> dict[str, dict]:
    """Of what was measured; medians, but for memory, which is the most of any run."""
    goals = {}
    for name, other, goal in RATE_GOALS:
        if name in workloads:
            ratio = workloads[name]["ratios"][other]["requests_per_s"]["median"]
            goals[f"requests/s against {SYSTEMS[other]}, {name} spans a request"] = at_least(ratio, goal)
    if "rate" in workloads:
        for quantile in ("p50", "p99"):
            ratio = workloads["rate"]["ratios"]["fsync"][f"{quantile}_ms"]["median"]
            goals[f"{quantile} against {SYSTEMS['fsync']}, at 200 requests/s"] = at_most(ratio, LATENCY_GOAL)
    if "100" in workloads:
        ours = workloads["100"]["figures"]["tracespool"]
        goals |= {words: at_most(ours[figure]["median"], goal) for figure, words, goal in COST_GOALS}
    most = max(workload["figures"]["tracespool"]["without_map_mib"]["max"] for workload in workloads.values())
    goals["memory without the map, MiB, most of all runs"] = at_most(most, MEMORY_GOAL_MIB)
    return goals


# --- tables ------------------------------------------------------------------------


def tell_machine(result: dict) -> None:
    where, built = result["machine"], result["versions"]
    print(
        f"`{result['command']}`, tracespoold {built['tracespool']}, commit {built['commit']}, Release; Collector {built['collector']}. "
        f"{where['cores']} cores of {where['cpu']}, {where['memory_gib']} GiB, shared with the client; "
        f"{where['file_system']} on {where['device']}; Linux {where['kernel']}.\n"
    )


def tell_speed(figures: dict[str, dict]) -> None:
    head = ["", "requests/s", "spans/s", "p50 ms", "p90", "p99", "p99.9", "max", "client's CPU"]
    rows = []
    for name, of in figures.items():
        rows.append([
            SYSTEMS[name],
            wide(of["requests_per_s"], ",.0f"),
            f"{of['spans_per_s']['median']:,.0f}",
            wide(of["p50_ms"], ".3g"),
            f"{of['p90_ms']['median']:.3g}",
            wide(of["p99_ms"], ".3g"),
            f"{of['p999_ms']['median']:.3g}",
            f"{of['max_ms']['max']:.3g}",
            f"{of['client_cpu']['median']:.0%}",
        ])  # fmt: skip
    table(head, rows)


def tell_cost(figures: dict[str, dict]) -> None:
    head = ["", "CPU a request, us", "B a span written", "by the device", "kept", "memory without the map", "peak with it"]
    rows = []
    for name, of in figures.items():
        keeps = name != "nop"
        rows.append([
            SYSTEMS[name],
            wide(of["cpu_us"], ",.0f"),
            wide(of["asked_a_span"], ",.0f") if keeps else "",
            wide(of["device_a_span"], ",.0f") if keeps and of["device_a_span"]["max"] > 0 else "",
            wide(of["disk_a_span"], ",.0f") if keeps else "",
            f"{of['without_map_mib']['max']:,.0f} MiB",
            f"{of['peak_mib']['max']:,.0f} MiB",
        ])  # fmt: skip
    table(head, rows)


def tell_ratios(ratios: dict[str, dict]) -> None:
    head = ["tracespoold against", "requests/s", "p50", "p99", "CPU a request"]
    rows = [[SYSTEMS[name], *(wide(of[figure], ".3g") for figure in COMPARED)] for name, of in ratios.items()]
    table(head, rows)


def tell_workload(name: str, workload: dict) -> None:
    figures = workload["figures"]
    rounds = len(workload["runs"]["tracespool"])
    size = figures["tracespool"]["request_bytes"]["median"]
    print(f"### {HEADS[name]}: {size / 1000:.1f} kB each, median and range of {rounds}\n")
    tell_speed(figures)
    tell_cost(figures)
    tell_ratios(workload["ratios"])


# --- all of it -------------------------------------------------------------------


def collector_version(program: pathlib.Path) -> str:
    """Of its receiver: a Collector that was built for this has no version of its own."""
    parts = subprocess.run([program, "components"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"otlpreceiver (v\S+)", parts)
    assert found, f"{program} has no otlp receiver"
    return found.group(1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=pathlib.Path, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="where was written")
    parser.add_argument("--version", required=True, help="of tracespoold")
    parser.add_argument("--collector", type=pathlib.Path, required=True, help="the program")
    parser.add_argument("--arguments", required=True, help="of bench/ingest")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()

    root = pathlib.Path(__file__).resolve().parent.parent
    workloads = {name: judge(systems) for name, systems in json.loads(options.runs.read_text()).items()}
    result = {
        "command": f"bench/ingest {options.arguments}".rstrip(),
        "machine": machine(options.folder),
        "versions": {"tracespool": options.version, "commit": revision(root), "collector": collector_version(options.collector)},
        "workloads": workloads,
        "goals": goals_of(workloads),
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")

    print()
    tell_machine(result)
    for name, workload in workloads.items():
        tell_workload(name, workload)
    tell_goals(result["goals"])


main()
