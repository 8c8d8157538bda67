"""`edgeprof-agent estimate`: how long a plan will take on this device."""

import asyncio
import sys
from pathlib import Path

import msgspec
import psutil

from edgeprof.errors import EdgeprofError
from edgeprof.estimate import PlanEstimate
from edgeprof.plan import Plan
from edgeprof_agent.ceilings.kept import known_memory_bandwidth
from edgeprof_agent.config import read_config
from edgeprof_agent.engines.registry import ENGINES
from edgeprof_agent.models.choice import choose_shape
from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import is_synthetic, parse_spec
from edgeprof_agent.sensors.device_facts import gather_device_facts
from edgeprof_agent.uplink.identity import boot_id
from edgeprof_agent.workload.guards import loadable_bytes
from edgeprof_agent.workload.kept_speeds import kept_speed
from edgeprof_agent.workload.plan_time import plan_seconds
from edgeprof_agent.workload.readable_models import readable_models
from edgeprof_agent.workload.stage_estimate import StageEstimate

_ROOT = Path("/")


def estimate_plan(plan: bytes, model: str, engine: str) -> int:
    """Print as JSON how long the plan, given as JSON, will take with a synthetic model. Returns the exit status.

    Raises:
        EdgeprofError: the model is a file, of which only reading it would tell its size, or there is no such shape.
    """
    if model and not is_synthetic(model):
        raise EdgeprofError(f"{model}: only of synthetic shapes is the time known beforehand; profile it to be told")
    found = asyncio.run(_estimate(msgspec.json.decode(plan, type=Plan), model, engine or ENGINES[0].name))
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    return 0


async def _estimate(plan: Plan, model: str, engine: str) -> PlanEstimate:
    facts = gather_device_facts(_ROOT, "", {})
    cache_folder = read_config(None).cache_path
    cores = facts.physical_cores or facts.logical_cores
    bandwidth = (await known_memory_bandwidth(cache_folder, boot_id(_ROOT), facts)).read_bytes_per_second
    memory = psutil.virtual_memory()
    readable = readable_models(engine, {}) or ENGINES[0]
    loadable = loadable_bytes(plan.limits, memory.available, memory.total)
    shape = planned_facts(parse_spec(model or choose_shape(loadable, bandwidth, cores, plan, readable.quantisation)))
    estimate = StageEstimate(
        plan, shape, cores, bandwidth, lambda variant: kept_speed(cache_folder, engine, shape, variant.options)
    )
    least, most = plan_seconds(plan, estimate)
    return PlanEstimate(model=shape.name, seconds=least, most_seconds=most)
