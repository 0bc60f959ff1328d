"""One span with everything that OTLP says about it, in a form that compares and hashes.

Both readings end here: requests through opentelemetry-proto (otlp.py) and
MongoDB's documents (documents.py). Neither shares code with tracespool.

Values are tagged, so that 1, 1.0, True and "1" differ:
("string", text) ("bool", b) ("int", i) ("double", eight bytes) ("bytes", b)
("array", values) ("map", (key, value) pairs) ("none",)
"""

import struct
from typing import NamedTuple

Value = tuple
Attributes = tuple[tuple[str, Value], ...]

INT64_MAX = 2**63 - 1


class Event(NamedTuple):
    time: int
    name: str
    attributes: Attributes
    dropped_attributes: int


class Link(NamedTuple):
    trace_id: str
    span_id: str
    trace_state: str
    attributes: Attributes
    dropped_attributes: int
    flags: int


class Entity(NamedTuple):
    schema_url: str
    type: str
    id_keys: tuple[str, ...]
    description_keys: tuple[str, ...]


class Span(NamedTuple):
    trace_id: str
    span_id: str
    parent_span_id: str | None
    trace_state: str
    flags: int
    name: str
    kind: int
    start: int
    end: int
    attributes: Attributes
    dropped_attributes: int
    events: tuple[Event, ...]
    dropped_events: int
    links: tuple[Link, ...]
    dropped_links: int
    status_code: int
    status_message: str
    scope_name: str
    scope_version: str
    scope_attributes: Attributes
    scope_dropped_attributes: int
    scope_schema_url: str
    resource_attributes: Attributes
    resource_dropped_attributes: int
    resource_schema_url: str
    entities: tuple[Entity, ...]
    service: str


def double(value: float) -> Value:
    return ("double", struct.pack("<d", value))  # NaN equals itself, -0.0 is not 0.0


def clamp(time: int) -> int:
    """BSON has no unsigned 64-bit integer: times past int64 are stored as its largest."""
    return min(time, INT64_MAX)
