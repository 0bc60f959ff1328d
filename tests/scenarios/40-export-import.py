"""Out of the spool into files of OTLP and back: every field of every span, once, whatever the form and the way."""

import json
import os
import signal
import subprocess

import pytest

from lib import ctl, documents, fidelity, otlp, records, verify
from lib.certificates import Authority, write_secret
from lib.clients import Client, Load, nonce
from lib.collector import Collector
from lib.daemon import Daemon, binary
from lib.terminal import Terminal
from lib.waiting import wait_until

TOKEN = "kX7f-first-token-0123456789"
NOBODY = "mongodb://127.0.0.1:1/"  # nothing is delivered

# A link's id of another length, which a Collector does not take, is in others.
FOR_A_COLLECTOR = ("java-0001", "node-0001", "python-awkward-000*")


def captures(*patterns: str) -> list[bytes]:
    """Those that are stored: one of all has no valid span."""
    requests = (path.read_bytes() for path in otlp.captures(*patterns))
    return [request for request in requests if otlp.spans_of(request)]


def valid(requests: list[bytes]) -> int:
    """Spans, one that comes twice counted twice."""
    return sum(otlp.is_valid(span) for request in requests for span in otlp.every_span(otlp.parse(request)))


def command(daemon: Daemon, *arguments: str) -> list[str]:
    return [binary("tracespool"), "-c", str(daemon.config), *arguments]


def run(daemon: Daemon, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """As bytes, with something to read."""
    return subprocess.run(command(daemon, *arguments), input=stdin, capture_output=True, timeout=120, check=False)


def summary(result: subprocess.CompletedProcess[bytes]) -> dict:
    """Of an export, which is on standard error."""
    return json.loads(result.stderr.splitlines()[-1])


def objects_of(*arguments: str, daemon: Daemon) -> list[dict]:
    """Of a command that passes over what is not valid."""
    result = ctl.run("--json", *arguments, config=daemon.config)
    assert result.returncode in (0, 2), result
    return [json.loads(line) for line in result.stdout.splitlines()]


def send(daemon: Daemon, requests: list[bytes]) -> None:
    with Client(daemon.endpoint) as client:
        for request in requests:
            assert client.send(request).ok


@pytest.fixture
def stopped(make_daemon, shared_mongod, database) -> Daemon:
    """A daemon that has stopped, and an empty spool; started again, it delivers to `database`."""
    daemon = make_daemon(shared_mongod, database.name).start()
    daemon.stop()
    return daemon


def another_spool(daemon: Daemon, name: str, **settings: object) -> None:
    """The stopped daemon's next spool, empty."""
    daemon.spool = daemon.spool.parent / name
    daemon.configure({"spool.path": daemon.spool, **settings})
    daemon.start()
    daemon.stop()


def fill(daemon: Daemon, requests: list[bytes], uri: str) -> None:
    """Into the spool, and not to MongoDB."""
    daemon.configure({"mongodb.uri": NOBODY})
    daemon.start()
    send(daemon, requests)
    daemon.stop()
    daemon.configure({"mongodb.uri": uri})


# --- round trips ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "running"),
    [
        ("json", True),
        ("proto", False),
        pytest.param("json", False, marks=pytest.mark.long),
        pytest.param("proto", True, marks=pytest.mark.long),
    ],
)
def test_round_trip(form, running, stopped, shared_mongod, database, folder):
    requests = captures()
    fill(stopped, requests, shared_mongod.uri)
    out = folder / "out"
    result = run(stopped, "--json", "export", "--format", form, "--output", str(out))
    assert result.returncode == 0 and result.stdout == b"", result
    said = summary(result)
    assert (said["batches"], said["spans"], said["bytes"]) == (len(requests), valid(requests), out.stat().st_size)
    assert list(folder.glob("out*")) == [out], "nothing is left beside it"
    again = run(stopped, "export", "--output", str(out))
    assert again.returncode == 1 and b"is already there, and nothing is written over it" in again.stderr

    another_spool(stopped, "second")
    if running:
        stopped.start()
    rejected = sum(len(list(otlp.every_span(otlp.parse(request)))) for request in requests) - valid(requests)
    for _ in range(2):  # the second time nothing is stored
        (told,) = objects_of("import", str(out), daemon=stopped)
        assert (told["requests"], told["spans"]) == (len(requests), valid(requests)), told
        assert (told["endpoint"] is not None) == running
        assert told["bad"] + told["refused"] == 0 and told["rejected_spans"] == rejected
    if not running:
        stopped.start()
    stopped.wait_delivered()
    assert verify.holds_exactly(database, requests) == 12181


