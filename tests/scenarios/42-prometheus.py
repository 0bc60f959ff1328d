"""A real Prometheus with the rules and the dashboard of deploy/: what fires while MongoDB is away, and what each query gives.

The rules' times are divided by FACTOR and three of their bounds are made smaller; else they are those that are
installed. promtool checks them as they are.
"""

import json
import re
import time
import urllib.request
from typing import Any, Iterator

import pytest

from lib.clients import Load
from lib.daemon import Daemon
from lib.prometheus import DEPLOY, Prometheus, compressed, promtool
from lib.waiting import wait_until

RULES = DEPLOY / "prometheus" / "tracespool.rules.yaml"
DASHBOARD = DEPLOY / "grafana" / "tracespool.json"
FACTOR = 300  # five minutes are a second
OUTAGE = {  # bounds that are not durations: 4 h and 36 h of a spool that here is full after seconds
    "< 4 * 3600": "< 8",
    "< 36 * 3600": "< 432",
}

# While MongoDB is away and the spool fills.
MUST_FIRE = {
    "TracespoolMongoDBDown",
    "TracespoolMongoDBBurnsFast",
    "TracespoolSpoolFillsSoon",
    "TracespoolRefusing",
    "TracespoolUnacknowledgedFast",
}
# Later, or by what this machine's disk does meanwhile.
MAY_FIRE = {
    "TracespoolMongoDBBurnsSteadily",
    "TracespoolMongoDBBurnsSlowly",
    "TracespoolUnacknowledgedSteadily",
    "TracespoolUnacknowledgedSlowly",
    "TracespoolSpoolTooSmall",
    "TracespoolSlowDisk",
    "TracespoolMongoDBStorageLow",
    "TracespoolMongoDBStorageFillsSoon",
}

# Queries that give nothing when nothing is wrong, or not so soon: of the dashboard.
EMPTY = {
    # MongoDB's volume may be as full as this machine's disk.
    'instance:tracespool_mongodb_storage_left:seconds{job=~"$job", instance=~"$instance"}',
}


def short_rules() -> str:
    text = compressed(RULES.read_text(), FACTOR)
    for before, after in OUTAGE.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


@pytest.fixture
def make_prometheus(folder, processes):
    def make(daemon: Daemon, rules: str) -> Prometheus:
        prometheus = Prometheus(folder, f"127.0.0.1:{daemon.admin_port}", rules)
        processes.append(prometheus)
        return prometheus.start()

    return make


def exposition(daemon: Daemon, accept: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{daemon.admin_port}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


# --- as they are installed -------------------------------------------------------


def test_promtool_takes_rules_and_configuration():
    assert "SUCCESS" in promtool("check", "rules", str(RULES))
    assert "SUCCESS" in promtool("check", "config", str(DEPLOY / "prometheus" / "prometheus.yaml"))


def test_rules_of_minutes():
    assert "SUCCESS" in promtool("test", "rules", str(RULES.with_name("tracespool.rules.test.yaml")))


@pytest.mark.long
def test_rules_of_days():
    assert "SUCCESS" in promtool("test", "rules", str(RULES.with_name("tracespool.days.test.yaml")))


def test_every_alert_is_tested_and_tells_what_to_do(daemon, make_prometheus):
    tests = "".join(path.read_text() for path in RULES.parent.glob("*.test.yaml"))
    alerts = [rule for rule in make_prometheus(daemon, RULES.read_text()).rules() if rule["type"] == "alerting"]
    assert len(alerts) > 20
    objectives = (DEPLOY.parent / "docs" / "slo.md").read_text()
    runbook = (DEPLOY.parent / "docs" / "operations.md").read_text()
    for alert in alerts:
        name, told = alert["name"], alert["annotations"]
        assert f'alertname="{name}"' in tests, name
        assert f"`{name}`" in objectives, name
        assert alert["labels"]["severity"] in ("page", "ticket"), name
        assert told["summary"] and "`" in told["description"], f"{name}: no command to type"
        assert told["runbook_url"] == f"docs/operations.md#{name.lower()}"
        assert f'<a id="{name.lower()}"></a>`{name}` | {alert["labels"]["severity"]} |' in runbook, name


def test_promtool_and_prometheus_take_the_metrics(daemon, make_prometheus):
    plain = exposition(daemon, "text/plain;version=0.0.4")
    assert promtool("check", "metrics", text=plain) == ""
    strict = exposition(daemon, "application/openmetrics-text;version=1.0.0")
    assert strict.endswith("# EOF\n")
    prometheus = make_prometheus(daemon, RULES.read_text())
    wait_until(lambda: prometheus.query("up == 1"), "a scrape")
    (target,) = prometheus.ask("targets")["activeTargets"]
    assert target["lastError"] == ""
    # What Prometheus asks for by itself is OpenMetrics: every line of it is a series.
    lines = [line for line in strict.splitlines() if not line.startswith("#")]
    assert int(prometheus.query("scrape_samples_scraped")[0]["value"][1]) == len(lines)


# --- the dashboard ---------------------------------------------------------------


def expressions(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "expr" in node:
            yield node["expr"]
        for value in node.values():
            yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)


def instantiated(expression: str) -> str:
    """What Grafana makes of it."""
    for variable, value in {"$__rate_interval": "2s", "$job": "tracespool", "$instance": ".+"}.items():
        expression = expression.replace(variable, value)
    return expression


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:job:|instance:)?(?:tracespool_|process_)\w+(?::\w+)*", expression))


