"""What the reports of this folder share: the machine, medians and ranges, tables in Markdown."""

import os
import pathlib
import re
import statistics
import subprocess

# --- what it ran on ----------------------------------------------------------


def first_match(path: str, pattern: str) -> str | None:
    found = re.search(pattern, pathlib.Path(path).read_text(), re.MULTILINE)
    return found.group(1) if found else None


def mount_of(folder: pathlib.Path) -> dict[str, str]:
    """The file system and device that hold the folder: the last mount on the longest path."""
    best = {"point": "", "type": "", "device": ""}
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        device, point, kind = line.split()[:3]
        if folder.is_relative_to(point) and len(point) >= len(best["point"]):
            best = {"point": point, "type": kind, "device": device}
    return best


def disk_of(device: str) -> dict[str, str]:
    queue = pathlib.Path("/sys/class/block") / pathlib.Path(device).name / "queue"
    words = {}
    for name in ("rotational", "scheduler", "write_cache"):
        if (queue / name).exists():
            words[name] = (queue / name).read_text().strip()
    return words


def machine(folder: pathlib.Path) -> dict[str, object]:
    mount = mount_of(folder.resolve())
    memory_kib = int(first_match("/proc/meminfo", r"^MemTotal:\s+(\d+) kB") or 0)
    return {
        "cpu": first_match("/proc/cpuinfo", r"^model name\s*: (.*)$"),
        "cores": os.cpu_count(),
        "memory_gib": round(memory_kib / 2**20, 1),
        "kernel": os.uname().release,
        "file_system": mount["type"],
        "device": mount["device"],
        "disk": disk_of(mount["device"]),
        "load_at_end": os.getloadavg()[0],
    }


def revision(root: pathlib.Path) -> str | None:
    """The commit, "+" when the tree differs from it; None outside a repository."""
    git = ["git", "-c", f"safe.directory={root}", "-C", str(root)]
    try:
        commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], check=True, capture_output=True, text=True).stdout
        changed = subprocess.run([*git, "status", "--porcelain"], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit.strip() + ("+" if changed else "")


# --- figures ---------------------------------------------------------------------


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


# --- tables --------------------------------------------------------------------


def table(head: list[str], rows: list[list[str]]) -> None:
    for row in [head, ["---"] * len(head), *rows]:
        print("| " + " | ".join(row) + " |")
    print()


def wide(figure: dict[str, float], form: str) -> str:
    return f"{figure['median']:{form}} ({figure['min']:{form}}-{figure['max']:{form}})"


def tell_goals(goals: dict[str, dict]) -> None:
    for name, goal in goals.items():
        print(f"- {'met' if goal['met'] else 'NOT MET'}: {name}: {goal['value']:.3g}, goal {goal['goal']}")
