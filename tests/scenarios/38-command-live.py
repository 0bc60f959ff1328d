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
from lib.terminal import CTRL_C, Terminal, frames, plain, sequences
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
    wait_until(lambda: ctl.is_backing_off(daemon.config), "the state to be noted")
    return mongod, daemon


# --- status ---------------------------------------------------------------------


def test_status_shows_its_lines_in_their_order(daemon):
    *lines, space, last = ctl.text("status", config=daemon.config).splitlines()
    assert labels(lines) == LABELS
    assert (space, last) == ("", "Nothing needs attention.")


@pytest.mark.parametrize("begins", [True, False], ids=["it-goes-away", "it-was-never-there"])
def test_an_outage_is_told_while_nothing_is_sent(own_mongod, make_daemon, begins):
    mongod = own_mongod()
    if begins:
        mongod.start()
    daemon = make_daemon(mongod, "tracing").start()

    def state() -> str:
        return ctl.status(daemon.config)["mongodb"]["state"]

    if begins:
        wait_until(lambda: daemon.metrics()["tracespool_mongodb_up"] == 1, "MongoDB to be seen")
        assert "nothing sent yet" in ctl.text("status", config=daemon.config)
        mongod.stop()
    wait_until(lambda: state() == "backing off", "the outage to be noted", 60)
    status = ctl.status(daemon.config)
    assert [finding["code"] for finding in status["findings"]] == ["mongodb_unavailable"]
    assert status["mongodb"]["failed_attempts"] == 0
    assert status["mongodb"]["last_error"] == "no server is known that takes writes"
    assert daemon.http("/readyz")[0] == 200, "it would acknowledge now"
    mongod.start()
    wait_until(lambda: state() == "flowing", "its end to be noted", 60)
    assert ctl.status(daemon.config)["findings"] == []
    daemon.stop()
    assert "nothing is sent without a daemon, which noted last: flowing" in ctl.text("status", config=daemon.config)


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
        wait_until(lambda: watch.lines.count("") >= 6, "three blocks, each with a line of its own at the end")
        assert watch.end() == 0
    assert not watch.errors
    blocks = "\n".join(watch.lines).split("\n\nspool ")
    blocks = [blocks[0], *(f"spool {block}" for block in blocks[1:])]
    assert all(labels(block.splitlines()) == [*LABELS, "Nothing"] for block in blocks), blocks
    assert len(blocks) >= 3
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


# --- tail -----------------------------------------------------------------------

TAIL_MEMBERS = [
    "seq",
    "received_unix_ns",
    "trace_id",
    "span_id",
    "parent_span_id",
    "service",
    "name",
    "kind",
    "status",
    "status_message",
    "start_unix_ns",
    "end_unix_ns",
    "duration_seconds",
]
TAIL_LINE = re.compile(
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S.* (server|client|internal|producer|consumer) +\S.* (ERROR|ok   |     ) "
    r"[0-9a-f]{32}$"
)


def sent_spans(*names: str) -> list[tuple[str, str]]:
    """(trace, span) in the order of the captures."""
    spans = otlp.spans_of(*((otlp.CAPTURES / f"{name}.pb").read_bytes() for name in names))
    return [(span.trace_id, span.span_id) for span in spans]


def tailed(daemon, *arguments: str) -> list[dict]:
    return ctl.objects("tail", "--no-follow", *arguments, config=daemon.config)


def keys(rows: list[dict]) -> list[tuple[str, str]]:
    return [(row["trace_id"], row["span_id"]) for row in rows]


@pytest.mark.parametrize("at_rest", [False, True], ids=["beside-the-daemon", "at-rest"])
def test_tail_begins_with_what_it_was_told_to(backlog, at_rest):
    _, daemon = backlog
    if at_rest:
        daemon.stop()
    sent = sent_spans("java-0005", "node-0001")
    rows = tailed(daemon, "--limit", "1000000")
    assert keys(rows) == sent
    assert all(list(row) == TAIL_MEMBERS for row in rows)
    assert keys(tailed(daemon)) == sent[-10:]
    assert keys(tailed(daemon, "-n", "3")) == sent[-3:]
    assert tailed(daemon, "-n0") == []
    assert keys(tailed(daemon, "--since", "1h")) == sent
    assert keys(tailed(daemon, "--since", "1h", "-n", "4")) == sent[-4:]
    assert tailed(daemon, "--since", "now") == []

    # Filters, alone and together; -n counts what passes them.
    orders = [row for row in rows if row["service"] == "order"]
    assert 0 < len(orders) < len(rows)
    assert tailed(daemon, "--service", "order", "--since", "1h") == orders
    assert tailed(daemon, "--service", "order", "-n", "2") == orders[-2:]
    for status in ("error", "ok", "unset"):
        assert tailed(daemon, "--status", status, "--since", "1h") == [row for row in rows if row["status"] == status]
    slow = [row for row in rows if row["duration_seconds"] >= 0.001]
    assert 0 < len(slow) < len(rows)
    assert tailed(daemon, "--min-duration", "1ms", "--since", "1h") == slow
    assert tailed(daemon, "--min-duration", "1ms", "--service", "order", "-n", "1") == [
        row for row in slow if row["service"] == "order"
    ][-1:]

    lines = ctl.text("tail", "--no-follow", "-n", "1000", config=daemon.config).splitlines()
    assert len(lines) == len(sent) and all(TAIL_LINE.match(line) for line in lines), lines
    assert [line[-32:] for line in lines] == [trace for trace, _ in sent]


