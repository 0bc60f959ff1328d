"""Whether MongoDB holds what was sent: every span, every field, once."""

import collections
from typing import Iterable

import pymongo.database

from . import documents, otlp
from .spans import Span

SHOWN = 5  # differences in one message


class Mismatch(AssertionError):
    pass


def label(span: Span) -> str:
    return f"span {span.span_id} of trace {span.trace_id} ({span.service} {span.name[:40]!r})"


def difference(expected: Span, actual: Span) -> str:
    fields = [name for name, one, other in zip(Span._fields, expected, actual) if one != other]
    first = fields[0]
    one, other = str(getattr(expected, first)), str(getattr(actual, first))
    return f"{label(expected)} differs in {', '.join(fields)}: {first} sent {one[:300]} stored {other[:300]}"


def compare(expected: Iterable[Span], actual: Iterable[Span], may_be_there: Iterable[Span] = ()) -> int:
    """Returns the number of distinct spans. `may_be_there`: sent, never acknowledged."""
    wanted, stored = set(expected), collections.Counter(actual)
    lost = wanted - stored.keys()
    strange = stored.keys() - wanted - set(may_be_there)
    twice = [span for span, count in stored.items() if count > 1]
    if not lost and not strange and not twice:
        return len(wanted)
    strange_by_id = {(span.trace_id, span.span_id): span for span in strange}
    lines = [f"{len(lost)} spans missing or changed, {len(strange)} not as sent, {len(twice)} stored twice"]
    changed = set()
    for span in list(lost)[:SHOWN]:
        near = strange_by_id.get((span.trace_id, span.span_id))
        lines.append(difference(span, near) if near else f"{label(span)} is missing")
        changed.add(near)
    lines += [f"{label(span)} was not sent like this" for span in list(strange - changed)[:SHOWN]]
    lines += [f"{label(span)} is stored {stored[span]} times" for span in twice[:SHOWN]]
    raise Mismatch("\n".join(lines))


def holds_exactly(
    database: pymongo.database.Database, sent: Iterable[bytes], unacknowledged: Iterable[bytes] = ()
) -> int:
    """The whole database against the requests that were acknowledged; what was not may be there."""
    return compare(otlp.spans_of(*sent), documents.read(database), otlp.spans_of(*unacknowledged))
