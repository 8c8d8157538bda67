"""The configurations and the plan that the documents show are read, and show every key with its default."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgeprof.plan_file import read_plan
from edgeprof.toml_reader import read_toml
from edgeprof_agent.config import AgentConfig
from edgeprof_collector.config import CollectorConfig
from edgeprof_collector.remote_write.destination import RemoteWrite
from edgeprof_collector.webhooks.config import Webhook

TABLES_OF_THEIR_OWN_PAGE = {"remote_write", "webhooks"}
DOCS = Path(__file__).parent.parent.parent / "docs"


def examples(document: str) -> list[str]:
    """The TOML blocks of a document."""
    return re.findall(r"```toml\n(.*?)```", (DOCS / document).read_text(encoding="utf-8"), re.DOTALL)


def test_remote_write_example_holds_every_key_at_its_default(tmp_path: Path) -> None:
    (example,) = examples("remote-write.md")
    path = tmp_path / "collector.toml"
    path.write_text(example, encoding="utf-8")

    (destination,) = read_toml(path, CollectorConfig).remote_write
    assert destination == RemoteWrite(url=destination.url)
    shown = set(re.findall(r"^#? ?(\w+) = ", example, re.MULTILINE))
    assert shown == {key.name for key in dataclasses.fields(RemoteWrite)}


def test_webhook_example_holds_every_key_at_its_default(tmp_path: Path) -> None:
    (example,) = examples("fleet.md")
    path = tmp_path / "collector.toml"
    path.write_text(example, encoding="utf-8")

    (webhook,) = read_toml(path, CollectorConfig).webhooks
    assert webhook == Webhook(url=webhook.url, secret_file=webhook.secret_file)
    assert set(re.findall(r"^(\w+) = ", example, re.MULTILINE)) == {key.name for key in dataclasses.fields(Webhook)}


def keys_of(value: Any, prefix: str = "") -> set[str]:
    """Every key of a configuration, with the tables that it is in."""
    found: set[str] = set()
    for field in dataclasses.fields(value):
        inner = getattr(value, field.name)
        found |= keys_of(inner, f"{field.name}.") if dataclasses.is_dataclass(inner) else {prefix + field.name}
    return found


@pytest.mark.parametrize(("index", "kind"), [(0, AgentConfig), (1, CollectorConfig)])
def test_example_holds_every_key_at_its_default(tmp_path: Path, index: int, kind: Any) -> None:
    example = examples("configuration.md")[index]
    path = tmp_path / "example.toml"
    path.write_text(example, encoding="utf-8")

    assert read_toml(path, kind) == kind()
    shown = set(re.findall(r"^#? ?(\w+) = ", example, re.MULTILINE))
    assert shown == {key.rpartition(".")[2] for key in keys_of(kind())} - TABLES_OF_THEIR_OWN_PAGE


def test_example_plan_can_be_run(tmp_path: Path) -> None:
    (example,) = examples("plans.md")
    path = tmp_path / "plan.toml"
    path.write_text(example, encoding="utf-8")

    plan = read_plan(path)

    assert [variant.name for variant in plan.variants] == ["flash", "no-flash"]
    assert msgspec.to_builtins(plan.gates) == {
        "start_temperature_celsius": 60,
        "idle_cpu_ratio": 0.2,
        "wait_seconds": 10,
    }
