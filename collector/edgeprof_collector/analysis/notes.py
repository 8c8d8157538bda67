"""What a reader must know of the data itself before believing the figures."""

from collections.abc import Iterator, Sequence

from edgeprof.run import RunRecord
from edgeprof.telemetry import Placement
from edgeprof_collector.analysis.placement import CPU
from edgeprof_collector.analysis.repetitions import group_repetitions
from edgeprof_collector.analysis.series import Series
from edgeprof_collector.analysis.thresholds import INTERVAL_MIN_REPETITIONS
from edgeprof_collector.analysis.verdict import FigureName, StepVerdict

_PLACEMENT_NOTES = {
    Placement.ESTIMATED: "The run is dated by the device's own clock, which may have been wrong, or by its time before "
    "it was paused. Durations and rates are not touched.",
    Placement.BY_ARRIVAL: "When the run took place is not known: it is dated no later than its data came. Durations "
    "and rates are not touched.",
}


def data_notes(
    record: RunRecord, series: Sequence[Series], steps: Sequence[StepVerdict], unsound_count: int
) -> tuple[str, ...]:
    """One line for everything that is missing, damaged or made up. ``record`` is sound."""
    notes = []
    if record.started.model.synthetic:
        notes.append(
            "Synthetic model: random weights in a real shape. Speed, memory and heat are real, the text is noise."
        )
    if origin := record.started.device.imported_from:
        notes.append(
            f"Imported from {origin}: the durations are its own, laid end to end. edgeprof has measured nothing here."
        )
    if left_out := record.started.left_out_steps:
        notes.append(f"Left out, for the engine cannot run them: {', '.join(left_out)}.")
    if unanswerable := record.started.unanswerable_steps:
        notes.append(f"Left out, for a synthetic model's random weights answer nothing: {', '.join(unanswerable)}.")
    fewest = min((len(found) for found in group_repetitions(record).values()), default=0)
    if 0 < fewest < INTERVAL_MIN_REPETITIONS:
        notes.append(
            f"Too few repetitions for an interval in some steps ({fewest}): under {INTERVAL_MIN_REPETITIONS}, "
            "a bootstrap interval covers less than it says."
        )
    on_cpu = any(step.processor == CPU and step.figure(FigureName.MBU) for step in steps)
    if on_cpu and record.started.device.last_level_cache_bytes is None:
        notes.append("The size of the last-level cache is not known: if the weights fit it, MBU means nothing.")
    if unsound_count:
        notes.append(f"{unsound_count} of the run's events contradict themselves or the plan, and are left out.")
    notes += _telemetry_notes(series)
    lost = sum(gap.last_sequence - gap.first_sequence + 1 for gap in record.gaps)
    if lost:
        causes = ", ".join(sorted({gap.cause.value.replace("_", " ") for gap in record.gaps}))
        notes.append(f"{lost} messages of this run never arrived ({causes}).")
    if record.placement in _PLACEMENT_NOTES:
        notes.append(_PLACEMENT_NOTES[record.placement])
    return tuple(notes)


def _telemetry_notes(series: Sequence[Series]) -> Iterator[str]:
    if not series:
        yield "No telemetry: temperature, clocks, memory over time and energy are not known."
    if malformed := max((each.malformed_blocks for each in series), default=0):
        yield f"{malformed} blocks of telemetry could not be read, and are left out."
    if bucket_ns := max((each.thinned.bucket_ns for each in series if each.thinned), default=0):
        yield (
            f"Telemetry was thinned to one value every {bucket_ns / 1e9:g} s as the run grew old: figures that need "
            "shorter windows are absent, and what came of them when the run was new may differ."
        )
