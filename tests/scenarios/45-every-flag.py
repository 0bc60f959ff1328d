"""Every verb and option of `tracespool`: does what its help says beside a daemon under load and at rest, and prints
what is in the golden files; colours, questions and progress on a pseudo-terminal. The list is what help names."""

import contextlib
import json
import pathlib
import re
import shutil
import tempfile
import termios
from typing import Any, Iterator

import pytest

from lib import ctl, golden, helped, otlp
from lib.mongos import Mongos
from lib.places import PARKED, REQUESTS, SPANS, TRACE, Place
from lib.terminal import CTRL_C, Terminal, frames, plain, sequences
from lib.waiting import wait_until

TABLES = ("lib.flags", "lib.flags_look", "lib.flags_edit", "lib.flags_move", "lib.flags_rest")
pytest.register_assert_rewrite(*TABLES)

# pylint: disable=wrong-import-position,unused-import
from lib import flags_edit, flags_look, flags_move  # they enter their checks
from lib.flags import CHECKS, OF_EVERY_VERB, Check, damaged
from lib.flags_rest import IN_COLOR, LOOKS


@contextlib.contextmanager
def made_place(mongod, load: bool) -> Iterator[Place]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tracespool-scenario-"))
    place = Place(folder, mongod, folder.name.replace("-", "_"))
    try:
        place.fill()
        with place.under_load() if load else contextlib.nullcontext():
            yield place
    finally:
        place.end()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def resting(shared_mongod) -> Iterator[Place]:
    with made_place(shared_mongod, False) as place:
        yield place


@pytest.fixture(scope="module")
def loaded(shared_mongod) -> Iterator[Place]:
    with made_place(shared_mongod, True) as place:
        yield place


@pytest.fixture(params=["resting", "loaded"])
def place(request: pytest.FixtureRequest) -> Place:
    return request.getfixturevalue(request.param)


# --- the tables, and running them ---------------------------------------------------------


def test_every_option_that_help_names_has_its_check_and_no_other():
    of_verbs = {(verb, option) for verb in helped.verbs() for option in helped.options(verb)}
    assert set(CHECKS) == of_verbs and of_verbs
    assert set(OF_EVERY_VERB) == set(helped.every_option())
    assert set(LOOKS) == set(helped.verbs())


def named(check: Check) -> str:
    """By what it is of: ls--limit--oldest."""
    keys = [key for key, value in CHECKS.items() if value is check]
    return keys[0][0] + "".join(option for _, option in keys)


@pytest.mark.parametrize("check", dict.fromkeys(CHECKS.values()), ids=named)
def test_option(place, check):
    check(place)


@pytest.mark.parametrize("verb", LOOKS)
def test_options_of_every_verb(place, verb):
    for check in OF_EVERY_VERB.values():
        check(place, verb)


def misspelled(word: str) -> str:
    """With its first letter doubled."""
    return re.sub(r"(\w)", r"\1\1", word, count=1)


@pytest.mark.parametrize("verb", LOOKS)
def test_a_mistake_in_a_verb_or_an_option_gets_a_suggestion(verb):
    result = ctl.run(misspelled(verb))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.endswith(f"\nDid you mean `tracespool {verb}`?\n"), result
    for option in ("--config", *helped.options(verb)[-1:]):
        result = ctl.run(verb, misspelled(option))
        assert (result.returncode, result.stdout) == (1, "")
        wanted = f"tracespool {verb}: there is no option {misspelled(option)}\nDid you mean {option}?\n"
        assert result.stderr == wanted, result


# --- golden outputs ------------------------------------------------------------------------

# What does not end is not in a golden file.
NOT_GOLDEN = {("status", "--watch")}
WRONG = 'spool = { size = "8G"; };\nflush = { thread = 2; };\n'


def golden_verb(line: str) -> str:
    return next((word for word in line.split()[2:] if word in LOOKS), "")


def test_golden_files_are_those_of_the_verbs_and_have_every_option_and_json():
    assert {path.stem for path in golden.GOLDEN.glob("*.txt")} == set(LOOKS)
    for verb in LOOKS:
        lines = [line.split() for line in golden.command_lines(verb) if golden_verb(line) == verb]
        used = {word for line in lines for word in line if word.startswith("--")}
        assert set(helped.options(verb)) - used == {option for name, option in NOT_GOLDEN if name == verb}, verb
        assert "--json" in used, verb


