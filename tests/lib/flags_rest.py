"""Checks of the options of shard and size, and of those of every verb."""

import json
import re
import subprocess
from typing import Callable

from . import helped
from .flags import flag, global_flag, refused
from .mongos import Mongos
from .places import TRACE, Place


# --- shard, size --------------------------------------------------------------------------


def shard(place: Place, *arguments: str) -> set[str]:
    return {row["outcome"] for row in place.objects("shard", *arguments)}


@flag("shard", "--dry-run", "--timeout")
def shard_dry_run_timeout(place: Place) -> None:
    with Mongos(place.mongod.port) as mongos:
        variant = ["-c", place.variant({"mongodb.uri": mongos.uri})]
        assert shard(place, *variant, "--dry-run") == {"would_shard"} and not mongos.sharded
        assert shard(place, *variant, "--timeout", "1m") == {"sharded"} and mongos.sharded
        assert shard(place, *variant, "--dry-run") == {"sharded_before"}
    refused(place, "shard", "--timeout", "25h", says='--timeout takes a duration of 1ms to 24h, not "25h"')


def size(place: Place, *arguments: str) -> dict:
    result = place.run("--json", "size", *arguments)
    answer = json.loads(result.stdout)
    assert result.returncode == (0 if answer["enough"] else 2)
    return answer


@flag("size", "--outage", "--rate", "--margin")
def size_options(place: Place) -> None:
    plain_answer = size(place, "--rate", "1000")
    assert (plain_answer["basis"], plain_answer["rate"]["spans_per_second"]) == ("given", 1000)
    assert (plain_answer["outage_seconds"], plain_answer["margin"]) == (36 * 3600, 0.25)
    other = size(place, "--rate", "1000", "--outage", "2h", "--margin", "50%")
    assert (other["outage_seconds"], other["margin"]) == (7200, 0.5)
    assert other["needed_size_bytes"] < plain_answer["needed_size_bytes"]


# --- the options of every verb -------------------------------------------------------------

# Of each verb a command line after which all is as before; what is sent again is stored once.
LOOKS: dict[str, Callable[[Place], list[str]]] = {
    "status": lambda place: [],
    "ls": lambda place: ["--all", "--limit", "3", "--oldest"],
    "show": lambda place: [TRACE],
    "shape": lambda place: ["--history", "--held"],
    "tail": lambda place: ["--no-follow", "--limit", "3"],
    "flush": lambda place: [],
    "hold": lambda place: ["ALL", "--dry-run"],
    "release": lambda place: ["ALL", "--dry-run"],
    "requeue": lambda place: ["ALL", "--dry-run"],
    "rm": lambda place: ["ALL", "--dry-run"],
    "replay": lambda place: ["ALL", "--dry-run"],
    "export": lambda place: ["3"],
    "import": lambda place: ["--dry-run", place.requests(3, 3)],
    "check": lambda place: [],
    "salvage": lambda place: ["--dry-run", str(place.snapshot)],
    "send": lambda place: [*place.secure, "--retry-for", "0", place.requests(3, 3)],
    "shard": lambda place: ["--dry-run"],
    "size": lambda place: ["--rate", "1"],
    "config": lambda place: [],
    "help": lambda place: [],
}
# What they end with, when it is not 0 beside a daemon and at rest.
STATUSES = {"flush": (0, 1), "send": (0, 1), "shard": (1, 1)}
OPEN_NO_SPOOL = {"salvage", "send", "shard", "config", "help"}
NEED_NO_CONFIGURATION = {"help"}


def look(place: Place, verb: str, *before: str) -> subprocess.CompletedProcess[str]:
    result = place.run(*before, verb, *LOOKS[verb](place))
    assert result.returncode == STATUSES.get(verb, (0, 0))[0 if place.live else 1], result
    return result


@global_flag("--config")
def takes_config(place: Place, verb: str) -> None:
    result = place.run(verb, *LOOKS[verb](place), "--config", str(place.folder / "missing.conf"))
    if verb in NEED_NO_CONFIGURATION:
        assert result.returncode == 0
    else:
        assert (result.returncode, result.stdout) == (1, "") and "missing.conf" in result.stderr, result


@global_flag("--spool")
def takes_spool(place: Place, verb: str) -> None:
    nowhere = place.folder / "nowhere"
    result = place.run(verb, *LOOKS[verb](place), "--spool", str(nowhere))
    if verb in OPEN_NO_SPOOL:
        assert result.returncode == STATUSES.get(verb, (0, 0))[0 if place.live else 1], result
    elif verb == "size":
        assert result.returncode == 0 and f"{nowhere}, which is not there yet" in result.stdout, result
    elif verb == "import":
        refused(place, verb, place.requests(3, 3), "--spool", str(nowhere), says=str(nowhere))
    else:
        assert (result.returncode, result.stdout) == (1, "") and str(nowhere) in result.stderr, result


@global_flag("--json")
def takes_json(place: Place, verb: str) -> None:
    said = look(place, verb, "--json")
    if verb != "help":
        lines = (said.stderr if verb == "export" else said.stdout).splitlines()
        assert lines or said.returncode == 1
        assert all(isinstance(json.loads(line), dict) for line in lines)


IN_COLOR = {"status", "ls", "show", "shape", "tail", "check", "config"}


@global_flag("--color")
def takes_color(place: Place, verb: str) -> None:
    assert "\x1b" not in look(place, verb, "--color", "auto").stdout, "no terminal"
    assert ("\x1b[" in look(place, verb, "--color", "always").stdout) == (verb in IN_COLOR)
    refused(place, "--color", "sometimes", verb, says='--color takes auto, always or never, not "sometimes"')


@global_flag("--help")
def takes_help(place: Place, verb: str) -> None:
    assert place.text(verb, "--help") == helped.text(verb) and helped.text(verb).startswith(f"tracespool {verb} ")


@global_flag("--version")
def takes_version(place: Place, verb: str) -> None:
    assert re.fullmatch(r"tracespool \d+\.\d+\.\d+\S*\n", place.text(verb, "--version"))
