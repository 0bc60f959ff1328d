"""Manual pages say what the programs take, and nothing else; bash, zsh and fish complete it."""

import os
import pathlib
import re
import subprocess

import pytest

from lib import helped
from lib.completion import SHARE, SHELLS
from lib.daemon import binary
from lib.helped import first_words, indented, section

DOCS = pathlib.Path(__file__).parent.parent.parent / "docs"
PAGES = {
    "tracespool": "man1/tracespool.1",
    "tracespoold": "man8/tracespoold.8",
    "tracespool.conf": "man5/tracespool.conf.5",
}


def output(*command: str, **options) -> str:
    """What it prints, on both ways; it must succeed."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True, **options)
    return result.stdout


def page(name: str) -> str:
    """As it is read, in lines that are never broken."""
    text = output("mandoc", "-T", "utf8", "-O", "width=1000", str(SHARE / "man" / PAGES[name]))
    return re.sub(".\b", "", text)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_clean(name):
    path = str(SHARE / "man" / PAGES[name])
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "style", path], capture_output=True, text=True, check=False)
    # The other pages are not installed where this runs.
    assert [line for line in lint.stdout.splitlines() if "referenced manual not found" not in line] == []
    groff = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", path], capture_output=True, text=True, check=True)
    assert groff.stderr == ""


def test_command_page_has_every_verb_and_option_and_nothing_else():
    text = page("tracespool")
    options = first_words(indented(section(text, "OPTIONS"), 5))
    assert [name for name in options if name.startswith("-")] == helped.every_option()
    found: dict[str, list[str]] = {}
    for line in section(text, "VERBS"):
        if re.match(r" {5}\S", line):
            found[line.split()[0]] = []
        elif re.match(r" {13}--", line):
            found[list(found)[-1]].append(line.split()[0])
    assert found == {verb: helped.options(verb) for verb in helped.verbs()}


def test_command_page_says_what_help_says():
    """Every help text of a verb and of an option, and the words that they use."""
    text = " ".join(page("tracespool").split())
    for verb in helped.verbs():
        for line in helped.text(verb).splitlines()[1:]:
            for part in re.split(r" {2,}", line.strip()):
                assert part.rstrip(":") in text or part in ("Options:", "Options of every verb:"), (verb, part)


def test_configuration_page_has_every_key_and_nothing_else():
    reference = (DOCS / "configuration.md").read_text()
    rows = re.findall(r"^\| `([a-z_.]+)` \| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", reference, re.MULTILINE)
    lines = section(page("tracespool.conf"), "KEYS")
    names = indented(lines, 5)
    assert names == [row[0] for row in rows] and names
    texts = [" ".join(line.split()) for line in indented(lines, 13)]
    for _, default, span, meaning in rows:
        assert [texts.pop(0), texts.pop(0)] == [meaning, f"Default: {default}; range: {span}."]
    assert not texts


def test_daemon_page_has_every_option_status_and_metric_and_nothing_else():
    text, helped = page("tracespoold"), output(binary("tracespoold"), "--help")
    told = [re.sub(r" {2,}.*", "", line.strip()) for line in helped.splitlines() if re.match(r" +-", line)]
    assert [line.strip() for line in section(text, "OPTIONS") if re.match(r" {5}-", line)] == told
    exits = section(helped, "Exit status")
    assert [line.split() for line in section(text, "EXIT STATUS")] == [line.split() for line in exits]
    families = re.findall(r"^\| `([a-z_]+)", (DOCS / "metrics.md").read_text(), re.MULTILINE)
    shown = re.findall(r"^ {5}((?:tracespool|process)_[a-z_]+) \(", text, re.MULTILINE)
    assert shown == list(dict.fromkeys(families)) and shown


def test_install_puts_them_where_they_are_looked_for(folder):
    build = SHARE.parent
    output("cmake", "--install", str(build), env=os.environ | {"DESTDIR": str(folder)})
    shares = list(folder.glob("**/share"))
    assert len(shares) == 1
    installed = {str(path.relative_to(shares[0])) for path in shares[0].rglob("*") if path.is_file()}
    installed = {name for name in installed if not name.startswith("doc/")}
    assert installed == {f"man/{path}" for path in PAGES.values()} | {
        "bash-completion/completions/tracespool",
        "zsh/site-functions/_tracespool",
        "fish/vendor_completions.d/tracespool.fish",
    }


def cases() -> dict[str, set[str]]:
    """Command lines, and what may follow; in a folder that holds the folder `sub` and the file `request.pb`."""
    verbs = helped.verbs()
    every = helped.every_option()
    files = {"sub", "request.pb"}
    return {
        "tracespool ": set(verbs),
        "tracespool re": {verb for verb in verbs if verb.startswith("re")},
        "tracespool --config request.pb --color never --json st": {verb for verb in verbs if verb.startswith("st")},
        "tracespool -c request.pb re": {verb for verb in verbs if verb.startswith("re")},
        "tracespool --c": {option for option in every if option.startswith("--c")},
        "tracespool --color ": {"always", "auto", "never"},
        "tracespool --color=a": {"always", "auto"},
        "tracespool ls --color n": {"never"},
        "tracespool --config ": files,
        "tracespool -c ": files,
        "tracespool --spool ": {"sub"},
        "tracespool ls --limit ": set(),
        "tracespool show --from ": {"spool", "mongodb", "both"},
        "tracespool show --from=m": {"mongodb"},
        "tracespool show ": set(),
        "tracespool ls -- --": set(),
        "tracespool help s": {verb for verb in verbs if verb.startswith("s")},
        "tracespool send ": files,
        "tracespool send request.pb r": {"request.pb"},
        "tracespool salvage --output r": {"request.pb"},
        "tracespool nothing --": set(every),
        **{f"tracespool {verb} --": {*every, *helped.options(verb)} for verb in verbs},
    }


@pytest.mark.parametrize("shell", SHELLS)
def test_shell_completes(shell, folder):
    here = folder / "here"
    (here / "sub").mkdir(parents=True)
    (here / "request.pb").touch()
    expected = cases()
    answers = SHELLS[shell](folder, here, list(expected))
    assert dict(zip(expected, answers, strict=True)) == expected
