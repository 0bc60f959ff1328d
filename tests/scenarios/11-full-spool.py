"""A full spool refuses in the way that makes a client come back, and loses nothing of what it took."""

import threading

import grpc
import pytest

from lib import otlp, verify
from lib.clients import Answer, Client
from lib.waiting import wait_until

INCOMPRESSIBLE_BYTES = 100_000


def large_request(template: otlp.Template, number: int) -> bytes:
    """Some spans and bytes that do not compress, so that a small spool is full soon."""
    return otlp.with_noise(template.with_ids(number << 64 | number), INCOMPRESSIBLE_BYTES)


def fill(client: Client, template: otlp.Template, numbers: range) -> tuple[list[bytes], Answer, bytes]:
    """Sends until one is refused: those that were acknowledged, the refusal, and what was refused."""
    acknowledged = []
    for number in numbers:
        request = large_request(template, number)
        answer = client.send(request)
        if not answer.ok:
            return acknowledged, answer, request
        acknowledged.append(request)
    raise AssertionError(f"{len(numbers)} requests of {INCOMPRESSIBLE_BYTES} bytes were all taken")


@pytest.mark.parametrize("size_mib", [16, 32])
def test_full_then_drained_then_accepting(own_mongod, make_daemon, size_mib):
    mongod = own_mongod()
    settings = {"spool.size": f"{size_mib}MiB", "receiver.max_request_bytes": f"{size_mib // 4}MiB"}
    daemon = make_daemon(mongod, "tracing", settings).start()
    template = otlp.Template(otlp.CAPTURES / "java-0001.pb")
    with Client(daemon.endpoint) as client:
        acknowledged, refusal, refused = fill(client, template, range(1, size_mib * 20))
        assert refusal.code == grpc.StatusCode.UNAVAILABLE
        assert refusal.from_server and refusal.retry_delay == 30, f"the longest, as nothing is delivered: {refusal}"
        taken = len(acknowledged) * INCOMPRESSIBLE_BYTES
        assert taken > size_mib * 2**20 * 0.6, f"full at {taken} bytes, much earlier than its size"
        assert daemon.http("/readyz")[0] != 200, "a full spool acknowledges nothing, so it is not ready"
        assert daemon.metrics()["tracespool_spool_pending_records"] == len(acknowledged)

        daemon.kill()  # nothing of that depends on memory
        daemon.start()
        assert client.send(refused).code == grpc.StatusCode.UNAVAILABLE
        assert daemon.metrics()["tracespool_spool_pending_records"] == len(acknowledged)

        mongod.start()
        assert client.send_until_ok(refused, threading.Event())
        acknowledged.append(refused)
        daemon.wait_delivered()
        wait_until(lambda: daemon.http("/readyz")[0] == 200, "ready again")

        # Around the ring: far more than fits, each acknowledged, the oldest delivered making room.
        for number in range(10_000, 10_000 + size_mib * 20):
            request = large_request(template, number)
            assert client.send_until_ok(request, threading.Event())
            acknowledged.append(request)
    daemon.wait_delivered()
    with mongod.client() as client:
        verify.holds_exactly(client["tracing"], acknowledged)


def test_refusals_by_kind(daemon):
    """Answers that are final, and that say why."""
    with Client(daemon.endpoint) as client:
        garbage = client.send(b"\x0a\xff\xff\xff\xff\x0fgarbage")
        assert garbage.code == grpc.StatusCode.INVALID_ARGUMENT
        assert garbage.bad_request is not None
        huge = client.send(b"\x0a" + bytes(70 * 2**20))
        assert huge.code == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert huge.retry_delay is None, "too large once is too large for ever"
        assert client.send(b"").ok
    with Client(daemon.endpoint, gzip=True) as client:
        bomb = client.send(bytes(200 * 2**20))
        assert bomb.code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert daemon.pending_spans() == 0
