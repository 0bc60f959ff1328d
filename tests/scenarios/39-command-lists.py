"""`tracespool` ls, show, shape and replay by service: every option, beside the daemon, while it is stopped, under load."""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import tempfile
import termios
import time
from typing import Iterator

import pytest

from lib import ctl, lmdb, otlp, verify
from lib.clients import Client, Load
from lib.daemon import Daemon, binary
from lib.mongod import Mongod
from lib.process import memory_kib
from lib.waiting import wait_until

# Batches of the spool that all tests but the last ones look at, in their order.
DELIVERED = ["java-0001", "java-0005", "node-0001"]
REFUSED = ["node-0002"]
WAITING = ["java-0001", "node-0001", "java-0005", "python-awkward-0008"]
HELD = 7
SERVICES = {1: "order", 2: "order", 3: "pricing", 4: "pricing", 5: "order", 6: "pricing", 7: "order", 8: "svc-00"}

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
AGE = r"[\d.]+ m?s|\d+ m \d+ s"
ROW = re.compile(rf" *(\d+)  {TIME} +(?:{AGE}) +[\d,]+ +[\d.]+ (?:B|KiB)  (pending  |held     |delivered) (.+)")

at_rest = pytest.mark.parametrize("at_rest", [False, True], ids=["beside-the-daemon", "at-rest"])


def requests() -> list[bytes]:
    names = DELIVERED + REFUSED + WAITING
    return [otlp.Template(otlp.CAPTURES / f"{name}.pb").with_ids(n << 64 | n) for n, name in enumerate(names, 1)]


def spans(request: bytes) -> int:
    return len(otlp.spans_of(request))


class Spool:
    """A daemon, the requests of its batches, and the mongod that it lacks."""

    def __init__(self, mongod, daemon: Daemon):
        self.mongod, self.daemon, self.requests = mongod, daemon, requests()

    def send(self, *numbers: int) -> None:
        with Client(self.daemon.endpoint) as client:
            for number in numbers:
                assert client.send(self.requests[number - 1]).ok

    def text(self, *arguments: str) -> str:
        return ctl.text(*arguments, config=self.daemon.config)

    def objects(self, *arguments: str) -> list[dict]:
        return ctl.objects(*arguments, config=self.daemon.config)

    def seqs(self, *arguments: str) -> list[int]:
        return [batch["seq"] for batch in self.objects("ls", *arguments)]

    def parked(self) -> list[str]:
        return [f"{entry['seq']}:{entry['span_index']}" for entry in self.objects("ls", "--parked", "--limit", "0")]

    def raw(self, *arguments: str) -> bytes:
        return ctl.raw(*arguments, config=self.daemon.config)


def refuse_pricing(database) -> None:
    for name in verify.documents.collections(database):
        database.command("collMod", name, validator={"serviceName": {"$ne": "pricing"}})


def fill(mongod: Mongod, daemon: Daemon) -> Spool:
    """1 to 3 delivered; 4 too, its spans parked; 5, 6 and 8 pending, 7 held; MongoDB is away by then."""
    made = Spool(mongod.start(), daemon.start())
    made.send(1, 2, 3)
    daemon.wait_delivered()
    with mongod.client() as client:
        refuse_pricing(client["tracing"])
    made.send(4)
    wait_until(lambda: daemon.metrics()["tracespool_spool_parked_entries"] == spans(made.requests[3]), "all parked")
    daemon.wait_delivered()
    mongod.stop()
    made.send(5)
    wait_until(lambda: ctl.is_backing_off(daemon.config), "the daemon to back off")
    made.send(6, 7, 8)
    made.text("hold", str(HELD))
    return made


