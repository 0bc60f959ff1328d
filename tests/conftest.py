"""Fixtures: a folder, a mongod and daemons for each test, and nothing left of them afterwards."""

import os
import pathlib
import shutil
import signal
import tempfile
from typing import Any, Callable, Iterator

import pymongo.database
import pytest

from lib.daemon import Daemon
from lib.mongod import Mongod
from lib.mounts import CannotMount, Mount
from lib.process import Process, processes_that_mention
from lib.replica_set import ReplicaSet

# A shell ignores it for what it starts in the background, and so would all that is started here.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The real Collector is built from Go modules, which takes minutes: .ci/run does it.
collect_ignore_glob = [] if os.environ.get("OTELCOL") else ["scenarios/12-*.py", "scenarios/22-*.py"]
# Prometheus is found by ./test.
collect_ignore_glob += [] if os.environ.get("TRACESPOOL_TEST_PROMETHEUS") else ["scenarios/42-*.py"]


def pytest_addoption(parser: pytest.Parser) -> None:
    # Not -k: to it, 05-daemon is an arithmetic expression.
    parser.addoption("--only", action="append", default=[], help="run the tests whose file or name holds this")
    parser.addoption("--long", action="store_true", help="run the tests that take long, and only them")
    parser.addoption("--step-downs", type=int, default=4, help="that 31-replica-set makes, about 3 seconds each")
    parser.addoption("--poison-spans", type=int, default=20_000, help="that 35-poison sends of each kind")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--only")
    long = config.getoption("--long")

    def is_wanted(item: pytest.Item) -> bool:
        if long or not wanted:  # what is asked for by name runs however long it takes
            return (item.get_closest_marker("long") is not None) == long
        # Parameters are looked at for words only: their numbers would match 10-configuration's.
        name = f"{item.path.stem}::{getattr(item, 'originalname', item.name)}"
        return any(words in name or not words[0].isdigit() and words in item.name for words in wanted)

    config.hook.pytest_deselected(items=[item for item in items if not is_wanted(item)])
    items[:] = filter(is_wanted, items)


PROCESSES = pytest.StashKey[list[Process]]()


def make_folder() -> pathlib.Path:
    return pathlib.Path(tempfile.mkdtemp(prefix="tracespool-scenario-"))


def remove_folder(folder: pathlib.Path) -> None:
    left = processes_that_mention(folder)
    if not os.environ.get("TRACESPOOL_TEST_KEEP"):
        shutil.rmtree(folder)
    assert not left, f"processes were left behind: {left}"


@pytest.fixture
def folder() -> Iterator[pathlib.Path]:
    path = make_folder()
    yield path
    remove_folder(path)


@pytest.fixture
def processes(folder: pathlib.Path, request: pytest.FixtureRequest) -> Iterator[list[Process]]:
    """Everything in this list is ended after the test; the last started first."""
    started: list[Process] = []
    request.node.stash[PROCESSES] = started
    yield started
    for process in reversed(started):
        process.kill()


@pytest.fixture(scope="session")
def shared_mongod() -> Iterator[Mongod]:
    path = make_folder()
    mongod = Mongod(path)
    try:
        yield mongod.start()
    finally:
        mongod.kill()
        remove_folder(path)


@pytest.fixture
def database(shared_mongod: Mongod, request: pytest.FixtureRequest) -> Iterator[pymongo.database.Database]:
    """A database of the test's own in a mongod that runs all the time."""
    with shared_mongod.client() as client:
        name = f"test_{abs(hash(request.node.nodeid)):x}"
        yield client[name]
        client.drop_database(name)


@pytest.fixture(scope="module")
def running_set() -> Iterator[ReplicaSet]:
    path = make_folder()
    replica_set = ReplicaSet(path)
    try:
        yield replica_set.start()
    finally:
        replica_set.kill()
        remove_folder(path)


@pytest.fixture
def replica_set(running_set: ReplicaSet) -> ReplicaSet:
    """Three mongods, whole again after whatever the test before has done to them."""
    running_set.make_whole()
    return running_set


@pytest.fixture
def own_mongod(folder: pathlib.Path, processes: list[Process]) -> Callable[..., Mongod]:
    """Makes a mongod, not started, for a test that stops it."""

    def make(**options: Any) -> Mongod:
        mongod = Mongod(folder, **options)
        processes.append(mongod)
        return mongod

    return make


@pytest.fixture
def make_daemon(folder: pathlib.Path, processes: list[Process]) -> Callable[..., Daemon]:
    """Makes a daemon, not started, in the test's folder: make_daemon(mongod, database name, **settings)."""

    def make(mongod: Mongod | ReplicaSet, database: str, settings: dict[str, object] | None = None) -> Daemon:
        daemon = Daemon(folder, mongod.uri, database, settings)
        processes.append(daemon)
        return daemon

    return make


@pytest.fixture
def daemon(
    make_daemon: Callable[..., Daemon], shared_mongod: Mongod, database: pymongo.database.Database
) -> Daemon:
    """A daemon that runs, in front of `database`."""
    return make_daemon(shared_mongod, database.name).start()


@pytest.fixture
def make_mount(folder: pathlib.Path, processes: list[Process]) -> Iterator[Callable[..., Mount]]:
    """Makes a file system of its own in the test's folder: make_mount("tmpfs" or "ext4", MiB[, folder for its image])."""
    made: list[Mount] = []

    def make(kind: str, size_mib: int, image_folder: pathlib.Path | None = None) -> Mount:
        mount = Mount(folder, kind, size_mib, image_folder)
        made.append(mount)
        try:
            return mount.mount()
        except CannotMount as reason:
            pytest.skip(str(reason))

    yield make
    for process in reversed(processes):
        process.kill()
    for mount in reversed(made):
        mount.unmount()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """A failure shows how the logs of its processes end."""
    report = yield
    if report.failed and PROCESSES in item.stash:
        for process in item.stash[PROCESSES]:
            report.sections.append((f"{process.name}, end of its log", process.tail(40)))
    return report