@pytest.fixture
def desk(resting, folder) -> Iterator[tuple[pathlib.Path, dict[str, str]]]:
    """A folder with a copy of the spool at rest and what the command lines of golden files name; and its words."""
    shutil.copytree(resting.snapshot, folder / "spool")
    lines = REQUESTS.read_text().splitlines(keepends=True)
    (folder / "requests.jsonl").write_text("".join(lines))
    (folder / "three.jsonl").write_text(lines[2])
    (folder / "cut.jsonl").write_text(lines[2] + lines[0][:90] + "\n")
    (folder / "wrong.conf").write_text(WRONG)
    plain_settings = {"spool.path": folder / "spool"}
    text = pathlib.Path(resting.variant(plain_settings, without=("tls", "bearer_tokens_file"))).read_text()
    (folder / "tracespool.conf").write_text(text)
    with Mongos(resting.mongod.port) as mongos:
        (folder / "mongos.conf").write_text(text.replace(resting.mongod.uri, mongos.uri))
        yield folder, {str(folder): "FOLDER", resting.database: "DATABASE"}


@pytest.mark.parametrize("verb", LOOKS)
def test_output_is_what_the_golden_file_says(desk, verb):
    folder, words = desk
    golden.compare(verb, folder, folder / "tracespool.conf", words)


# --- members of JSON -----------------------------------------------------------------------

DOCUMENT = (golden.GOLDEN.parents[2] / "docs" / "command.md").read_text()
# Words in the same paragraphs that are values, verbs or options.
VALUES = {
    "show": {"unspecified", "internal", "server", "client", "producer", "consumer", "unset", "ok", "error"}
    | {"parent_missing", "parent_cycle", "delivered", "pending", "held"},
    "shape": {"others", "spans", "bytes", "batches", "name"},
    "flush": {"mongodb", "state", "status"},
    "edit": {"requeue", "release"},
    "check": {"structure", "batch", "parked", "pending", "held", "counters"},
    "shard": {"sharded", "sharded_before", "would_shard", "failed"},
    "size": {"given"},
    "config": {"default", "environment", "option", "receiver", "tls", "cert_file"},
}


def documented(title: str, begin: str, end: str = "\n\n", what: str = "") -> set[str]:
    """The words in code that are between `begin` and `end`, below the title."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found and begin in found[1], (title, begin)
    text = found[1].split(begin, 1)[1].split(end, 1)[0]
    names = re.findall(r"`\.?([a-z][a-z_.\[\]]*)`", text)
    parts = {part for name in names for part in name.replace("[]", "").split(".")}
    return parts - VALUES.get(what or title.split()[-1], set())


def members(value: Any) -> set[str]:
    """At every depth, but not of a request, which is OTLP's."""
    if isinstance(value, list):
        return set().union(*map(members, value))
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(members(inner) for key, inner in value.items() if key != "request"))


def of_json(place: Place, *arguments: str) -> set[str]:
    """Of a run that may end with any status; of an export it is on standard error."""
    result = place.run("--json", *arguments)
    lines = (result.stderr if "export" in arguments else result.stdout).splitlines()
    assert lines, result
    return set().union(*(members(json.loads(line)) for line in lines))


def test_status_has_the_members_that_are_documented(loaded):
    wanted = documented("tracespool status", "`--json` prints one object", end="\x00") - {"null", "rates"}
    loaded.eventually(lambda: ctl.status(loaded.daemon.config)["rates"], "rates")
    found = of_json(loaded, "status")
    assert found - {"rates"} == wanted


def test_lists_and_traces_have_the_members_that_are_documented(resting):
    example = re.search(r'^\{"seq".*"services".*\}$', DOCUMENT, re.MULTILINE)
    assert example and of_json(resting, "ls") == set(json.loads(example[0]))
    parked = documented("tracespool ls", "In JSON:", end=". An entry")
    assert of_json(resting, "ls", "--parked") == parked
    assert of_json(resting, "show", PARKED[0]) == parked | {"request"}
    assert of_json(resting, "show", TRACE) == documented("tracespool show", "`--json` prints a line a span")
    assert of_json(resting, "shape") == documented("tracespool shape", "`--json` prints")
    assert of_json(resting, "tail", "--no-follow") == documented("tracespool tail", "`--json` prints")