@pytest.mark.parametrize("removed", ["1", "2"])
def test_tail_is_silent_of_what_had_gone_before_it_began(backlog, removed):
    _, daemon = backlog
    with Client(daemon.endpoint) as client:
        assert client.send((otlp.CAPTURES / "java-0001.pb").read_bytes()).ok
    ctl.text("rm", removed, config=daemon.config)
    result = ctl.run("tail", "--no-follow", "--since", "1h", config=daemon.config)
    assert (result.returncode, result.stderr) == (0, "")
    left = [name for n, name in enumerate(("java-0005", "node-0001", "java-0001"), 1) if n != int(removed)]
    assert len(result.stdout.splitlines()) == len(sent_spans(*left))


def test_tail_refuses_what_it_cannot_mean(daemon):
    for arguments, words in [
        (["--status", "bad"], '--status takes error, ok or unset, not "bad"'),
        (["--min-duration", "5"], '--min-duration takes a duration, such as 250ms, not "5"'),
        (["--limit", "-1"], '--limit takes a number up to 1000000, not "-1"'),
        (["--since", "soon"], '--since: "soon" is no time'),
        (["7"], "takes no operand; `tracespool show 7` shows one batch or trace"),
    ]:
        result = ctl.run("tail", *arguments, config=daemon.config)
        assert (result.returncode, result.stdout) == (1, "") and words in result.stderr, result


def test_tail_shows_every_span_under_load_once_and_in_order(daemon):
    with Background("--json", "tail", "-n", "0", config=daemon.config) as tail:
        with Load(daemon.endpoint, requests_per_second=100) as load:
            load.wait_for(200)
        expected = sorted(keys_of_requests(load.acknowledged))
        wait_until(lambda: len(tail.lines) >= len(expected), "all spans", 60)
        assert tail.end() == 0
    assert sorted(keys(tail.objects())) == expected
    seqs = [row["seq"] for row in tail.objects()]
    assert seqs == sorted(seqs)
    assert tail.errors == []


def keys_of_requests(requests: list[bytes]) -> list[tuple[str, str]]:
    return [(span.trace_id, span.span_id) for span in otlp.spans_of(*requests)]


def test_tail_goes_on_over_restarts_of_the_daemon_and_a_spool_that_is_moved_aside(daemon):
    def send(name: str) -> None:
        with Client(daemon.endpoint) as client:
            assert client.send((otlp.CAPTURES / f"{name}.pb").read_bytes()).ok

    with Background("--json", "tail", config=daemon.config) as tail:
        send("java-0001")
        shown = len(sent_spans("java-0001"))
        tail.wait_lines(shown)
        daemon.kill()
        tail.wait_error("the daemon is not running; what it receives is shown when it is back")
        daemon.start()
        tail.wait_error(f"the daemon runs again, process {daemon.child.pid}")
        send("node-0001")
        shown += len(sent_spans("node-0001"))
        tail.wait_lines(shown)

        told = len(tail.errors)
        daemon.stop()
        wait_until(lambda: len(tail.errors) > told, "it to notice")
        with (daemon.spool / "data.mdb").open("r+b") as file:
            file.write(b"\xff" * 8192)  # both of LMDB's first pages
        daemon.start()
        tail.wait_error("the spool was found damaged and is begun anew")
        send("java-0005")
        tail.wait_lines(shown + len(sent_spans("java-0005")))
        assert tail.end() == 0
    assert keys(tail.objects()) == sent_spans("java-0001", "node-0001", "java-0005")
    assert not any("gone before" in line for line in tail.errors), tail.errors