@pytest.fixture(scope="module", params=[False, True], ids=["beside-the-daemon", "at-rest"])
def spool(request: pytest.FixtureRequest) -> Iterator[Spool]:
    """One for all tests that change nothing."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tracespool-scenario-"))
    mongod = Mongod(folder)
    daemon = Daemon(folder, mongod.uri, "tracing")
    try:
        made = fill(mongod, daemon)
        if request.param:
            daemon.kill()  # a stop would wait for MongoDB
        yield made
    finally:
        daemon.kill()
        mongod.kill()
        shutil.rmtree(folder)


@pytest.fixture
def own_spool(own_mongod, make_daemon) -> Spool:
    """One beside its daemon, to be changed."""
    mongod = own_mongod()
    return fill(mongod, make_daemon(mongod, "tracing"))


# --- ls -----------------------------------------------------------------------------------


def test_ls_takes_what_each_option_says(spool):
    assert spool.seqs() == [5, 6, 7, 8]
    assert spool.seqs("--pending") == [5, 6, 8]
    assert spool.seqs("--held") == [7]
    assert spool.seqs("--history") == [1, 2, 3, 4]
    assert spool.seqs("--history", "--held") == [1, 2, 3, 4, 7]
    assert spool.seqs("--all") == [1, 2, 3, 4, 5, 6, 7, 8]
    assert spool.seqs("--all", "--reverse") == [8, 7, 6, 5, 4, 3, 2, 1]
    assert spool.seqs("--all", "--limit", "3") == [6, 7, 8]
    assert spool.seqs("--all", "--limit", "3", "--oldest") == [1, 2, 3]
    assert spool.seqs("--all", "--limit", "3", "--reverse") == [8, 7, 6]
    assert spool.seqs("--damaged") == []
    assert spool.seqs("--all", "--service", "order") == [1, 2, 5, 7]
    assert spool.seqs("--service", "order", "--pending") == [5]
    assert spool.seqs("--all", "--service", "order", "--limit", "1") == [7]
    assert spool.seqs("--all", "--service", "order", "--limit", "1", "--oldest") == [1]
    assert spool.seqs("--all", "--service", "svc-11", "--reverse") == [8]
    assert spool.seqs("--all", "--service", "orde") == []
    received = [batch["received_unix_ns"] for batch in spool.objects("ls", "--all")]
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(received[4] // 10**9)) + f".{received[4] % 10**9:09}Z"
    assert spool.seqs("--all", "--since", when) == [5, 6, 7, 8]
    assert spool.seqs("--all", "--until", when) == [1, 2, 3, 4]
    assert spool.seqs("--all", "--since", "1h", "--until", when, "--service", "pricing") == [3, 4]
    assert spool.seqs("--since", "1h", "--until", "now") == [5, 6, 7, 8]


def test_ls_as_people_see_it(spool):
    head, *lines = spool.text("ls", "--all").splitlines()
    assert head == "   SEQ  RECEIVED                   AGE   SPANS   STORED  STATE     SERVICES"
    parked = f"        ({spans(spool.requests[3])} of {spans(spool.requests[3])} spans parked: refused, code 121: "
    assert lines.pop(4).startswith(parked + "Document failed validation: {")
    assert [batch["parked_entries"] for batch in spool.objects("ls", "--all")] == [
        spans(spool.requests[3]) if number == 4 else 0 for number in range(1, 9)
    ]
    reasons = [line for line in lines if line.startswith("        (")]
    rows = [ROW.fullmatch(line) for line in lines if line not in reasons]
    assert all(rows), lines
    states = ["delivered"] * 4 + ["pending", "pending", "held", "pending"]
    assert [(int(row[1]), row[2].strip()) for row in rows] == list(enumerate(states, 1))
    assert all(row[3].startswith(SERVICES[int(row[1])]) for row in rows)
    # Why it waits: below the oldest that does.
    (reason,) = reasons
    assert lines.index(reason) == 5
    assert re.fullmatch(r" {8}\(tried (once|\d+ times): .*MongoDB cannot be reached .*\)", reason), reason
    assert "No suitable servers found" in reason, "all of it, where it is no terminal"
    shown = spool.text("show", "5").splitlines()[2]
    assert re.match(r"MongoDB backing off, failed (1 time|\d+ times) in a row: ", shown) and reason[:-1].endswith(shown[-40:])
    assert all(len(line) <= 100 for line in lines if line != reason)
    (oldest,) = spool.objects("ls", "--limit", "1", "--oldest")
    assert oldest["attempts"] > 0 and "MongoDB cannot be reached" in oldest["last_error"]
    assert [batch["attempts"] for batch in spool.objects("ls", "--all") if batch["seq"] != 5] == [None] * 7
    assert spool.text("ls", "--all", "--limit", "2").splitlines()[-1] == "The newest 2 of 8 batches; --limit 0 lists all."
    shown = spool.text("ls", "--oldest", "--service", "order", "--limit", "1")
    assert shown.splitlines()[-1] == "The oldest that matches; --limit 0 lists all."
    assert spool.text("ls", "--service", "x", "--held") == "No held batches match.\n"
    assert spool.text("ls", "--damaged") == "No batches match.\n"


def test_ls_lists_what_is_parked(spool):
    count = spans(spool.requests[3])
    entries = spool.objects("ls", "--parked", "--limit", "0")
    assert [entry["span_index"] for entry in entries] == list(range(count))
    assert {(entry["seq"], entry["code"], entry["attempts"]) for entry in entries} == {(4, 121, 1)}
    last = spool.objects("ls", "--parked", "--limit", "2")
    assert last == entries[-2:]
    assert spool.objects("ls", "--parked", "--limit", "2", "--oldest") == entries[:2]
    assert spool.objects("ls", "--parked", "--reverse", "--limit", "0") == entries[::-1]
    assert spool.objects("ls", "--parked", "--service", "pricing", "--since", "1h", "--limit", "0") == entries
    assert spool.objects("ls", "--parked", "--service", "order") == []
    assert spool.objects("ls", "--parked", "--until", "1h") == []
    assert spool.objects("ls", "--parked", "--damaged") == []
    head, line, foot = spool.text("ls", "--parked", "--limit", "1").splitlines()
    assert head == "           ID  PARKED                REASON        CODE   SPANS  WHY"
    name = f"4:{count - 1}"
    assert re.fullmatch(rf"{name:>13}  {TIME}  refused        121       1  Document failed validation.*", line)
    assert foot == f"The newest 1 of {count} entries; --limit 0 lists all."
    assert spool.text("ls", "--parked", "--limit", "0").splitlines()[-1] == (
        f"({count} x refused, code 121: Document failed validation)"
    )


def test_a_list_is_handed_on(own_spool):
    listed = own_spool.text("ls", "--service", "order", "--pending")
    command = [binary("tracespool"), "-c", str(own_spool.daemon.config), "hold", "-"]
    done = subprocess.run(command, input=listed, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"held 1 batch, {spans(own_spool.requests[4])} spans\n"
    assert own_spool.seqs("--held") == [5, 7]
    # What is parked too, and JSON.
    count = spans(own_spool.requests[3])
    command[3:4] = ["requeue", "--dry-run"]
    for form in ([], ["--json"]):
        listed = own_spool.text("ls", "--parked", "--limit", "0", *form)
        done = subprocess.run(command, input=listed, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout == f"would requeue {count} parked entries, {count} spans\n"
    listed = own_spool.text("ls", "--history", "--json", "--limit", "1")
    done = subprocess.run(command, input=listed, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"would requeue {count} parked entries, {count} spans\n"


# --- show ---------------------------------------------------------------------------------


def test_show_gives_a_parked_span_in_every_form(spool):
    sent = otlp.parse(spool.requests[3])
    whole = list(otlp.every_span(sent))
    for name in [spool.parked()[0], spool.parked()[-1]]:
        span = whole[int(name.split(":")[1])]
        alone = otlp.parse(spool.raw("show", name, "--raw"))
        assert list(otlp.every_span(alone)) == [span]
        assert alone.resource_spans[0].resource == sent.resource_spans[0].resource
        (entry,) = spool.objects("show", name)
        (request,) = [json.loads(line) for line in spool.text("show", name, "--otlp").splitlines()]
        assert entry["request"] == request
        (group,) = request["resourceSpans"]
        assert group["scopeSpans"][0]["spans"][0]["spanId"] == span.span_id.hex()
        assert {key: entry[key] for key in ("reason", "code", "attempts", "spans")} == {
            "reason": "refused",
            "code": 121,
            "attempts": 1,
            "spans": 1,
        }
        assert entry["text"].startswith('Document failed validation: { "operatorName" : ')
        lines = spool.text("show", name).splitlines()
        assert lines[0] == f"parked {name}  refused, code 121, tried once"
        assert re.fullmatch(r"received \S+Z \(.* ago\), parked \S+Z \(.* ago\)", lines[1])
        assert lines[2:5] == [entry["text"], "", "resource pricing"]
        assert f"span {span.name}" in lines and f"  id        {span.span_id.hex()}" in lines
        text = "\n".join(lines)
        resource = sent.resource_spans[0].resource
        keys = [pair.key for part in (resource, span, *span.events, *span.links) for pair in part.attributes]
        assert all(f"  {key} " in text or f"  {key}\n" in text for key in keys)
    missing = ctl.run("show", "4:4294967295", config=spool.daemon.config)
    assert missing.returncode == 1 and "nothing is parked at 4:4294967295" in missing.stderr
    count = len(whole)
    missing = ctl.run("show", "4:all", config=spool.daemon.config)
    assert missing.returncode == 1 and "4:all: the batch is not parked as a whole" in missing.stderr
    assert f"{count} spans of it are parked; `tracespool ls --parked` lists what is" in missing.stderr
    assert f"\n{count} of its {count} spans are parked; " in spool.text("show", "4")


def test_show_gives_the_bytes_of_a_batch(spool):
    for number, request in enumerate(spool.requests, 1):
        assert spool.raw("show", str(number), "--raw") == request
        assert spool.text("show", str(number), "--otlp") == spool.text("--json", "show", str(number))


def test_what_show_gives_of_a_parked_span_is_what_requeue_sends(own_spool):
    first = own_spool.parked()[0]
    shown = own_spool.raw("show", first, "--raw")
    (done,) = own_spool.objects("requeue", first)
    assert own_spool.raw("show", str(done["first_new_seq"]), "--raw") == shown


# --- shape --------------------------------------------------------------------------------


def table(text: str) -> tuple[list[str], dict[str, list[str]]]:
    head, *rows = [line.split() for line in text.splitlines()]
    return head, {row[0]: row[1:] for row in rows}


def test_shape_counts_services_by_age(spool):
    of = [spans(request) for request in spool.requests]
    head, rows = table(spool.text("shape", "--limit", "0"))
    assert head == "SERVICE TOTAL 1m 2m 4m 8m 16m 32m 64m 128m 256m 512m older".split()
    assert list(rows)[0] == "TOTAL" and len(rows) == 1 + 2 + 12
    assert int(rows["TOTAL"][0]) == of[4] + of[5] + of[7]
    assert int(rows["order"][0]) == of[4] and int(rows["pricing"][0]) == of[5]
    assert all(int(row[0]) == sum(map(int, row[1:])) for row in rows.values())
    totals = [int(row[0]) for row in rows.values()]
    assert totals == sorted(totals, reverse=True)

    _, rows = table(spool.text("shape", "--limit", "1"))
    assert list(rows) == ["TOTAL", "pricing", "(others)"]
    assert int(rows["(others)"][0]) == of[4] + of[7]
    _, rows = table(spool.text("shape", "--held"))
    assert {name: int(row[0]) for name, row in rows.items()} == {"TOTAL": of[6], "order": of[6]}
    _, rows = table(spool.text("shape", "--parked"))
    assert {name: int(row[0]) for name, row in rows.items()} == {"TOTAL": of[3], "pricing": of[3]}
    _, rows = table(spool.text("shape", "--history", "--pending", "--held", "--batches"))
    assert {name: int(rows[name][0]) for name in ("TOTAL", "order", "pricing", "svc-11")} == {
        "TOTAL": 8,
        "order": 4,
        "pricing": 3,
        "svc-11": 1,
    }
    head, _ = table(spool.text("shape", "--bucket", "5s"))
    assert head[2:5] == ["5s", "10s", "20s"]


def test_shape_as_json(spool):
    total, *services = spool.objects("shape", "--bytes", "--held")
    (order,) = services
    size = sum(span.ByteSize() for span in otlp.every_span(otlp.parse(spool.requests[HELD - 1])))
    assert (total["row"], order["row"], order["service"], order["unit"]) == ("total", "service", "order", "bytes")
    assert total["total"] == order["total"] == size == sum(age["count"] for age in order["ages"])
    ends = [age["younger_than_seconds"] for age in order["ages"]]
    assert ends == [60 * 2**n for n in range(10)] + [None]
    assert spool.objects("shape", "--parked", "--held", "--limit", "1")[-1]["row"] == "others"


def test_shape_of_nothing(daemon):
    assert ctl.text("shape", config=daemon.config) == "Nothing is pending.\n"
    assert ctl.text("shape", "--held", "--parked", config=daemon.config) == "Nothing is held or parked.\n"
    assert [row["total"] for row in ctl.objects("shape", config=daemon.config)] == [0]


# --- replay by service --------------------------------------------------------------------


@at_rest
def test_replay_of_a_service_brings_its_batches_back_and_no_other(make_daemon, shared_mongod, database, at_rest):
    daemon = make_daemon(shared_mongod, database.name).start()
    kept = Spool(None, daemon)
    kept.send(1, 2, 3, 5, 6, 8)
    daemon.wait_delivered()
    database.client.drop_database(database.name)
    if at_rest:
        daemon.stop()
    wanted = [kept.requests[n - 1] for n in (1, 2, 5)]
    told = f"3 batches, {sum(map(spans, wanted))} spans"
    dry = ctl.run("replay", "--since", "1h", "--service", "order", "--dry-run", config=daemon.config)
    assert (dry.stdout, dry.returncode) == (f"would replay {told}\n", 0)
    assert re.fullmatch(r"tracespool replay: what was received from \S+Z to now\n", dry.stderr), dry.stderr
    done = ctl.run("replay", "--since", "1h", "--service", "order", config=daemon.config)
    assert done.stdout == f"replayed {told}\n"
    assert done.stderr.endswith(
        f" to now\ntracespool replay: {told} will be replayed: MongoDB is sent them again, "
        "with what other services have in them\n"
    )
    if at_rest:
        daemon.start()
    daemon.wait_delivered()
    verify.holds_exactly(database, wanted)
    # A batch of many services comes as a whole, for the asking of one.
    (answer,) = ctl.objects("replay", "ALL", "--service", "svc-03", config=daemon.config)
    assert (answer["batches"], answer["spans"]) == (1, spans(kept.requests[7]))
    daemon.wait_delivered()
    verify.holds_exactly(database, wanted + [kept.requests[7]])


def test_hold_and_release_of_a_service(own_spool):
    (held,) = own_spool.objects("hold", "ALL", "--service", "pricing")
    assert (held["batches"], held["spans"]) == (1, spans(own_spool.requests[5]))
    assert own_spool.seqs("--held") == [6, 7]
    assert own_spool.text("release", "ALL", "--service", "order") == f"released 1 batch, {spans(own_spool.requests[6])} spans\n"
    assert own_spool.seqs("--held") == [6]
    refused = ctl.run("release", "6", "--service", "order", config=own_spool.daemon.config)
    assert (refused.returncode, refused.stderr) == (1, "tracespool release: 6: has no spans of order\n")


# --- a terminal ---------------------------------------------------------------------------


def on_terminal(config: pathlib.Path, columns: int, *arguments: str, **env: str) -> tuple[int, str]:
    """The exit status, and what a terminal of so many columns showed: standard output only."""
    inherited = {key: value for key, value in os.environ.items() if key not in ("MONGO_URI", "COLUMNS", "NO_COLOR")}
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    command = [binary("tracespool"), "-c", str(config), *arguments]
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=inner, env={**inherited, "TERM": "xterm", **env}
    )
    os.close(inner)
    shown = b""
    with contextlib.suppress(OSError):  # EIO: the last one has closed it
        while piece := os.read(outer, 65536):
            shown += piece
    os.close(outer)
    return child.wait(60), shown.decode().replace("\r\n", "\n")


def test_lists_fit_a_terminal(spool):
    config, entry = spool.daemon.config, spool.parked()[0]
    for columns in (80, 100, 160):
        for arguments in (["ls", "--all"], ["ls", "--parked"], ["shape", "--limit", "0"]):
            status, shown = on_terminal(config, columns, *arguments)
            plain = re.sub("\x1b\\[[0-9]*m", "", shown)
            assert status == 0 and plain != shown, "in color"
            # The ages alone take more than 80.
            assert max(map(len, plain.splitlines())) <= max(columns, 90 if arguments[0] == "shape" else 0)
    status, shown = on_terminal(config, 100, "show", entry)
    assert f"\x1b[1mparked {entry}\x1b[0m  refused" in shown and "span \x1b[1m" in shown
    for arguments, env in ((["--color", "never"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})):
        for verb in (["ls"], ["shape"], ["show", entry]):
            assert "\x1b" not in on_terminal(config, 100, *arguments, *verb, **env)[1]


def test_no_bytes_are_written_to_a_terminal(spool):
    for name in ("1", spool.parked()[0]):
        status, shown = on_terminal(spool.daemon.config, 100, "show", name, "--raw")
        assert (status, shown) == (1, "")


# --- under load ---------------------------------------------------------------------------

NOISE_BYTES = 100_000
RING = {"spool.reserve": False, "spool.size": "32MiB", "receiver.max_request_bytes": "4MiB"}
AROUND = 350  # batches of that size: more than the spool holds
MEMORY_KIB = 64 << 10
DEEP = {"spool.reserve": False, "spool.size": "512MiB", "receiver.max_request_bytes": "4MiB"}
DEEP_BATCHES = 1600  # of twice the noise: 320 MB


def resident_kib(pid: int) -> int:
    """The most that was resident so far, with what is mapped of the spool's file; 0 when the process has ended."""
    return memory_kib(pid, "VmHWM")


