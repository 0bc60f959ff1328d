"""The queries of a trace page, over several days: right answers, by an index, looking at little more than they give."""

import time
from typing import Any, Iterator

import pytest

from lib import documents, otlp, verify
from lib.clients import Client

DAYS = 5
DAY_NS = 86400 * 10**9
TEMPLATES = ("java-0002", "java-0009", "node-0001", "node-0008", "python-awkward-0008")
REQUESTS_A_DAY = 15
PAGE = 20


@pytest.fixture
def days(daemon, database):
    """Several days' collections with some hundred documents each; all documents, newest first."""
    templates = [otlp.Template(otlp.CAPTURES / f"{name}.pb") for name in TEMPLATES]
    today = time.time_ns() // DAY_NS * DAY_NS
    requests = []
    for day in range(DAYS):
        for number in range(REQUESTS_A_DAY):
            nonce = day << 16 | number + 1
            start = today - day * DAY_NS + number * 60 * 10**9
            requests.append(templates[number % len(templates)].at(nonce << 64 | nonce, start))
    with Client(daemon.endpoint) as client:
        for request in requests:
            assert client.send(request).ok
    daemon.wait_delivered()
    verify.holds_exactly(database, requests)
    # Days that are made ahead of need are empty.
    names = [name for name in documents.collections(database) if database[name].estimated_document_count() > 0]
    assert names == [documents.day_of(today - day * DAY_NS) for day in reversed(range(DAYS))]
    everything = [document for name in names for document in database[name].find()]
    assert len(everything) > 1500
    everything.sort(key=lambda document: document["startTimeUnixNano"], reverse=True)
    return everything


def stages(plan: Any) -> Iterator[str]:
    """Every stage anywhere in an explanation."""
    if isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield plan["stage"]
        for value in plan.values():
            yield from stages(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from stages(value)


def examined(plan: Any) -> int:
    """Documents that were looked at, summed over the collections that a view unites."""
    if isinstance(plan, dict):
        return plan.get("totalDocsExamined", 0) + sum(examined(value) for value in plan.values())
    if isinstance(plan, list):
        return sum(examined(value) for value in plan)
    return 0


def explain(database, command: dict) -> Any:
    return database.command("explain", command, verbosity="executionStats")


def check_plan(plan: Any, at_most: int) -> None:
    used = set(stages(plan))
    assert "IXSCAN" in used, used
    assert "COLLSCAN" not in used, used
    assert "SORT" not in used, used
    assert examined(plan) <= at_most, f"{examined(plan)} documents examined for at most {at_most}"


def page_of(database, query: dict) -> list[dict]:
    """A page as a reader gets it: the days newest first, until there is enough. Each plan is checked."""
    page: list[dict] = []
    for name in reversed(documents.collections(database)):
        limit = PAGE - len(page)
        if limit == 0:
            break
        found = list(database[name].find(query).sort("startTimeUnixNano", -1).limit(limit))
        command = {"find": name, "filter": query, "sort": {"startTimeUnixNano": -1}, "limit": limit}
        check_plan(explain(database, command), len(found))
        page += found
    return page


def ids(page: list[dict]) -> list[bytes]:
    return [document["_id"] for document in page]


def starts(page: list[dict]) -> list[int]:
    return [document["startTimeUnixNano"] for document in page]


@pytest.mark.parametrize(
    "extra", [{}, {"root": True}, {"error": True}], ids=["a-services-latest", "its-roots", "its-errors"]
)
def test_list_pages(days, database, extra):
    for service in ("order", "pricing"):
        query = {"serviceName": service, **extra}
        expected = [
            document for document in days if all(document.get(key) == value for key, value in query.items())
        ][:PAGE]
        page = page_of(database, query)
        assert len(page) == PAGE
        # Two that start at the same moment may come in either order.
        assert starts(page) == starts(expected)
        assert all(document in days for document in page)


def test_list_page_from_a_time_on(days, database):
    """The second page: what began before the last one of the first."""
    first = page_of(database, {"serviceName": "order"})
    bound = first[-1]["startTimeUnixNano"]
    second = page_of(database, {"serviceName": "order", "startTimeUnixNano": {"$lt": bound}})
    expected = [
        document for document in days if document["serviceName"] == "order" and document["startTimeUnixNano"] < bound
    ]
    assert starts(second) == starts(expected[:PAGE])


def test_a_trace_by_id(days, database):
    for document in days[:: len(days) // 7]:
        trace = document["traceId"]
        expected = [other for other in days if other["traceId"] == trace]
        found = list(database["traces"].find({"traceId": trace}))
        assert sorted(ids(found)) == sorted(ids(expected))
        plan = explain(database, {"find": "traces", "filter": {"traceId": trace}})
        check_plan(plan, len(expected))


@pytest.mark.parametrize("field", ["traceId", "serviceName"])
def test_view_of_spans(days, database, field):
    value = days[len(days) // 2][field]
    holders = [document for document in days if document[field] == value]
    expected = [(document["traceId"], span["spanId"]) for document in holders for span in document["spans"]]
    found = list(database["spans"].find({field: value}))
    assert sorted((span["traceId"], span["id"]) for span in found) == sorted(expected)
    check_plan(explain(database, {"find": "spans", "filter": {field: value}}), len(holders))


def test_view_of_spans_has_the_fields_at_the_top(days, database):
    document = days[0]
    stored = {span["spanId"]: span for span in document["spans"]}
    for span in database["spans"].find({"traceId": document["traceId"], "serviceName": document["serviceName"]}):
        if span["id"] not in stored:
            continue
        original = stored[span["id"]]
        for key in ("name", "kind", "startTimeUnixNano", "endTimeUnixNano", "attributes", "status", "parentSpanId"):
            assert span[key] == original[key], key
        assert span["serviceName"] == document["serviceName"]