@pytest.mark.long
def test_tail_falls_behind_a_slow_reader_and_says_what_is_gone(make_daemon, shared_mongod, database):
    settings = {"spool.size": "16MiB", "receiver.max_request_bytes": "1MiB", "receiver.max_in_flight_bytes": "64MiB"}
    daemon = make_daemon(shared_mongod, database.name, settings).start()
    command = [binary("tracespool"), "-c", str(daemon.config), "--json", "tail", "-n", "0"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tail:
        try:
            # Nobody reads: it stands still, while its daemon receives and delivers several times what the spool holds.
            with Load(daemon.endpoint, requests_per_second=200, noise_bytes=50_000) as load:
                wait_until(lambda: ctl.status(daemon.config)["totals"]["evicted_batches"] > 300, "history to go", 90)
            assert tail.poll() is None
            daemon.wait_delivered()
            assert load.unacknowledged == []
            newest = ctl.status(daemon.config)["totals"]["next_seq"] - 1
            while json.loads(tail.stdout.readline())["seq"] < newest:
                pass
            tail.send_signal(signal.SIGINT)
            tail.stdout.read()
            assert tail.wait(30) == 0
            assert re.search(
                rb"tracespool tail: [\d,]+ batches were gone before they could be shown: removed after delivery to make "
                rb"room, or by an operator\n",
                tail.stderr.read(),
            )
        finally:
            tail.kill()


def test_tail_on_a_terminal(daemon):
    with Client(daemon.endpoint) as client:
        assert client.send((otlp.CAPTURES / "python-awkward-0001.pb").read_bytes()).ok
    with Terminal("tail", "-n", "100", config=daemon.config, columns=160) as terminal:
        text = terminal.wait_for(lambda text: text.count("\n") >= 1, "lines")
        assert all(len(line) <= 160 for line in plain(text).splitlines() if line.isascii())
        assert {"\x1b[1m", "\x1b[2m"} <= set(sequences(text))
        terminal.press(CTRL_C)
        assert terminal.wait_exit() == 0
    with Terminal("tail", "-n", "100", config=daemon.config, NO_COLOR="1") as terminal:
        text = terminal.wait_for(lambda text: text.count("\n") >= 1, "lines")
        assert not sequences(text)
        # Ctrl-Z is the shell's business here: there is no screen to put back.
        terminal.press(CTRL_C)
        assert terminal.wait_exit() == 0


def test_tail_ends_with_its_reader(daemon):
    with Client(daemon.endpoint) as client:
        assert client.send((otlp.CAPTURES / "java-0001.pb").read_bytes()).ok
    assert ends_with_its_reader("tail", config=daemon.config) == 0


# --- config ---------------------------------------------------------------------


@pytest.mark.parametrize("at_rest", [False, True], ids=["beside-the-daemon", "at-rest"])
def test_config_says_where_each_value_comes_from(daemon, folder, at_rest):
    if at_rest:
        daemon.stop()
    rows = {row["key"]: row for row in ctl.objects("config", config=daemon.config)}
    size = rows["spool.size"]
    assert (size["value"], size["bytes"], size["origin"]) == ("64MiB", 64 << 20, "file")
    assert (size["file"], size["line"]) == (str(daemon.config), daemon.line_of("size = "))
    assert rows["receiver.read_timeout"]["seconds"] == 30 and rows["receiver.read_timeout"]["origin"] == "default"

    # What is printed is a configuration that means the same.
    copy = folder / "copy.conf"
    copy.write_text(ctl.text("config", config=daemon.config))
    again = {row["key"]: row["value"] for row in ctl.objects("config", config=copy)}
    assert again == {key: row["value"] for key, row in rows.items()}


def test_config_masks_passwords_wherever_they_come_from(daemon):
    uri = "mongodb://writer:geheim@127.0.0.1/?tlsCertificateKeyFilePassword=geheim"
    shown = ctl.run("config", config=daemon.config, MONGO_URI=uri)
    assert "MONGO_URI in the environment" in shown.stdout and "writer:***@" in shown.stdout, shown
    assert "geheim" not in shown.stdout + shown.stderr
    daemon.configure({"mongodb.uri": uri})
    assert "geheim" not in ctl.text("config", config=daemon.config)
    shown = ctl.run("config", "--json", "--spool", "/elsewhere", config=daemon.config)
    assert "geheim" not in shown.stdout
    (path,) = [json.loads(line) for line in shown.stdout.splitlines() if '"spool.path"' in line]
    assert (path["value"], path["origin"], path["file"]) == ("/elsewhere", "option", None)


def test_config_tells_every_problem_with_its_line(daemon):
    daemon.configure({"spool.size": "8G", "flush.thread": 2})
    result = ctl.run("config", config=daemon.config)
    assert (result.returncode, result.stdout) == (1, "")
    wrong_size, unknown = daemon.line_of('"8G"'), daemon.line_of("thread = ")
    assert result.stderr.splitlines() == [
        f'tracespool config: {daemon.config}:{wrong_size}: spool.size: "8G" is not a size, write it as "8GiB"',
        f"tracespool config: {daemon.config}:{unknown}: unknown key flush.thread, did you mean flush.threads?",
    ]
    daemon.configure({"spool.size": "64MiB", "mongodb.uri": "mongodb://a:geheim@h/?x=%%"})
    daemon.sections["flush"] = {}
    daemon.configure({})
    result = ctl.run("config", config=daemon.config)
    assert result.returncode == 1 and "mongodb.uri: connection string" in result.stderr, result
    assert "geheim" not in result.stderr