class SlowReader:
    """`ls --all --limit 0 --json`, whose lines are taken one by one out of a pipe that holds few."""

    def __init__(self, config: pathlib.Path):
        command = [binary("tracespool"), "-c", str(config), "ls", "--all", "--limit", "0", "--json"]
        self.child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        assert self.child.stdout is not None
        fcntl.fcntl(self.child.stdout, fcntl.F_SETPIPE_SZ, 4096)

    def line(self) -> dict | None:
        line = self.child.stdout.readline()
        return json.loads(line) if line else None

    def is_waiting(self) -> bool:
        """Asleep, as nobody takes what it has written."""
        stat = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text()
        return stat.rsplit(")", 1)[1].split()[0] == "S"


def test_a_list_that_is_read_slowly_does_not_hinder_the_daemon(make_daemon, shared_mongod, database):
    daemon = make_daemon(shared_mongod, database.name, RING).start()

    def evicted() -> float:
        return daemon.metrics()["tracespool_spool_evicted_records_total"]

    with Load(daemon.endpoint, noise_bytes=NOISE_BYTES, requests_per_second=60) as load:
        wait_until(lambda: load.failures or evicted() > 0, "the ring to turn", 120)
        listing = SlowReader(daemon.config)
        first = listing.line()
        assert first is not None and listing.child.poll() is None, "the first line comes before the last batch is read"
        wait_until(listing.is_waiting, "the list to wait for its reader")
        before = evicted()
        wait_until(lambda: load.failures or evicted() > before + AROUND, "the ring to turn once around", 120)
        assert listing.is_waiting() and listing.child.pid not in lmdb.looking(daemon.spool)
        seqs = [first["seq"]]
        assert resident_kib(listing.child.pid) < MEMORY_KIB
        while batch := listing.line():
            seqs.append(batch["seq"])
        _, complaints = listing.child.communicate()
        assert (listing.child.returncode, complaints) == (0, b"")
    assert seqs == sorted(set(seqs))
    metrics = daemon.metrics()
    assert metrics["tracespool_spool_refused_records_total"] == 0
    assert metrics["tracespool_spool_refusing_seconds_total"] == 0
    daemon.wait_delivered()


