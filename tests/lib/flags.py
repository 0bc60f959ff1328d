"""The table of the options of `tracespool`, each with a check that it does what its help says.

A check runs beside a daemon under load and at rest, which is `place.live`; lib/flags_*.py enter theirs here. Scenario
`45-every-flag` has the table compared with what help names.
"""

import contextlib
from typing import Callable, Iterator

from . import records
from .places import Place

Check = Callable[[Place], None]
GlobalCheck = Callable[[Place, str], None]
CHECKS: dict[tuple[str, str], Check] = {}  # by verb and option
OF_EVERY_VERB: dict[str, GlobalCheck] = {}  # by option


def flag(verb: str, *options: str) -> Callable[[Check], Check]:
    def enter(check: Check) -> Check:
        for option in options:
            assert (verb, option) not in CHECKS, (verb, option)
            CHECKS[verb, option] = check
        return check

    return enter


def global_flag(option: str) -> Callable[[GlobalCheck], GlobalCheck]:
    def enter(check: GlobalCheck) -> GlobalCheck:
        OF_EVERY_VERB[option] = check
        return check

    return enter


def refused(place: Place, *arguments: str, says: str) -> None:
    """Nothing is done, and why is on standard error."""
    result = place.run(*arguments)
    assert (result.returncode, result.stdout) == (1, "") and says in result.stderr, result


@contextlib.contextmanager
def damaged(place: Place, seq: int) -> Iterator[None]:
    """A bit of this batch is another one meanwhile."""
    records.flip_small(place.daemon.spool, seq)
    try:
        yield
    finally:
        records.flip_small(place.daemon.spool, seq)
