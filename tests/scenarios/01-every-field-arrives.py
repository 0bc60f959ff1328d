"""Every capture arrives in MongoDB with every field as it was sent."""

import pathlib

import pytest

from lib import documents, otlp, verify
from lib.clients import Client


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
def test_every_capture_arrives_with_all_fields_equal(daemon, database, gzip):
    requests = [path.read_bytes() for path in otlp.captures()]
    with Client(daemon.endpoint, gzip=gzip) as client:
        for path, request in zip(otlp.captures(), requests):
            answer = client.send(request)
            assert answer.ok and answer.rejected_spans == 0, (path.name, answer)
    daemon.wait_delivered()
    assert verify.holds_exactly(database, requests) == 12181
    metrics = daemon.metrics()
    assert metrics["tracespool_spool_parked_entries"] == 0
    assert metrics['tracespool_receiver_requests_total{code="OK"}'] == len(requests)


def test_every_request_is_in_the_collection_of_its_day(daemon, database):
    requests = [path.read_bytes() for path in otlp.captures("java-0*", "python-awkward-0007")]
    with Client(daemon.endpoint) as client:
        for request in requests:
            assert client.send(request).ok
    daemon.wait_delivered()
    verify.holds_exactly(database, requests)
    # Days that are made ahead of need are empty.
    names = [name for name in documents.collections(database) if database[name].estimated_document_count() > 0]
    newest = names[-1]
    for name in names:
        for document in database[name].find({}, {"startTimeUnixNano": 1}):
            # 1970 and 2242 are wrong clocks: such spans are filed under the day of receipt.
            own_day = documents.day_of(document["startTimeUnixNano"])
            assert name in (own_day, newest)
            assert documents.start_in_id(document["_id"]) == document["startTimeUnixNano"]


def test_spans_without_valid_ids_are_rejected_and_the_rest_arrives(daemon, database):
    request = otlp.parse((otlp.CAPTURES / "java-0001.pb").read_bytes())
    spans = list(otlp.every_span(request))
    spans[0].trace_id = b"\0" * 16
    spans[1].span_id = b"short"
    with Client(daemon.endpoint) as client:
        answer = client.send(request.SerializeToString())
    assert answer.ok
    assert answer.rejected_spans == 2
    assert "id" in answer.partial_message
    daemon.wait_delivered()
    assert verify.holds_exactly(database, [request.SerializeToString()]) == len(spans) - 2


def test_captures_folder_is_complete():
    files = {path.name for path in otlp.captures()}
    listed = pathlib.Path(otlp.CAPTURES / "index.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(files) == len(listed)
