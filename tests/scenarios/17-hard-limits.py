"""Where something outside comes to its end: reader slots, the disk's health, rights, the clock."""

import glob
import hashlib
import os
import re
import shutil
import time

import pytest

from lib import ctl, lmdb, otlp, verify
from lib.clients import Client, Load
from lib.daemon import Daemon
from lib.ports import free_port
from lib.waiting import wait_until

EIO = 5
CONFIG, SOFTWARE = 78, 70
READERS_MAX = 126
SOMEBODY, SOMEBODY_ELSE = 65531, 65532
SMALL = {"spool.reserve": False, "spool.size": "16MiB", "receiver.max_request_bytes": "4MiB"}


# --- readers ------------------------------------------------------------------------------


def test_all_reader_slots_taken(daemon, database):
    """It acknowledges, as writing needs no slot, and delivers when there are slots again."""
    with Load(daemon.endpoint) as load:
        load.wait_for(20)
        with lmdb.Readers(daemon.spool, READERS_MAX) as readers:
            assert readers.held > READERS_MAX - 10
            result = ctl.run("status", config=daemon.config)
            assert result.returncode == 1
            assert f"too many processes read spool {daemon.spool}: try again" in result.stderr
            load.wait_for(50)
            wait_until(lambda: "MDB_READERS_FULL" in daemon.output(), "delivery to say what it lacks")
            assert daemon.running
    # The slots of the process that has ended are cleared at the writer's next look.
    wait_until(lambda: ctl.run("status", config=daemon.config).returncode == 0, "a free slot")
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


def test_a_reader_that_was_killed_does_not_pin_the_ring(make_daemon, shared_mongod, database):
    daemon = make_daemon(shared_mongod, database.name, SMALL).start()
    with Load(daemon.endpoint, noise_bytes=150_000, requests_per_second=60) as load:
        load.wait_for(20)
        with lmdb.Readers(daemon.spool, 1) as reader:
            wait_until(lambda: daemon.metrics()["tracespool_spool_refusing"] == 1, "the ring to be pinned", 60)
            # Said by whatever met it first: a group of new records, a delivery alone, or the commit's own pages.
            assert re.search(
                "refusing new records: (no free pages in|cannot write to|cannot commit to) spool ", daemon.output()
            )
            reader.kill()
        load.wait_for(120)  # more than once around
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


# --- the disk -----------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["spool.begin", "spool.append", "spool.delivered", "spool.commit"])
def test_an_io_error_ends_the_daemon_and_a_restart_loses_nothing(point, make_daemon, shared_mongod, database):
    daemon = make_daemon(shared_mongod, database.name).start(TRACESPOOL_FAULT=f"{point}:5:{EIO}")
    with Load(daemon.endpoint) as load:
        assert daemon.wait_exit(60) == SOFTWARE
        assert "durability is in doubt, leaving at once: " in daemon.tail(1)
        assert "Input/output error" in daemon.tail(1)
        daemon.start()
        load.wait_for(50)
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


def test_a_device_that_fails_ends_the_daemon(make_mount, make_daemon, shared_mongod, database):
    """A real one: ext4 in a file that is larger than the tmpfs that it is on."""
    host = make_mount("tmpfs", 24)
    disk = make_mount("ext4", 96, host.path)
    settings = {"spool.path": disk.path / "spool", "spool.reserve": True}
    daemon = make_daemon(shared_mongod, database.name, settings).start()
    with Load(daemon.endpoint, noise_bytes=150_000, requests_per_second=60) as load:
        assert daemon.wait_exit(60) == SOFTWARE
        assert "durability is in doubt, leaving at once: " in daemon.tail(1)
        host.remount("size=200m")
        disk.mend()
        daemon.start()
        load.wait_for(50)
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