def test_exported_json_has_every_field(stopped, shared_mongod):
    """By opentelemetry-proto's own reading."""
    requests = captures("python-awkward-*", "java-0001")
    fill(stopped, requests, shared_mongod.uri)
    lines = run(stopped, "export").stdout.decode().splitlines()
    assert len(lines) == len(requests)
    sent = [whole for request in requests for whole in fidelity.wholes(otlp.parse(request))]
    back = [whole for line in lines for whole in fidelity.wholes(fidelity.read_line(line))]
    assert fidelity.compare(sent, set(back)) > 0 and len(back) == len(sent)


def test_proto_is_what_came(stopped, shared_mongod):
    requests = captures("python-awkward-*")
    fill(stopped, requests, shared_mongod.uri)
    out = run(stopped, "export", "--format", "proto").stdout
    assert out == b"".join(len(request).to_bytes(4, "big") + request for request in requests)


# --- what is exported -------------------------------------------------------------------------------


def exported(daemon: Daemon, *arguments: str, status: int = 0) -> list[bytes]:
    result = run(daemon, "export", "--format", "proto", *arguments)
    assert result.returncode == status, result
    out, found = result.stdout, []
    while out:
        length = int.from_bytes(out[:4], "big")
        found.append(out[4 : 4 + length])
        out = out[4 + length :]
    return found


def test_what_is_exported(make_daemon, shared_mongod, database, folder):
    """Delivered, refused and parked, held, pending, damaged: each by its set and its id."""
    daemon = make_daemon(shared_mongod, database.name).start()
    template = otlp.Template(otlp.CAPTURES / "node-0001.pb")
    delivered = template.with_ids(nonce(7, 1))
    send(daemon, [delivered])
    daemon.wait_delivered()
    for name in documents.collections(database):
        database.command("collMod", name, validator={"serviceName": "nobody's"})
    parked = template.with_ids(nonce(7, 2))
    send(daemon, [parked])
    wait_until(lambda: daemon.metrics()["tracespool_spool_parked_entries"] > 0, "it to be parked")
    daemon.wait_delivered()
    daemon.stop()
    held, pending, damaged = (otlp.with_noise(template.with_ids(nonce(7, n)), 9000) for n in (3, 4, 5))
    fill(daemon, [held, pending, damaged], shared_mongod.uri)
    ctl.text("hold", "3", config=daemon.config)
    entries = len(ctl.objects("ls", "--parked", "--limit", "0", config=daemon.config))

    assert exported(daemon, "--history") == [delivered, parked]
    assert exported(daemon, "--held") == [held]
    assert exported(daemon, "--pending", "--limit", "1") == [pending]
    assert exported(daemon, "3", "1") == [delivered, held], "in their order"
    assert exported(daemon, "ALL") == [delivered, parked, held, pending, damaged], "parked spans are in their batch"
    assert exported(daemon, "--all") == exported(daemon, "ALL")
    assert exported(daemon, "--service", "nobody") == []
    assert len(exported(daemon, "--since", "1h", "--until", "now")) == 3 + entries
    of_parked = exported(daemon, "--parked")
    assert len(of_parked) == entries
    assert set(otlp.spans_of(*of_parked)) == set(otlp.spans_of(parked))
    assert exported(daemon, "2:0", "99", status=2) == of_parked[:1]
    assert exported(daemon, "2:all", "2:0") == of_parked
    assert exported(daemon, "99", status=1) == []
    default = exported(daemon)
    assert default == [*of_parked, held, pending, damaged], "what MongoDB does not have"

    records.flip(daemon.spool, [5])
    result = run(daemon, "export")
    assert result.returncode == 2
    assert b"batch 5 is passed over: a part is missing or its checksum is wrong" in result.stderr
    assert len(result.stdout.splitlines()) == len(default) - 1


