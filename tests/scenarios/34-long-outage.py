"""MongoDB is away for a day and a half: the spool holds it in the room that was promised, and gives it back.

What is compressed is the time, not the volume. 36 h at 2 spans a second are

    36 x 3,600 s x 2 spans/s = 259,200 spans

and the spool does not care how soon they come. docs/measurements.md has 89 bytes a span on disk for requests of 100
spans; these here have about 130. With room for other spans than those of the captures they must not take more than

    259,200 x 110 B = 28.5 MB

so a day and a half at 200 spans a second needs 2.9 GB.
"""

import json
import statistics
import time

import pytest

from lib import ctl, documents, otlp
from lib.clients import Client, Load, nonce
from lib.cutting_proxy import CuttingProxy, Treatment
from lib.volume import Volume, holds_ids
from lib.waiting import wait_until

OUTAGE_SPANS = 36 * 3600 * 2
BYTES_A_SPAN = 110
ROOT_PAGES_BYTES = 1 << 20  # trees, free pages, the header: what a spool takes with nothing in it, and slack
NETWORK_SECONDS = 0.005


def newcomer() -> bytes:
    return otlp.Template(otlp.CAPTURES / "java-0001.pb").with_ids(nonce(9999, 1))


def gather(daemon) -> Volume:
    """What comes while MongoDB is away."""
    with Volume(daemon.endpoint) as load:
        spans = lambda: load.failures or daemon.pending_spans() >= OUTAGE_SPANS
        wait_until(spans, f"{OUTAGE_SPANS} spans to be acknowledged", 120)
    return load


def check_forecast(daemon, spans: int) -> None:
    """What status says in the middle of the drain, against what it then takes: within a factor of two."""
    forecasts = []

    def drained() -> bool:
        pending = ctl.status(daemon.config)["pending"]
        if spans * 0.3 < pending["spans"] < spans * 0.7 and pending["drained_in_seconds"] is not None:
            forecasts.append((time.monotonic(), pending["drained_in_seconds"]))
        return pending["batches"] == 0

    wait_until(drained, "the backlog to drain", 120)
    end = time.monotonic()
    ratios = [said / (end - at) for at, said in forecasts]
    assert ratios, "there was no forecast in the middle of the drain"
    ratio = statistics.median(ratios)  # a machine that is busy elsewhere for a moment decides nothing
    print(f"forecasts of the rest of the drain were {ratio:.2f} of what it took")
    assert 0.5 < ratio < 2, ratios


@pytest.mark.long
def test_a_day_and_a_half(own_mongod, make_daemon):
    mongod = own_mongod()
    # Small batches over a slow network: a drain that takes its time, so that there is a middle of it.
    settings = {"spool.size": "256MiB", "flush.order": "both", "flush.threads": 2, "flush.batch_documents": 50}
    with CuttingProxy(mongod.port) as proxy:
        proxy.arm(Treatment.DELAY, 1, NETWORK_SECONDS)
        daemon = make_daemon(mongod, "tracing", {**settings, "mongodb.uri": proxy.uri}).start()
        outlast(mongod, daemon)
        daemon.stop()


def outlast(mongod, daemon) -> None:
    load = gather(daemon)

    status = ctl.status(daemon.config)
    spans = status["pending"]["spans"]
    assert spans >= OUTAGE_SPANS
    print(f"{spans} spans, {status['disk']['used_bytes'] / spans:.1f} bytes each")
    assert status["disk"]["used_bytes"] <= spans * BYTES_A_SPAN + ROOT_PAGES_BYTES
    assert status["receiving"]
    assert status["pending"]["drained_in_seconds"] is None, "nobody knows when MongoDB will be back"

    mongod.start()
    late = newcomer()
    trace = otlp.spans_of(late)[0].trace_id
    with mongod.client() as client, Client(daemon.endpoint) as sender:
        wait_until(lambda: documents.collections(client["tracing"]), "delivery to begin", 60)
        assert sender.send(late).ok
        wait_until(lambda: documents.read(client["tracing"], [trace]), "the newcomer to be visible", 60)
        waiting = daemon.pending_spans()
        assert waiting > spans / 4, f"{waiting} of {spans} were still waiting"
        check_forecast(daemon, spans)
        daemon.wait_delivered()
        assert daemon.metrics()["tracespool_spool_parked_entries"] == 0
        holds_ids(client["tracing"], load.acknowledged + [late], load.unacknowledged)


SIZED_BYTES = 30_000_000  # of an outage that `tracespool size` is asked about


def test_spool_of_the_advised_size_holds_the_outage_and_little_more(own_mongod, make_daemon):
    settings = {"spool.size": "24MiB", "receiver.max_request_bytes": "4MiB"}
    daemon = make_daemon(own_mongod(), "tracing", settings).start()
    with Load(daemon.endpoint, noise_bytes=30_000) as load:
        load.wait_for(60)
    (measured,) = ctl.objects("size", "--rate", "1", "--outage", "1m", config=daemon.config)
    assert measured["spans"] == daemon.pending_spans() and measured["enough"]
    rate = round(SIZED_BYTES / 3600 / measured["bytes_per_span"])
    asked = ("size", "--outage", "1h", "--rate", str(rate), "--margin", "0%")
    small = ctl.run("--json", *asked, config=daemon.config)
    assert small.returncode == 2, small
    daemon.stop()

    size_mib = json.loads(small.stdout)["needed_size_bytes"] >> 20
    assert f'    size = "{size_mib}MiB";' in ctl.run(*asked, config=daemon.config).stdout
    daemon.configure({"spool.size": f"{size_mib}MiB"})
    daemon.start()
    assert ctl.objects(*asked, config=daemon.config)[0]["enough"]
    with Load(daemon.endpoint, seed=2, requests_per_second=1000, noise_bytes=30_000) as load:
        refusing = lambda: load.failures or daemon.metrics()["tracespool_spool_refusing"] == 1
        wait_until(refusing, "the spool to refuse", 120)
        held = daemon.pending_spans() / (rate * 3600)
    print(f"{size_mib} MiB held {held:.3f} of the outage")
    assert 0.98 < held < 1.1
