"""`tracespool` beside a daemon and without one, with MongoDB up and down, for people and as JSON."""

import itertools
import re

import pytest

from lib import ctl, otlp
from lib.clients import Client
from lib.waiting import wait_until

JAVA = "java-0005"
NODE = "node-0001"


def trace_of(name: str) -> tuple[str, set[str]]:
    """The trace of a capture with the most spans, and their ids."""
    spans = otlp.spans_of((otlp.CAPTURES / f"{name}.pb").read_bytes())
    ids = [span.trace_id for span in spans]
    trace = max(sorted(set(ids)), key=ids.count)
    return trace, {span.span_id for span in spans if span.trace_id == trace}


def send(daemon, *names: str) -> int:
    """Returns the number of spans."""
    requests = [(otlp.CAPTURES / f"{name}.pb").read_bytes() for name in names]
    with Client(daemon.endpoint) as client:
        for request in requests:
            assert client.send(request).ok
    return len(otlp.spans_of(*requests))


@pytest.fixture
def backlog(own_mongod, make_daemon):
    """A daemon that holds two batches which MongoDB, not started yet, has not got."""
    mongod = own_mongod()
    daemon = make_daemon(mongod, "tracing").start()
    spans = send(daemon, JAVA, NODE)
    wait_until(lambda: ctl.is_backing_off(daemon.config), "the state to be noted")
    return mongod, daemon, spans


def test_status_without_mongodb(backlog):
    _, daemon, spans = backlog
    status = ctl.status(daemon.config)
    assert status["daemon"]["running"] and status["daemon"]["pid"] == daemon.child.pid
    assert status["receiving"] and not status["refusing"]
    assert status["pending"]["batches"] == 2
    assert status["pending"]["spans"] == spans
    assert status["pending"]["oldest_age_seconds"] >= 0
    assert status["totals"]["received_spans"] == spans
    assert status["totals"]["delivered_spans"] == 0
    assert status["mongodb"]["last_error"]
    assert "mongodb_unavailable" in [finding["code"] for finding in status["findings"]]
    shown = ctl.text("status", config=daemon.config)
    assert f"2 batches, {spans} spans" in shown
    assert "Nothing is lost" in shown


def test_status_without_a_daemon_says_the_same_and_that_it_is_not_running(backlog):
    _, daemon, spans = backlog
    daemon.kill()
    status = ctl.status(daemon.config)
    assert not status["daemon"]["running"]
    assert status["pending"]["spans"] == spans
    assert status["mongodb"]["state"] == "backing off"
    assert status["findings"][0]["code"] == "daemon_not_running"
    assert "not running" in ctl.text("status", config=daemon.config)


def test_status_after_delivery(backlog):
    mongod, daemon, spans = backlog
    mongod.start()
    daemon.wait_delivered()
    status = ctl.status(daemon.config)
    assert status["pending"] == {
        "batches": 0,
        "spans": 0,
        "stored_bytes": 0,
        "oldest_received_unix_ns": None,
        "oldest_age_seconds": None,
        "drained_in_seconds": None,
    }
    assert status["history"]["batches"] == 2
    assert status["totals"]["delivered_spans"] == spans
    assert status["mongodb"]["state"] == "flowing"
    assert status["findings"] == []
    assert "nothing" in ctl.text("status", config=daemon.config)


def test_ls(backlog):
    mongod, daemon, spans = backlog
    batches = ctl.objects("ls", config=daemon.config)
    assert [batch["services"] for batch in batches] == [["order"], ["pricing"]]
    assert [batch["state"] for batch in batches] == ["pending", "pending"]
    assert sum(batch["spans"] for batch in batches) == spans
    shown = ctl.text("ls", config=daemon.config)
    assert "order" in shown and "pricing" in shown
    mongod.start()
    daemon.wait_delivered()
    assert ctl.objects("ls", config=daemon.config) == []
    assert [batch["state"] for batch in ctl.objects("ls", "--all", config=daemon.config)] == ["delivered", "delivered"]
    assert "No pending batches." in ctl.text("ls", config=daemon.config)


def test_show_batch_is_the_request_that_was_sent(backlog):
    _, daemon, _ = backlog
    first, second = ctl.objects("ls", config=daemon.config)
    for batch, name in [(first, JAVA), (second, NODE)]:
        sent = otlp.parse((otlp.CAPTURES / f"{name}.pb").read_bytes())
        (shown,) = ctl.objects("show", str(batch["seq"]), config=daemon.config)
        sent_ids = [span.span_id.hex() for span in otlp.every_span(sent)]
        shown_ids = [
            span["spanId"]
            for group in shown["resourceSpans"]
            for scoped in group["scopeSpans"]
            for span in scoped["spans"]
        ]
        assert shown_ids == sent_ids
        text = ctl.text("show", str(batch["seq"]), config=daemon.config)
        assert all(identifier in text for identifier in sent_ids)