def test_every_query_of_the_dashboard_gives_data(daemon, make_prometheus):
    dashboard = json.loads(DASHBOARD.read_text())
    assert [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"] == [
        "Receiving",
        "Spool",
        "Delivery",
        "MongoDB",
        "Process",
    ]
    assert {variable["name"] for variable in dashboard["templating"]["list"]} == {"datasource", "job", "instance"}
    wanted = [found for found in expressions(dashboard["panels"]) if found not in EMPTY]
    assert len(wanted) > 40
    prometheus = make_prometheus(daemon, short_rules())
    with Load(daemon.endpoint, requests_per_second=50) as load:
        load.wait_for(20)
        empty = list(wanted)

        def all_give_data() -> bool:
            empty[:] = [found for found in empty if not prometheus.query(instantiated(found))]
            return not empty

        try:
            wait_until(all_give_data, "data", 60)
        except TimeoutError:
            pass
        assert not empty
    for found in EMPTY:
        prometheus.query(instantiated(found))
    for found in expressions(dashboard["annotations"]):
        assert prometheus.query(instantiated(found)) is not None


def test_dashboard_and_rules_name_only_metrics_that_are_there(daemon):
    text = exposition(daemon, "text/plain")
    known = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)) | set(re.findall(r"^(\w+)[{ ]", text, re.MULTILINE))
    rules = RULES.read_text()
    known |= set(re.findall(r"record: (\S+)", rules))
    used = names_in("\n".join(expressions(json.loads(DASHBOARD.read_text()))))
    used |= names_in("\n".join(re.findall(r"expr: (.*(?:\n {10}.*)*)", rules)))
    assert used <= known, used - known


# --- an outage -------------------------------------------------------------------


@pytest.mark.long
def test_what_fires_while_mongodb_is_away(own_mongod, make_daemon, make_prometheus):
    mongod = own_mongod().start()
    daemon = make_daemon(mongod, "tracing", {"spool.size": "24MiB", "receiver.max_request_bytes": "4MiB"}).start()
    prometheus = make_prometheus(daemon, short_rules())
    with Load(daemon.endpoint, requests_per_second=40, noise_bytes=16_000) as load:
        # Prometheus takes seconds, which are hours here, until it scrapes a target that it has just read of.
        wait_until(lambda: prometheus.query('tracespool_flush_state{state="flowing"} == 1'), "delivery to be seen")
        wait_until(lambda: "TracespoolAbsent" not in prometheus.firing(), "the target to be known")
        began = time.time()
        load.wait_for(100)
        assert set(prometheus.fired(began)) <= MAY_FIRE
        mongod.stop()
        wait_until(lambda: MUST_FIRE <= set(prometheus.fired(began)), f"{MUST_FIRE} to fire", 180)
        told = [text for alert in prometheus.ask("alerts")["alerts"] for text in alert["annotations"].values()]
        assert told and not [text for text in told if "error expanding" in text or "%!" in text or not text]
        mongod.start()
        pages = MUST_FIRE | {"TracespoolMongoDBBurnsSteadily", "TracespoolUnacknowledgedSteadily"}
        wait_until(lambda: not prometheus.firing() & pages, "what fired to be over", 120)

    fired = prometheus.fired(began)
    assert MUST_FIRE <= set(fired) <= MUST_FIRE | MAY_FIRE
    first = sorted(MUST_FIRE, key=lambda name: fired[name])
    assert first[0] == "TracespoolMongoDBDown", first
    assert fired["TracespoolSpoolFillsSoon"] < fired["TracespoolRefusing"]
    assert fired["TracespoolSpoolFillsSoon"] < fired["TracespoolUnacknowledgedFast"]
    daemon.wait_delivered()

    daemon.kill()
    wait_until(lambda: "TracespoolDown" in prometheus.firing(), "its end to be seen", 60)
    daemon.start()
    wait_until(lambda: "TracespoolDown" not in prometheus.firing(), "its start to be seen", 60)
    daemon.stop()
