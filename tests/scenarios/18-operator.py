"""What an operator does to the spool: hold, release, rm, requeue, replay; beside the daemon, and while it is stopped."""

import contextlib
import random
from typing import Iterator

import pytest

from lib import ctl, otlp, verify
from lib.clients import Client, Load
from lib.daemon import Daemon
from lib.waiting import wait_until

BATCHES = 12

at_rest = pytest.mark.parametrize("at_rest", [False, True], ids=["beside-the-daemon", "at-rest"])


@contextlib.contextmanager
def stopped(daemon: Daemon, at_rest: bool) -> Iterator[None]:
    """The daemon is stopped meanwhile, or it is not."""
    if at_rest:
        daemon.stop()
    yield
    if at_rest:
        daemon.start()


def edit(daemon: Daemon, *arguments: str) -> dict:
    (answer,) = ctl.objects(*arguments, config=daemon.config)
    return answer


def noticed(daemon: Daemon, at_rest: bool) -> None:
    """A daemon beside which something was changed looks every second, and a try that is under way goes to its end.

    Each of its two threads has to fail twice, which takes longer than a second: what it began before it looked, and
    once more, as a command may be several changes.
    """
    if at_rest:
        return
    failed = "tracespool_flush_failed_attempts_total"
    wait_until(lambda: "event=spool.edited" in daemon.output(), "the daemon to notice")
    before = daemon.metrics()[failed]
    wait_until(lambda: daemon.metrics()[failed] >= before + 4, "the tries under way to fail", 60)


def requests(count: int, name: str = "java-0001") -> list[bytes]:
    template = otlp.Template(otlp.CAPTURES / f"{name}.pb")
    return [template.with_ids(number << 64 | number) for number in range(1, count + 1)]


def send(daemon: Daemon, batches: list[bytes]) -> None:
    """One by one, so that request n of the list is batch n of the spool."""
    with Client(daemon.endpoint) as client:
        for request in batches:
            assert client.send(request).ok


def states(daemon: Daemon) -> dict[int, str]:
    return {batch["seq"]: batch["state"] for batch in ctl.objects("ls", "--all", "--limit", "0", config=daemon.config)}


def backlog(mongod, make_daemon) -> tuple[Daemon, list[bytes]]:
    """MongoDB is not there, and the flusher knows: it has the batches in hand and tries again and again."""
    daemon = make_daemon(mongod, "tracing").start()
    batches = requests(BATCHES)
    send(daemon, batches)
    wait_until(lambda: ctl.is_backing_off(daemon.config), "the flusher to back off")
    assert set(states(daemon).values()) == {"pending"}
    return daemon, batches


@at_rest
def test_held_batches_wait_while_the_rest_is_delivered(own_mongod, make_daemon, at_rest):
    mongod = own_mongod()
    daemon, batches = backlog(mongod, make_daemon)
    with stopped(daemon, at_rest):
        held = edit(daemon, "hold", "3-5", "9")
        assert (held["batches"], held["failed"]) == (4, 0)
        assert held["spans"] == len(otlp.spans_of(*batches[2:5], batches[8]))
    noticed(daemon, at_rest)
    mongod.start()
    daemon.wait_delivered()
    others = batches[:2] + batches[5:8] + batches[9:]
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], others)
        assert {seq for seq, state in states(daemon).items() if state == "held"} == {3, 4, 5, 9}
        assert daemon.metrics()["tracespool_spool_held_records"] == 4

        with stopped(daemon, at_rest):
            assert edit(daemon, "release", "ALL")["batches"] == 4
        daemon.wait_delivered()
        verify.holds_exactly(client["tracing"], batches)
    assert set(states(daemon).values()) == {"delivered"}


@at_rest
def test_removed_batches_are_gone_and_the_rest_arrives(own_mongod, make_daemon, at_rest):
    mongod = own_mongod()
    daemon, batches = backlog(mongod, make_daemon)
    with stopped(daemon, at_rest):
        refused = ctl.run("rm", "3-5", config=daemon.config)
        assert refused.returncode == 1 and "--yes" in refused.stderr, refused
        assert edit(daemon, "rm", "3-5", "--yes", "--dry-run")["batches"] == 3
        assert edit(daemon, "rm", "3-5", "--yes")["batches"] == 3
    noticed(daemon, at_rest)
    mongod.start()
    daemon.wait_delivered()
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], batches[:2] + batches[5:])
    assert sorted(states(daemon)) == [1, 2, *range(6, BATCHES + 1)]


