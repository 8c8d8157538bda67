"""kill -9 of either end at random moments: what was kept is stored once, with its very samples."""

import random
import shutil
import socket
from pathlib import Path

import pytest

from tests.collector.service import CollectorProcess
from tests.faults.processes import AgentProcess
from tests.faults.traffic import check_store

KILLS = 5
FRAMES = 150


def free_port() -> int:
    """A port that was free a moment ago, for a collector that comes back to the same one."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def finish(agent: AgentProcess) -> None:
    """Let an agent deliver everything, and stop."""
    assert agent.done.wait(120), "the agent cannot deliver"
    agent.end()


@pytest.mark.prove(short=1, whole=10)
def test_kill_9_of_the_agent_loses_nothing_that_it_kept(tmp_path: Path, proof_seed: int) -> None:
    chance = random.Random(proof_seed)
    sent: list[int] = []
    may_be_lost: list[int] = []
    with CollectorProcess(tmp_path) as collector:
        for life in range(1, KILLS + 1):
            agent = AgentProcess(tmp_path / "agent", collector.grpc_port, life * 10_000, FRAMES)
            at = life * 10_000 + chance.randrange(FRAMES)
            agent.wait_until(lambda agent=agent, at=at: agent.kept >= at)  # type: ignore[misc]
            agent.kill()
            sent += agent.tags
            may_be_lost += agent.at_risk
        last = AgentProcess(tmp_path / "agent", collector.grpc_port, 90_000, 20)
        finish(last)
        sent += last.tags
    tags = check_store(tmp_path / "edgeprof.sqlite", sent, may_be_lost)
    assert tags == sorted(tags)
    assert len(tags) > KILLS


@pytest.mark.prove(short=1, whole=10)
def test_kill_9_of_the_collector_under_load_loses_nothing(tmp_path: Path, proof_seed: int) -> None:
    chance = random.Random(1000 + proof_seed)
    port = free_port()
    agent = AgentProcess(tmp_path / "agent", port, 1, FRAMES * KILLS)
    for kill in range(KILLS):
        with CollectorProcess(tmp_path, grpc_port=port) as collector:
            at = kill * FRAMES + chance.randrange(FRAMES)
            agent.wait_until(lambda at=at: agent.kept >= at)  # type: ignore[misc]
            collector.process.kill()
    with CollectorProcess(tmp_path, grpc_port=port):
        finish(agent)
    check_store(tmp_path / "edgeprof.sqlite", agent.tags)


@pytest.mark.prove(short=1, whole=25)
def test_power_lost_at_the_device_costs_the_last_commits_alone(tmp_path: Path, proof_seed: int) -> None:
    """The write-ahead log ends anywhere, as when its last pages had not reached the flash."""
    chance = random.Random(2000 + proof_seed)
    sent: list[int] = []
    may_be_lost: list[int] = []
    port = free_port()
    folder = tmp_path / "agent"
    for life in range(1, 4):  # nobody listens: everything stays in the spool
        agent = AgentProcess(folder, port, life * 10_000, FRAMES)
        at = agent.tags[chance.randrange(FRAMES)]
        agent.wait_until(lambda agent=agent, at=at: agent.kept >= at)  # type: ignore[misc]
        agent.kill()
        log = folder / "spool.db-wal"
        size = log.stat().st_size
        with log.open("r+b") as file:
            file.truncate(size - chance.randrange(min(size, 40_000)))
        sent += agent.tags
        may_be_lost += agent.tags
    with CollectorProcess(tmp_path, grpc_port=port):
        last = AgentProcess(folder, port, 90_000, 20)
        finish(last)
    tags = check_store(tmp_path / "edgeprof.sqlite", [*sent, *last.tags], may_be_lost)
    for life in range(1, 4):  # what is left of a life has no hole in it
        kept = [tag for tag in tags if tag // 10_000 == life]
        assert kept == list(range(life * 10_000, life * 10_000 + len(kept)))


def test_a_copied_disk_costs_neither_agent_anything(tmp_path: Path) -> None:
    """Two boards from one image: the same identity, the same spool, and messages of its own in each."""
    port = free_port()
    original, copy = tmp_path / "original", tmp_path / "copy"
    with CollectorProcess(tmp_path, grpc_port=port):
        finish(first := AgentProcess(original, port, 10_000, 40))
        shutil.copytree(original, copy, ignore=shutil.ignore_patterns("spool.lock"))
        finish(second := AgentProcess(original, port, 20_000, 40))
        finish(third := AgentProcess(copy, port, 30_000, 40))
        finish(fourth := AgentProcess(original, port, 40_000, 40))
        both = [AgentProcess(original, port, 50_000, 60), AgentProcess(copy, port, 60_000, 60)]
        for one in both:  # one is refused until the other has gone
            finish(one)
    agents = [first, second, third, fourth, *both]
    check_store(tmp_path / "edgeprof.sqlite", [tag for one in agents for tag in one.tags])
