"""Outputs of `tracespool`, compared byte by byte with files: data/golden/VERB.txt.

A file is a list of command lines with what each prints: `$ tracespool ...`, the lines of standard output, those of
standard error after `2> `, and the exit status in brackets where it is not 0. They run one after the other in a folder
with a copy of the spool of lib/places.py. With TRACESPOOL_TEST_GOLDEN=write the outputs in the file are replaced.
"""

import os
import pathlib
import re
import shlex
from typing import Iterator, NamedTuple

from . import ctl
from .places import GOLDEN

PROMPT = "$ tracespool "


class Rule(NamedTuple):
    """What is not the same each time, and what stands for it."""

    why: str
    pattern: str
    becomes: str


AGE = r"(?:\d+ [dhms] \d+ [hms]|[\d.]+ (?:s|ms|µs|ns))"
# Spans of golden/requests.jsonl are of this day, so that their times, which do not vary, are told from others.
OTHER_TIME = r"(?!2026-11-22T)20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d"

RULES = [
    Rule("when something was received or parked", rf"{OTHER_TIME}\.\d+Z", "YYYY-MM-DDThh:mm:ss.mmmZ"),
    Rule("the same in lists", rf"{OTHER_TIME}Z", "YYYY-MM-DDThh:mm:ssZ"),
    Rule("the same in JSON", r'("(?!start|end)\w*_unix_ns"|"time_unix_ns"):\d+', r"\1:TIME"),
    Rule("how long ago that was", rf"{AGE}(?= ago)|(?<=for ){AGE}|(?<=within |covers ){AGE}", "AGE"),
    Rule("the same in lists", rf"(?<=ssZ) +{AGE}(?= +\d+ )", "AGE"),
    Rule("the same in JSON", r'("(?:age|oldest_age|elapsed|covered)_seconds"):[\d.e-]+', r"\1:AGE"),
    Rule("how long an answer took", rf"\({AGE}\)|(?<= in ){AGE}(?=:)", "TIME"),
    Rule("the release of gRPC says it", r'failed to connect to all [^"\n]*?(?= TIME|"|$)', "NO CONNECTION"),
    Rule("days of MongoDB's that begin today or later", r"traces_(?!20261122)20\d{6}", "traces_DAY"),
    Rule("their number, around midnight", r"^(.*traces_DAY.*\n)\1+", r"\1"),
    Rule("the release of zstd makes it", r" +[\d.]+ B(?=  (?:pending|held|delivered|damaged))", "SIZE"),
    Rule("the same in a text", r"(?<=as zstd in )[\d.]+ B|(?<=spans, )[\d.]+ B(?=;)|(?<=read, )[\d.]+ KiB", "SIZE"),
    Rule("the same in JSON", r'("(?:stored|used|file)_bytes"):\d+', r"\1:SIZE"),
    Rule("room on this machine's disk", r"[\d.]+ [KMGT]iB(?= of| free)", "ROOM"),
    Rule("the same in JSON", r'("file_system_free_bytes"):\d+', r"\1:ROOM"),
    Rule("pages that commits have made free", r"\d+(?= pages in use| free)|(?<=(?:used|free)_pages\":)\d+", "N"),
    Rule("ports", r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    Rule("the column behind a path or a port", r" +(?=# FOLDER)", "  "),
    Rule("where the configuration is by default", r"(?<=default )/\S+/tracespool\.conf", "CONF"),
    Rule("the release", r"(?<=tracespool )\d+\.\d+\.\d+\S*", "VERSION"),
]


def replaced(match: re.Match, becomes: str) -> str:
    """As wide as before where a column is, which begins with spaces."""
    text = match.expand(becomes)
    return text.rjust(len(match[0])) if match[0].startswith(" ") and text.strip() else text


def normalised(text: str, words: dict[str, str]) -> str:
    """`words` are paths and names of the test's own, and what stands for them."""
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    for rule in RULES:
        text = re.sub(rule.pattern, lambda match, rule=rule: replaced(match, rule.becomes), text, flags=re.MULTILINE)
    return text


def command_lines(verb: str) -> list[str]:
    lines = (GOLDEN / f"{verb}.txt").read_text().splitlines()
    return [line for line in lines if line.startswith(PROMPT)]


def block(line: str, cwd: pathlib.Path, config: pathlib.Path, words: dict[str, str]) -> Iterator[str]:
    """The command line and what it prints."""
    result = ctl.run(*shlex.split(line)[2:], config=config, cwd=cwd)
    yield line
    yield from normalised(result.stdout, words).splitlines()
    yield from (f"2> {error}" for error in normalised(result.stderr, words).splitlines())
    if result.returncode != 0:
        yield f"[{result.returncode}]"


def compare(verb: str, cwd: pathlib.Path, config: pathlib.Path, words: dict[str, str]) -> None:
    path = GOLDEN / f"{verb}.txt"
    lines = [printed for line in command_lines(verb) for printed in block(line, cwd, config, words)]
    text = "".join(f"{line}\n" for line in lines)
    if os.environ.get("TRACESPOOL_TEST_GOLDEN") == "write":
        path.write_text(text)
    assert text.splitlines() == path.read_text().splitlines(), f"{path.name} says something else; see tests/README.md"
