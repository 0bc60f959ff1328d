"""Several daemons, each with a spool of its own, write to one MongoDB at once: they meet only there."""

import datetime
import re
import threading

from lib import otlp, verify
from lib.clients import Client
from lib.daemon import Daemon
from lib.waiting import wait_until

DAEMONS = 3


def start_daemons(folder, processes, mongod, database, settings=None) -> list[Daemon]:
    daemons = []
    for number in range(DAEMONS):
        own = folder / f"daemon-{number}"
        own.mkdir()
        daemons.append(Daemon(own, mongod.uri, database.name, settings))
        processes.append(daemons[-1])
        daemons[-1].launch()
    for daemon in daemons:
        wait_until(daemon.ready, "tracespoold to be ready")
    return daemons


def send_to(daemon: Daemon, requests: list[bytes], failures: list[str]) -> None:
    with Client(daemon.endpoint, gzip=True) as client:
        for request in requests:
            answer = client.send(request)
            if not answer.ok:
                failures.append(f"{daemon.endpoint}: {answer}")


def send_at_once(plan: list[tuple[Daemon, list[bytes]]]) -> None:
    failures: list[str] = []
    threads = [threading.Thread(target=send_to, args=(daemon, requests, failures)) for daemon, requests in plan]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def test_the_same_requests_to_all_are_stored_once(folder, processes, shared_mongod, database):
    """In another order each, so that each makes the days, and finds what the others have made."""
    daemons = start_daemons(folder, processes, shared_mongod, database)
    requests = [path.read_bytes() for path in otlp.captures()]
    step = len(requests) // DAEMONS
    send_at_once([(daemon, requests[i * step :] + requests[: i * step]) for i, daemon in enumerate(daemons)])
    for daemon in daemons:
        daemon.wait_delivered()
    assert verify.holds_exactly(database, requests) == 12181
    counts = [daemon.metrics() for daemon in daemons]
    stored = [count['tracespool_flush_fragments_total{outcome="stored"}'] for count in counts]
    before = [count['tracespool_flush_fragments_total{outcome="stored_before"}'] for count in counts]
    days = [name for name in database.list_collection_names() if re.fullmatch(r"traces_\d{8}", name)]
    assert sum(stored) == sum(database[day].count_documents({}) for day in days)
    assert len({a + b for a, b in zip(stored, before)}) == 1, "each has an answer for every fragment"
    for day in days:
        assert set(database[day].index_information()) == {"_id_", "trace", "service", "service_root", "service_error"}
    assert database.traces.count_documents({}) == sum(stored), "the view knows every day"
    assert all(daemon.metrics()["tracespool_spool_parked_entries"] == 0 for daemon in daemons)


def test_each_with_its_own_share_and_one_killed(folder, processes, shared_mongod, database):
    """One is killed on the way; its clients send all of their share to another one, as behind a load balancer."""
    daemons = start_daemons(folder, processes, shared_mongod, database)
    requests = [path.read_bytes() for path in otlp.captures()]
    shares = [requests[number::DAEMONS] for number in range(DAEMONS)]
    send_at_once(list(zip(daemons, [share[: len(share) // 2] for share in shares])))
    daemons[0].kill()
    send_at_once([(daemons[1], shares[0]), (daemons[1], shares[1]), (daemons[2], shares[2])])
    daemons[0].start()
    for daemon in daemons:
        daemon.wait_delivered()
    assert verify.holds_exactly(database, requests) == 12181


def test_one_day_is_dropped_for_one_shortage(folder, processes, shared_mongod, database):
    """All see a full volume at the same time, and still do while mongod has not freed the files of what was dropped."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    days = [f"traces_{today - datetime.timedelta(days=ago):%Y%m%d}" for ago in range(2, 7)]
    for day in days:
        database.create_collection(day)
    never_enough = {"mongodb.min_free": f"{1 << 60}B", "mongodb.when_full": "drop_oldest"}
    daemons = start_daemons(folder, processes, shared_mongod, database, never_enough)

    def dropped() -> int:
        return sum(daemon.output().count("event=mongodb.day_dropped") for daemon in daemons)

    def waiting() -> int:
        return sum("event=mongodb.drop_waits" in daemon.output() for daemon in daemons)

    wait_until(lambda: dropped() + waiting() >= DAEMONS, "every daemon to have looked for room", 60)
    first = next(daemon for daemon in daemons if "event=mongodb.day_dropped" in daemon.output())
    first.stop()
    assert (dropped(), waiting()) == (1, DAEMONS - 1)
    first.start()
    wait_until(lambda: waiting() == DAEMONS, "the one that dropped it to know of that after a restart")
    assert set(days) & set(database.list_collection_names()) == set(days[:-1])
    (note,) = database.tracespool_drops.find()
    assert (note["day"], note["why"]) == (days[-1], "mongodb.min_free")
