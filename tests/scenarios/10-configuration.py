"""Configuration: problems with file and line, exit statuses, MONGO_URI, and no password anywhere."""

import os
import subprocess

import pytest

from lib import ctl, otlp, verify
from lib.clients import Client
from lib.daemon import Daemon, binary
from lib.waiting import wait_until

CONFIG_ERROR = 78  # EX_CONFIG
PASSWORD = "s3cret-p4ssword"


def check(config, **env):
    inherited = {key: value for key, value in os.environ.items() if key != "MONGO_URI"}
    command = [binary("tracespoold"), "-c", str(config), "--check-config"]
    return subprocess.run(
        command, env={**inherited, **env}, capture_output=True, text=True, timeout=30, check=False
    )


def test_a_good_file_is_ok(make_daemon, shared_mongod):
    result = check(make_daemon(shared_mongod, "unused").config)
    assert result.returncode == 0
    assert "OK" in result.stdout + result.stderr


def test_every_problem_is_named_with_file_and_line(folder):
    config = folder / "bad.conf"
    config.write_text(
        'receiver = { grpc = "127.0.0.1"; };\n'
        'spool = { size = "8G"; history = 7; };\n'
        "flush = { thread = 2; };\n"
        'mongod = { uri = "mongodb://localhost"; };\n'
        'log = { level = "loud"; };\n'
    )
    result = check(config)
    assert result.returncode == 1
    output = result.stdout + result.stderr
    for line, words in [
        (1, "receiver.grpc"),
        (2, "spool.size"),
        (2, "spool.history"),
        (3, "unknown key flush.thread, did you mean flush.threads?"),
        (4, "unknown section mongod, did you mean mongodb?"),
        (5, "log.level"),
    ]:
        assert any(
            text.startswith(f"{config}:{line}:") and words in text for text in output.splitlines()
        ), f"line {line}, {words}: {output}"


def test_a_syntax_error_is_named_with_its_line(folder):
    config = folder / "bad.conf"
    config.write_text('spool = {\n  size = "8GiB"\n  path = ;\n};\n')
    result = check(config)
    assert result.returncode == 1
    assert f"{config}:3:" in result.stdout + result.stderr


@pytest.mark.parametrize("problem", ["bad file", "missing file", "address in use", "spool in use"])
def test_the_daemon_does_not_start(problem, folder, processes, make_daemon, shared_mongod, database):
    running = make_daemon(shared_mongod, database.name).start()
    (folder / "second").mkdir()
    settings = {
        "bad file": {"log.level": "loud"},
        "missing file": {},
        "address in use": {"receiver.grpc": running.endpoint},
        "spool in use": {"spool.path": running.spool},
    }[problem]
    second = Daemon(folder / "second", shared_mongod.uri, database.name, settings)
    processes.append(second)
    if problem == "missing file":
        second.config.unlink()
    second.launch()
    assert second.wait_exit() == CONFIG_ERROR
    expected = {
        "bad file": f'level=error event=daemon.configuration_refused msg="{second.config}:',
        "missing file": str(second.config),
        "address in use": str(running.port),
        "spool in use": str(running.child.pid),
    }[problem]
    assert expected in second.output()
    assert running.running


def test_mongo_uri_wins_over_the_file(make_daemon, shared_mongod, database):
    daemon = make_daemon(shared_mongod, database.name, {"mongodb.uri": "mongodb://127.0.0.1:1/"})
    daemon.start(MONGO_URI=shared_mongod.uri)
    request = (otlp.CAPTURES / "java-0001.pb").read_bytes()
    with Client(daemon.endpoint) as client:
        assert client.send(request).ok
    daemon.wait_delivered()
    verify.holds_exactly(database, [request])
    trace = otlp.spans_of(request)[0].trace_id
    shown = ctl.run("show", "--from", "mongodb", trace, config=daemon.config, MONGO_URI=shared_mongod.uri)
    assert shown.returncode == 0, shown


def test_no_password_in_logs_status_or_messages(make_daemon, shared_mongod, database):
    """A user that does not exist: authentication fails, is said, and accepting goes on."""
    uri = f"mongodb://app:{PASSWORD}@127.0.0.1:{shared_mongod.port}/?replicaSet=rs0"
    daemon = make_daemon(shared_mongod, database.name, {"log.level": "debug"}).start(MONGO_URI=uri)
    with Client(daemon.endpoint) as client:
        assert client.send((otlp.CAPTURES / "java-0001.pb").read_bytes()).ok
    wait_until(lambda: ctl.status(daemon.config)["mongodb"]["state"] == "misconfigured", "the refusal to be noted")
    status = ctl.run("status", config=daemon.config)
    listing = ctl.run("show", "--from", "mongodb", "0" * 31 + "1", config=daemon.config, MONGO_URI=uri)
    for text in (daemon.output(), status.stdout, listing.stdout, listing.stderr, str(daemon.metrics())):
        assert PASSWORD not in text
    assert "uthentication" in status.stdout
    assert daemon.http("/readyz")[0] == 200, "Exports are still acknowledged"


def test_a_bad_uri_is_refused_without_showing_it(make_daemon, shared_mongod):
    daemon = make_daemon(shared_mongod, "unused")
    result = check(daemon.config, MONGO_URI=f"mongo://app:{PASSWORD}@127.0.0.1/")
    assert result.returncode == 1
    output = result.stdout + result.stderr
    assert "MONGO_URI" in output and "mongodb://" in output
    assert PASSWORD not in output
