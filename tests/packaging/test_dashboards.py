"""Every query of every panel, run by a real Prometheus that scrapes a real collector of devices of every family."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from edgeprof.catalogue import METRICS
from edgeprof.result_catalogue import RESULT_METRICS
from tests.collector.analysis.device_families import NAMES
from tests.collector.remote_write.servers import PATIENCE_SECONDS, Database, free_port, prometheus
from tests.collector.service import CollectorProcess
from tests.packaging.dashboard_files import UIDS, Target, Variable, read, targets, variables
from tests.packaging.simulated_fleet import COMPARED, VERSIONS, streaming_fleet

RULES = Path(__file__).parents[2] / "packaging/prometheus"
# Two scrapes for a rate, and some of slack: what a panel of the last minute shows soon after the start.
SCRAPES = 5
_METRIC = re.compile(r"\bedgeprof_[a-z0-9_]+\b")
_OF_COLLECTOR = re.compile(r"edgeprof_(collector_|device_|run_)")


class Fleet:
    """What a Prometheus knows of a collector and its devices."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_SECONDS)

    def get(self, path: str, **parameters: object) -> Any:
        answer = self._http.get(f"/api/v1/{path}", params={key: str(value) for key, value in parameters.items()})
        assert answer.is_success, f"{parameters}: {answer.text}"
        return answer.json()["data"]

    def values_of(self, variable: Variable, chosen: dict[str, str]) -> list[str]:
        """The values that a person would be offered, given what was chosen before."""
        selector = re.sub(r"\$(\w+)", lambda match: chosen[match.group(1)], variable.selector)
        found: list[str] = self.get(f"label/{variable.label}/values", **{"match[]": selector})
        return found

    def has_data(self, target: Target, values: dict[str, str]) -> bool:
        """Whether a panel would show anything for this query now."""
        expression, now = target.filled(values), time.time()
        if target.instant:
            result = self.get("query", query=expression)["result"]
        else:
            result = self.get("query_range", query=expression, start=now - 60, end=now, step=1)["result"]
        return any(value != "NaN" for series in result for _, value in series.get("values") or [series["value"]])

    def close(self) -> None:
        self._http.close()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    port = free_port()
    written_on = {"url": f"http://127.0.0.1:{port}/api/v1/write", "name": "elsewhere"}
    with CollectorProcess(folder, remote_write=[written_on]) as collector, streaming_fleet(collector.grpc_port):
        config = (RULES / "prometheus.yml").read_text()
        config = config.replace("127.0.0.1:7744", collector.ready["http"].removeprefix("http://"))
        config = config.replace("scrape_interval: 15s", "scrape_interval: 1s").replace(
            "edgeprof-", f"{RULES}/edgeprof-"
        )
        config = "global: {evaluation_interval: 1s}\n" + config
        with prometheus(folder / "prometheus", port, config=config) as database:
            _wait_until_scraped(database)
            found = Fleet(database.url)
            yield found
            found.close()


def _wait_until_scraped(database: Database) -> None:
    """Until every device has been scraped a few times, and its run judged, which takes the collector a while."""
    database.wait_for_count("edgeprof_collector_messages_total", SCRAPES)
    deadline = time.monotonic() + PATIENCE_SECONDS
    runs = len(NAMES) + len(COMPARED)
    while len(database.query("edgeprof_result_load_seconds")) < runs:
        assert time.monotonic() < deadline, database.query("edgeprof_result_load_seconds")
        time.sleep(0.2)
    database.wait_for_count("edgeprof_result_load_seconds", SCRAPES * runs)


@pytest.mark.parametrize("uid", [uid for uid in UIDS if uid != "edgeprof-device"])
def test_every_query_of_every_panel_returns_data(fleet: Fleet, uid: str) -> None:
    chosen: dict[str, str] = {}
    for variable in variables(uid):
        offered = fleet.values_of(variable, chosen)
        assert offered, variable
        chosen[variable.name] = ".*" if variable.multi else offered[0]
    if uid == "edgeprof-comparison":
        chosen |= dict(zip(("base", "candidate"), VERSIONS, strict=True))

    assert [target for target in targets(uid) if not fleet.has_data(target, chosen)] == []


def test_every_query_of_a_devices_panels_returns_data_on_some_family(fleet: Fleet) -> None:
    (device,) = variables("edgeprof-device")
    assert set(fleet.values_of(device, {})) == set(NAMES)
    shown = {
        name: {target for target in targets("edgeprof-device") if fleet.has_data(target, {"device": name})}
        for name in NAMES
    }

    assert set(targets("edgeprof-device")) - set().union(*shown.values()) == set()
    agents_own = {target for target in targets("edgeprof-device") if "edgeprof_spool_" in target.expression}
    assert agents_own
    for name in NAMES:
        assert agents_own <= shown[name], name
        assert len(shown[name]) > len(agents_own), f"{name} shows nothing that it measures"


def test_every_metric_of_the_catalogue_is_on_a_dashboard() -> None:
    asked = {name for uid in UIDS for target in targets(uid) for name in _METRIC.findall(target.expression)}

    assert METRICS.keys() | RESULT_METRICS.keys() <= asked
    assert {name for name in asked - METRICS.keys() - RESULT_METRICS.keys() if not _OF_COLLECTOR.match(name)} == set()


def test_rules_are_evaluated_without_an_error(fleet: Fleet) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "unknown" in (health := {rule["name"]: rule["health"] for rule in _rules(fleet)}).values():
        assert time.monotonic() < deadline, health
        time.sleep(0.2)

    assert set(health.values()) == {"ok"}
    records = [rule["name"] for rule in _rules(fleet) if rule["type"] == "recording"]
    assert len(records) == 8
    assert [name for name in records if not fleet.get("query", query=name)["result"]] == []


def _rules(fleet: Fleet) -> list[dict[str, Any]]:
    return [rule for group in fleet.get("rules")["groups"] for rule in group["rules"]]


def test_panels_have_numbers_of_their_own_and_do_not_overlap() -> None:
    for uid in UIDS:
        places = [panel["gridPos"] for panel in read(uid)["panels"]]
        cells = [
            (x, y)
            for place in places
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        assert len(cells) == len(set(cells)), uid
        assert max(x for x, _ in cells) < 24