def test_of_nothing_no_file_is_left(daemon, database, folder):
    out = folder / "out"
    arguments = ["--output", str(out)]

    def told(*more: str, status: int = 0) -> str:
        result = ctl.run("export", *arguments, *more, config=daemon.config)
        assert result.returncode == status and result.stdout == "", result
        assert list(folder.glob("out*")) == []
        return result.stderr

    assert told() == "nothing to export\n"
    send(daemon, captures("java-0001", "node-0001"))
    daemon.wait_delivered()
    assert told() == "nothing to export: 2 delivered batches; --history or --all takes them\n"
    ctl.text("replay", "1", "--yes", config=daemon.config)
    daemon.wait_delivered()
    since = "nothing to export: 2 delivered batches of that time; --history or --all takes them\n"
    assert told("--since", "1h") == told("--since", "1h", "--service", "nobody") == since
    assert told("--since", "2h", "--until", "1h") == "nothing to export\n"
    assert "99: there is no such batch; the newest is 2\n" in told("99", status=1)
    assert ctl.run("export", *arguments, "--since", "1h", "--all", config=daemon.config).returncode == 0
    assert len(out.read_text().splitlines()) == 2


def test_beside_a_loaded_daemon(daemon, database, folder):
    with Load(daemon.endpoint) as load:
        load.wait_for(50)
        result = run(daemon, "--json", "export", "ALL")
        assert result.returncode == 0, result.stderr
    lines = result.stdout.decode().splitlines()
    assert len(lines) == summary(result)["batches"] >= 50
    back = [fidelity.read_line(line).SerializeToString() for line in lines]
    verify.compare([], set(otlp.spans_of(*back)), otlp.spans_of(*load.acknowledged, *load.unacknowledged))
    daemon.wait_delivered()
    verify.holds_exactly(database, load.acknowledged, load.unacknowledged)


# --- what is imported ---------------------------------------------------------------------------------


def as_lines(*requests: bytes) -> list[bytes]:
    """OTLP/JSON by another writer than ours."""
    return [json.dumps(fidelity.as_otlp_json(otlp.parse(request))).encode() for request in requests]


@pytest.mark.parametrize("running", [True, False])
def test_what_is_bad_is_named_and_nothing_else_is_lost(running, stopped, database, folder):
    good = captures("java-0001", "node-0001")
    one, other = as_lines(*good)
    indented = json.dumps(json.loads(other), indent=2).encode()
    invalid = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00","spanId":"01"}]}]}]}'
    file = folder / "mixed.jsonl"
    file.write_bytes(b"\n".join([one, one[:100], b"no json", b"", indented, b'{"resourceMetrics":[]}', invalid]))
    if running:
        stopped.start()
    result = run(stopped, "--json", "import", str(file), str(folder / "missing"), stdin=b"")
    assert result.returncode == 1, result  # a file is missing
    told = json.loads(result.stdout)
    counts = ["requests", "rejected_spans", "empty", "bad", "unread_files"]
    assert [told[name] for name in counts] == [2, 1, 2, 2, 1], told
    text = result.stderr.decode()
    assert f"{file}, line 2: " in text and f"{file}, line 3: no request in OTLP/JSON" in text, text
    assert f"{folder}/missing: No such file" in text
    if not running:
        stopped.start()
    stopped.wait_delivered()
    verify.holds_exactly(database, good)


def test_a_dry_run_and_a_body_on_a_pipe(stopped, database):
    (body,) = captures("java-0001")
    said = run(stopped, "import", "--dry-run", stdin=body)
    assert said.returncode == 0 and said.stdout.startswith(b"would import 1 request, "), said
    assert ctl.status(stopped.config)["totals"]["received_batches"] == 0
    assert run(stopped, "import", stdin=body).returncode == 0
    stopped.start()
    stopped.wait_delivered()
    verify.holds_exactly(database, [body])


def test_a_full_spool_is_said(stopped, folder):
    another_spool(stopped, "small", **{"spool.size": "16MiB", "receiver.max_request_bytes": "4MiB", "mongodb.uri": NOBODY})
    template = otlp.Template(otlp.CAPTURES / "java-0001.pb")
    requests = [otlp.with_noise(template.with_ids(nonce(8, number)), 1_000_000) for number in range(30)]
    file = b"".join(len(request).to_bytes(4, "big") + request for request in requests)
    result = run(stopped, "--json", "import", "-", stdin=file)
    assert result.returncode == 1 and b"the spool is full" in result.stderr, result.stderr
    told = json.loads(result.stdout)
    assert 0 < told["requests"] < 30
    assert ctl.status(stopped.config)["pending"]["batches"] == told["requests"]


