"""Checks of the options of status, ls, show, shape, tail and flush."""

import json
from typing import Any, Iterable

from . import ctl, fidelity, otlp
from .background import Background
from .flags import damaged, flag, refused
from .listener import Listener
from .places import HELD, PARKED, REQUESTS, SERVICES, SPANS, TRACE, TRACE_SPANS, Place


def spans_of(seqs: Iterable[int]) -> int:
    return sum(SPANS[seq] for seq in seqs)


# --- status -------------------------------------------------------------------------------


@flag("status", "--watch")
def status_watch(place: Place) -> None:
    with Background("--json", "status", "--watch=100ms", config=place.daemon.config) as watch:

        def received() -> list[int]:
            return [look["totals"]["received_batches"] for look in watch.objects()]

        watch.wait_lines(3)
        place.eventually(lambda: len(set(received())) > 1 or not place.live, "looks that differ")
        assert watch.end() == 0 and not watch.errors
    assert {look["daemon"]["running"] for look in watch.objects()} == {place.live}
    assert received() == sorted(received())


# --- ls -----------------------------------------------------------------------------------


@flag("ls", "--all", "--until")
def ls_all_until(place: Place) -> None:
    assert place.seqs("--all", "--until", place.until) == list(SERVICES)
    assert place.seqs("--all", "--until", "1h") == []


@flag("ls", "--since")
def ls_since(place: Place) -> None:
    found = place.objects("ls", "--limit", "0", "--all", "--since", place.until)
    assert bool(found) == place.live and not {batch["seq"] for batch in found} & set(SERVICES)
    assert set(place.seqs("--all", "--since", "1h")) >= set(SERVICES)


@flag("ls", "--pending")
def ls_pending(place: Place) -> None:
    assert place.seqs("--pending", "--until", place.until) == place.waiting
    found = place.eventually(lambda: place.objects("ls", "--pending"), "something to be pending")
    assert {batch["state"] for batch in found} == {"pending"}


@flag("ls", "--held")
def ls_held(place: Place) -> None:
    assert place.seqs("--held", "--until", place.until) == HELD
    assert place.seqs("--until", place.until) == sorted(HELD + place.waiting), "without a choice: pending and held"


@flag("ls", "--history")
def ls_history(place: Place) -> None:
    assert place.seqs("--history", "--until", place.until) == place.delivered


@flag("ls", "--parked")
def ls_parked(place: Place) -> None:
    entries = place.objects("ls", "--parked", "--until", place.until)
    assert [f"{entry['seq']}:{entry['span_index']}" for entry in entries] == PARKED


