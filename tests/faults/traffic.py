"""What agents send in these tests: every sample follows from its frame's tag, so what is stored can be checked."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.telemetry import Column, SampledBlock, SampledFrame, decode_block
from edgeprof_collector.store.sqlite import SqliteStore

RUN = "run-1"
TICKS = 10
CHANNELS = (
    channel("edgeprof_cpu_busy_ratio", "simulated"),
    channel("edgeprof_memory_available_bytes", "simulated"),
    channel("edgeprof_power_watts", "simulated", chip="board", rail="in"),
)

Samples = tuple[Column, ...]


def steps(tag: int) -> tuple[tuple[int | None, ...], ...]:
    """The values of a frame in steps of each channel's resolution, some absent."""
    return tuple(
        tuple(
            None if (tag + place + tick) % 13 == 0 else (tag * 31 + place * 7 + tick * tick) % 1000
            for tick in range(TICKS)
        )
        for place in range(len(CHANNELS))
    )


def times_ns(tag: int) -> tuple[int, ...]:
    """When the frame's ticks were."""
    return tuple(tag * 10**9 + tick * 10**8 for tick in range(TICKS))


def frame(tag: int, run_id: str = RUN) -> SampledFrame:
    """The frame of a tag: one second of three channels."""
    times = times_ns(tag)
    return SampledFrame(
        run_id=run_id,
        start_monotonic_ns=times[0],
        end_monotonic_ns=times[0] + 10**9,
        blocks=(SampledBlock(channels=CHANNELS, times_monotonic_ns=times, columns=steps(tag)),),
    )


def expected(tag: int) -> Samples:
    """What must come out of the store for a tag."""
    return tuple(
        Column(one, times_ns(tag), tuple(None if step is None else round(step * one.resolution, 9) for step in column))
        for one, column in zip(CHANNELS, steps(tag), strict=True)
    )


def stored(store: SqliteStore, run_id: str = RUN) -> Iterator[tuple[int, Samples]]:
    """Every frame of a run that the store hands out, by its tag, as often as it is there."""
    telemetry = store.telemetry(run_id)
    layouts = {one.layout: one for one in telemetry.layouts}
    for one in telemetry.frames:
        (block,) = one.blocks
        columns = decode_block(block, layouts[block.layout], one.start_monotonic_ns)
        yield (
            one.start_monotonic_ns // 10**9,
            tuple(
                Column(
                    column.channel,
                    column.times_monotonic_ns,
                    tuple(None if value is None else round(value, 9) for value in column.values),
                )
                for column in columns
            ),
        )


def check_store(path: Path, sent: Iterable[int], may_be_lost: Iterable[int] = (), run_id: str = RUN) -> list[int]:
    """Compare the store with what was sent, sample by sample; return the tags that are there.

    Each tag is stored once at most; each but those that ``may_be_lost`` is there; each has its very samples.
    """
    store = SqliteStore(path)
    try:
        frames = list(stored(store, run_id))
    finally:
        store.close()
    tags = [tag for tag, _ in frames]
    assert len(tags) == len(set(tags)), f"counted twice: {sorted({tag for tag in tags if tags.count(tag) > 1})[:9]}"
    sent = set(sent)
    assert set(tags) <= sent, f"never sent: {sorted(set(tags) - sent)[:9]}"
    missing = sent - set(tags) - set(may_be_lost)
    assert not missing, f"{len(missing)} lost: {sorted(missing)[:9]}"
    for tag, samples in frames:
        assert samples == expected(tag), f"frame {tag} is not what was sent"
    return tags