# --- pipes and terminals ----------------------------------------------------------------------------------


def piped(*commands: list[str]) -> list[int]:
    """Exit statuses of commands of which each reads the one before."""
    running: list[subprocess.Popen] = []
    for number, arguments in enumerate(commands):
        last = number == len(commands) - 1
        source = running[-1].stdout if running else subprocess.DEVNULL
        running.append(subprocess.Popen(arguments, stdin=source, stdout=None if last else subprocess.PIPE))
        if number > 0:
            running[-2].stdout.close()
    return [process.wait(60) for process in running]


@pytest.mark.parametrize("form", ["json", "proto"])
def test_export_into_send(form, stopped, shared_mongod, database):
    requests = captures("java-0001", "node-0001", "python-awkward-*")
    fill(stopped, requests, shared_mongod.uri)
    first = stopped.spool
    another_spool(stopped, "second")
    stopped.start()
    source = command(stopped, "--spool", str(first), "export", "--format", form)
    assert piped(source, command(stopped, "send", "-")) == [0, 0]
    stopped.wait_delivered()
    verify.holds_exactly(database, requests)


def test_a_reader_that_goes_away(stopped, shared_mongod):
    fill(stopped, captures(), shared_mongod.uri)
    assert piped(command(stopped, "export"), ["head", "-n", "1"]) == [-signal.SIGPIPE, 0]
    assert ctl.run("check", config=stopped.config).returncode == 0


def test_interrupted_it_leaves_no_file(stopped, shared_mongod, folder):
    fill(stopped, captures(), shared_mongod.uri)
    out = folder / "exported"
    with subprocess.Popen(command(stopped, "export", "--output", str(out)), stderr=subprocess.PIPE) as process:
        wait_until(lambda: process.poll() is not None or list(folder.glob("exported*")), "it to begin")
        process.send_signal(signal.SIGINT)
        text = process.communicate(timeout=60)[1]
    # Or it was done before the signal came.
    assert process.returncode == 0 or (process.returncode == 1 and b"interrupted" in text), (process.returncode, text)
    assert list(folder.glob("exported*")) == ([out] if process.returncode == 0 else [])


def on_a_terminal(daemon: Daemon, *arguments: str) -> tuple[int, str]:
    with Terminal(*arguments, config=daemon.config) as terminal:
        return terminal.wait_exit(), terminal.read()


def test_on_a_terminal(stopped, shared_mongod, folder):
    fill(stopped, captures("java-0001"), shared_mongod.uri)
    status, output = on_a_terminal(stopped, "export", "--format", "proto")
    assert status == 1 and "is no text for a terminal" in output
    status, output = on_a_terminal(stopped, "export")
    assert status == 0 and '{"resourceSpans":' in output
    status, output = on_a_terminal(stopped, "export", "--output", str(folder / "out"))
    assert status == 0 and "exporting: 1 batch" in output
    status, output = on_a_terminal(stopped, "import")
    assert status == 1 and "- is standard input" in output


# --- TLS and tokens ---------------------------------------------------------------------------------------


@pytest.fixture
def secured(make_daemon, shared_mongod, database, folder) -> tuple[Daemon, Authority]:
    """Its own certificate is signed by an authority, and clients need one of it, and a token."""
    authority = Authority(folder)
    tokens = write_secret(folder / "tokens", "# of tests", "", TOKEN)
    settings = {**authority.issue("server").settings, "receiver.bearer_tokens_file": tokens}
    return make_daemon(shared_mongod, database.name, settings), authority


