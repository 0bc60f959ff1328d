"""kill -9 of an operator's command in the middle, beside a daemon under load that must go on."""

import os
import random
import time

import pytest

from lib import crash, ctl, otlp, verify
from lib.clients import Client, Load
from lib.process import Process

REFUSED = "java-0001"
ACCEPTED = "node-0001"
REMOVED = 2  # records that one rm removes
VERBS = ("replay", "hold", "release", "requeue", "rm")
TRIES = 10
BEFORE = {"hold": ["replay"], "release": ["replay", "hold"]}
PASSES = {"requeue": 4}  # an entry is a transaction; the others take up to a thousand records in one


def words_of(verb, number, made):
    match verb:
        case "replay":
            return ["replay", "--yes", f"1-{made}"]
        case "rm":
            # Of the records that prepare() has made: MongoDB has them, so nothing is lost by their removal.
            return ["rm", "--yes", "--history", f"{number * REMOVED + 1}-{(number + 1) * REMOVED}"]
    return [verb, "ALL"]


class Command(Process):
    def __init__(self, daemon, words):
        super().__init__(f"tracespool {words[0]}", daemon.log.with_name("tracespool.log"))
        self.words = [ctl.binary("tracespool"), "-c", str(daemon.config), *words]

    def launch(self, **env):
        self.spawn(self.words, env={**os.environ, **env})


def prepare(daemon, database, kills):
    """History, and parked entries that MongoDB would take by now."""
    half = kills * REMOVED
    templates = [otlp.Template(otlp.CAPTURES / f"{name}.pb") for name in (ACCEPTED, REFUSED)]
    first = [templates[number % 2].with_ids(1 << 100 | 1 << 60 | number) for number in range(2 * half)]
    with Client(daemon.endpoint) as client:
        assert all(client.send(request).ok for request in first[:half])
        daemon.wait_delivered()
        for name in verify.documents.collections(database):
            database.command("collMod", name, validator={"serviceName": {"$ne": "order"}})
        assert all(client.send(request).ok for request in first[half:])
        daemon.wait_delivered()
    for name in verify.documents.collections(database):
        database.command("collMod", name, validator={})
    assert daemon.metrics()["tracespool_spool_parked_entries"] > 0
    return first


def settle(daemon, database, load, first):
    ctl.text("release", "ALL", config=daemon.config)
    ctl.text("requeue", "ALL", config=daemon.config)
    daemon.wait_delivered()
    metrics = daemon.metrics()
    assert metrics["tracespool_spool_held_records"] == 0
    assert metrics["tracespool_spool_parked_entries"] == 0
    verify.holds_exactly(database, load.acknowledged + first, load.unacknowledged)
    daemon.stop()
    crash.check(daemon)


@pytest.mark.parametrize("point", crash.OPERATOR_POINTS, ids=str)
def test_command_killed_at(point, daemon, database, processes, seed, share):
    kills = max(share(0.06), len(VERBS))
    draw = random.Random(f"{seed} {point}")
    first = prepare(daemon, database, kills)
    with Load(daemon.endpoint, seed=seed) as load:
        for number in range(kills):
            words = words_of(VERBS[number % len(VERBS)], number, len(first))
            countdown = draw.randint(1, PASSES.get(words[0], 1))
            print(f"kill {number + 1} of {kills}: TRACESPOOL_FAULT={point.name}:{countdown}:kill tracespool {words}")
            command = Command(daemon, words)
            processes.append(command)
            # Delivery may be faster than the command: then there is nothing to hold or to release.
            status = 0
            for _ in range(TRIES):
                for before in BEFORE.get(words[0], []):
                    ctl.text(*words_of(before, number, len(first)), config=daemon.config)
                command.launch(TRACESPOOL_FAULT=f"{point.name}:{countdown}:kill")
                status = command.wait_exit()
                if status != 0:
                    break
            crash.count_kill(command, status)
            ctl.text("release", "ALL", config=daemon.config)
            load.wait_for(10)
    settle(daemon, database, load, first)


def test_command_killed_any_time(daemon, database, processes, seed, share):
    kills = share(0.06)
    draw = random.Random(f"{seed} command")
    first = prepare(daemon, database, kills)
    with Load(daemon.endpoint, seed=seed) as load:
        for number in range(kills):
            words = words_of(draw.choice(VERBS), number, len(first))
            seconds = draw.uniform(0, 0.02)  # a command takes about 10 ms
            print(f"kill {number + 1} of {kills}: tracespool {words} after {seconds:.4f} s")
            command = Command(daemon, words)
            processes.append(command)
            command.launch()
            time.sleep(seconds)  # the time is what is tried
            crash.kill_now(command)
            load.wait_for(10)
    settle(daemon, database, load, first)