@at_rest
def test_parked_spans_are_requeued_once_the_rule_is_mended(make_daemon, shared_mongod, database, at_rest):
    daemon = make_daemon(shared_mongod, database.name).start()
    before, after = requests(2)
    send(daemon, [before])
    daemon.wait_delivered()
    rule(database, {"serviceName": {"$ne": "order"}})
    send(daemon, [after])
    wait_until(lambda: daemon.metrics()["tracespool_spool_parked_entries"] > 0, "spans to be parked")
    daemon.wait_delivered()
    parked = ctl.objects("ls", "--parked", config=daemon.config)
    verify.holds_exactly(database, [before])

    rule(database, {})
    with stopped(daemon, at_rest):
        first = f"{parked[0]['seq']}:{parked[0]['span_index']}"
        one = edit(daemon, "requeue", first)
        assert edit(daemon, "requeue", "2:all", "--dry-run")["parked_entries"] == len(parked) - 1
        rest = edit(daemon, "requeue", "2:all")
        assert (one["parked_entries"], rest["parked_entries"]) == (1, len(parked) - 1)
        assert one["spans"] + rest["spans"] == len(otlp.spans_of(after))
        assert ctl.run("requeue", first, config=daemon.config).returncode == 1
    daemon.wait_delivered()
    verify.holds_exactly(database, [before, after])
    assert ctl.objects("ls", "--parked", config=daemon.config) == []
    assert daemon.metrics()["tracespool_spool_parked_entries"] == 0


def rule(database, validator: dict) -> None:
    for name in verify.documents.collections(database):
        database.command("collMod", name, validator=validator)


@at_rest
def test_history_is_replayed_into_a_database_that_was_dropped(make_daemon, shared_mongod, database, at_rest):
    daemon = make_daemon(shared_mongod, database.name).start()
    batches = requests(BATCHES)
    send(daemon, batches)
    daemon.wait_delivered()
    database.client.drop_database(database.name)
    with stopped(daemon, at_rest):
        assert edit(daemon, "replay", "--since", "1h", "--until", "30m")["batches"] == 0
        assert edit(daemon, "replay", "--since", "1h")["batches"] == BATCHES
    daemon.wait_delivered()
    verify.holds_exactly(database, batches)
    # Into one that has everything already: nothing is there twice.
    with stopped(daemon, at_rest):
        assert edit(daemon, "replay", "3-5")["batches"] == 3
    daemon.wait_delivered()
    verify.holds_exactly(database, batches)


def test_under_load_nothing_is_lost_and_nothing_twice(own_mongod, make_daemon):
    """Batches are held, released and replayed while clients send, and while MongoDB goes and comes."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    mongod = own_mongod().start()
    daemon = make_daemon(mongod, "tracing").start()
    done = dict.fromkeys(("hold", "release", "replay"), 0)

    def count(*arguments: str) -> None:
        done[arguments[0]] += edit(daemon, *arguments)["batches"]

    with Load(daemon.endpoint) as load:
        load.wait_for(50)
        for turn in range(12):
            if turn == 4:
                mongod.stop()
            if turn == 8:
                mongod.start()
            newest = ctl.status(daemon.config)["totals"]["next_seq"] - 1
            first = dice.randint(1, newest)
            count("hold", f"{first}-{dice.randint(first, newest)}")
            count("replay", "--since", dice.choice(["1s", "3s", "1m"]))
            count("hold", f"{max(1, newest - 20)}-{newest}")
            count("release", *dice.choice([["ALL"], [f"1-{first}"]]))
            load.wait_for(10)
    count("release", "ALL")
    daemon.wait_delivered()
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], load.acknowledged, load.unacknowledged)
    assert set(states(daemon).values()) == {"delivered"}
    assert all(done.values()) and done["hold"] == done["release"], done


def test_killed_between_steps_what_is_done_stays_and_the_rest_is_as_it_was(own_mongod, make_daemon):
    mongod = own_mongod()
    daemon, batches = backlog(mongod, make_daemon)
    killed = ctl.run("hold", "2", "4", "6", config=daemon.config, TRACESPOOL_FAULT="spool.edited:2:kill")
    assert killed.returncode == -9, killed
    assert {seq for seq, state in states(daemon).items() if state == "held"} == {2, 4}
    assert ctl.run("hold", "6", config=daemon.config, TRACESPOOL_FAULT="spool.edit:1:kill").returncode == -9
    assert {seq for seq, state in states(daemon).items() if state == "held"} == {2, 4}
    edit(daemon, "release", "ALL")
    mongod.start()
    daemon.wait_delivered()
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], batches)