def contents(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_a_read_only_file_system_is_refused(make_mount, make_daemon, shared_mongod, database):
    disk = make_mount("tmpfs", 96)
    settings = {"spool.path": disk.path / "spool", "spool.reserve": False}
    daemon = make_daemon(shared_mongod, database.name, settings)
    daemon.prefix = disk.prefix
    daemon.start()
    with Client(daemon.endpoint) as client:
        assert client.send(otlp.Template(otlp.CAPTURES / "java-0001.pb").with_ids(1)).ok
    daemon.wait_delivered()
    daemon.stop()
    before = contents(disk.outside / "spool")
    disk.remount("ro")
    daemon.launch()
    assert daemon.wait_exit() == CONFIG, daemon.tail()
    assert f"cannot write to {disk.path}/spool: Read-only file system" in daemon.tail(1)
    assert ctl.status(daemon.config, prefix=disk.prefix)["history"]["batches"] == 1, "it can be looked at"
    result = ctl.run("replay", "--yes", "ALL", config=daemon.config, prefix=disk.prefix)
    assert result.returncode == 1
    assert "Read-only file system" in result.stderr
    assert contents(disk.outside / "spool") == before


# --- rights -------------------------------------------------------------------------------


@pytest.fixture
def as_somebody(daemon, folder, monkeypatch):
    """A daemon that has stopped, on a spool that is now another user's, with programs that this user can run."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a spool to another user")
    daemon.stop()
    binaries = folder / "bin"
    shutil.copytree(os.environ["TRACESPOOL_TEST_BIN"], binaries)
    monkeypatch.setenv("TRACESPOOL_TEST_BIN", str(binaries))
    folder.chmod(0o755)
    for path in [daemon.spool, *daemon.spool.iterdir()]:
        os.chown(path, SOMEBODY, SOMEBODY)
    return daemon


def user(number):
    return ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups"]


def test_a_spool_of_another_user_is_refused_and_says_whose_it_is(as_somebody):
    daemon = as_somebody
    daemon.prefix = user(SOMEBODY_ELSE)
    daemon.launch()
    assert daemon.wait_exit() == CONFIG, daemon.tail()
    assert f"{daemon.spool} belongs to uid {SOMEBODY} and this is uid {SOMEBODY_ELSE}: " in daemon.tail(1)
    result = ctl.run("status", config=daemon.config, prefix=user(SOMEBODY_ELSE))
    assert result.returncode == 1
    assert f"no permission to open spool {daemon.spool}: run this as the user that" in result.stderr


def test_one_file_of_another_user_is_named(as_somebody):
    daemon = as_somebody
    os.chown(daemon.spool / "data.mdb", 0, 0)
    daemon.prefix = user(SOMEBODY)
    daemon.launch()
    assert daemon.wait_exit() == CONFIG, daemon.tail()
    assert f"{daemon.spool}/data.mdb belongs to uid 0 and this is uid {SOMEBODY}: " in daemon.tail(1)


@pytest.mark.parametrize("verb", [["status"], ["replay", "--yes", "ALL"]], ids=lambda words: words[0])
def test_root_leaves_nothing_of_its_own_in_a_spool(as_somebody, verb):
    """As after a restore that left out lock.mdb: LMDB makes it."""
    daemon = as_somebody
    (daemon.spool / "lock.mdb").unlink()
    ctl.text(*verb, config=daemon.config)
    assert {path.name: path.stat().st_uid for path in daemon.spool.iterdir()} == {
        "data.mdb": SOMEBODY, "lock": SOMEBODY, "lock.mdb": SOMEBODY
    }
    daemon.prefix = user(SOMEBODY)
    daemon.start()


def test_a_second_daemon_is_told_who_has_the_spool(daemon, folder, processes, shared_mongod):
    (folder / "second").mkdir()
    second = Daemon(folder / "second", shared_mongod.uri, "none", {"spool.path": daemon.spool})
    processes.append(second)
    second.launch()
    assert second.wait_exit() == CONFIG, second.tail()
    assert f"spool {daemon.spool} is in use by process {daemon.child.pid}" in second.tail(1)
    assert daemon.running


def test_a_spool_of_a_newer_tracespool_is_refused(daemon):
    daemon.stop()
    lmdb.write_format(daemon.spool, 1000)
    before = hashlib.sha256((daemon.spool / "data.mdb").read_bytes()).hexdigest()
    daemon.launch()
    assert daemon.wait_exit() == CONFIG, daemon.tail()
    assert f"spool {daemon.spool} was made by a newer tracespool (format 1000, this one knows " in daemon.tail(1)
    assert hashlib.sha256((daemon.spool / "data.mdb").read_bytes()).hexdigest() == before
    result = ctl.run("status", config=daemon.config)
    assert result.returncode == 1
    assert "was made by a newer tracespool" in result.stderr


# --- the clock ----------------------------------------------------------------------------

NS = 10**9
LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"


def clock(shift):
    """The environment in which the wall clock is off by `shift`; the monotonic one runs on, as it does."""
    found = glob.glob(LIBRARIES)
    if not found:
        pytest.skip(f"libfaketime is missing: {LIBRARIES}")
    return {"LD_PRELOAD": found[0], "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class PunctualLoad(Load):
    """Without the requests whose spans lie days apart."""

    TEMPLATES = ("java-0001", "node-0001", "java-0005", "node-sdk3-0005")


def test_the_wall_clock_goes_back_a_day_and_forward_again(make_daemon, shared_mongod, database):
    """With a history of an hour, and MongoDB away until the end: nothing that waits is taken for old.

    What is sent again after a step is filed under the same day, as its start is
    within the bounds beyond which the day of receipt counts.
    """
    day = 24 * 3600
    settings = {"spool.reserve": False, "spool.history": "1h"}
    daemon = make_daemon(shared_mongod, database.name, settings)
    uri = daemon.sections["mongodb"]["uri"]
    daemon.configure({"mongodb.uri": f"mongodb://127.0.0.1:{free_port()}/"})
    daemon.start()
    with PunctualLoad(daemon.endpoint, start_unix_nano=time.time_ns() - day * NS // 2) as load:
        for shift in ("-1d", "+3d"):
            load.wait_for(15)
            daemon.kill()
            daemon.start(**clock(shift))
            load.wait_for(15)
            metrics = daemon.metrics()
            ages = [metrics[f"tracespool_spool_{name}_seconds"] for name in ("oldest_pending", "history", "retry_delay")]
            assert all(0 <= age < 4 * day for age in ages), ages
            pending = ctl.objects("status", config=daemon.config)[0]["pending"]
            assert pending["oldest_age_seconds"] < 4 * day, pending
            there = ctl.run("--json", "status", config=daemon.config, **clock(shift))
            assert there.returncode == 0 and "oldest_age_seconds" in there.stdout, there
        daemon.kill()
        daemon.configure({"mongodb.uri": uri})
        daemon.start(**clock("-1d"))
        load.wait_for(15)
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)
