"""kill -9 while a damaged file is moved aside at the start: it is kept whole, and a fresh spool is begun."""

import hashlib

import pytest

from lib import crash, otlp, verify
from lib.clients import Client

META_BYTES = 2 * 4096  # without these pages LMDB finds nothing


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def damage(path):
    with path.open("r+b") as file:
        file.write(b"\xa5" * META_BYTES)
    return digest(path)


@pytest.mark.parametrize("point", crash.ASIDE_POINTS, ids=str)
def test_killed_while_a_file_is_moved_aside(point, make_daemon, shared_mongod, database, seed, share):
    kills = share(0.01)
    daemon = make_daemon(shared_mongod, database.name, {"spool.reserve": False})
    template = otlp.Template(otlp.CAPTURES / "java-0001.pb")
    acknowledged, damaged = [], []
    for number, countdown in enumerate(crash.countdowns(seed, point, kills)):
        daemon.start()
        request = template.with_ids(number + 1)
        with Client(daemon.endpoint) as client:
            assert client.send(request).ok
        acknowledged.append(request)
        daemon.wait_delivered()
        daemon.stop()
        damaged.append(damage(daemon.spool / "data.mdb"))
        crash.launch_to_die(daemon, point, countdown)
        crash.wait_killed(daemon)
        daemon.start()
        assert sorted(map(digest, daemon.spool.glob("damaged-*/data.mdb"))) == sorted(damaged)
        daemon.stop()
        crash.check(daemon)
    assert verify.holds_exactly(database, acknowledged) > 0
