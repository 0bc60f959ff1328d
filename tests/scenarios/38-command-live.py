"""The verbs that go on, ask the daemon, or say how it is set: on a terminal, in a pipe, beside a daemon and without."""

import json
import pathlib
import re
import signal
import subprocess

import pytest

from lib import ctl, otlp
from lib.background import Background
from lib.clients import Client, Load
from lib.daemon import binary
from lib.terminal import CTRL_C, CTRL_Z, Terminal, frames, plain, sequences
from lib.waiting import wait_until

LABELS = ["spool", "daemon", "receiving", "pending", "rates", "history", "parked", "disk", "MongoDB", "totals"]
RATES = re.compile(r"^rates +in [\d.,]+ spans/s \([\d.]+ batches/s\), out [\d.,]+ spans/s \([\d.]+ batches/s\)$", re.M)


def ends_with_its_reader(*arguments: str, config: pathlib.Path) -> int:
    """The exit status after its reader is gone; nothing more has to be written for that."""
    child = subprocess.Popen(
        [binary("tracespool"), "-c", str(config), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout and child.stdout.read(1)
        child.stdout.close()
        return child.wait(30)
    finally:
        child.kill()
        child.wait(30)


def labels(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines if line[:1].isalpha()]


@pytest.fixture
def backlog(own_mongod, make_daemon):
    """A daemon that holds two batches which MongoDB, not started yet, has not got, and knows it."""
    mongod = own_mongod()
    daemon = make_daemon(mongod, "tracing").start()
    with Client(daemon.endpoint) as client:
        for name in ("java-0005", "node-0001"):
            assert client.send((otlp.CAPTURES / f"{name}.pb").read_bytes()).ok
    wait_until(lambda: ctl.status(daemon.config)["mongodb"]["state"] == "backing off", "the state to be noted")
    return mongod, daemon


# --- status ---------------------------------------------------------------------


def test_status_shows_its_lines_in_their_order(daemon):
    assert labels(ctl.text("status", config=daemon.config).splitlines()) == LABELS


def test_rates_are_those_that_clients_and_mongodb_see(daemon):
    with Load(daemon.endpoint, requests_per_second=100) as load:
        load.wait_for(20)
        wait_until(lambda: (ctl.status(daemon.config)["rates"] or {}).get("delivered_spans_per_second"), "a rate")
        load.wait_for(300)
        text = ctl.text("status", config=daemon.config)
        rates = ctl.status(daemon.config)["rates"]
    assert RATES.search(text), text
    assert 20 < rates["received_batches_per_second"] < 200
    assert rates["received_spans_per_second"] >= rates["received_batches_per_second"]
    assert rates["delivered_spans_per_second"] > 0 and rates["delivered_batches_per_second"] > 0
    daemon.stop()
    assert ctl.status(daemon.config)["rates"] is None
    assert "nothing comes or goes without a daemon" in ctl.text("status", config=daemon.config)


def test_watch_without_a_terminal_prints_a_block_a_look(daemon):
    with Background("status", "--watch", "200ms", config=daemon.config) as watch:
        wait_until(lambda: watch.lines.count("") >= 3, "three blocks")
        assert watch.end() == 0
    assert not watch.errors
    blocks = "\n".join(watch.lines).split("\n\n")
    assert all(labels(block.splitlines()) == LABELS for block in blocks), blocks
    assert "\x1b" not in "".join(watch.lines)


@pytest.mark.parametrize("arguments", [("--watch=200ms",), ("-w", "0.2s"), ("-w200ms",)])
def test_watch_as_json_prints_a_line_a_look(daemon, arguments):
    with Background("--json", "status", *arguments, config=daemon.config) as watch:
        watch.wait_lines(4)
        assert watch.end(signal.SIGTERM) == 0
    times = [look["time_unix_ns"] for look in watch.objects()]
    assert times == sorted(times) and len(set(times)) == len(times)
    assert watch.objects()[0].keys() == ctl.status(daemon.config).keys()


def test_watch_measures_from_look_to_look(daemon):
    with Background("--json", "status", "--watch=500ms", config=daemon.config) as watch:
        with Load(daemon.endpoint, requests_per_second=100) as load:
            load.wait_for(10)
            seen = len(watch.lines)
            watch.wait_lines(seen + 4)
            rates = [look["rates"] for look in watch.objects()[seen + 1 :]]
        assert all(rate["received_batches_per_second"] > 5 for rate in rates), rates
        assert any(rate["delivered_spans_per_second"] > 0 for rate in rates), rates
        seen = len(watch.lines)
        watch.wait_lines(seen + 3)
        assert watch.objects()[-1]["rates"]["received_spans_per_second"] == 0


def test_watch_refuses_an_interval_that_is_none(daemon):
    for interval in ("0", "99ms", "2h", "fast", "-1"):
        result = ctl.run("status", f"--watch={interval}", config=daemon.config)
        assert (result.returncode, result.stdout) == (1, "")
        assert f'--watch takes an interval from 100 ms to 1 h, such as 2s, not "{interval}"' in result.stderr
    assert ctl.run("status", "2s", config=daemon.config).returncode == 1


def test_watch_on_a_terminal_redraws_and_puts_the_screen_back(backlog):
    _, daemon = backlog
    with Terminal("status", "--watch=100ms", config=daemon.config, rows=30, columns=90) as terminal:
        text = terminal.wait_for(lambda text: len(frames(text)) >= 3, "three frames")
        first, *_, last = frames(text)
        for frame in (first, last):
            assert frame[0].endswith("every 100ms; Ctrl-C ends")
            assert [name for name in labels(frame[1:])] == LABELS
            assert any(line.startswith("! MongoDB does not take batches.") for line in frame)
            assert all(len(line) <= 90 or line.startswith("disk") for line in frame)
        assert text.startswith("\x1b[?1049h\x1b[?25l\x1b[?7l")
        assert "\x1b[31m" in text or "\x1b[33m" in text  # colours

        # A smaller one: at once, and nothing is written past its last row.
        seen = len(frames(text))
        terminal.resize(6, 60)
        text = terminal.wait_for(lambda text: len(frames(text)) > seen + 1, "frames after the change")
        assert len(frames(text)[-1]) == 6

        terminal.press(CTRL_C)
        assert terminal.wait_exit() == 0
        assert terminal.read().endswith("\x1b[?7h\x1b[?25h\x1b[?1049l")


def test_watch_gives_the_shell_its_screen_at_ctrl_z(daemon):
    with Terminal("status", "--watch=100ms", config=daemon.config) as terminal:
        terminal.wait_for(lambda text: frames(text), "a frame")
        terminal.signal(signal.SIGTSTP)
        wait_until(terminal.stopped, "it to stop")
        assert terminal.read().endswith("\x1b[?1049l")
        seen = len(terminal.read())
        terminal.signal(signal.SIGCONT)
        terminal.wait_for(lambda text: frames(text[seen:]), "a frame")
        assert terminal.read()[seen:].startswith("\x1b[?1049h")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_exit() == 0


@pytest.mark.parametrize(
    "arguments, env, moves, colored",
    [
        ((), {"NO_COLOR": "1"}, True, False),
        (("--color", "never"), {}, True, False),
        ((), {"TERM": "dumb"}, False, False),
        (("--color", "always"), {"TERM": "dumb"}, False, True),
        (("--json",), {}, False, False),
    ],
)
def test_watch_on_other_terminals(daemon, arguments, env, moves, colored):
    with Terminal(*arguments, "status", "--watch=100ms", config=daemon.config, **env) as terminal:
        terminal.wait_for(lambda text: text.count('"totals"' if "--json" in arguments else "totals") >= 3, "three looks")
        terminal.press(CTRL_C)
        assert terminal.wait_exit() == 0
        used = sequences(terminal.read())
        assert ("\x1b[H" in used and "\x1b[?1049h" in used) == moves
        assert any(sequence.endswith("m") for sequence in used) == colored
        assert moves or all(sequence.endswith("m") for sequence in used)


def test_watch_goes_on_while_the_daemon_is_away_and_back(daemon):
    with Background("--json", "status", "--watch=100ms", config=daemon.config) as watch:
        watch.wait_lines(2)
        daemon.kill()
        wait_until(lambda: not watch.objects()[-1]["daemon"]["running"], "it to notice")
        assert watch.objects()[-1]["rates"] is None
        daemon.start()
        wait_until(lambda: watch.objects()[-1]["daemon"]["running"], "it to notice")
        assert watch.end() == 0


def test_watch_ends_with_its_reader(daemon):
    assert ends_with_its_reader("status", "--watch=1h", config=daemon.config) == 0


# --- flush ----------------------------------------------------------------------


def flush(daemon, *arguments: str, status: int = 0) -> dict:
    result = ctl.run("--json", "flush", *arguments, config=daemon.config)
    assert result.returncode == status, result
    return json.loads(result.stdout)


def wait_long_backoff(daemon) -> None:
    """Until it backs off for longer than anything here takes: a right that MongoDB refuses is tried every 30 s."""
    wait_until(lambda: ctl.status(daemon.config)["mongodb"]["state"] == "misconfigured", "the state to be noted", 60)


@pytest.fixture
def misconfigured(own_mongod, make_daemon):
    """A daemon whose password is wrong, so that it tries every 30 to 60 s, and two batches."""
    mongod = own_mongod(replica_set=False).start()
    daemon = make_daemon(mongod, "tracing", {"mongodb.uri": mongod.uri.replace("://", "://writer:secret@")}).start()
    with Client(daemon.endpoint) as client:
        for name in ("java-0005", "node-0001"):
            assert client.send((otlp.CAPTURES / f"{name}.pb").read_bytes()).ok
    wait_long_backoff(daemon)
    return mongod, daemon


def test_flush_ends_the_wait_of_a_daemon_that_is_misconfigured(misconfigured):
    mongod, daemon = misconfigured
    with mongod.client() as client:
        client.admin.command("createUser", "writer", pwd="secret", roles=["readWriteAnyDatabase"])
    attempts = daemon.metrics()["tracespool_flush_failed_attempts_total"]
    shown = ctl.text("flush", "--wait", "20s", config=daemon.config)  # less than the shortest of its waits
    first, last = shown.splitlines()
    assert re.fullmatch(
        rf"asked the daemon, process {daemon.child.pid}, to try now: MongoDB refused what waiting does not cure "
        r"for [\d. a-z]+; 2 batches, \d+ spans pending",
        first,
    ), shown
    assert re.fullmatch(r"all that was pending is delivered, after [\d.]+ m?s", last), shown
    assert daemon.metrics()["tracespool_flush_failed_attempts_total"] == attempts
    assert ctl.status(daemon.config)["pending"]["batches"] == 0
    # And once more: there is nothing to do.
    assert ctl.text("flush", "--wait", "1s", config=daemon.config) == "nothing is pending\n"
    assert flush(daemon)["asked"] is False


def test_flush_has_the_daemon_try_within_seconds(misconfigured):
    _, daemon = misconfigured
    failed = "tracespool_flush_failed_attempts_total"
    for _ in range(3):  # in much less time than three of its waits
        before = daemon.metrics()[failed]
        answer = flush(daemon)
        assert answer["asked"] and answer["state_before"] == "misconfigured" and answer["last_error"]
        assert (answer["daemon_pid"], answer["pending_batches"]) == (daemon.child.pid, 2)
        assert answer["waited_seconds"] is None and answer["delivered"] is None
        wait_until(lambda: daemon.metrics()[failed] > before, "a try", 20)
    result = ctl.run("flush", "--wait", "300ms", config=daemon.config)
    assert result.returncode == 2
    assert re.search(
        r"^tracespool flush: after [\d.]+ m?s 2 batches, \d+ spans are pending; MongoDB: misconfigured: ", result.stderr
    ), result
    assert "secret" not in result.stderr
    answer = flush(daemon, "--wait", "300ms", status=2)
    assert answer["delivered"] is False and answer["pending_batches"] == 2 and answer["waited_seconds"] >= 0.3


def test_flush_of_a_daemon_that_delivers_asks_nothing(daemon):
    with Load(daemon.endpoint, requests_per_second=100) as load:
        load.wait_for(50)
        for _ in range(5):
            assert flush(daemon)["asked"] is False
            # Under load something is always pending: only what was there at the beginning is waited for.
            assert ctl.run("flush", "--wait", "30s", config=daemon.config).returncode == 0
    assert "event=spool.edited" not in daemon.output()


def test_flush_without_a_daemon(backlog):
    _, daemon = backlog
    daemon.kill()
    result = ctl.run("flush", config=daemon.config)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"tracespool flush: no daemon runs on {daemon.spool}: there is nobody to deliver; start it "
        "(systemctl start tracespoold)\n"
    )
    assert ctl.run("--spool", "/nowhere", "flush").returncode == 1
    for arguments in (["--wait", "soon"], ["--wait"], ["now"]):
        assert ctl.run("flush", *arguments, config=daemon.config).returncode == 1


def test_flush_wait_ends_with_the_daemon(misconfigured):
    _, daemon = misconfigured
    with Background("flush", "--wait", "1h", config=daemon.config) as waiting:
        waiting.wait_lines(1)
        daemon.kill()
        assert waiting.child.wait(30) == 1
        waiting.wait_error("2 batches")
    assert waiting.errors[-1].endswith("are pending, and the daemon has ended")
