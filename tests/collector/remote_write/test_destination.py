"""Destinations that could never work are refused with one line."""

from pathlib import Path

import pytest

from edgeprof.errors import ConfigError
from edgeprof_collector.config import read_config
from edgeprof_collector.remote_write.destination import BasicAuth, RemoteWrite, check_destinations

GOOD = "http://127.0.0.1:9090/api/v1/write"


def refusal(*destinations: RemoteWrite) -> str:
    with pytest.raises(ConfigError) as refused:
        check_destinations(destinations)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("url", ["", "127.0.0.1:9090", "ftp://127.0.0.1/", "http://", "http://[::1", "/api/v1/write"])
def test_urls(url: str) -> None:
    assert f"remote_write '{url}'" in refusal(RemoteWrite(url=url))


def test_names_are_given_once() -> None:
    check_destinations([RemoteWrite(url=GOOD), RemoteWrite(url=GOOD, name="second")])
    assert "127.0.0.1:9090" in refusal(RemoteWrite(url=GOOD), RemoteWrite(url=GOOD))


@pytest.mark.parametrize("label", ["", "1st", "with space", "__name__"])
def test_labels(label: str) -> None:
    assert f"'{label}'" in refusal(RemoteWrite(url=GOOD, labels={label: "x"}))


def test_files(tmp_path: Path) -> None:
    missing, text = str(tmp_path / "missing"), tmp_path / "text"
    text.write_text("no certificate")
    assert "missing cannot be read" in refusal(RemoteWrite(url=GOOD, bearer_token_file=missing))
    assert "missing cannot be read" in refusal(
        RemoteWrite(url=GOOD, basic_auth=BasicAuth(username="edge", password_file=missing))
    )
    assert "no certificates" in refusal(RemoteWrite(url=GOOD, ca_file=str(text)))
    both = RemoteWrite(
        url=GOOD, bearer_token_file=str(text), basic_auth=BasicAuth(username="edge", password_file=str(text))
    )
    assert "exclude each other" in refusal(both)


def test_a_key_that_does_not_exist_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "collector.toml"
    path.write_text(f'[[remote_write]]\nurl = "{GOOD}"\nuser = "edge"\n')
    with pytest.raises(ConfigError, match=r"collector\.toml:3: unknown key 'remote_write\[0\]\.user'"):
        read_config(path)
