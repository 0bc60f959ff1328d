"""Checks of the options of export, import, salvage and send."""

import json

import grpc

from . import fidelity, otlp, scripted
from .certificates import write_secret
from .flags import flag, refused
from .places import REQUESTS, SERVICES, TOKEN, Place


# --- export -------------------------------------------------------------------------------


def exported(place: Place, *arguments: str) -> list[list[str]]:
    """The names of the spans of each request."""
    result = place.run("--json", "export", *arguments)
    assert result.returncode == 0, result
    requests = [fidelity.read_line(line) for line in result.stdout.splitlines()]
    told = json.loads(result.stderr)
    assert told["batches"] + told["parked_entries"] == len(requests)
    return [[span.name for span in otlp.every_span(request)] for request in requests]


@flag("export", "--held")
def export_held(place: Place) -> None:
    assert exported(place, "--held", "--until", place.until) == [["refresh"]]


@flag("export", "--parked")
def export_parked(place: Place) -> None:
    assert exported(place, "--parked") == [["charge"], ["card"]]


@flag("export", "--pending")
def export_pending(place: Place) -> None:
    found = place.eventually(lambda: exported(place, "--pending"), "something to be pending")
    assert place.live or found == [["send mail"], ["GET /orders", "label"], ["track"]]


@flag("export", "--history", "--until")
def export_history(place: Place) -> None:
    assert len(exported(place, "--history", "--until", place.until)) == len(place.delivered)
    assert exported(place, "--history", "--until", "1h") == []


@flag("export", "--all")
def export_all(place: Place) -> None:
    """Whatever has been delivered meanwhile; what is parked is in its batch."""
    found = exported(place, "--all", "--until", place.until)
    assert ["refresh"] in found and ["charge", "card"] in found
    assert found == exported(place, f"1-{len(found)}")


@flag("export", "--since")
def export_since(place: Place) -> None:
    assert bool(exported(place, "--history", "--since", place.until, "--limit", "3")) == place.live
    assert exported(place, "--history", "--since", "1h", "--limit", "1") == exported(place, "1")


@flag("export", "--service")
def export_service(place: Place) -> None:
    assert exported(place, "ALL", "--service", "ledger") == [["charge", "card"]]
    both = exported(place, "--history", "--held", "--pending", "--service", "shipping", "--until", place.until)
    assert both == [["GET /orders", "label"], ["track"]], "batches are whole"


@flag("export", "--limit")
def export_limit(place: Place) -> None:
    assert exported(place, "--history", "--limit", "2") == exported(place, "1", "2")


@flag("export", "--format", "--output")
def export_format_output(place: Place) -> None:
    out = place.folder / "out.pb"
    told = place.run("--json", "export", "3", "--format", "proto", "--output", str(out))
    assert (told.returncode, told.stdout) == (0, "")
    data = out.read_bytes()
    (span,) = otlp.every_span(otlp.parse(data[4:]))
    assert int.from_bytes(data[:4], "big") == len(data) - 4 and span.name == "GET /orders"
    assert json.loads(told.stderr)["bytes"] == len(data)
    again = place.run("export", "3", "--output", str(out))
    assert again.returncode == 1 and "nothing is written over it" in again.stderr
    out.unlink()
    assert exported(place, "3", "--format", "json") == [["GET /orders"]]
    refused(place, "export", "--format", "xml", says="--format takes json or proto")


# --- import, salvage, send: how and whereto ------------------------------------------------


def sending(place: Place, verb: str, port: int) -> list[str]:
    """A command that sends one request or more to this port, without TLS."""
    if verb == "salvage":
        return ["salvage", str(place.snapshot), "--endpoint", f"127.0.0.1:{port}"]
    file = place.requests(3, 3)
    if verb == "send":
        return ["send", file, "--endpoint", f"127.0.0.1:{port}"]
    variant = place.variant({"receiver.grpc": f"127.0.0.1:{port}"}, without=("tls", "bearer_tokens_file"))
    return ["-c", variant, "import", file]


