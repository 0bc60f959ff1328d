"""What MongoDB holds, read by the rules of docs/mongodb.md and by nothing else."""

import datetime
import re
from typing import Any, Iterator

import bson
import pymongo.database

from .spans import Attributes, Entity, Event, Link, Span, Value, double


def collections(database: pymongo.database.Database) -> list[str]:
    """The collections of the days, oldest first."""
    names = database.list_collection_names(filter={"type": "collection"})
    return sorted(name for name in names if name.startswith("traces_"))


def nested_key(stored: str) -> str:
    """The key of a map inside a value: %XX escapes, % alone is the empty key, %#n tells equal keys apart."""
    key = stored.partition("%#")[0]
    return "" if key == "%" else re.sub("%(25|24|00)", lambda match: chr(int(match[1], 16)), key)


def value_of(value: Any) -> Value:
    match value:
        case None:
            return ("none",)
        case bool():
            return ("bool", value)
        case int():
            return ("int", int(value))
        case float():
            return double(value)
        case str():
            return ("string", value)
        case bytes():
            return ("bytes", value)
        case list():
            return ("array", tuple(value_of(item) for item in value))
        case dict():
            return ("map", tuple((nested_key(key), value_of(item)) for key, item in value.items()))
    raise AssertionError(f"a type that no attribute has: {type(value)}")


def attributes_of(holder: dict) -> Attributes:
    """`attributes` with the keys that were sent: `names` has the exceptions, else every _ was a dot."""
    names = holder.get("names", {})
    return tuple(
        (names.get(key, key.replace("_", ".")), value_of(value)) for key, value in holder.get("attributes", {}).items()
    )


def event_of(event: dict) -> Event:
    return Event(event["timeUnixNano"], event["name"], attributes_of(event), event.get("droppedAttributesCount", 0))


def link_of(link: dict) -> Link:
    return Link(
        link["traceId"],
        link["spanId"],
        link.get("traceState", ""),
        attributes_of(link),
        link.get("droppedAttributesCount", 0),
        link.get("flags", 0),
    )


def entity_of(entity: dict) -> Entity:
    return Entity(
        entity.get("schemaUrl", ""),
        entity["type"],
        tuple(entity.get("idKeys", [])),
        tuple(entity.get("descriptionKeys", [])),
    )


def spans_of(document: dict) -> Iterator[Span]:
    resource = document.get("resource", {})
    resource_attributes = attributes_of(resource)
    entities = tuple(entity_of(entity) for entity in resource.get("entityRefs", []))
    for span in document["spans"]:
        scope = span.get("scope", {})
        yield Span(
            trace_id=document["traceId"],
            span_id=span["spanId"],
            parent_span_id=span["parentSpanId"],
            trace_state=span.get("traceState", ""),
            flags=span.get("flags", 0),
            name=span["name"],
            kind=span["kind"],
            start=span["startTimeUnixNano"],
            end=span["endTimeUnixNano"],
            attributes=attributes_of(span),
            dropped_attributes=span.get("droppedAttributesCount", 0),
            events=tuple(event_of(event) for event in span.get("events", [])),
            dropped_events=span.get("droppedEventsCount", 0),
            links=tuple(link_of(link) for link in span.get("links", [])),
            dropped_links=span.get("droppedLinksCount", 0),
            status_code=span.get("status", {}).get("code", 0),
            status_message=span.get("status", {}).get("description", ""),
            scope_name=scope.get("name", ""),
            scope_version=scope.get("version", ""),
            scope_attributes=attributes_of(scope),
            scope_dropped_attributes=scope.get("droppedAttributesCount", 0),
            scope_schema_url=scope.get("schemaUrl", ""),
            resource_attributes=resource_attributes,
            resource_dropped_attributes=resource.get("droppedAttributesCount", 0),
            resource_schema_url=resource.get("schemaUrl", ""),
            entities=entities,
            service=document["serviceName"],
        )


def check_document(document: dict, collection: str) -> None:
    """What a document says about its spans is true of them."""
    spans = document["spans"]
    where = f"document {document['_id'].hex()} in {collection}"
    start = min(span["startTimeUnixNano"] for span in spans)
    assert document["startTimeUnixNano"] == start, where
    assert document["endTimeUnixNano"] == max(span["endTimeUnixNano"] for span in spans), where
    assert document["spanCount"] == len(spans), where
    assert len(document["_id"]) == 24, where
    failed = any(span.get("status", {}).get("code", 0) == 2 for span in spans)
    assert document.get("error", False) == failed, where
    assert document.get("root", False) == any(span["parentSpanId"] is None for span in spans), where
    check_entry(document, where)


def check_entry(document: dict, where: str) -> None:
    """`entry` is the earliest span whose parent is not in the fragment."""
    spans = document["spans"]
    ids = {span["spanId"] for span in spans}
    entries = [span for span in spans if span["parentSpanId"] not in ids]
    if entries:
        entry = min(entries, key=lambda span: span["startTimeUnixNano"])
        shown = document["entry"]
        assert shown["startTimeUnixNano"] == entry["startTimeUnixNano"], where
        assert (shown["name"], shown["kind"]) in {
            (span["name"], span["kind"]) for span in entries if span["startTimeUnixNano"] == entry["startTimeUnixNano"]
        }, where


def read(database: pymongo.database.Database, trace_ids: list[str] | None = None) -> list[Span]:
    """Every stored span, or those of some traces, as often as it is stored."""
    query = {} if trace_ids is None else {"traceId": {"$in": trace_ids}}
    spans = []
    for name in collections(database):
        for document in database[name].find(query):
            check_document(document, name)
            spans.extend(spans_of(document))
    return spans


def day_of(unix_nano: int) -> str:
    """The collection of a moment."""
    moment = datetime.datetime.fromtimestamp(unix_nano // 10**9, datetime.timezone.utc)
    return f"traces_{moment:%Y%m%d}"


def start_in_id(identifier: bson.Binary) -> int:
    return int.from_bytes(identifier[:8], "big")