def test_import_over_tls_with_a_token(secured, database, folder):
    daemon, authority = secured
    daemon.start()
    file = otlp.CAPTURES / "java-0001.pb"
    assert "1 OK" in ctl.text("send", "--ca", str(authority.ca.cert), str(file), config=daemon.config)
    (told,) = ctl.objects("import", "--ca", str(authority.ca.cert), str(file), config=daemon.config)
    assert told["requests"] == 1
    daemon.wait_delivered()
    verify.holds_exactly(database, [file.read_bytes()])

    refused = ["send", "--retry-for", "0", "--timeout", "5s", str(file)]
    named = [*refused, "--endpoint", daemon.endpoint, "--ca", str(authority.ca.cert)]
    result = ctl.run(*named, config=daemon.config)
    assert result.returncode == 2 and "UNAUTHENTICATED" in result.stdout, "no token to whom is named"
    wrong = write_secret(folder / "wrong", "another-token-of-nobody-0123")
    result = ctl.run(*named, "--token-file", str(wrong), config=daemon.config)
    assert result.returncode == 2 and "UNAUTHENTICATED" in result.stdout
    assert ctl.run(*named, "--token-file", str(folder / "tokens"), config=daemon.config).returncode == 0
    result = ctl.run(*named, "--tls-name", "elsewhere.example", config=daemon.config)
    assert result.returncode == 1 and "UNAVAILABLE" in result.stdout
    bad = write_secret(folder / "bad", "two words")
    result = ctl.run(*named, "--token-file", str(bad), config=daemon.config)
    assert result.returncode == 1 and f"{bad}:1: not a bearer token" in result.stderr
    assert "two words" not in result.stderr and TOKEN not in daemon.output()


def test_a_clients_certificate(secured, database):
    daemon, authority = secured
    own = authority.issue("operator")
    daemon.configure({"receiver.tls.client_ca_file": authority.ca.cert})
    daemon.start()
    file = str(otlp.CAPTURES / "java-0001.pb")
    ca = ["--ca", str(authority.ca.cert), "--retry-for", "0", "--timeout", "5s"]
    assert ctl.run("send", *ca, file, config=daemon.config).returncode == 1
    result = ctl.run("send", *ca, "--cert", str(own.cert), file, config=daemon.config)
    assert "--cert and --key come together" in result.stderr
    shown = ctl.text("send", *ca, "--cert", str(own.cert), "--key", str(own.key), file, config=daemon.config)
    assert "1 OK" in shown
    daemon.wait_delivered()
    verify.holds_exactly(database, captures("java-0001"))


def test_a_certificate_that_is_signed_by_itself_needs_no_option(make_daemon, shared_mongod, database, folder):
    own = Authority(folder).make("self", ["basicConstraints=critical,CA:TRUE", "subjectAltName=IP:127.0.0.1"])
    daemon = make_daemon(shared_mongod, database.name, own.settings).start()
    (told,) = ctl.objects("import", str(otlp.CAPTURES / "java-0001.pb"), config=daemon.config)
    assert told["requests"] == 1
    daemon.wait_delivered()
    verify.holds_exactly(database, captures("java-0001"))


# --- a Collector ---------------------------------------------------------------------------------------------

COLLECTOR = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{endpoint}"}}}}}}}}
exporters:
  file/json: {{path: "{folder}/json"}}
  file/proto: {{path: "{folder}/proto", format: proto}}
  file/zstd: {{path: "{folder}/zstd", compression: zstd}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [file/json, file/proto, file/zstd]}}}}
"""


@pytest.mark.skipif("OTELCOL" not in os.environ, reason="needs OTELCOL, see tests/README.md")
def test_files_of_a_collector(folder, processes, stopped, shared_mongod, database):
    """It takes what we export, and what its file exporter writes of it is imported in each of its forms."""
    requests = captures(*FOR_A_COLLECTOR)
    fill(stopped, requests, shared_mongod.uri)
    config = folder / "collector.yaml"
    collector = Collector(folder, config, "unused")
    config.write_text(COLLECTOR.format(endpoint=collector.endpoint, folder=folder))
    processes.append(collector)
    collector.start()
    assert piped(command(stopped, "export"), command(stopped, "send", "--endpoint", collector.endpoint, "-")) == [0, 0]
    assert collector.terminate(60) == 0
    sent = otlp.spans_of(*requests)
    for number, form in enumerate(["json", "proto", "zstd"]):
        another_spool(stopped, f"spool-{form}", **{"mongodb.database": f"{database.name}_{number}"})
        try:
            (told,) = ctl.objects("import", str(folder / form), config=stopped.config)
            assert told["requests"] == len(requests), told
            stopped.start()
            stopped.wait_delivered()
            stopped.stop()
            assert verify.compare(sent, documents.read(database.client[f"{database.name}_{number}"])) == len(sent)
        finally:
            database.client.drop_database(f"{database.name}_{number}")