@flag("ls", "--damaged")
def ls_damaged(place: Place) -> None:
    assert place.seqs("--damaged", "--until", place.until) == []
    with damaged(place, 2):
        result = place.run("--json", "ls", "--damaged", "--until", place.until)
    (batch,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert (batch["seq"], batch["state"], result.returncode) == (2, "damaged", 2) and batch["error"]


@flag("ls", "--service")
def ls_service(place: Place) -> None:
    for service in {"order", "pricing", "ledger", "shipping"}:
        assert place.seqs(*place.ours, "--service", service) == [n for n in SERVICES if service in SERVICES[n]]
    assert place.seqs(*place.ours, "--service", "orde") == []


@flag("ls", "--limit", "--oldest", "--reverse")
def ls_limit_oldest_reverse(place: Place) -> None:
    assert place.seqs(*place.ours, "--limit", "3") == [6, 7, 8]
    assert place.seqs(*place.ours, "--limit", "3", "--oldest") == [1, 2, 3]
    assert place.seqs(*place.ours, "--limit", "3", "--reverse") == [8, 7, 6]
    assert place.seqs("--all", "--limit", "3", "--oldest") == [1, 2, 3]


# --- show ---------------------------------------------------------------------------------


def expected_trace(place: Place, where: str) -> dict[str, tuple[Any, Any]]:
    """Spans of TRACE, with what is said of spool and MongoDB."""
    of: dict[str, tuple[Any, Any]] = {}
    for seq, ids in TRACE_SPANS.items():
        in_mongodb = seq in place.delivered
        for identifier in ids if in_mongodb or where != "mongodb" else set():
            spool = "delivered" if in_mongodb else "pending"
            of[identifier] = (None if where == "mongodb" else spool, None if where == "spool" else in_mongodb)
    return of


@flag("show", "--from")
def show_from(place: Place) -> None:
    for where in ("spool", "mongodb", "both"):
        rows = place.objects("show", "--from", where, TRACE)
        assert {row["span_id"]: (row["spool"], row["mongodb"]) for row in rows} == expected_trace(place, where)
    refused(place, "show", "--from", "elsewhere", TRACE, says='--from takes spool, mongodb or both, not "elsewhere"')


@flag("show", "--timeout")
def show_timeout(place: Place) -> None:
    """A MongoDB that takes connections and says nothing."""
    with Listener(lambda connection: connection.recv(1 << 16) and connection.recv(1)) as silent:
        variant = place.variant({"mongodb.uri": f"mongodb://127.0.0.1:{silent.port}/"})
        result = place.run("-c", variant, "show", TRACE, "--timeout", "300ms")
        assert result.returncode == 0 and "only the spool was looked through, MongoDB: " in result.stderr, result
        result = place.run("-c", variant, "show", "--from", "mongodb", TRACE, "--timeout", "300ms")
        assert result.returncode == 1, result
    refused(place, "show", TRACE, "--timeout", "soon", says="--timeout takes a duration")


@flag("show", "--otlp")
def show_otlp(place: Place) -> None:
    found = fidelity.shown(place.daemon.config, TRACE)
    ids = [span.span_id.hex() for request in found for span in otlp.every_span(request)]
    assert sorted(ids) == sorted(set().union(*TRACE_SPANS.values()))
    (entry,) = fidelity.shown(place.daemon.config, PARKED[0])
    assert [span.name for span in otlp.every_span(entry)] == ["charge"]


@flag("show", "--raw")
def show_raw(place: Place) -> None:
    lines = REQUESTS.read_text().splitlines()
    for seq in SERVICES:
        sent = fidelity.read_line(lines[seq - 1]).SerializeToString()
        assert otlp.spans_of(ctl.raw("show", str(seq), "--raw", config=place.daemon.config)) == otlp.spans_of(sent)


# --- shape --------------------------------------------------------------------------------


def shape(place: Place, *arguments: str) -> tuple[dict, dict[str, dict]]:
    """The total, and the rows by service."""
    total, *rows = place.objects("shape", "--limit", "0", *arguments)
    return total, {row["service"]: row for row in rows}


@flag("shape", "--pending")
def shape_pending(place: Place) -> None:
    total, rows = place.eventually(lambda: (found := shape(place, "--pending"))[0]["total"] and found, "pending spans")
    assert total["total"] == (total["total"] if place.live else spans_of(place.waiting))
    assert "ledger" not in rows


@flag("shape", "--held")
def shape_held(place: Place) -> None:
    total, _ = shape(place, "--held")
    assert total["total"] == sum(batch["spans"] for batch in place.objects("ls", "--held", "--limit", "0"))


@flag("shape", "--history")
def shape_history(place: Place) -> None:
    total, rows = shape(place, "--history")
    assert rows["ledger"]["total"] == SPANS[4]
    assert total["total"] >= spans_of(place.delivered) and (place.live or total["total"] == spans_of(place.delivered))


@flag("shape", "--parked")
def shape_parked(place: Place) -> None:
    total, rows = shape(place, "--parked")
    assert (total["total"], list(rows)) == (len(PARKED), ["ledger"])


@flag("shape", "--bytes", "--batches")
def shape_units(place: Place) -> None:
    wanted = fidelity.read_line(REQUESTS.read_text().splitlines()[3])
    _, rows = shape(place, "--history", "--bytes")
    size = sum(span.ByteSize() for span in otlp.every_span(wanted))
    assert (rows["ledger"]["unit"], rows["ledger"]["total"]) == ("bytes", size)
    _, rows = shape(place, "--history", "--batches")
    assert (rows["ledger"]["unit"], rows["ledger"]["total"]) == ("batches", 1)


@flag("shape", "--bucket")
def shape_bucket(place: Place) -> None:
    total, _ = shape(place, "--history", "--bucket", "5s")
    ends = [age["younger_than_seconds"] for age in total["ages"]]
    assert ends == [5 * 2**n for n in range(10)] + [None]


@flag("shape", "--limit")
def shape_limit(place: Place) -> None:
    rows = place.objects("shape", "--history", "--limit", "1")
    assert [row["row"] for row in rows] == ["total", "service", "others"]
    assert rows[0]["total"] == rows[1]["total"] + rows[2]["total"]


# --- tail ---------------------------------------------------------------------------------


def tailed(place: Place, *arguments: str) -> list[dict]:
    return place.objects("tail", "--no-follow", *arguments)


@flag("tail", "--limit")
def tail_limit(place: Place) -> None:
    for limit in (0, 2):
        rows = tailed(place, "--limit", str(limit))
        assert len(rows) == limit
    assert place.live or {row["seq"] for row in rows} == {7, 8}


@flag("tail", "--since")
def tail_since(place: Place) -> None:
    found = tailed(place, "--since", place.until)
    assert bool(found) == place.live and all(row["seq"] not in SERVICES for row in found)
    assert {row["seq"] for row in tailed(place, "--since", "1h")} >= set(SERVICES)


@flag("tail", "--service")
def tail_service(place: Place) -> None:
    rows = tailed(place, "--service", "ledger")
    assert [(row["seq"], row["name"]) for row in rows] == [(4, "charge"), (4, "card")]


@flag("tail", "--status")
def tail_status(place: Place) -> None:
    for status, name in (("error", "SELECT shop.order"), ("ok", "GET /price"), ("unset", "track")):
        rows = tailed(place, "--status", status, "--since", "1h")
        assert {row["status"] for row in rows} == {status} and name in {row["name"] for row in rows}


@flag("tail", "--min-duration")
def tail_min_duration(place: Place) -> None:
    rows = tailed(place, "--min-duration", "40ms", "--since", "1h")
    assert all(row["duration_seconds"] >= 0.04 for row in rows)
    assert [row["name"] for row in rows if row["seq"] in SERVICES] == ["POST /orders", "GET /price"]


@flag("tail", "--no-follow")
def tail_no_follow(place: Place) -> None:
    assert place.run("tail", "--no-follow").returncode == 0
    with Background("--json", "tail", "--limit", "1", config=place.daemon.config) as tail:
        tail.wait_lines(20 if place.live else 1)
        assert tail.child.poll() is None, "without it more is waited for"
        assert tail.end() == 0


# --- flush --------------------------------------------------------------------------------


@flag("flush", "--wait")
def flush_wait(place: Place) -> None:
    if place.live:
        answer = place.object("flush", "--wait", "30s")
        assert answer["waited_seconds"] is None or answer["delivered"]
    else:
        refused(place, "flush", "--wait", "30s", says=f"no daemon runs on {place.daemon.spool}: there is nobody")
    refused(place, "flush", "--wait", "soon", says='--wait takes a duration, such as 30s, not "soon"')
