"""The committed dashboards, as Grafana would read them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "packaging/grafana"
UIDS = ("edgeprof-fleet", "edgeprof-device", "edgeprof-results", "edgeprof-comparison")

_LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")


@dataclass(frozen=True, slots=True)
class Target:
    """A query of a panel."""

    dashboard: str
    panel: str
    ref_id: str
    expression: str
    instant: bool

    def filled(self, values: Mapping[str, str]) -> str:
        """The expression with the dashboard's variables, and Grafana's own, filled in."""
        own = {"__rate_interval": "5s", "__range": "1m"}
        return re.sub(r"\$(\w+)", lambda match: {**own, **values}[match.group(1)], self.expression)


@dataclass(frozen=True, slots=True)
class Variable:
    """What a person picks: the values of a label among the series of a selector."""

    name: str
    selector: str
    label: str
    multi: bool


@cache
def read(uid: str) -> Any:
    """A dashboard's JSON."""
    return json.loads((FOLDER / f"{uid}.json").read_text(encoding="utf-8"))


def targets(uid: str) -> Iterator[Target]:
    """Every query of every panel."""
    for panel in read(uid)["panels"]:
        for target in panel.get("targets", ()):
            instant = bool(target.get("instant"))
            assert instant != bool(target.get("range")), f"{panel['title']}: at an instant, or over a range"
            yield Target(uid, panel["title"], target["refId"], target["expr"], instant)


def variables(uid: str) -> Iterator[Variable]:
    """Every variable that is queried."""
    for one in read(uid)["templating"]["list"]:
        if one["type"] == "query":
            match = _LABEL_VALUES.fullmatch(one["query"])
            assert match, one["query"]
            yield Variable(one["name"], match.group(1), match.group(2), bool(one.get("multi")))