@pytest.mark.parametrize("verb", ["hold", "release", "requeue", "rm", "replay"])
def test_edits_have_the_members_that_are_documented(resting, verb):
    wanted = documented("Changing the spool", "With `--json` each prints one object", end="\x00", what="edit")
    assert of_json(resting, verb, "99") == wanted


def test_other_verbs_have_the_members_that_are_documented(resting, loaded):
    assert of_json(loaded, "flush") == documented("tracespool flush", "`--json` prints")
    assert of_json(resting, "export") == documented("tracespool export", "with `--json` as one object:")
    assert of_json(resting, *["import", *LOOKS["import"](resting)]) == documented("tracespool import", "In JSON:")
    with damaged(resting, 2):
        assert of_json(resting, "check") == documented("tracespool check", "`--json` prints")
    salvage = ["salvage", *LOOKS["salvage"](resting)]
    assert of_json(resting, *salvage) == documented("tracespool salvage", "`--json` prints")
    assert of_json(loaded, *["send", *LOOKS["send"](loaded)]) == documented("tracespool send", "`--json` prints")
    with Mongos(resting.mongod.port) as mongos:
        variant = resting.variant({"mongodb.uri": mongos.uri})
        shard = ["-c", variant, "shard", "--dry-run"]
        assert of_json(resting, *shard) == documented("tracespool shard", "`--json` prints")
    assert of_json(resting, "size", "--rate", "1") == documented("tracespool size", "`--json` prints")
    assert of_json(resting, "config") == documented("tracespool config", "`--json` prints")


# --- a terminal ----------------------------------------------------------------------------


def on_terminal(place: Place, *arguments: str, **env: str) -> tuple[int, str]:
    with Terminal(*place.extra, *arguments, config=place.daemon.config, **env) as terminal:
        return terminal.wait_exit(), terminal.read()


def colors(text: str) -> list[str]:
    return [sequence for sequence in sequences(text) if sequence.endswith("m")]


@pytest.mark.parametrize("verb", LOOKS)
def test_colors(resting, verb):
    arguments = [verb, *LOOKS[verb](resting)]
    status, shown = on_terminal(resting, *arguments)
    assert bool(colors(shown)) == (verb in IN_COLOR)
    piped = resting.run(*arguments, COLUMNS="120")
    assert status == piped.returncode
    if verb in IN_COLOR:  # the same otherwise, but for progress
        words = {str(resting.folder): "FOLDER"}
        text = re.sub(r"\r[^\n]*\r", "", plain(shown).replace("\r\n", "\n"))
        assert golden.normalised(text, words) == golden.normalised(piped.stdout, words)
    assert "\x1b" not in on_terminal(resting, *arguments, TERM="dumb")[1]
    if verb in IN_COLOR:
        assert not colors(on_terminal(resting, *arguments, NO_COLOR="1")[1])
        assert not colors(on_terminal(resting, "--color", "never", *arguments)[1])
        assert colors(on_terminal(resting, "--color", "always", *arguments, NO_COLOR="1")[1])


@pytest.mark.parametrize("keys", [b"n\n", b"\n", b"no\n", b"\x04", CTRL_C], ids=["n", "enter", "no", "end", "ctrl-c"])
@pytest.mark.parametrize("verb", ["rm", "replay"])
def test_a_question_that_is_not_answered_with_yes_changes_nothing(resting, verb, keys):
    seq = "5" if verb == "rm" else "3"
    with Terminal(verb, seq, config=resting.daemon.config) as terminal:
        terminal.wait_for(lambda text: text.endswith("Go on? (y/N) "), "the question")
        terminal.press(keys)
        status = terminal.wait_exit()
        assert (status, f"tracespool {verb}: nothing was" in terminal.read()) in ((1, True), (-2, False))
    assert resting.seqs("--pending", "--until", resting.until) == resting.waiting


@pytest.mark.parametrize("answer", [b"y\n", b"yes\n"])
@pytest.mark.parametrize("verb", ["rm", "replay"])
def test_a_question_that_is_answered_with_yes(place, verb, answer):
    scratch = place.scratch()
    (seq,) = scratch.spare() if verb == "rm" else scratch.history(1)
    with Terminal(*scratch.extra, verb, f"{seq}-{seq}", config=place.daemon.config) as terminal:
        terminal.wait_for(lambda text: text.endswith("Go on? (y/N) "), "the question")
        terminal.press(answer)
        assert terminal.wait_exit() == 0
        done = "removed 1 batch" if verb == "rm" else "replayed 1 batch"
        assert done in terminal.read()


