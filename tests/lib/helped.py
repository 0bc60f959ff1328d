"""What `tracespool help` names: verbs, their options, and the options of every verb."""

import functools
import re

from . import ctl


def section(page: str, title: str) -> list[str]:
    """The lines between a title and the next; titles begin a line, as in manual pages and in help."""
    found = re.search(rf"^{re.escape(title)}:?\n(.*?)(?=^\S|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"no {title} in: {page}"
    return [line for line in found[1].splitlines() if line]


def indented(lines: list[str], columns: int) -> list[str]:
    return [line[columns:] for line in lines if re.match(rf" {{{columns}}}\S", line)]


def first_words(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines]


@functools.cache
def text(*verb: str) -> str:
    """The help of a verb, or all."""
    return ctl.text("help", *verb)


@functools.cache
def verbs() -> list[str]:
    return first_words(indented(section(text(), "Verbs"), 2))


@functools.cache
def options(verb: str) -> list[str]:
    """Its own."""
    return first_words(indented(section(text(verb), "Options"), 2)) if "\nOptions:\n" in text(verb) else []


@functools.cache
def every_option() -> list[str]:
    """Those of every verb."""
    return first_words(indented(section(text(), "Options of every verb"), 2))
