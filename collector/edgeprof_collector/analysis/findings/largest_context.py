"""How many tokens of context memory has room for, worked out from a run with fewer."""

from edgeprof.run import RunRecord
from edgeprof_collector.analysis.kv_cache import kv_bytes_per_token
from edgeprof_collector.analysis.options import options_in_force
from edgeprof_collector.analysis.verdict import MemoryVerdict


def largest_context(record: RunRecord, memory: MemoryVerdict, used_ratio: float = 1.0) -> int | None:
    """Tokens of context with which the process takes ``used_ratio`` of the memory: what it took, plus more KV cache.

    Only the KV cache grows with the context where a fused kernel attends to it and calls are as large as before:
    llama.cpp's scores would grow too without flash attention. ``None`` where that is not so or not told, where
    several variants were loaded, or a GPU of its own memory holds the cache. May be less than the run's own context,
    and less than 0.
    """
    if len(record.started.plan.variants) != 1 or memory.devices or memory.peak_resident_bytes is None:
        return None
    options = options_in_force(record, 0)
    context = options.get("context", "")
    bytes_per_token = kv_bytes_per_token(record, 0)
    if options.get("flash_attention") != "on" or not context.isdecimal() or not bytes_per_token:
        return None
    room_bytes = used_ratio * memory.total_bytes - memory.peak_resident_bytes
    return int(context) + int(room_bytes // bytes_per_token)