def test_show_trace_from_the_spool_then_from_mongodb(backlog):
    mongod, daemon, _ = backlog
    trace, ids = trace_of(JAVA)
    rows = ctl.objects("show", trace, config=daemon.config)
    assert {row["span_id"] for row in rows} == ids
    assert {(row["spool"], row["mongodb"]) for row in rows} == {("pending", None)}
    result = ctl.run("show", trace, config=daemon.config)
    assert result.returncode == 0
    assert "only the spool was looked through" in result.stderr

    mongod.start()
    daemon.wait_delivered()
    rows = ctl.objects("show", trace, config=daemon.config)
    assert {row["span_id"] for row in rows} == ids and len(rows) == len(ids)
    assert {(row["spool"], row["mongodb"]) for row in rows} == {("delivered", True)}
    assert len(ctl.objects("show", "--from", "mongodb", trace, config=daemon.config)) == len(ids)
    daemon.stop()
    assert f"{len(ids)} in MongoDB and in the spool" in ctl.text("show", trace, config=daemon.config)


def test_send(daemon):
    files = [str(path) for path in otlp.captures("java-0*")]
    shown = ctl.text("send", *files, config=daemon.config)
    assert f"{len(files)} requests to {daemon.endpoint}" in shown
    answers = ctl.objects("send", "--gzip", "--endpoint", daemon.endpoint, *files)
    assert [answer["code"] for answer in answers] == ["OK"] * len(files)
    assert ctl.status(daemon.config)["totals"]["received_batches"] == 2 * len(files)
    daemon.wait_delivered()


def test_send_tells_what_is_refused_and_goes_on(daemon, folder):
    broken = folder / "broken.pb"
    broken.write_bytes(b"\x0a\xff\xff\xff\xff\x0f")
    good = otlp.CAPTURES / "java-0001.pb"
    result = ctl.run("send", str(broken), str(good), config=daemon.config)
    assert result.returncode == 2
    assert "broken.pb: INVALID_ARGUMENT" in result.stdout
    assert "java-0001.pb: OK" in result.stdout
    assert "1 refused" in result.stdout


def test_a_file_of_nothing_is_told(daemon, folder):
    nothing = folder / "nothing.pb"
    nothing.touch()
    for verb in ("send", "import"):
        result = ctl.run(verb, str(nothing), config=daemon.config)
        assert result.returncode == 1, result
        assert f"tracespool {verb}: {nothing}: is empty: it holds no request\n" in result.stderr
    assert ctl.status(daemon.config)["totals"]["received_batches"] == 0


def test_a_full_spool_says_why_it_is_not_tried_again(make_daemon, own_mongod):
    settings = {"spool.size": "16MiB", "receiver.max_request_bytes": "4MiB"}
    daemon = make_daemon(own_mongod(), "tracing", settings).start()
    template = otlp.Template(otlp.CAPTURES / "java-0001.pb")
    numbers = itertools.count(1)
    with Client(daemon.endpoint) as client:
        while client.send(otlp.with_noise(template.with_ids(next(numbers)), 100_000)).ok:
            pass
    result = ctl.run("send", "--retry-for", "3s", str(otlp.CAPTURES / "java-0001.pb"), config=daemon.config)
    assert result.returncode == 1
    assert re.search(r"not tried again: the receiver asks to wait [\d.]+ s, longer than --retry-for 3.0 s\n", result.stderr)


def test_send_without_a_receiver_fails(make_daemon, shared_mongod):
    daemon = make_daemon(shared_mongod, "unused")
    file = otlp.CAPTURES / "java-0001.pb"
    result = ctl.run("send", "--retry-for", "0", str(file), config=daemon.config)
    assert result.returncode == 1
    assert "UNAVAILABLE" in result.stdout
    assert "1 not sent" in result.stdout


def test_a_spool_is_found_by_its_folder_alone(backlog):
    _, daemon, spans = backlog
    (status,) = ctl.objects("status", "--spool", str(daemon.spool))
    assert status["pending"]["spans"] == spans


def test_without_a_spool_it_says_what_to_do(folder):
    result = ctl.run("status", "--spool", str(folder / "nowhere"))
    assert result.returncode == 1
    assert str(folder / "nowhere") in result.stderr


def test_a_verb_mistyped_is_guessed():
    result = ctl.run("stauts")
    assert result.returncode == 1
    assert "status" in result.stderr
