"""A model that leaves little of the memory, and the contexts that the finding names, loaded under that limit."""

import asyncio
import dataclasses
import os
import re
import sys
from pathlib import Path

import pytest

from edgeprof.plan import Variant
from edgeprof_agent.workload.engine_process import EngineFailedError, EngineProcess
from edgeprof_collector.analysis.finding_name import FindingName
from edgeprof_collector.analysis.findings.largest_context import largest_context

from .control_group import control_group, python_within
from .lab import LLAMA_CPP, Lab, Recorded, decode, plan_of, prefill

# All of the weights are the process's own, and calls are as large whatever the context.
OPTIONS = {
    "threads": "1",
    "mmap": "off",
    "repack": "false",
    "flash_attention": "on",
    "cache_type_k": "f16",
    "cache_type_v": "f16",
    "batch": "128",
    "micro_batch": "128",
}
MEMORY_BYTES = 192 << 20
# Some 14% of that memory is left: midway between too little and none, whatever the interpreter itself takes.
CONTEXT_TOKENS = "80000"
# Shared libraries count for the process, but not for its group where others have read them first.
LIBRARIES_BYTES = 48 << 20


def _run(lab: Lab, total_bytes: int, **options: str) -> Recorded:
    """A run on a device of so much memory, as far as the verdict knows."""
    small = dataclasses.replace(lab, facts=dataclasses.replace(lab.facts, memory_total_bytes=total_bytes))
    variant = Variant(name="plain", options={**OPTIONS, **options})
    plan = dataclasses.replace(plan_of(prefill(256), decode(4), repetitions=1), variants=(variant,))
    return small.run(plan)


def _load(python: str, model: str, context_tokens: int) -> None:
    """Load a model with room for a context, and process a prompt.

    Raises:
        EngineFailedError: there is no room, and the kernel ended the engine.
    """

    async def load() -> None:
        process = await EngineProcess.start(LLAMA_CPP, python)
        try:
            await process.load(model, OPTIONS, context_tokens, 1)
            await process.warm_up(prefill(256))
        finally:
            await process.close()

    asyncio.run(load())


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="memory limits need Linux and root")
def test_the_context_that_fits_does_and_a_larger_one_does_not(lab: Lab, tmp_path: Path) -> None:
    recorded = _run(lab, MEMORY_BYTES, context=CONTEXT_TOKENS)
    found = recorded.the_one(FindingName.MEMORY_HEADROOM)
    told = re.search(r"a context of ([\d,]+) tokens would take all of it", found.evidence)
    assert told
    largest = int(told[1].replace(",", ""))
    assert largest == largest_context(recorded.record, recorded.verdict.memory)
    kept_free = largest_context(recorded.record, recorded.verdict.memory, 0.8)
    assert f"a context of at most {kept_free:,} tokens" in found.advice
    model = recorded.record.started.model
    too_large = largest + LIBRARIES_BYTES // (2 * model.kv_elements_per_token)
    limit = (("memory.limit_in_bytes", "memory.max", str(MEMORY_BYTES)),)
    with control_group("memory", limit) as group:
        python = python_within(group, tmp_path)
        _load(python, model.path, largest)
        with pytest.raises(EngineFailedError, match=r"killed by SIGKILL \(signal 9\) during the load"):
            _load(python, model.path, too_large)


def test_no_context_is_named_where_scores_grow_with_it(lab: Lab) -> None:
    found = _run(lab, MEMORY_BYTES, context=CONTEXT_TOKENS, flash_attention="off").the_one(FindingName.MEMORY_HEADROOM)
    assert "would take all of it" not in found.evidence
    assert "a shorter context" in found.advice


def test_much_memory_is_not_found(lab: Lab) -> None:
    assert _run(lab, 1 << 30).found(FindingName.MEMORY_HEADROOM) == ()
