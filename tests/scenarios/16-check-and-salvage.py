"""A damaged spool: `check` says what is wrong, `salvage` brings back every span whose bytes are intact."""

import json
import pathlib

import pytest

from lib import ctl, documents, otlp, records, verify
from lib.clients import Client, Load, nonce
from lib.waiting import wait_until

PAGE_BYTES = 4096
REQUESTS = 60


def check(daemon) -> tuple[int, dict]:
    result = ctl.run("--json", "check", config=daemon.config)
    assert result.returncode in (0, 2), result
    return result.returncode, json.loads(result.stdout)


def requests() -> list[bytes]:
    """All different, small ones that lie in leaf pages and large ones that are cut into parts among them."""
    names = ("java-0001", "node-0001", "python-awkward-0005", "java-0005", "python-awkward-0008")
    templates = [otlp.Template(otlp.CAPTURES / f"{name}.pb") for name in names]
    made = [templates[number % len(templates)].with_ids(nonce(9, number)) for number in range(REQUESTS)]
    return made + [otlp.with_noise(templates[0].with_ids(nonce(9, REQUESTS)), 300_000)]


def send_all(daemon, sent: list[bytes]) -> None:
    """One after the other, so that request N of them is batch N."""
    with Client(daemon.endpoint) as client:
        for request in sent:
            answer = client.send(request)
            assert answer.ok, answer


def large_batches(daemon) -> list[int]:
    """Those that have pages of their own in the spool."""
    batches = ctl.objects("ls", "--limit", "0", "--all", config=daemon.config)
    assert [batch["seq"] for batch in batches] == list(range(1, REQUESTS + 2))
    return [batch["seq"] for batch in batches if batch["stored_bytes"] > 3000]


def destroy_structure(spool: pathlib.Path) -> None:
    """Both of LMDB's meta pages: without them it knows of no tree."""
    with (spool / "data.mdb").open("r+b") as file:
        file.write(b"\xa5" * (2 * PAGE_BYTES))


@pytest.fixture
def backlog(own_mongod, make_daemon):
    """Batches that MongoDB, not started yet, has not got."""
    mongod = own_mongod()
    daemon = make_daemon(mongod, "tracing").start()
    sent = requests()
    send_all(daemon, sent)
    return mongod, daemon, sent


def test_check_beside_a_loaded_daemon_is_clean(daemon, database):
    with Load(daemon.endpoint) as load:
        for _ in range(10):
            load.wait_for(30)
            status, report = check(daemon)
            assert (status, report["findings"]) == (0, []), report
            assert report["sound"] and report["daemon_running"] and report["content_checked"]
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)
    daemon.stop()
    status, report = check(daemon)
    assert status == 0 and report["structure_checked"] and report["counters_compared"], report
    assert report["batches"] == load.count


def test_check_names_the_damaged_batches(backlog):
    mongod, daemon, sent = backlog
    damaged = large_batches(daemon)[1:4]
    daemon.stop()
    assert check(daemon)[0] == 0
    records.flip(daemon.spool, damaged)
    status, report = check(daemon)
    assert status == 2
    assert [finding["seq"] for finding in report["findings"]] == damaged
    assert report["damaged_batches"] == 3 and report["damaged_batches_known"] == 0
    assert all(f"! batch {seq}: " in ctl.run("check", config=daemon.config).stdout for seq in damaged)

    # The daemon holds and parks them and delivers the rest; then they are known.
    mongod.start()
    daemon.start()
    daemon.wait_delivered()
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], [request for n, request in enumerate(sent, 1) if n not in damaged])
    status, report = check(daemon)
    assert status == 2
    assert [(finding["seq"], finding["known"]) for finding in report["findings"]] == [(seq, True) for seq in damaged]
    assert report["held_batches"] == 3
    assert [batch["state"] for batch in ctl_partial("ls", daemon)] == ["damaged"] * 3
    assert [entry["whole"] for entry in ctl.objects("ls", "--parked", config=daemon.config)] == [True] * 3
    shown = ctl.status(daemon.config)
    assert shown["held"]["batches"] == 3
    assert {"held", "parked"} <= {finding["code"] for finding in shown["findings"]}


def ctl_partial(verb: str, daemon) -> list[dict]:
    result = ctl.run("--json", verb, config=daemon.config)
    assert result.returncode == 2, result
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_damaged_file_is_moved_aside_and_salvaged(backlog, folder):
    mongod, daemon, sent = backlog
    damaged = large_batches(daemon)[2:5]
    daemon.stop()
    records.flip(daemon.spool, damaged)
    destroy_structure(daemon.spool)
    status, report = check(daemon)
    assert status == 2 and not report["content_checked"]
    assert [finding["kind"] for finding in report["findings"]] == ["structure"]

    mongod.start()
    daemon.start()
    (aside,) = daemon.spool.glob("damaged-*")
    shown = ctl.status(daemon.config)
    assert shown["disk"]["damaged_files"] == 1
    assert "damaged_files" in [finding["code"] for finding in shown["findings"]]

    # What comes meanwhile is not disturbed.
    with Client(daemon.endpoint) as client:
        template = otlp.Template(otlp.CAPTURES / "node-0001.pb")
        newer = [template.with_ids(nonce(10, number)) for number in range(5)]
        assert all(client.send(request).ok for request in newer)
    result = ctl.run("--json", "salvage", str(aside), config=daemon.config)
    assert result.returncode == 2, result
    report = json.loads(result.stdout)
    assert report["incomplete_seqs"] == damaged
    assert report["sent"] == report["requests"] == report["batches"] == len(sent) - len(damaged)
    assert report["multi_part_batches"] >= 1
    daemon.wait_delivered()
    intact = [request for number, request in enumerate(sent, 1) if number not in damaged]
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], intact + newer)

    # Into a file, and that file sent: all of it is there already.
    out = folder / "salvaged.pb"
    result = ctl.run("salvage", "--output", str(out), str(aside / "data.mdb"), config=daemon.config)
    assert result.returncode == 2, result
    assert f"{len(intact)} written to {out}" in result.stdout
    shown = ctl.text("send", str(out), config=daemon.config)
    assert f"{len(intact)} requests to {daemon.endpoint}" in shown and f": {len(intact)} OK" in shown
    daemon.wait_delivered()
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], intact + newer)
    assert ctl.run("salvage", "--output", str(out), str(aside), config=daemon.config).returncode == 1


def test_salvage_of_a_copy_that_is_cut_off(backlog, folder):
    """As much of a failing disk as could be copied: what is in it comes back."""
    mongod, daemon, sent = backlog
    daemon.stop()
    data = (daemon.spool / "data.mdb").read_bytes()
    copy = folder / "copy.mdb"
    copy.write_bytes(data[: len(data) * 2 // 3 + 1234])
    mongod.start()
    daemon.spool = folder / "another"
    daemon.configure({"spool.path": daemon.spool})
    daemon.start()
    result = ctl.run("--json", "salvage", str(copy), config=daemon.config)
    assert result.returncode in (0, 2), result
    report = json.loads(result.stdout)
    assert 0 < report["sent"] == report["batches"]
    daemon.wait_delivered()
    with mongod.client() as client:
        # Nothing that was not sent, and nothing twice.
        verify.compare([], documents.read(client["tracing"]), otlp.spans_of(*sent))
    wait_until(lambda: ctl.status(daemon.config)["totals"]["received_batches"] == report["sent"], "all to be counted")
