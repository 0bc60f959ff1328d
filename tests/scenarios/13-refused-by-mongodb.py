"""What MongoDB will never take is parked with its reason; everything beside it arrives."""

from lib import ctl, otlp, verify
from lib.clients import Client
from lib.waiting import wait_until

TOO_LARGE = 17 * 2**20  # a document is at most 16 MiB


def with_huge_attribute(name: str) -> bytes:
    """The capture with one span, the first, that no document can hold."""
    request = otlp.parse((otlp.CAPTURES / f"{name}.pb").read_bytes())
    attribute = next(otlp.every_span(request)).attributes.add()
    attribute.key = "huge"
    attribute.value.bytes_value = bytes(TOO_LARGE)
    return request.SerializeToString()


def test_a_span_over_the_limit_is_parked_and_the_rest_arrives(make_daemon, shared_mongod, database):
    settings = {"receiver.max_request_bytes": "32MiB", "spool.size": "128MiB"}
    daemon = make_daemon(shared_mongod, database.name, settings).start()
    request = with_huge_attribute("java-0005")
    neighbour = (otlp.CAPTURES / "node-0001.pb").read_bytes()
    with Client(daemon.endpoint) as client:
        assert client.send(request).ok
        assert client.send(neighbour).ok
    wait_until(lambda: daemon.metrics()["tracespool_spool_parked_entries"] == 1, "the span to be parked", 60)
    daemon.wait_delivered()

    first = next(otlp.every_span(otlp.parse(request)))
    expected = [
        span for span in otlp.spans_of(request, neighbour) if span.span_id != first.span_id.hex()
    ]
    verify.compare(expected, verify.documents.read(database))

    (parked,) = ctl.objects("ls", "--parked", config=daemon.config)
    assert parked["reason"] == "refused"
    assert parked["spans"] == 1
    assert parked["bytes"] > TOO_LARGE
    assert parked["text"]
    assert "parked" in [finding["code"] for finding in ctl.status(daemon.config)["findings"]]

    daemon.stop()
    daemon.start()
    assert daemon.metrics()["tracespool_spool_parked_entries"] == 1, "parked is kept over a restart"


def test_documents_refused_by_a_validator_are_parked_with_mongodbs_code(make_daemon, shared_mongod, database):
    """A rule that an operator has put on the collection: the code and text are MongoDB's own, with what was not met."""
    daemon = make_daemon(shared_mongod, database.name).start()
    before = otlp.Template(otlp.CAPTURES / "java-0001.pb").with_ids(1 << 64 | 1)
    with Client(daemon.endpoint) as client:
        assert client.send(before).ok
        daemon.wait_delivered()
        for name in verify.documents.collections(database):
            database.command("collMod", name, validator={"serviceName": {"$ne": "order"}})
        after = otlp.Template(otlp.CAPTURES / "java-0001.pb").with_ids(2 << 64 | 2)
        assert client.send(after).ok
    daemon.wait_delivered()
    verify.holds_exactly(database, [before])
    parked = ctl.objects("ls", "--parked", config=daemon.config)
    assert sum(entry["spans"] for entry in parked) == len(otlp.spans_of(after))
    assert {entry["code"] for entry in parked} == {121}
    for entry in parked:
        assert entry["text"].startswith("Document failed validation: {")
        assert '"consideredValue" : "order"' in entry["text"]
        assert entry["text"] in ctl.text("show", f"{entry['seq']}:{entry['span_index']}", config=daemon.config)
    assert "Document failed validation" in daemon.output()
    assert "consideredValue" not in daemon.output(), "what spans hold is for no log"
