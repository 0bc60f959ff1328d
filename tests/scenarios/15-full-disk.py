"""The disk under the spool is full: refusals that a client comes back from, no crash, nothing lost.

The spool is on a small file system of its own. tmpfs and ext4 differ in when
they find out that there is no room: at the write, or when blocks are allocated.
"""

import os
import random
import subprocess

import grpc
import pytest

from lib import ctl, otlp, verify
from lib.clients import Client, Load
from lib.ports import free_port
from lib.waiting import wait_until

KINDS = ["tmpfs", "ext4"]
NOISE_BYTES = 50_000
DISK_MIB = 96
SETTINGS = {"spool.reserve": False, "spool.size": "64MiB", "receiver.max_request_bytes": "4MiB"}
TEMPFAIL = 75


@pytest.fixture(params=KINDS)
def disk(request, make_mount):
    return make_mount(request.param, DISK_MIB)


def on(disk, make_daemon, mongod, database, **settings):
    daemon = make_daemon(mongod, database, {**SETTINGS, "spool.path": disk.path / "spool", **settings})
    daemon.prefix = disk.prefix
    return daemon


class Probe:
    """A client beside the load that remembers what it was told."""

    def __init__(self, endpoint):
        self.client = Client(endpoint)
        self.template = otlp.Template(otlp.CAPTURES / "java-0001.pb")
        self.acknowledged, self.refused = [], []

    def send(self):
        number = len(self.acknowledged) + len(self.refused) + 1
        request = otlp.with_noise(self.template.with_ids(number << 64 | number), NOISE_BYTES)
        answer = self.client.send(request)
        (self.acknowledged if answer.ok else self.refused).append(request)
        return answer

    def wait_refused(self):
        answer = wait_until(self.send_to_be_refused, "a refusal", 60)
        assert answer.code == grpc.StatusCode.UNAVAILABLE, answer
        assert answer.from_server and answer.retry_delay and answer.retry_delay > 0, answer

    def send_to_be_refused(self):
        answer = self.send()
        return None if answer.ok else answer


def test_filled_under_load_and_freed(disk, make_daemon, shared_mongod, database):
    """MongoDB is not reached, so the spool needs room that the disk does not have."""
    daemon = on(disk, make_daemon, shared_mongod, database.name)
    uri = daemon.sections["mongodb"]["uri"]
    daemon.configure({"mongodb.uri": f"mongodb://127.0.0.1:{free_port()}/"})
    daemon.start()
    probe = Probe(daemon.endpoint)
    with Load(daemon.endpoint, noise_bytes=NOISE_BYTES) as load:
        load.wait_for(20)
        disk.fill()
        probe.wait_refused()
        assert "No space left on device" in daemon.output()
        assert daemon.http("/readyz")[0] != 200
        wait_until(lambda: ctl.status(daemon.config, prefix=disk.prefix)["refusing"], "the command to say so")

        daemon.kill()  # the same after a restart, and the start itself needs no room
        daemon.start()
        probe.wait_refused()

        disk.free()
        load.wait_for(20)
        assert daemon.running
        assert "event=spool.open_again" in daemon.output()
    daemon.kill()
    daemon.configure({"mongodb.uri": uri})
    daemon.start()
    daemon.wait_delivered()
    acknowledged = load.acknowledged + probe.acknowledged
    verify.holds_exactly(database, acknowledged, load.unacknowledged + probe.refused)


def test_filled_and_freed_again_and_again(disk, make_daemon, shared_mongod, database):
    """MongoDB takes what comes: the ring turns within the blocks that it has, or grows when it can."""
    seed = 1
    draw = random.Random(seed)
    print(f"seed {seed}")
    daemon = on(disk, make_daemon, shared_mongod, database.name).start()
    with Load(daemon.endpoint, clients=6, noise_bytes=NOISE_BYTES) as load:
        for number in range(5):
            load.wait_for(draw.randrange(1, 40))
            disk.fill()
            wait_until(lambda: daemon.metrics(), "the daemon to answer")
            if number % 3 == 2:
                daemon.kill()
                daemon.start()
            disk.free()
        load.wait_for(50)
        assert daemon.running
    assert "level=error" not in daemon.output()
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


def test_full_when_a_new_spool_is_made(disk, make_daemon, shared_mongod, database):
    daemon = on(disk, make_daemon, shared_mongod, database.name)
    disk.fill()
    daemon.launch()
    assert daemon.wait_exit() == TEMPFAIL, daemon.tail()
    assert "No space left on device" in daemon.tail(1)
    disk.free()
    daemon.start()
    with Load(daemon.endpoint) as load:
        load.wait_for(20)
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


@pytest.mark.parametrize("spare_blocks", [0, 1, 2, 3])
def test_a_file_with_holes_has_no_room_in_them(disk, make_daemon, shared_mongod, database, spare_blocks):
    """As cp leaves it: what was allocated and never written has no blocks in the copy.

    With some blocks to spare a commit may find room for a part of its pages, which LMDB calls an I/O error.
    """
    daemon = on(disk, make_daemon, shared_mongod, database.name)
    daemon.start()
    with Load(daemon.endpoint) as load:
        load.wait_for(20)
    daemon.stop()
    data = disk.outside / "spool" / "data.mdb"
    subprocess.run(["cp", "--sparse=always", data, f"{data}.copy"], check=True)
    os.rename(f"{data}.copy", data)
    assert data.stat().st_blocks * 512 < data.stat().st_size, "no holes"
    disk.fill(spare_blocks)
    daemon.start()
    probe = Probe(daemon.endpoint)
    probe.wait_refused()
    assert "No space left on device" in daemon.output()
    disk.free()
    wait_until(lambda: probe.send().ok, "room again", 60)
    assert "level=error" not in daemon.output()
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged + probe.acknowledged, load.unacknowledged + probe.refused)


def test_reserve_without_the_room_is_refused_at_the_start(disk, make_daemon, shared_mongod, database):
    settings = {"spool.reserve": True, "spool.size": "128MiB"}
    daemon = on(disk, make_daemon, shared_mongod, database.name, **settings)
    daemon.launch()
    assert daemon.wait_exit() == TEMPFAIL, daemon.tail()
    assert "no room to reserve 128 MiB for spool" in daemon.tail(1)

    daemon.configure({"spool.size": "64MiB"})
    daemon.start()
    disk.fill()  # what was reserved is not taken away
    with Load(daemon.endpoint, noise_bytes=NOISE_BYTES) as load:
        load.wait_for(100)
    assert daemon.metrics()['tracespool_receiver_requests_total{code="UNAVAILABLE"}'] == 0
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)
