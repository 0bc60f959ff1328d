"""Crash points, and going through kill -9 after kill -9 at one of them.

POINTS is the one list of places at which the process is killed. A point is a
fault_point() in the sources, named "module.step"; the kill matrix fails when
the sources have one on the path of a span that is neither here nor in OTHERS.
"""

import json
import pathlib
import random
import re
import signal
from typing import Any, Iterator, NamedTuple

from . import ctl
from .daemon import Daemon
from .process import Process

SOURCES = pathlib.Path(__file__).parent.parent.parent / "src"
PATH = ("receiver", "spool", "flush", "sink")  # modules between receipt and done


class Point(NamedTuple):
    name: str
    passes: int  # the kill comes at a pass drawn from 1 to this
    world: str = "flowing"  # see tests/crash/01-every-point.py

    def __str__(self) -> str:
        return f"{self.name}-{self.world}"


POINTS = [
    Point("receiver.read", 40),
    Point("receiver.deflate", 20),
    Point("receiver.received", 40),
    Point("spool.put", 40),
    Point("spool.begin", 20),
    Point("spool.append", 40),
    Point("spool.part", 40),
    Point("spool.commit", 20),
    Point("spool.synced", 20),  # durable, nobody was told
    Point("spool.told", 20),
    Point("spool.tick", 2),
    Point("spool.note", 1),
    Point("receiver.durable", 40),
    Point("receiver.answer", 40),  # durable, the client was not told
    Point("receiver.answered", 40),
    Point("flush.claimed", 10),
    Point("sink.open", 2),
    Point("sink.make", 3),
    Point("sink.send", 10),
    Point("sink.answer", 10),
    Point("flush.written", 10),  # MongoDB has it, the spool does not know
    Point("spool.delivered", 10),
    Point("flush.delivered", 10),
    # A ring that is full of history: every record removes others.
    Point("spool.evict", 100, "ring"),
    Point("spool.part", 60, "ring"),
    Point("spool.commit", 20, "ring"),
    Point("spool.synced", 20, "ring"),
    # A ring that is full of what waits, and drops the oldest of it.
    Point("spool.drop", 40, "dropping"),
    Point("spool.commit", 20, "dropping"),
    # MongoDB refuses some spans.
    Point("spool.park", 10, "refused"),
    Point("spool.commit", 30, "refused"),
    Point("flush.parked", 10, "refused"),
    Point("sink.note", 10, "refused"),
    Point("sink.noted", 10, "refused"),  # it is to be taken apart, and nothing of it is stored
    Point("sink.answer", 20, "refused"),
    # Records whose bytes were changed on disk are held.
    Point("spool.hold", 3, "damaged"),
    Point("spool.synced", 3, "damaged"),
    # A file that grows.
    Point("spool.grow", 2, "growing"),
    Point("spool.grown", 2, "growing"),
    # The start, of a new spool and of one that is used.
    Point("spool.open", 1, "starting"),
    Point("spool.room", 1, "starting"),
    Point("spool.format", 1, "starting"),
    Point("spool.begin", 1, "starting"),
    Point("spool.commit", 1, "starting"),
    # SIGTERM under load.
    Point("spool.clean", 1, "stopping"),
]

# In `tracespool`, while an operator changes the spool beside the daemon.
OPERATOR_POINTS = [
    Point("spool.edit", 4, "operator"),
    Point("spool.edited", 4, "operator"),
]

# At the start, when the file is damaged.
ASIDE_POINTS = [
    Point("spool.aside.made", 1, "aside"),
    Point("spool.aside.lock", 1, "aside"),
    Point("spool.aside.data", 1, "aside"),
    Point("spool.aside.synced", 1, "aside"),
]

# On the path, and no place where a crash differs from the points beside them.
OTHERS = {
    "spool.shrink.evict": "at a start with a smaller size; tests/unit/spool/test_spool_shrink.c kills there",
    "spool.shrink.room": "pretends that the disk has no room",
    "spool.shrink.copy": "as spool.shrink.evict",
    "spool.shrink.lock": "as spool.shrink.evict",
    "spool.edit.begin": "nothing of an operator's step is written before it",
    "receiver.slow_client": "pretends that a client is slow",
    "receiver.thread": "pretends that no thread can be started",
    "sink.upkeep": "the same",
}


def points_in_sources() -> set[str]:
    """The names of all fault points on the path."""
    names: set[str] = set()
    for path in sorted(SOURCES.glob("*/*.c")):
        names.update(re.findall(r'\b(?:fault_point|check_fault)\("([a-z_.]+)"', path.read_text()))
    assert len(names) > 20, f"the sources in {SOURCES} cannot be read: {names}"
    return {name for name in names if name.partition(".")[0] in PATH}


def findings(daemon: Daemon) -> list[dict[str, Any]]:
    """What `tracespool check` has found in the spool at rest."""
    result = ctl.run("--json", "check", config=daemon.config)
    return json.loads(result.stdout)["findings"]


def check(daemon: Daemon) -> None:
    """The spool at rest has no fault in its structure and in none of its records."""
    result = ctl.run("check", config=daemon.config)
    assert result.returncode == 0, f"a spool that was left by a crash: {result.stdout}{result.stderr}"


def countdowns(seed: int, point: Point, kills: int) -> Iterator[int]:
    """Which passes a series kills at; said, so that a failure can be had again."""
    draw = random.Random(f"{seed} {point}")
    for number in range(kills):
        countdown = draw.randint(1, point.passes)
        print(f"kill {number + 1} of {kills}: TRACESPOOL_FAULT={point.name}:{countdown}:kill")
        yield countdown


class Killed:
    """Counts what has been killed in this run."""

    count = 0


def launch_to_die(daemon: Daemon, point: Point, countdown: int) -> None:
    daemon.launch(TRACESPOOL_FAULT=f"{point.name}:{countdown}:kill")


def count_kill(process: Process, status: int) -> None:
    assert status == -signal.SIGKILL, f"exit status {status} in place of a kill: {process.tail()}"
    Killed.count += 1


def wait_killed(process: Process) -> None:
    count_kill(process, process.wait_exit(60))


def kill_now(process: Process) -> None:
    """A process that has ended well by itself before is no kill."""
    if process.running:
        process.signal(signal.SIGKILL)
    status = process.wait_exit(60)
    if status != 0:
        count_kill(process, status)
