"""spool.when_full = drop_oldest: a full spool takes what comes, and says what that costs."""

from lib import documents, otlp, verify
from lib.clients import Client

NOISE_BYTES = 100_000
SIZE_MIB = 16


def test_the_newest_survive_and_the_rest_is_counted(own_mongod, make_daemon):
    mongod = own_mongod()
    daemon = make_daemon(
        mongod,
        "tracing",
        {
            "spool.size": f"{SIZE_MIB}MiB",
            "spool.when_full": "drop_oldest",
            "receiver.max_request_bytes": f"{SIZE_MIB // 4}MiB",
        },
    ).start()
    template = otlp.Template(otlp.CAPTURES / "java-0001.pb")
    sent = [
        otlp.with_noise(template.with_ids(number << 64 | number), NOISE_BYTES)
        for number in range(1, 3 * SIZE_MIB * 2**20 // NOISE_BYTES)
    ]
    with Client(daemon.endpoint) as client:
        for request in sent:
            assert client.send(request).ok, "a spool that drops refuses nothing"
    metrics = daemon.metrics()
    pending = int(metrics["tracespool_spool_pending_records"])
    dropped = int(metrics["tracespool_spool_dropped_records_total"])
    spans_a_request = len(list(otlp.spans_of(sent[0])))
    assert pending + dropped == len(sent) and dropped > len(sent) // 2
    assert metrics["tracespool_spool_dropped_spans_total"] == dropped * spans_a_request
    assert metrics["tracespool_spool_refusing"] == 0
    assert metrics["tracespool_spool_refusing_seconds_total"] == 0
    assert daemon.output().count("event=spool.dropping ") == 1, "said once, not for every record"

    mongod.start()
    daemon.wait_delivered()
    with mongod.client() as client:
        # What a flusher had in hand while it was dropped may have arrived as well.
        verify.compare(
            otlp.spans_of(*sent[-pending:]), documents.read(client["tracing"]), may_be_there=otlp.spans_of(*sent)
        )
