"""Networks that are slow, cut, dead or narrow: everything arrives once, in the end."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.collector.intake.device import running_intake
from tests.collector.service import CollectorProcess
from tests.faults.agent import agent
from tests.faults.namespace import Cable, cable
from tests.faults.processes import AgentProcess
from tests.faults.proxy import network
from tests.faults.traffic import check_store


@pytest.mark.prove(short=1, whole=20)
def test_latency_and_cut_connections(tmp_path: Path, proof_seed: int) -> None:
    chance = random.Random(proof_seed)

    async def scenario(port: int) -> None:
        async with network(port, chance) as between, agent(tmp_path / "agent", between.port) as one:
            between.delay_seconds = 0.005
            between.cut_ratio = 0.03
            one.begin_run()
            await one.sample(range(1, 401))
            await one.all_acknowledged()
            assert between.connections > 1

    with CollectorProcess(tmp_path) as collector:
        asyncio.run(scenario(collector.grpc_port))
    check_store(tmp_path / "edgeprof.sqlite", range(1, 401))


@pytest.mark.prove(short=1, whole=20)
def test_partitions_at_random(tmp_path: Path, proof_seed: int) -> None:
    """The cable is pulled and plugged in again; sometimes the router has forgotten the connection meanwhile."""
    chance = random.Random(proof_seed)

    async def scenario(port: int) -> range:
        async with network(port) as between, agent(tmp_path / "agent", between.port) as one:
            one.begin_run()
            tag = 1
            for _ in range(8):
                between.up.clear()
                while chance.random() < 0.95:
                    await one.sample(range(tag, (tag := tag + 1)))
                if chance.random() < 0.5:
                    between.reset()
                between.up.set()
                while chance.random() < 0.95:
                    await one.sample(range(tag, (tag := tag + 1)))
            await one.all_acknowledged()
            return range(1, tag)

    with CollectorProcess(tmp_path) as collector:
        tags = asyncio.run(scenario(collector.grpc_port))
    check_store(tmp_path / "edgeprof.sqlite", tags)


@pytest.mark.timeout(600)
@pytest.mark.prove(short=1, whole=1)
def test_an_outage(tmp_path: Path, proof_seed: int, pytestconfig: pytest.Config) -> None:
    """Five minutes without a collector, 10 s in short; a run is sampled all the while."""
    seconds = 300 if pytestconfig.getoption("--prove") else 10
    tags = range(1, seconds * 10 + 1)

    async def scenario(port: int) -> None:
        async with network(port) as between, agent(tmp_path / "agent", between.port) as one:
            one.begin_run()
            await one.all_acknowledged()
            between.up.clear()
            for tag in tags:
                await one.sample(range(tag, tag + 1))
                await asyncio.sleep(0.098)
            assert one.spool.status().messages >= len(tags) - 1
            between.reset()
            between.up.set()
            await one.all_acknowledged()

    with CollectorProcess(tmp_path) as collector:
        asyncio.run(scenario(collector.grpc_port))
    check_store(tmp_path / "edgeprof.sqlite", tags)


def test_a_cable_that_is_pulled_and_plugged_in_again(tmp_path: Path) -> None:
    """Of an agent with a network of its own: the kernel's link goes down, twice, and nothing passes meanwhile."""

    async def pull(between: Cable, one: AgentProcess, at: int) -> None:
        await asyncio.to_thread(one.wait_until, lambda: one.kept >= at)
        between.pull()
        later = min(one.kept + 300, one.tags[-1])
        await asyncio.to_thread(one.wait_until, lambda: one.kept >= later)
        assert later not in check_store(store, one.tags, may_be_lost=one.tags), "it went through a cable that is pulled"
        between.plug_in()

    async def scenario(between: Cable) -> range:
        async with running_intake(tmp_path, host=between.host) as running:
            one = AgentProcess(tmp_path / "agent", running.port, 1, 1500, host=between.host, netns=between.namespace)
            try:
                await pull(between, one, 200)
                await pull(between, one, 800)
                assert await asyncio.to_thread(one.done.wait, 120), "the agent cannot deliver"
            finally:
                one.process.kill()
                await asyncio.to_thread(one.end)
            return one.tags

    store = tmp_path / "edgeprof.sqlite"
    with cable() as between:
        tags = asyncio.run(scenario(between))
    check_store(store, tags)


def test_a_half_open_connection_gives_way_to_the_agents_new_one(tmp_path: Path) -> None:
    """The agent's end is gone without a word; the collector still has its stream when the agent comes again."""

    async def scenario(port: int) -> None:
        async with network(port) as between:
            async with agent(tmp_path / "agent", between.port) as one:
                one.begin_run()
                await one.sample(range(1, 51))
                await one.all_acknowledged()
                between.up.clear()  # nothing of this agent's end reaches the collector
                await one.sample(range(51, 101))
            async with agent(tmp_path / "agent", port) as one:
                await one.sample(range(101, 151))
                await asyncio.wait_for(one.all_acknowledged(), 60)

    with CollectorProcess(tmp_path) as collector:
        asyncio.run(scenario(collector.grpc_port))
    check_store(tmp_path / "edgeprof.sqlite", range(1, 151))


def test_a_narrow_network(tmp_path: Path) -> None:
    """20 kB/s and everything at once: what is on its way stays bounded, the rest waits in the spool's file."""

    async def scenario(port: int) -> None:
        async with network(port) as between, agent(tmp_path / "agent", between.port) as one:
            between.bytes_per_second = 20_000
            one.begin_run()
            await one.sample(range(1, 1001))
            assert one.spool.status().messages > 200
            between.bytes_per_second = 0
            await one.all_acknowledged()

    with CollectorProcess(tmp_path) as collector:
        asyncio.run(scenario(collector.grpc_port))
    check_store(tmp_path / "edgeprof.sqlite", range(1, 1001))