def needs_no_receiver(place: Place, verb: str) -> bool:
    """Without a daemon `import` writes into the spool, and how the daemon would be reached does not matter."""
    return verb == "import" and not place.live


def trace_of_request(number: int) -> bytes:
    request = fidelity.read_line(REQUESTS.read_text().splitlines()[number - 1])
    return next(iter(otlp.every_span(request))).trace_id


def takes_timeout(place: Place, verb: str) -> None:
    """Of a receiver that does not answer; the default would be 10 s."""
    script = scripted.Script()
    script.answers = {trace_of_request(number): [scripted.silence] for number in SERVICES}
    scratch = place.scratch()
    with scripted.grpc_server(script) as server:
        command = [*sending(place, verb, server.port), "--timeout", "200ms", "--retry-for", "0"]
        result = scratch.run(*command)
        if needs_no_receiver(place, verb):
            assert result.returncode == 0 and not script.arrivals
        else:
            assert result.returncode == 1 and "DEADLINE_EXCEEDED" in result.stdout + result.stderr, result
            assert script.arrivals
        refused(scratch, *command, "--timeout", "2h", says="--timeout takes a duration of")


def takes_retry_for(place: Place, verb: str) -> None:
    """Of a receiver that says once: later."""
    scratch = place.scratch()
    for seconds, status in (("0", 1), ("30s", 0)):
        script = scripted.Script()
        later = scripted.status(grpc.StatusCode.UNAVAILABLE, 0.01)
        script.answers = {trace_of_request(3 if verb != "salvage" else 1): [later]}
        with scripted.grpc_server(script) as server:
            result = scratch.run(*sending(place, verb, server.port), "--retry-for", seconds)
        if needs_no_receiver(place, verb):
            assert result.returncode == 0 and not script.arrivals
        else:
            assert result.returncode == status, result
            assert ("again in" in result.stderr) == (status == 0), result
    refused(scratch, *sending(place, verb, 1), "--retry-for", "soon", says="--retry-for takes a duration")


for verb_that_sends in ("import", "salvage", "send"):
    flag(verb_that_sends, "--timeout")(lambda place, verb=verb_that_sends: takes_timeout(place, verb))
    flag(verb_that_sends, "--retry-for")(lambda place, verb=verb_that_sends: takes_retry_for(place, verb))


def takes_gzip(place: Place, verb: str) -> None:
    for option in ([], ["--gzip"]):
        script = scripted.Script()
        with scripted.grpc_server(script) as server:
            place.text(*sending(place, verb, server.port), *option)
        assert {arrival.compressed for arrival in script.arrivals} == {bool(option)}


for verb_that_sends in ("salvage", "send"):
    flag(verb_that_sends, "--gzip")(lambda place, verb=verb_that_sends: takes_gzip(place, verb))


@flag("send", "--endpoint")
def send_endpoint(place: Place) -> None:
    script = scripted.Script()
    with scripted.grpc_server(script) as server:
        shown = place.text(*sending(place, "send", server.port))
    assert f"1 request to 127.0.0.1:{server.port}" in shown and len(script.arrivals) == 1


@flag("salvage", "--endpoint")
def salvage_endpoint(place: Place) -> None:
    script = scripted.Script()
    with scripted.grpc_server(script) as server:
        told = place.object(*sending(place, "salvage", server.port))
    assert told["endpoint"] == f"127.0.0.1:{server.port}" and told["sent"] == len(script.arrivals) == len(SERVICES) + 2


@flag("send", "--repeat")
def send_repeat(place: Place) -> None:
    script = scripted.Script()
    with scripted.grpc_server(script) as server:
        answers = place.objects(*sending(place, "send", server.port), "--repeat", "3")
    assert [answer["number"] for answer in answers] == [1, 2, 3] and len(script.arrivals) == 3
    refused(place, "send", "--repeat", "0", place.requests(3, 3), says="--repeat takes a number from 1")


