"""Raw figures of bench/spool into one JSON file, and into tables on standard output.

The tables are Markdown: docs/measurements.md quotes them as they are printed.
Run by bench/spool.
"""

import argparse
import json
import pathlib
import statistics

from figures import machine, revision, spread, table, tell_goals, wide

GOAL_TENTHS = 0.8  # the last tenth against the first
GOAL_START_SECONDS = 2
PARTS = ("versions", "groups", "ring-mixed", "ring-small", "write", "write-peer", "start", "drain", "drain-small")
NO_RUN = "event=spool.no_run"


# --- figures from raw figures --------------------------------------------------


def per_second(rounds: list[dict], what: str) -> list[float]:
    return [one[what] / one["seconds"] for one in rounds]


def judge_cell(cell: dict) -> None:
    rates = {side: per_second(cell[side], "records") for side in ("spool", "lmdb")}
    cell["figures"] = {
        "spool_records_per_s": spread(rates["spool"]),
        "lmdb_records_per_s": spread(rates["lmdb"]),
        "spool_mb_per_s": spread([rate * cell["record_bytes"] / 1e6 for rate in rates["spool"]]),
        "ratio": spread([ours / theirs for ours, theirs in zip(rates["spool"], rates["lmdb"])]),
        "records_per_sync": statistics.median(one["records"] / one["commits"] for one in cell["spool"]),
    }


def judge_tenths(part: dict) -> None:
    rates = [tenth["bytes"] / tenth["seconds"] / 1e6 for tenth in part["tenths"]]
    part["figures"] = {
        "mb_per_s": part["bytes"] / part["seconds"] / 1e6,
        "records_per_s": part["records"] / part["seconds"],
        "mb_per_s_by_tenth": rates,
        "last_tenth_to_first": rates[-1] / rates[0],
        "slowest_tenth_to_first": min(rates) / rates[0],
    }
    if part.get("disk"):
        disk = [turn["bytes"] / turn["seconds"] / 1e6 for turn in part["disk"]]
        ratios = [ours / plain for ours, plain in zip(rates, disk)]
        part["figures"] |= {
            "disk_mb_per_s_by_tenth": disk,
            "ratio_to_disk_by_tenth": ratios,
            "last_ratio_to_first": ratios[-1] / ratios[0],
        }


def judge_start(part: dict) -> None:
    part["figures"] = {"client": spread(part["client"])}
    for cache in ("warm", "cold"):
        for kind, seconds in (part[cache] or {}).items():
            part["figures"][f"{cache}_{kind}"] = spread(seconds)


# --- tables --------------------------------------------------------------------


def size(count: float) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.0f} B"


def tell_machine(result: dict) -> None:
    where, built = result["machine"], result["versions"]
    print(
        f"`{result['command']}`, commit {built['commit']}, {built['compiler']}, Release; "
        f"{built['lmdb'].split(':')[0]}. {where['cores']} cores of {where['cpu']}, {where['memory_gib']} GiB; "
        f"{where['file_system']} on {where['device']}; Linux {where['kernel']}.\n"
    )


def tell_groups(part: dict) -> None:
    head = ["record", "outstanding", "records/s", "MB/s", "records a sync", "bare LMDB, records/s", "spool / LMDB"]
    rows = []
    for cell in part["cells"]:
        figures = cell["figures"]
        rows.append([
            size(cell["record_bytes"]),
            str(cell["outstanding"]),
            wide(figures["spool_records_per_s"], ",.0f"),
            f"{figures['spool_mb_per_s']['median']:.3g}",
            f"{figures['records_per_sync']:.3g}",
            f"{figures['lmdb_records_per_s']['median']:,.0f}",
            wide(figures["ratio"], ".2f"),
        ])  # fmt: skip
    rounds = len(part["cells"][0]["spool"])
    print(f"### Records a second through the writer, median and range of {rounds}\n")
    table(head, rows)


def tell_rings(parts: dict[str, dict], size_bytes: int) -> None:
    head = ["records", "written", "MB/s", "last tenth / first", "slowest / first", "pages used, start", "end", "no run of pages"]
    rows = []
    for name, words in (("ring-mixed", "3-260 kB"), ("ring-small", "6.6 kB")):
        part, figures = parts[name], parts[name]["figures"]
        rows.append([
            words,
            size(part["bytes"]),
            f"{figures['mb_per_s']:.0f}",
            f"{figures['last_tenth_to_first']:.2f}",
            f"{figures['slowest_tenth_to_first']:.2f}",
            f"{part['full']['used_bytes'] // 4096:,}",
            f"{part['end']['used_bytes'] // 4096:,}",
            f"{part['no_run']} of {part['commits']:,} transactions",
        ])  # fmt: skip
    print(f"### A full spool of {size(size_bytes)} that goes round, delivered at once\n")
    table(head, rows)


