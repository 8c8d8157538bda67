"""The collector as a service, in a process of its own."""

import asyncio
import random
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import grpc.aio
import httpx
import pytest

from edgeprof.errors import ConfigError, EdgeprofError
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.client import HttpClient
from edgeprof_collector.config import CollectorConfig, read_config, refuse_exposure
from edgeprof_collector.imports.llama_bench import runs_of
from edgeprof_collector.imports.llama_bench_file import read_llama_bench
from edgeprof_collector.store.sqlite import SqliteStore
from tests.collector.imports.rows import PREFILL, write_lines
from tests.collector.intake.device import Device
from tests.collector.service import CollectorProcess
from tests.collector.store.samples import (
    DEVICE,
    PLAN,
    event_message,
    finished,
    frame_message,
    greeting,
    layout,
    started,
)
from tests.collector.webhooks.receiver import receiver

LAYOUT = AgentMessage(layout=layout())


async def bring_a_run(port: int) -> None:
    device = Device(port)
    await device.connect()
    await device.send(LAYOUT, event_message(1, started()), frame_message(2, run_id="run-1"))
    await device.send(event_message(3, finished()))
    await device.acknowledged(3)
    await device.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, None], ids=str)
def test_it_serves_until_it_is_told_to_stop(tmp_path: Path, how: signal.Signals | None) -> None:
    with CollectorProcess(tmp_path) as collector:
        assert collector.ready["pid"] == str(collector.process.pid)
        asyncio.run(bring_a_run(collector.grpc_port))
        with httpx.Client(base_url=collector.ready["http"], trust_env=False) as http:
            assert [run["run_id"] for run in http.get("/api/v1/runs").json()] == ["run-1"]
            assert f'edgeprof_device_connected{{device="{DEVICE}"}}' in http.get("/metrics").text
        assert collector.end(how) == (0, "")
    assert [file.name for file in tmp_path.iterdir() if "sqlite" in file.name] == ["edgeprof.sqlite"]
    store = SqliteStore(collector.store_path)
    assert store.run("run-1").finished == finished()
    store.close()


def test_a_stranger_without_tls_leaves_nothing_in_the_log(tmp_path: Path) -> None:
    with CollectorProcess(tmp_path, tls={"enabled": True}) as collector:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", collector.grpc_port)) as stranger:
                stranger.sendall(b"GET / HTTP/1.0\r\n\r\n")
                while _received(stranger):
                    pass
        assert collector.end(signal.SIGTERM) == (0, "")


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(4096)
    except ConnectionResetError:
        return b""


def test_it_stops_while_devices_and_watchers_are_connected(tmp_path: Path) -> None:
    async def scenario(collector: CollectorProcess) -> None:
        device = Device(collector.grpc_port)
        await device.connect()
        async with httpx.AsyncClient(base_url=collector.ready["http"], trust_env=False, timeout=60) as http:
            request = {
                "targets": [DEVICE],
                "plan": {"name": PLAN.name, "steps": [{"kind": "decode", "decode_tokens": 8}]},
            }
            (job,) = (await http.post("/api/v1/jobs", json=request)).json()
            async with http.stream("GET", f"/api/v1/jobs/events?job={job['job_id']}") as events:
                lines = events.aiter_lines()
                assert '"state":"sent"' in await lines.__anext__()
                ending = asyncio.to_thread(collector.end, signal.SIGTERM)
                (status, words), (code, reason) = await asyncio.gather(ending, device.end())
        assert (status, words) == (0, "")
        assert (code, reason) == (grpc.StatusCode.UNAVAILABLE, "the collector is stopping")
        await device.close()

    with CollectorProcess(tmp_path) as collector:
        asyncio.run(scenario(collector))


def test_imported_results_are_exposed_and_their_device_is_none_that_connects(tmp_path: Path) -> None:
    """An alert on devices that are gone must not count one that never had an agent."""
    asked = 'edgeprof_result_prefill_tokens_per_second{device="llama-bench on AMD EPYC"'
    with CollectorProcess(tmp_path) as collector:
        with HttpClient(collector.ready["http"]) as client:
            client.import_runs(runs_of(read_llama_bench(write_lines(tmp_path / "results.jsonl", PREFILL))))
        wait_for_metric(collector, asked)
    with CollectorProcess(tmp_path) as collector:
        assert "edgeprof_device_connected{" not in wait_for_metric(collector, asked)


def wait_for_metric(collector: CollectorProcess, beginning: str) -> str:
    """The page of metrics, once it has a series that begins so."""
    with httpx.Client(base_url=collector.ready["http"], trust_env=False) as http:
        while beginning not in (page := http.get("/metrics").text):
            time.sleep(0.05)
    return page


@pytest.mark.parametrize("option", ["grpc_port", "http_port"])
def test_a_port_in_use_is_named_with_its_option(tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with CollectorProcess(tmp_path, **{option: port}) as collector:
            status, words = collector.end()
    assert status == 1
    assert len(words.splitlines()) == 1
    assert f"port {port} on 127.0.0.1 is in use" in words
    assert f"--{option.replace('_', '-')}" in words
    assert not (tmp_path / "collector.ready").exists()


def test_two_collectors_cannot_share_a_port(tmp_path: Path) -> None:
    """gRPC would by itself let both listen, and give each half of the devices."""
    (tmp_path / "other").mkdir()
    with CollectorProcess(tmp_path) as collector:
        with CollectorProcess(tmp_path / "other", grpc_port=collector.grpc_port) as other:
            assert "is in use" in other.end()[1]
        asyncio.run(bring_a_run(collector.grpc_port))


def test_a_store_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "edgeprof.sqlite").write_text("a shopping list, and no database at all " * 20)
    with CollectorProcess(tmp_path) as collector:
        status, words = collector.end()
    assert status == 1
    assert len(words.splitlines()) == 1
    assert "no SQLite database" in words