@flag("salvage", "--dry-run", "--output")
def salvage_dry_run_output(place: Place) -> None:
    told = place.object("salvage", "--dry-run", str(place.snapshot))
    assert (told["batches"], told["parked_entries"], told["sent"], told["dry_run"]) == (8, 2, 0, True)
    out = place.folder / "salvaged.pb"
    told = place.object("salvage", "--output", str(out), str(place.snapshot))
    assert (told["written"], told["sent"], told["output"]) == (10, 0, str(out))
    refused(place, "salvage", "--output", str(out), str(place.snapshot), says=str(out))
    out.unlink()


@flag("import", "--dry-run")
def import_dry_run(place: Place) -> None:
    scratch, file = place.scratch(), place.folder / "dry.jsonl"
    file.write_text(REQUESTS.read_text().splitlines()[0].replace('"order"', '"nobody"'))
    told = scratch.object("import", "--dry-run", str(file))
    assert (told["requests"], told["spans"], told["dry_run"]) == (1, 2, True)
    assert scratch.seqs("--all", "--service", "nobody") == []


# --- import, salvage, send: TLS and tokens -------------------------------------------------


def to_the_daemon(place: Place, verb: str, *arguments: str) -> tuple[int, str]:
    """The exit status and all that is said, of a command that says itself how to reach the daemon."""
    endpoint = [] if verb == "import" else ["--endpoint", place.daemon.endpoint]
    source = str(place.early) if verb == "salvage" else place.requests(3, 3)
    result = place.scratch().run(verb, *endpoint, "--retry-for", "0", *arguments, source)
    return result.returncode, result.stdout + result.stderr


def takes_security(place: Place, verb: str, option: str) -> None:
    """A daemon that wants TLS, a client's certificate and a token: with all of it, then without this or a wrong one."""
    ca, token = ["--ca", str(place.authority.ca.cert)], ["--token-file", str(place.folder / "tokens")]
    certificate = place.own_certificate
    wrong = write_secret(place.folder / "wrong", "another-token-of-nobody-0123")
    bad: dict[str, list[tuple[list[str], str]]] = {
        "--tls": [(["--tls", *certificate, *token], "UNAVAILABLE")],  # the system knows no authority of a test
        "--ca": [(["--ca", certificate[1], *certificate, *token], "UNAVAILABLE"),
                 (["--ca", "/nowhere", *certificate, *token], "cannot read /nowhere")],
        "--cert": [([*ca, *token], "UNAVAILABLE"), ([*ca, *certificate[2:], *token], "--cert and --key come together")],
        "--key": [([*ca, *certificate[:2], *token], "--cert and --key come together")],
        "--tls-name": [([*ca, *certificate, *token, "--tls-name", "elsewhere.example"], "UNAVAILABLE")],
        "--token-file": [([*ca, *certificate, "--token-file", str(wrong)], "UNAUTHENTICATED")],
    }
    good = [*ca, *certificate, *token, *(["--tls"] if option == "--tls" else []), "--tls-name", "localhost"]
    status, said = to_the_daemon(place, verb, *good)
    assert status == (0 if place.live or verb == "import" else 1), said
    for arguments, words in bad[option]:
        status, said = to_the_daemon(place, verb, *arguments)
        if needs_no_receiver(place, verb):
            assert status == 0, said
        else:
            assert status in (1, 2), (arguments, said)
            assert words in said or not place.live and "UNAVAILABLE" in said, (arguments, said)
            assert TOKEN not in said


for verb_that_sends in ("import", "salvage", "send"):
    for security in ("--tls", "--ca", "--cert", "--key", "--tls-name", "--token-file"):
        flag(verb_that_sends, security)(
            lambda place, verb=verb_that_sends, option=security: takes_security(place, verb, option)
        )
