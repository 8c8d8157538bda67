"""The page of the servers lists each kind that edgeprof knows, with all of its options."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from edgeprof_agent.engines.openai_http import CLIENT_OPTIONS, MANAGED_OPTIONS
from edgeprof_agent.engines.server_kinds import ServerKind
from edgeprof_agent.engines.server_setup import ServerSetup
from edgeprof_agent.engines.server_table import SERVER_KINDS
from edgeprof_agent.workload.server_config import ServerConfig

PAGE = (Path(__file__).parents[2] / "docs" / "servers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", SERVER_KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_a_row_with_its_options(kind: ServerKind) -> None:
    found = re.search(rf"^\| `{re.escape(kind.name)}` \|[^|]*\|([^|]*)\|[^|]*\|$", PAGE, re.MULTILINE)
    assert found
    assert re.findall(r"`(\w+)`", found[1]) == [flag.option.name for flag in kind.flags]


def test_the_options_of_every_server_are_there() -> None:
    table = dict(re.findall(r"^\| `(\w+)` \| (\w+)[^|]*\| [^|]+ \|$", PAGE, re.MULTILINE))
    assert table == {option.name: option.default for option in (*CLIENT_OPTIONS, *MANAGED_OPTIONS)}


def test_the_configuration_is_what_the_engine_is_told() -> None:
    keys = [field.name for field in fields(ServerConfig)]
    assert ["name", *keys] == list(ServerSetup._fields)
    for key in keys:
        assert re.search(rf"`{key}`|^(# )?{key} =|[{{ ]{key} = ", PAGE, re.MULTILINE), key