@pytest.mark.parametrize(
    ("key", "host"), [("grpc_host", "0.0.0.0"), ("http_host", "::"), ("http_host", "192.0.2.7"), ("grpc_host", "nuc")]
)
def test_it_does_not_listen_beyond_loopback(key: str, host: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key} = '{host}'.*without TLS and tokens"):
        refuse_exposure(replace(CollectorConfig(), **{key: host}))  # type: ignore[arg-type]  # both keys are texts


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback_is_allowed(host: str) -> None:
    refuse_exposure(CollectorConfig(grpc_host=host, http_host=host))


def test_a_configuration_file(tmp_path: Path) -> None:
    path = tmp_path / "collector.toml"
    path.write_text('grpc_port = 1234\nstore = "~/runs.sqlite"\n[limits]\nmessage_bytes = 100000\n')
    config = read_config(path)
    assert (config.grpc_port, config.http_port, config.limits.message_bytes) == (1234, 7744, 100000)
    assert config.store_path == Path.home() / "runs.sqlite"
    path.write_text("grpc_prot = 1234\n")
    with pytest.raises(ConfigError, match=r"collector.toml:1: unknown key 'grpc_prot'; did you mean 'grpc_port'\?"):
        read_config(path)
    path.write_text("grpc_port = 70000\n")
    with pytest.raises(EdgeprofError, match="'grpc_port'"):
        read_config(path)


class SteadyDevice:
    """Sends numbered frames over one stream after another, as an agent does, and remembers what was acknowledged."""

    def __init__(self, total: int, seed: int) -> None:
        self.total = total
        self.acknowledged = 0
        self._rng = random.Random(seed)

    async def stream(self, port: int, kill_at: int, kill: Callable[[], None]) -> None:
        """Send until so many messages are acknowledged; then, with more on the way, kill the collector."""
        device = Device(port)
        welcome = await device.connect(oldest=1, newest=self.total)
        assert welcome.stored_sequence >= self.acknowledged, "something acknowledged is gone"
        await device.send(LAYOUT)
        sent = device.stored
        while device.stored < kill_at:
            while sent < min(self.total, device.stored + 64):
                again = self._rng.randrange(3)  # some are sent twice
                await device.send(*(self._message(number) for number in range(max(1, sent - again), sent + 2)))
                sent += 1
            await device.next()
        self.acknowledged = device.stored
        kill()
        await device.close()

    def _message(self, sequence: int) -> AgentMessage:
        if sequence == 1:
            return event_message(1, started())
        if sequence == self.total:
            return event_message(sequence, finished())
        return frame_message(sequence, run_id="run-1", start_ns=sequence)


@pytest.mark.prove(short=2, whole=17)
def test_kill_9_in_the_middle_of_intake_loses_nothing_acknowledged(tmp_path: Path, proof_seed: int) -> None:
    rng = random.Random(proof_seed)
    device = SteadyDevice(total=600, seed=proof_seed)
    for kill_at in (*sorted(rng.sample(range(50, 550), 3)), 600):
        with CollectorProcess(tmp_path) as collector:
            asyncio.run(device.stream(collector.grpc_port, kill_at, collector.process.kill))
    store = SqliteStore(tmp_path / "edgeprof.sqlite")
    starts = [frame.start_monotonic_ns for frame in store.telemetry("run-1").frames]
    assert starts == list(range(2, 600))
    assert store.run("run-1").finished == finished()
    assert store.gaps(DEVICE) == ()
    assert store.admit([greeting(newest=600)])[0].stored_sequence == 600
    store.close()


def test_the_service_manager_hears_when_it_serves_lives_and_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "150000")
        with CollectorProcess(tmp_path) as collector:
            said = [listening.recv(4096).decode()]
            while said[-1] != "WATCHDOG=1\nSTATUS=0 devices are connected":
                said.append(listening.recv(4096).decode())
            assert collector.end() == (0, "")
            while said[-1] != "STOPPING=1":
                said.append(listening.recv(4096).decode())
    assert "READY=1\nSTATUS=0 devices are connected" in said


def test_the_end_of_a_job_is_told_to_the_webhooks_of_its_configuration(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", encoding="utf-8")

    async def scenario(collector: CollectorProcess) -> str:
        device = Device(collector.grpc_port)
        await device.connect()
        await device.close()
        async with httpx.AsyncClient(base_url=collector.ready["http"], trust_env=False, timeout=60) as http:
            request = {"targets": [DEVICE], "plan": "quick", "at": "2099-01-01T00:00:00Z"}
            (job,) = (await http.post("/api/v1/jobs", json=request)).json()
            await http.post(f"/api/v1/jobs/{job['job_id']}/cancel")
        return str(job["job_id"])

    with (
        receiver() as one,
        CollectorProcess(tmp_path, webhooks=[{"url": one.url, "secret_file": str(secret)}]) as process,
    ):
        job_id = asyncio.run(scenario(process))
        (told,) = one.until(1)
        assert (told.content["data"]["job_id"], told.content["data"]["state"]) == (job_id, "cancelled")
        assert process.end(signal.SIGTERM)[0] == 0


def test_a_webhook_that_could_never_work_keeps_the_collector_from_starting(tmp_path: Path) -> None:
    webhook = {"url": "https://host/x", "secret_file": "/no/such/file"}
    with CollectorProcess(tmp_path, webhooks=[webhook]) as process:
        status, words = process.end()
    assert status == 1
    assert words == "webhook 'https://host/x': /no/such/file cannot be read: No such file or directory\n"