def test_looks_of_every_kind_under_load(make_daemon, shared_mongod, database):
    """One after the other without a pause, while clients send and the ring turns."""
    daemon = make_daemon(shared_mongod, database.name, RING).start()
    looks = (
        ["ls", "--all", "--limit", "0"],
        ["ls", "--all", "--limit", "20", "--reverse"],
        ["ls", "--history", "--service", "order", "--since", "1m"],
        ["ls", "--all", "--damaged", "--limit", "0"],
        ["ls", "--parked"],
        ["shape", "--history", "--pending"],
        ["replay", "ALL", "--service", "nobody", "--dry-run"],
    )
    with Load(daemon.endpoint, noise_bytes=NOISE_BYTES, requests_per_second=60) as load:
        wait_until(lambda: load.failures or daemon.metrics()["tracespool_spool_evicted_records_total"] > 0, "a turn", 120)
        for look in looks * 2:
            result = ctl.run("--json", *look, config=daemon.config)
            assert (result.returncode, result.stderr) == (0, ""), (look, result)
            for line in result.stdout.splitlines():
                json.loads(line)
        load.wait_for(20)
    assert daemon.metrics()["tracespool_spool_refused_records_total"] == 0
    daemon.wait_delivered()
    newest, *_ = ctl.objects("ls", "--all", "--reverse", "--limit", "1", config=daemon.config)
    assert newest["seq"] == ctl.status(daemon.config)["totals"]["next_seq"] - 1


@pytest.mark.long
def test_the_command_stays_small_however_large_the_spool(make_daemon, own_mongod, folder):
    """MongoDB is not there; every look goes through all batches."""
    daemon = make_daemon(own_mongod(), "tracing", DEEP).start()
    request = folder / "request.pb"
    request.write_bytes(otlp.with_noise((otlp.CAPTURES / "java-0001.pb").read_bytes(), 2 * NOISE_BYTES))
    ctl.text("send", "--repeat", str(DEEP_BATCHES), str(request), config=daemon.config)
    for look in (
        ["ls", "--limit", "0"],
        ["ls", "--reverse", "--limit", "0"],
        ["ls", "--service", "nobody"],
        ["shape"],
        ["replay", "ALL", "--service", "nobody", "--dry-run"],
    ):
        command = [binary("tracespool"), "-c", str(daemon.config), *look]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
            peak = 0
            while child.poll() is None:
                peak = max(peak, resident_kib(child.pid))
        assert child.returncode == 0 and 0 < peak < MEMORY_KIB, f"{look}: {peak} KiB"