def test_nobody_is_asked_what_comes_from_standard_input(place):
    scratch = place.scratch()
    (seq,) = scratch.spare()
    result = scratch.run("rm", "-", stdin=f"{seq}\n")
    assert result.returncode == 1 and "what standard input names cannot be undone and nobody" in result.stderr
    assert seq in scratch.seqs("--held")
    assert scratch.run("rm", "-", "--yes", stdin=f"{seq}\n").stdout.startswith("removed 1 batch")


# How the progress of each begins. An edit shows it between two steps.
PROGRESS = {
    "hold 5 8": "held 1 batch",
    "release 5 8": "released 1 batch",
    "requeue 4:0 4:1": "requeued 1 parked entry",
    "rm 5 8 --yes": "removed 1 batch",
    "replay 1 3 --yes": "replayed 1 batch",
    "replay ALL --service order --yes": "looking for the service: ",
    "shape": "looking into batches: ",
    "export --output out.jsonl": "exporting: ",
    "import {requests}": "importing: ",
    "check": "batches",
    "salvage --dry-run {spool}": "searching: ",
}


@pytest.mark.parametrize("line", PROGRESS)
def test_progress_is_shown_on_a_terminal_and_taken_away(resting, line):
    out = resting.folder / "out.jsonl"
    words = line.format(requests=resting.requests(3, 3), spool=resting.snapshot).replace("out.jsonl", str(out)).split()
    scratch = resting.scratch()
    if line == "release 5 8":
        scratch.text("hold", "5-8")
    if line == "check":  # more than it reads in one step
        large = resting.folder / "large.pb"
        large.write_bytes(otlp.with_noise((otlp.CAPTURES / "java-0001.pb").read_bytes(), 1_000_000))
        scratch.text("import", *[str(large)] * 10)
    shown = on_terminal(scratch, *words)[1]
    out.unlink(missing_ok=True)
    assert re.search(rf"\r{PROGRESS[line]}[^\r\n]+\x1b\[K", shown), shown
    assert "\r\x1b[K" in shown, "nothing of it is left"
    assert "\x1b" not in on_terminal(resting.scratch(), *words, TERM="dumb")[1]
    out.unlink(missing_ok=True)
    assert "\r" not in resting.scratch().run(*words).stderr
    out.unlink(missing_ok=True)


def test_flush_shows_its_progress(loaded):

    def flush() -> str:
        return on_terminal(loaded, "flush", "--wait", "30s")[1].replace("\r\n", "")

    shown = loaded.eventually(lambda: "\r" in (text := flush()) and text, "a wait")
    assert re.search(r"\r[^\r]+pending[^\r]*\x1b\[K", shown), shown


def test_watch_and_tail_at_rest_end_with_ctrl_c(resting):
    with Terminal("status", "--watch=100ms", config=resting.daemon.config) as terminal:
        before = termios.tcgetattr(terminal.fd)
        terminal.wait_for(lambda text: len(frames(text)) >= 3, "three frames")
        terminal.press(CTRL_C)
        assert terminal.wait_exit() == 0
        assert terminal.read().endswith("\x1b[?7h\x1b[?25h\x1b[?1049l") and termios.tcgetattr(terminal.fd) == before
    with Terminal("tail", config=resting.daemon.config) as terminal:
        terminal.wait_for(lambda text: "track" in text, "the last span")
        terminal.press(CTRL_C)
        assert terminal.wait_exit() == 0


def test_requeue_beside_the_daemon(loaded):
    """The last one: nothing is parked afterwards."""
    loaded.rule({})
    assert loaded.object("requeue", "ALL", "--dry-run")["parked_entries"] == len(PARKED)
    told = loaded.object("requeue", "ALL")
    assert (told["parked_entries"], told["spans"], told["dry_run"]) == (len(PARKED), len(PARKED), False)

    def arrived() -> int:
        return len(loaded.run("--json", "show", "--from", "mongodb", "d4" * 16).stdout.splitlines())

    wait_until(lambda: arrived() == SPANS[4], "the spans to be delivered")
    assert loaded.objects("ls", "--parked") == []
