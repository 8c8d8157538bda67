import dataclasses
import json
import re
from pathlib import Path

import pytest

from edgeprof.engine import EngineCapabilities, EngineOption
from edgeprof_agent.workload.engine_messages import (
    EngineHello,
    EngineLoaded,
    Message,
    ProtocolError,
    Refused,
    RequestBegun,
    RequestEnded,
    TokensArrived,
    read_message,
)

DOCUMENT = (Path(__file__).parents[3] / "docs" / "engine-protocol.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "kind",
    [
        EngineHello,
        EngineCapabilities,
        EngineOption,
        EngineLoaded,
        RequestBegun,
        TokensArrived,
        RequestEnded,
        Refused,
    ],
)
def test_the_document_names_every_field(kind: type[Message]) -> None:
    for field in dataclasses.fields(kind):
        assert f"`{field.name}`" in DOCUMENT


def test_the_documents_session_is_one() -> None:
    answers = [read_message(line.encode()) for line in re.findall(r"^    < (.*)$", DOCUMENT, re.MULTILINE)]
    commands = [json.loads(line) for line in re.findall(r"^    > (.*)$", DOCUMENT, re.MULTILINE)]
    assert isinstance(answers[0][1], EngineHello)
    assert {command["command"] for command in commands} >= {"load", "step", "warm_up", "unload", "close"}
    assert {answered for answered, _ in answers[1:]} == {command["id"] for command in commands[:-1]}


def test_fields_of_a_later_version_are_ignored() -> None:
    line = b'{"type":"request_end","id":3,"index":0,"end_monotonic_ns":5,"mood":"good"}'
    assert read_message(line) == (3, RequestEnded(index=0, end_monotonic_ns=5))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"null",
        b"\xff\xfe",
        b'{"type":7,"id":1}',
        b'{"type":["done"],"id":1}',
        b'{"type":"done","id":"1"}',
        b'{"type":"request_end","id":1,"index":0,"end_monotonic_ns":-1}',
        b'{"type":"tokens","id":1,"index":0,"first_event":0,"times_monotonic_ns":[1.5]}',
        b'{"type":"error","id":1}',
    ],
)
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError, match=r"no message of its protocol|wrong message|without 'id'"):
        read_message(line)
