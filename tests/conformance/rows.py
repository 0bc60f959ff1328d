"""Rows: a clause of a specification, how it is put to an endpoint, and what came of it.

A row is a function that takes the target and returns what it saw. It raises
Failed when the endpoint does otherwise, NotOffered when it does not have what
it may have, CannotProvoke when nothing sent from outside makes the clause apply.
"""

import enum
from typing import Callable, NamedTuple

from .target import Broken, Target

MUST, SHOULD, MAY = "MUST", "SHOULD", "MAY"


class Result(enum.Enum):
    PASS = "pass"
    FAIL = "fail"
    NOT_OFFERED = "not offered"
    CANNOT_PROVOKE = "cannot be provoked"


class Failed(Exception):
    pass


class NotOffered(Exception):
    pass


class CannotProvoke(Exception):
    pass


class Row(NamedTuple):
    identity: str  # its first word is the transport: grpc or http
    section: str
    level: str
    clause: str
    ask: Callable[[Target], str]
    overload: bool  # asked of an endpoint that refuses for now, and of no other

    @property
    def transport(self) -> str:
        return self.identity.split(".")[0]


class Outcome(NamedTuple):
    row: Row
    result: Result
    seen: str


ROWS: list[Row] = []


def row(identity: str, section: str, level: str, clause: str, overload: bool = False) -> Callable:
    """Registers the function below it. `section`: of opentelemetry-proto's specification unless it names another."""

    def register(ask: Callable[[Target], str]) -> Callable[[Target], str]:
        assert all(known.identity != identity for known in ROWS), identity
        ROWS.append(Row(identity, section, level, clause, ask, overload))
        return ask

    return register


def check(condition: object, seen: object) -> None:
    if not condition:
        raise Failed(str(seen))


def ask(one: Row, target: Target) -> Outcome:
    if one.overload and not target.overloaded:
        return Outcome(one, Result.CANNOT_PROVOKE, "needs an endpoint that is overloaded: --expect-overload")
    target.begin(one.identity)
    try:
        return Outcome(one, Result.PASS, one.ask(target))
    except Failed as failure:
        return Outcome(one, Result.FAIL, str(failure))
    except NotOffered as reason:
        return Outcome(one, Result.NOT_OFFERED, str(reason))
    except CannotProvoke as reason:
        return Outcome(one, Result.CANNOT_PROVOKE, str(reason))
    except (Broken, OSError) as failure:
        return Outcome(one, Result.FAIL, f"the connection: {failure or type(failure).__name__}")
    except Exception as failure:  # pylint: disable=broad-except
        # Whatever a strange endpoint sends, the other rows are asked.
        return Outcome(one, Result.FAIL, f"not understood: {type(failure).__name__} {failure}")


def ask_all(target: Target, only: str = "") -> list[Outcome]:
    """All rows for the transports that the target has; of an overloaded one only those of overload."""
    chosen = [
        one
        for one in ROWS
        if target.has(one.transport) and (one.overload or not target.overloaded) and only in one.identity
    ]
    return [ask(one, target) for one in chosen]