def tell_backlog(parts: dict[str, dict]) -> None:
    head = ["", "bytes", "records", "MB/s", "records/s", "last tenth / first", "slowest / first", "memory without the map", "with it"]
    rows = []
    runs = {
        "write-peer": "bare LMDB, written",
        "write": "written",
        "drain": f"drained, page cache {parts['drain']['page_cache']}",
        "drain-small": "drained, just written",
    }
    for name, words in runs.items():
        part, figures = parts[name], parts[name]["figures"]
        memory = part.get("memory")
        rows.append([
            words,
            size(part["bytes"]),
            f"{part['records']:,}",
            f"{figures['mb_per_s']:.0f}",
            f"{figures['records_per_s']:,.0f}",
            f"{figures['last_tenth_to_first']:.2f}",
            f"{figures['slowest_tenth_to_first']:.2f}",
            f"{memory['without_map_kib'] / 1024:.1f} MiB" if memory else "",
            f"{memory['peak_kib'] / 1024:,.0f} MiB" if memory else "",
        ])  # fmt: skip
    print("### A backlog: written with nothing delivered, then read and marked as delivered\n")
    table(head, rows)
    print("MB/s by tenth of the work:\n")
    tenths = [
        [words, *(f"{rate:.0f}" for rate in parts[name]["figures"]["mb_per_s_by_tenth"])] for name, words in runs.items()
    ]
    for name, words in (("write", "written"), ("drain", "drained")):
        figures = parts[name]["figures"]
        tenths.append([f"a plain file, {words} in turn", *(f"{rate:.0f}" for rate in figures["disk_mb_per_s_by_tenth"])])
        tenths.append([f"{words} / plain file", *(f"{ratio:.2f}" for ratio in figures["ratio_to_disk_by_tenth"])])
    table(["", *(str(number) for number in range(1, 11))], tenths)


def tell_start(part: dict) -> None:
    figures = part["figures"]

    def cell(name: str) -> str:
        return f"{wide(figures[name], '.3f')} s" if name in figures else "not measured"

    print("### From exec to the first OK, with that backlog, median and range\n")
    table(
        ["page cache", "after a clean stop", "after kill -9"],
        [[cache, cell(f"{cache}_clean"), cell(f"{cache}_killed")] for cache in ("warm", "cold")],
    )
    print(f"Of that the client's own: {figures['client']['median']:.3f} s.\n")


# --- all of it -------------------------------------------------------------------


def read_part(folder: pathlib.Path, name: str) -> dict:
    part = json.loads((folder / f"{name}.json").read_text())
    if name.startswith("ring-"):
        part["no_run"] = (folder / f"{name}.log").read_text().count(NO_RUN)
    return part


def check_drain(parts: dict[str, dict]) -> None:
    """What was acknowledged was delivered, through all starts and kills: else the figures are of something else."""
    acknowledged = parts["write"]["records"] + parts.get("start", {"acknowledged": 0})["acknowledged"]
    assert parts["drain"]["records"] == acknowledged, f"{acknowledged} acknowledged, {parts['drain']['records']} drained"


def goals_of(parts: dict[str, dict]) -> dict[str, dict]:
    wanted = {
        "backlog written, last tenth / first": ("at least", parts["write"]["figures"]["last_tenth_to_first"], GOAL_TENTHS),
        "the same of bare LMDB": ("at least", parts["write-peer"]["figures"]["last_tenth_to_first"], GOAL_TENTHS),
        "backlog drained, last tenth / first": ("at least", parts["drain"]["figures"]["last_tenth_to_first"], GOAL_TENTHS),
        "backlog written, beside a plain file": ("at least", parts["write"]["figures"]["last_ratio_to_first"], GOAL_TENTHS),
        "backlog drained, beside a plain file": ("at least", parts["drain"]["figures"]["last_ratio_to_first"], GOAL_TENTHS),
    }
    if "start" in parts:
        starts = [figure["max"] for name, figure in parts["start"]["figures"].items() if name != "client"]
        wanted["slowest start to the first OK, seconds"] = ("below", max(starts), GOAL_START_SECONDS)
    return {
        name: {"value": value, "goal": f"{way} {goal}", "met": value < goal if way == "below" else value >= goal}
        for name, (way, value, goal) in wanted.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parts", type=pathlib.Path, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="where the spool was")
    parser.add_argument("--ring-bytes", type=int, required=True)
    parser.add_argument("--drain-cache", required=True, help="the page cache when the backlog was drained")
    parser.add_argument("--version", required=True)
    parser.add_argument("--arguments", required=True, help="of bench/spool")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()

    parts = {name: read_part(options.parts, name) for name in PARTS if (options.parts / f"{name}.json").exists()}
    whole = "groups" in parts  # without --only-backlog
    for part in parts.values():
        if "tenths" in part:
            judge_tenths(part)
    if whole:
        for cell in parts["groups"]["cells"]:
            judge_cell(cell)
        judge_start(parts["start"])
    parts["drain"]["page_cache"] = options.drain_cache
    check_drain(parts)
    root = pathlib.Path(__file__).resolve().parent.parent
    versions = {"tracespool": options.version, "commit": revision(root), **parts.pop("versions")}
    result = {
        "command": f"bench/spool {options.arguments}".rstrip(),
        "machine": machine(options.folder),
        "versions": versions,
        **parts,
        "goals": goals_of(parts),
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")

    print()
    tell_machine(result)
    if whole:
        tell_groups(parts["groups"])
        tell_rings(parts, options.ring_bytes)
    tell_backlog(parts)
    if whole:
        tell_start(parts["start"])
    tell_goals(result["goals"])


main()
