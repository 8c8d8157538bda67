"""The agent and a collector with TLS, as the processes that they are: enrolled, renewed, revoked, come back."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgeprof_agent.uplink.enrolment import read_enrolment
from tests.agent.processes import Service, service
from tests.collector.service import CollectorProcess

DEVICE = "jetson-07"


def run(program: str, *arguments: str, given: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


class Fleet:
    """A collector with TLS, and a device that may enrol with it."""

    def __init__(self, folder: Path, collector: CollectorProcess) -> None:
        self.folder = folder
        self.collector = collector
        self.store = str(collector.store_path)
        self.api = collector.ready["http"].removeprefix("https://")
        self.grpc = collector.ready["grpc"]
        self.state = folder / "device" / "state"
        self.config = folder / "agent.toml"
        self.config.write_text(f'[device]\nid = "{DEVICE}"\n')

    def edgeprof(self, *arguments: str) -> str:
        status, said, complaint = run("edgeprof", *arguments, "--store", self.store)
        assert status == 0, complaint
        return said.strip()

    def enroll(self, token: str, given: str = "") -> tuple[int, str]:
        told = ("--collector", self.api, "--token", token, "--config", str(self.config))
        status, said, complaint = run("edgeprof-agent", "enroll", *told, "--state-folder", str(self.state), given=given)
        return status, said + complaint

    @contextmanager
    def agent(self) -> Iterator[Service]:
        folders = ("--state-folder", str(self.state), "--cache-folder", str(self.folder / "cache"))
        with service(self.folder, "edgeprof-agent", "run", "--config", str(self.config), *folders) as running:
            yield running
            running.close_input()


@contextmanager
def fleet(folder: Path, **tls: object) -> Iterator[Fleet]:
    with CollectorProcess(folder, tls={"enabled": True, **tls}) as collector:
        assert collector.ready, collector.end()
        yield Fleet(folder, collector)


def test_from_a_token_to_a_stream_and_out_and_in_again(tmp_path: Path) -> None:
    with fleet(tmp_path) as each:
        token = each.edgeprof("token", "create", "--ttl", "1h", "--uses", "1")
        status, said = each.enroll(token)
        assert status == 0
        assert said.startswith(f"{DEVICE} is enrolled with {each.grpc}; its certificate lasts until ")
        assert (each.state / "enrolment.json").stat().st_mode & 0o777 == 0o600
        with each.agent() as agent:
            assert agent.ready() == {"pid": str(agent.process.pid), "device_id": DEVICE, "collector": each.grpc}
            assert not {"cryptography", "_ssl", "libssl"} & loaded(agent.process.pid)
            assert "revoked" not in each.edgeprof("devices", "list")
            assert each.edgeprof("devices", "revoke", DEVICE) == f"{DEVICE} is out"
            headings, row, *_ = each.edgeprof("devices", "list").splitlines()
            assert headings.split() == ["device", "host", "certificate", "last", "seen"]
            assert row.startswith(f"{DEVICE}  ")
            assert "revoked" in row
            agent.until_said(
                f"it refuses this device: it was revoked; to have it back: edgeprof token create --device {DEVICE}, "
                "then edgeprof-agent enroll there; trying again"
            )
            status, said = each.enroll(each.edgeprof("token", "create", "--device", DEVICE))
            assert status == 0, said
            agent.until_said("connected to the collector at", 2)
            assert agent.said().count("it was revoked") == 1
        actions = [entry["action"] for entry in json.loads(each.edgeprof("audit", "--json"))]
        assert actions == ["enrolled", "created token", "revoked device", "enrolled", "created token"]


def loaded(pid: int) -> set[str]:
    """Names of libraries that a process has loaded."""
    maps = Path(f"/proc/{pid}/maps")
    if not maps.exists():
        return set()
    files = {line.split(maxsplit=5)[-1].strip() for line in maps.read_text().splitlines() if "/" in line}
    return {Path(file).name.partition(".")[0] for file in files} | {Path(file).parent.name for file in files}


def test_a_certificate_renews_itself_and_the_channel_is_made_anew(tmp_path: Path) -> None:
    with fleet(tmp_path, device_days=12 / 86400) as each:
        assert each.enroll(each.edgeprof("token", "create"))[0] == 0
        first = read_enrolment(each.state)
        with each.agent() as agent:
            agent.ready()
            agent.until_said("the certificate of this device is renewed")
            second = read_enrolment(each.state)
            assert first
            assert second
            assert first.key_pem != second.key_pem
            agent.until_said("the certificate of this device is renewed", 2)
            assert "not renewed" not in agent.said()
        assert "the certificate of" not in each.collector.end()[1]  # it was used in time


def test_a_device_that_was_away_for_too_long_renews_by_its_key(tmp_path: Path) -> None:
    with fleet(tmp_path, device_days=1 / 86400, grace_days=1) as each:
        assert each.enroll(each.edgeprof("token", "create"))[0] == 0
        with each.agent() as agent:
            agent.until_said("the certificate of this device had ended and was renewed")
            agent.ready()


def test_after_the_grace_it_says_so(tmp_path: Path) -> None:
    with fleet(tmp_path, device_days=1 / 86400, grace_days=0) as each:
        assert each.enroll(each.edgeprof("token", "create"))[0] == 0
        with each.agent() as agent:
            agent.until_said("ended too long ago to be renewed: enrol it again; trying again")


def test_reset_starts_over_and_keeps_what_waits_and_who_it_is(tmp_path: Path) -> None:
    with fleet(tmp_path) as each:
        token = each.edgeprof("token", "create")
        assert each.enroll("-", given=f"{token}\n")[0] == 0  # not on the command line, which everybody can see
        with each.agent() as agent:
            agent.ready()
        kept = {file.name for file in each.state.iterdir()} - {"enrolment.json"}
        assert kept
        options = ("--state-folder", str(each.state))
        assert run("edgeprof-agent", "reset", *options)[1].startswith("the key and certificate are gone;")
        assert {file.name for file in each.state.iterdir()} == kept
        assert run("edgeprof-agent", "reset", *options)[1] == "this device is not enrolled\n"
        assert each.enroll(each.edgeprof("token", "create", "--device", DEVICE))[0] == 0


def test_what_goes_wrong_is_told_in_one_line(tmp_path: Path) -> None:
    with fleet(tmp_path) as each:
        token = each.edgeprof("token", "create")
        kind, number, secret, fingerprint = token.split(".")
        people = each.edgeprof("token", "create", "--role", "viewer")
        wrong = {
            people: "this is no token that begins with 'edgeprof-enrol.'",
            f"{kind}.{number}.{secret}.{fingerprint[::-1]}": "is not the collector that made this token",
            f"{kind}.{number}.{secret[::-1]}.{fingerprint}": "the collector refuses: this enrolment token is not known",
        }
        for text, words in wrong.items():
            status, said = each.enroll(text)
            assert (status, said.count("\n"), words in said) == (2, 1, True), said
            assert secret not in said
        assert each.enroll(token)[0] == 0
        status, said = each.enroll(token)
        assert (status, said.count("\n"), "used up or revoked" in said) == (2, 1, True), said
        address = each.api
    for host, words in {address: "cannot be reached", "no.such.host.invalid": "", "a/b": "is no address"}.items():
        status, said, complaint = run("edgeprof-agent", "enroll", "--collector", host, "--token", token)
        assert (status, said, complaint.count("\n"), words in complaint) == (2, "", 1, True), complaint


@pytest.mark.parametrize("address", ["192.0.2.1:7743", "collector.lan:7743"])
def test_without_enrolment_nothing_leaves_the_machine(tmp_path: Path, address: str) -> None:
    folders = ("--state-folder", str(tmp_path), "--cache-folder", str(tmp_path))
    status, _, complaint = run("edgeprof-agent", "run", "--collector", address, *folders)
    assert status == 2
    assert complaint == (
        f"edgeprof-agent: this device is not enrolled with {address}, and nothing is sent without TLS: edgeprof-agent "
        "enroll --collector HOST --token TOKEN, with what edgeprof token create prints there\n"
    )


def test_people_come_in_with_a_token_alone(tmp_path: Path) -> None:
    """By the fingerprint in it they know the collector, with no file and whatever its address is called."""
    with fleet(tmp_path) as each:
        token = each.edgeprof("token", "create", "--role", "viewer")
        url = f"https://{each.api}"

        def ask(token: str, *arguments: str) -> tuple[int, str]:
            done = subprocess.run(
                [Path(sys.executable).with_name("edgeprof"), *arguments, "--collector", url],
                env={**os.environ, "EDGEPROF_TOKEN": token},
                capture_output=True,
                text=True,
                check=False,
            )
            return done.returncode, done.stdout + done.stderr

        assert ask(token, "runs") == (0, "no runs yet: edgeprof profile makes the first\n")
        status, said = ask(token, "token", "list")
        assert (status, said) == (2, "edgeprof: the token 'viewer' is a viewer's; this takes the role admin\n")
        status, said = ask("", "runs")
        assert (status, "put one that edgeprof token create --role has printed into EDGEPROF_TOKEN" in said) == (
            2,
            True,
        )
